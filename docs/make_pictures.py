"""Make the pictures of the documentation: ``python docs/make_pictures.py``."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import imageio.v3 as iio
import numpy as np

import gym_hil
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.intervention.scripted_policies import make_policy
from gym_hil.reports.video import with_banner

FOLDER = Path(__file__).parent / "images"
SIZE = {"video_height": 300, "video_width": 400}


def takeover() -> np.ndarray:
    """Return one episode of PickCube in four frames: the policy errs, a human takes over, the cube is up."""
    spec = gym_hil.GymRenderingSpec(**SIZE)
    env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1", render_mode="rgb_array", render_spec=spec)
    policy, rng = make_policy("random"), np.random.default_rng(3)
    env.reset(seed=3)
    frames, done = [], False
    while not done:
        *_, terminated, truncated, info = env.step(policy(EnvironmentInterface(env), rng))
        frame = with_banner(
            env.render(),
            human=info["is_intervention"],
            success=info["next.success"],
            seconds=0.1 * (len(frames) + 1),
        )
        frames.append(frame)
        done = terminated or truncated
    env.close()
    picked = [round(share * (len(frames) - 1)) for share in (0.1, 0.45, 0.75, 1.0)]
    return np.hstack([frames[number] for number in picked])


def boxes() -> np.ndarray:
    """Return ArrangeBoxes at its start and when it is done."""
    spec = gym_hil.GymRenderingSpec(**SIZE)
    env = gym_hil.make_env(
        "gym_hil/PandaArrangeBoxesBase-v1", operator="expert", render_mode="rgb_array", render_spec=spec
    )
    env.reset(seed=0)
    frames, done = [env.render()], False
    while not done:
        *_, done, _, _ = env.step(np.array([0, 0, 0, 1], np.float32))
        frames.append(env.render())
    env.close()
    return np.hstack([frames[number] for number in (0, len(frames) // 3, 2 * len(frames) // 3, -1)])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    iio.imwrite(FOLDER / "tasks.jpg", np.vstack([takeover(), boxes()]), quality=85)
