"""What LeRobot's human-in-the-loop programs need beyond Gymnasium's interface.

The wrapper goes around a finished environment only while `lerobot.rl.gym_manipulator`, or LeRobot's actor or
learner, runs. Both of its rules follow from ``rl/gym_manipulator.py`` and ``processor/hil_processor.py`` of
LeRobot 0.4.4 and 0.6.1.
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
"""Modules that step an environment, in LeRobot since 0.4 and before it. The actor imports them."""
EVENTS = {
    "RERECORD_EPISODE": {TerminationReason.RERECORD},
    "SUCCESS": {TerminationReason.HUMAN_SUCCESS},
    "TERMINATE_EPISODE": {
        TerminationReason.RERECORD,
        TerminationReason.HUMAN_SUCCESS,
        TerminationReason.HUMAN_FAILURE,
    },
}
"""Names of LeRobot's `TeleopEvents`, and the reasons for which they are set."""

EPISODES_FILE = "GYM_HIL_EPISODES_FILE"
"""Environment variable with the path of a file. Each finished episode is added to it as a line of JSON, see
`EpisodeSummary`; `gym_hil.integrations.lerobot.launch` follows LeRobot's programs by it."""


@dataclass(frozen=True)
class EpisodeSummary:
    """One finished episode.

    Attributes:
        number: 1, 2, ... since the program started.
        outcome: ``"success"``, the reason for its end, or ``"time_limit"``.
        steps: its length.
        intervention_rate: share of its steps in which the human acted, in [0, 1].
    """

    number: int
    outcome: str
    steps: int
    intervention_rate: float


def is_driving() -> bool:
    """Return whether LeRobot's human-in-the-loop programs run in this process."""
    main = getattr(sys.modules.get("__main__"), "__spec__", None)
    return any(name in sys.modules for name in LOOPS) or (main is not None and main.name in LOOPS)


class LeRobotCompatibility(gym.Wrapper):
    """Adapts an environment to LeRobot's loop.

    In the step after the human has let go, LeRobot passes on the human's last action once more, as if it were
    the policy's. That action is not executed: the robot stays where it is, and the info of the step says so.

    When an episode ends, its info also has the keys of LeRobot's `TeleopEvents`, so that LeRobot discards the
    episode and records it again if the human asked for that. Each episode is also added to the file that the
    environment variable `EPISODES_FILE` names, if any.

    Args:
        env: the environment, with all other wrappers.
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self._human_action: np.ndarray | None = None
        self._episode = self._steps = self._human_steps = 0
        path = os.environ.get(EPISODES_FILE)
        self._file = Path(path) if path else None

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset; nobody has acted yet."""
        self._end_episode("time_limit")
        self._human_action = None
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, without executing the human's last action a second time."""
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
        """Tell of the episode. A reset ends one that LeRobot has cut off by a time limit of its own."""
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
    """The last info of an episode. Its event keys keep their values, also in a copy.

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
    """Return LeRobot's event keys at the end of an episode."""
    from lerobot.teleoperators.utils import TeleopEvents

    return {getattr(TeleopEvents, name): reason in reasons for name, reasons in EVENTS.items()}
