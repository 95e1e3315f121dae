"""Who may take over: an operator looks at each step and either lets the policy act or acts itself."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.schema import EpisodeEvent
from gym_hil.core.step_record import Action


@dataclass(frozen=True)
class View:
    """What an operator sees of a step that is about to happen.

    Attributes:
        env: the environment before the step.
        policy_action: what the policy would do, in the environment's action space.
    """

    env: EnvironmentInterface
    policy_action: Action

    @cached_property
    def expert_action(self) -> Action:
        """What the task's expert would do.

        Raises:
            UnsupportedError: the environment has no expert.
        """
        action: Action = self.env.expert_action()
        return action


@dataclass(frozen=True)
class Decision:
    """What an operator does about a step.

    Attributes:
        action: the human's action, executed instead of the policy's; None lets the policy act.
        events: what the human tells about the episode, oldest first.
        reading: the `DeviceReading` that it came from, for the device log of a recording; one per end effector where
            each has a device of its own.
        driven: numbers of the end effectors that the human drives while acting; empty for all of them.
    """

    action: Action | None = None
    events: tuple[EpisodeEvent, ...] = ()
    reading: Any = None
    driven: tuple[int, ...] = ()

    @property
    def engaged(self) -> bool:
        """Whether the human acts."""
        return self.action is not None


LET_GO = Decision()


class Operator(abc.ABC):
    """Decides, step by step, whether a human acts.

    Attributes:
        name: short name, for logs and datasets.
        device: the input device of a person; None where there is none.
        time_scale: how many times slower than in real time the person wants the environment to run. The takeover
            wrapper sets it.
    """

    name: str
    device: Any = None
    time_scale: float = 1.0

    @abc.abstractmethod
    def decide(self, view: View) -> Decision:
        """Return what to do about the step that `view` shows. Called exactly once per step."""

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:  # noqa: B027
        """Begin an episode. Presses from before the episode are dropped.

        Args:
            env: the environment in its initial state.
            seed: fixes everything that the operator will do in the episode; None goes on with the random numbers of
                the episode before.
        """

    @property
    def paused(self) -> bool:
        """Whether the person wants the environment to wait. Whoever keeps real time then calls `idle` until the
        pause is over; without real time a pause has no effect.
        """
        return False

    def idle(self) -> None:  # noqa: B027
        """Read the device while paused. What is read counts in the next `decide`."""

    def get_state(self) -> Any:
        """Return what the operator's further decisions depend on."""
        return None

    def set_state(self, state: Any) -> None:  # noqa: B027
        """Continue from what `get_state` returned."""

    def for_hands(self, count: int) -> Operator:
        """Return the operator of a robot with `count` end effectors, at least two, who is otherwise the same."""
        return self

    def help(self) -> str:
        """Return one line that says how to take over, or an empty string."""
        return ""

    def close(self) -> None:  # noqa: B027
        """Release devices. Calling it twice is allowed."""
