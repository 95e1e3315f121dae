"""A wrapper that adapts environments to LeRobot's human-in-the-loop programs.

The wrapper is the outermost one, and is added only while `lerobot.rl.gym_manipulator`, or LeRobot's actor or learner,
runs. What it does follows from ``rl/gym_manipulator.py`` and ``processor/hil_processor.py`` of LeRobot 0.4.4 and 0.6.1.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from gym_hil.core import schema
from gym_hil.core.schema import TerminationReason

_log = logging.getLogger(__name__)
LOOPS = ("lerobot.rl.gym_manipulator", "lerobot.scripts.rl.gym_manipulator")
"""LeRobot modules that step an environment: since version 0.4, and before. The actor imports them."""
EVENTS = {
    "RERECORD_EPISODE": {TerminationReason.RERECORD},
    "SUCCESS": {TerminationReason.HUMAN_SUCCESS},
    "TERMINATE_EPISODE": {
        TerminationReason.RERECORD,
        TerminationReason.HUMAN_SUCCESS,
        TerminationReason.HUMAN_FAILURE,
    },
}
"""Names of LeRobot's `TeleopEvents`, and the termination reasons for which each is true."""

EPISODES_FILE = "GYM_HIL_EPISODES_FILE"
"""Environment variable with the path of a file to which each finished episode is appended as a line of JSON
(`EpisodeSummary`). `gym_hil.integrations.lerobot.launch` reads it to follow LeRobot's programs."""


@dataclass(frozen=True)
class EpisodeSummary:
    """One finished episode.

    Attributes:
        number: number of the episode since the program started, from 1.
        outcome: ``"success"``, the termination reason, or ``"time_limit"``.
        steps: length of the episode in control steps.
        intervention_rate: fraction of the steps in which the human acted, in [0, 1].
    """

    number: int
    outcome: str
    steps: int
    intervention_rate: float


def is_driving() -> bool:
    """Return whether this process is one of LeRobot's human-in-the-loop programs."""
    main = getattr(sys.modules.get("__main__"), "__spec__", None)
    return any(name in sys.modules for name in LOOPS) or (main is not None and main.name in LOOPS)


class LeRobotCompatibility(gym.Wrapper):
    """Adapts an environment to LeRobot's loop.

    In the step after the human has released control, LeRobot sends the human's last action again as if it came
    from the policy. The wrapper replaces that action by the neutral one, and the info of the step says so.

    The info of an episode's last step also contains the keys of LeRobot's `TeleopEvents`, so that LeRobot
    discards the episode and records it again if the human asked for that. Each finished episode is appended to
    the file that the environment variable `EPISODES_FILE` names, if it is set.

    Args:
        env: the environment with all other wrappers.
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self._human_action: np.ndarray | None = None
        self._episode = self._steps = self._human_steps = 0
        path = os.environ.get(EPISODES_FILE)
        self._file = Path(path) if path else None

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the environment and forget the last human action."""
        self._end_episode("time_limit")
        self._human_action = None
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment, without executing the human's last action a second time."""
        if self._human_action is not None and np.array_equal(action, self._human_action):
            action = self.env.get_wrapper_attr("neutral_action")()
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._human_action = info.get(schema.INTERVENE_ACTION)
        self._steps += 1
        self._human_steps += bool(info[schema.IS_INTERVENTION])
        if terminated or truncated:
            reason = info[schema.TERMINATION_REASON]
            self._end_episode("success" if info[schema.NEXT_SUCCESS] else reason or "time_limit")
            info = _LastInfo(info, _events(reason))
        return observation, reward, terminated, truncated, info

    def _end_episode(self, outcome: str) -> None:
        """Log the episode and append it to the file. LeRobot's own time limit ends episodes by a reset."""
        if self._steps == 0:
            return
        self._episode += 1
        rate = self._human_steps / self._steps
        summary = EpisodeSummary(self._episode, outcome, self._steps, rate)
        self._steps = self._human_steps = 0
        _log.info(
            "episode %d: %s after %d steps, intervention rate %.2f",
            self._episode,
            outcome,
            summary.steps,
            rate,
        )
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(summary)) + "\n")


class _LastInfo(dict[Any, Any]):
    """The info of an episode's last step, whose event keys cannot be overwritten, not even in a copy.

    LeRobot 0.6.1 copies the info of a step and then overwrites the event keys of the copy with those of the
    previous step, in which the human had not pressed anything yet.
    """

    def __init__(self, info: dict[Any, Any], events: dict[Any, bool]) -> None:
        super().__init__({**info, **events})
        self._events = events

    def copy(self) -> _LastInfo:
        return _LastInfo(self, self._events)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, self._events.get(key, value))


def _events(reason: str) -> dict[Any, bool]:
    """Return the values of LeRobot's event keys at the end of an episode."""
    from lerobot.teleoperators.utils import TeleopEvents

    return {getattr(TeleopEvents, name): reason in reasons for name, reasons in EVENTS.items()}
