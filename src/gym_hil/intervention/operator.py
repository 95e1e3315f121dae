"""The interface of operators, who decide in every step whether the policy or a human acts."""

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
    """What an operator knows about a step before it is executed.

    Attributes:
        env: the environment before the step.
        policy_action: the policy's action, in the environment's action space.
    """

    env: EnvironmentInterface
    policy_action: Action

    @cached_property
    def expert_action(self) -> Action:
        """The action of the task's expert.

        Raises:
            UnsupportedError: the environment has no expert.
        """
        action: Action = self.env.expert_action()
        return action


@dataclass(frozen=True)
class Decision:
    """Decision of an operator about a step.

    Attributes:
        action: the human's action, which is executed instead of the policy's; None if the policy acts.
        events: events of the human about the episode, oldest first.
        reading: the `DeviceReading` of the decision, for the device log of a recording; one per end effector
            if each has a device of its own.
        driven: indices of the end effectors that the human drives; empty for all of them.
    """

    action: Action | None = None
    events: tuple[EpisodeEvent, ...] = ()
    reading: Any = None
    driven: tuple[int, ...] = ()

    @property
    def engaged(self) -> bool:
        """Whether the human acts."""
        return self.action is not None


POLICY_ACTS = Decision()
"""The policy acts, and there are no events."""


class Operator(abc.ABC):
    """Decides in every step whether a human acts.

    Attributes:
        name: short name for logs and datasets.
        device: the input device of a person, or None.
        simulated: whether the human is simulated, so that steps need not keep real time.
        time_scale: factor by which the environment runs slower than in real time. The takeover wrapper sets
            it.
        used_in: identity of the takeover wrapper in whose environment the present episode runs, or None. The
            wrapper sets it.
    """

    name: str
    device: Any = None
    simulated: bool = False
    time_scale: float = 1.0
    used_in: object | None = None

    @abc.abstractmethod
    def decide(self, view: View) -> Decision:
        """Decide about a step. It is called exactly once per step.

        Args:
            view: the environment before the step, and the policy's action.
        """

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:  # noqa: B027
        """Begin an episode, and discard earlier presses.

        Args:
            env: the environment in its initial state.
            seed: seed of all random decisions in the episode; None continues the random numbers of the
                previous episode.
        """

    @property
    def paused(self) -> bool:
        """Whether the person wants the environment to wait. With real-time pacing, `poll_in_pause` is then called
        until the pause ends; without it, a pause has no effect.
        """
        return False

    def poll_in_pause(self) -> None:  # noqa: B027
        """Read the device during a pause. The next `decide` processes what was read."""

    def get_state(self) -> Any:
        """Return the state on which further decisions depend."""
        return None

    def set_state(self, state: Any) -> None:  # noqa: B027
        """Restore the result of `get_state`.

        Args:
            state: the result of `get_state`.
        """

    def for_end_effectors(self, count: int) -> Operator:
        """Return the corresponding operator for a robot with several end effectors.

        Args:
            count: number of end effectors, at least two.
        """
        return self

    def help(self) -> str:
        """Return one line that explains how to take over, or an empty string."""
        return ""

    def close(self) -> None:  # noqa: B027
        """Release devices. It may be called more than once."""


class Expert(Operator):
    """Acts in every step as the task's expert, which knows the state of the simulator and makes no mistakes."""

    name = "expert"

    def decide(self, view: View) -> Decision:
        """Return the expert's action."""
        return Decision(view.expert_action)
