"""Who may take over: an operator looks at each step and either lets the policy act or acts itself.

Actions here are end-effector actions as `EEActionWrapper` takes them: x, y, z in [-1, 1] and the gripper in
[0, 2], or without gripper the first three.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.envs.manipulation import ManipulationEnv

Action = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """What an operator sees of a step that is about to happen."""

    env: ManipulationEnv
    policy_action: Action
    """What the policy would do."""
    scale: NDArray[np.float64]
    """Metres per unit of x, y, z."""


@dataclass(frozen=True)
class Decision:
    """What an operator does about a step."""

    action: Action | None = None
    """The human's action (4): executed instead of the policy's. None lets the policy act."""
    events: tuple[EpisodeEvent, ...] = ()

    @property
    def engaged(self) -> bool:
        """Whether the human acts."""
        return self.action is not None


LET_GO = Decision()


class Operator(abc.ABC):
    """Decides, step by step, whether a human acts."""

    name: str

    @abc.abstractmethod
    def decide(self, view: View) -> Decision:
        """Return what to do about the step that `view` shows. Called exactly once per step."""

    def reset(self, env: ManipulationEnv, seed: int | None) -> None:  # noqa: B027
        """Begin an episode. What was pressed before belongs to nobody."""

    @property
    def paused(self) -> bool:
        """Whether the person wants the world to wait. Whoever keeps real time then calls `idle` until it is
        over; where nobody does, a pause means nothing.
        """
        return False

    def idle(self) -> None:  # noqa: B027
        """Listen while paused. What is heard counts in the next `decide`."""

    def help(self) -> str:
        """Return one line that says how to drive, or nothing."""
        return ""

    def close(self) -> None:  # noqa: B027
        """Release devices. Calling it twice is allowed."""


def ee_action(x: float, y: float, z: float, gripper: GripperCommand) -> Action:
    """Return an end-effector action (4)."""
    return np.array([x, y, z, float(gripper)], dtype=np.float32)
