"""Teleoperate the robot: ``python gym_hil/examples/test_teleoperation.py [--use-keyboard]``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gymnasium as gym
import numpy as np
import tyro

import gym_hil  # noqa: F401
from gym_hil.intervention.human_cost import HUMAN_COST, RecordHumanCost


@dataclass(kw_only=True)
class Teleoperation:
    """Pick up the cube with a gamepad or a keyboard. The robot does not move until you take over."""

    use_keyboard: bool = False
    """Use the keyboard of the window instead of a gamepad."""
    controller_config: Path | None = None
    """JSON file that maps the gamepad's axes and buttons."""
    step_size: float = 0.025
    """Distance per step at full deflection (m)."""
    reset_delay: float = 1.0
    """Delay before every episode (s)."""
    render_mode: Literal["human", "rgb_array"] = "human"
    """Whether to open a window."""
    episodes: int | None = None
    """Number of episodes; by default unlimited, until the window is closed or Ctrl-C is pressed."""
    seed: int = 0
    """Seed of the cube's positions."""


def main(options: Teleoperation) -> None:
    """Run episodes until their number is reached, the window is closed, or Ctrl-C is pressed."""
    device = "Keyboard" if options.use_keyboard else "Gamepad"
    env = gym.make(
        f"gym_hil/PandaPickCube{device}-v1",
        render_mode=options.render_mode,
        ee_step_size=dict.fromkeys("xyz", options.step_size),
        reset_delay_seconds=options.reset_delay,
        controller_config_path=None if options.controller_config is None else str(options.controller_config),
    )
    env = RecordHumanCost(env)
    print(env.get_wrapper_attr("operator").help())
    stay = np.array([0, 0, 0, 1], np.float32)
    episode = 0
    try:
        while options.episodes is None or episode < options.episodes:
            env.reset(seed=options.seed + episode)
            done = False
            while not done:
                *_, terminated, truncated, info = env.step(stay)
                done = terminated or truncated
                if any(observer.closed for observer in env.get_wrapper_attr("observers")):
                    return
            episode += 1
            cost = info[HUMAN_COST]
            result = "success" if cost["success"] else info["termination_reason"] or "time is up"
            print(f"episode {episode}: {result}, {cost['steps']} steps, {cost['intervened_s']:.1f} s by you")
    except KeyboardInterrupt:
        pass
    finally:
        env.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(tyro.cli(Teleoperation))
