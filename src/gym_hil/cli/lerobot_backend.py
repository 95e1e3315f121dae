"""``gym-hil train --backend lerobot``: trains with LeRobot's learner and actor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console

from gym_hil.cli.common import write_json
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.integrations.lerobot.configs import Plan
from gym_hil.integrations.lerobot.launch import LerobotEpisode, learn_with_lerobot
from gym_hil.stacks.ids import parse_id

if TYPE_CHECKING:
    from gym_hil.cli.train import Train

SUFFIX = {"simulated": "SimulatedHuman", "gamepad": "Gamepad", "keyboard": "Keyboard", "browser": "Browser"}
"""Suffix of the id for each operator: LeRobot creates environments by their id alone."""
RECENT_EPISODES = 20
"""Number of episodes over which success and interventions are shown."""


def train_with_lerobot(train: Train, console: Console) -> int:
    """Train as the options of `gym-hil train` specify, and print the progress.

    Args:
        train: the options.
        console: prints the progress.

    Returns:
        The exit status.

    Raises:
        InvalidArgumentError: LeRobot does not support an option.
        LerobotError: LeRobot is not installed, or one of its programs failed.
    """
    if train.method != "hil":
        raise InvalidArgumentError(f"method={train.method!r} is not supported by LeRobot's learner; use hil")
    require_one_of("obs", train.obs, ("state", "pixels"))
    operator = train.operator_name()
    require_one_of("operator", operator, SUFFIX)
    plan = Plan(
        task=lerobot_id(train.env_id, operator, images=train.obs == "pixels"),
        episodes=train.demos,
        steps=round(train.robot_minutes * 600),
        device=_device(train.device),
    )
    episodes: list[LerobotEpisode] = []

    def on_episode(episode: LerobotEpisode) -> None:
        episodes.append(episode)
        recent = [other for other in episodes[-RECENT_EPISODES:] if other.program == episode.program]
        success = sum(other.outcome == "success" for other in recent) / len(recent)
        steps = sum(other.steps for other in recent)
        rate = sum(other.intervention_rate * other.steps for other in recent) / steps
        console.print(
            f"{episode.program} episode {episode.number}: {episode.outcome} after {episode.steps} steps; "
            f"recently {success:.0%} success with help, {rate:.0%} takeovers",
            soft_wrap=True,
        )

    console.print(f"Training {plan.task} with LeRobot. Logs and results are in {train.out}", soft_wrap=True)
    try:
        learn_with_lerobot(plan, train.out, lambda line: console.print(line), on_episode)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    learned = [episode for episode in episodes if episode.program == "actor"]
    write_json(
        train.json,
        {
            "task": plan.task,
            "episodes": len(learned),
            "successes": sum(episode.outcome == "success" for episode in learned),
            "checkpoint": str(train.out / "learner" / "checkpoints" / "last"),
        },
    )
    return 0


def lerobot_id(task: str, operator: str, *, images: bool) -> str:
    """Return the id of a task for LeRobot, without namespace and with the suffix of an operator."""
    return replace(parse_id(task), state=not images, suffix=SUFFIX[operator]).name


def _device(device: str) -> str:
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
