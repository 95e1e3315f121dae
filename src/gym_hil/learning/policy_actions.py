"""Conversion between a policy's actions in [-1, 1] and the actions of an environment."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.step_record import Action, StepRecord
from gym_hil.learning.policy_interface import ACTION_TERMS


class PolicyActions(Protocol):
    """Converts a policy's actions to those of an environment, and back."""

    terms: tuple[str, ...]
    """Terms of a policy's action, each as ``name[size]``."""
    size: int
    """Length of a policy's action."""
    step_m: tuple[float, ...]
    """Distance per unit of action along x, y and z (m); empty if the environment does not define it."""
    idle: NDArray[np.float32]
    """The policy's action that causes no motion."""

    def to_env(self, action: Any) -> Action:
        """Return the environment's action for a policy's action."""

    def executed(self, action: Any, record: StepRecord) -> NDArray[np.float32]:
        """Return the executed action of a step as a policy's action.

        Args:
            action: the policy's own action in this step.
            record: the record of the step.
        """


class EndEffectorSteps:
    """Actions of this package's environments: for each end effector a displacement, rotations if its actions include
    them, and the state of the gripper.

    Args:
        env: an environment of this package with end-effector actions.
    """

    def __init__(self, env: EnvironmentInterface) -> None:
        self._simulation = env.simulation
        layout, (displacement, gripper) = env.action_term.layout, ACTION_TERMS
        self._grippers = [part.start for name, part in layout.items() if name.endswith("gripper")]
        self.size = layout.size
        terms: list[str] = []
        for name, size in layout.sizes.items():
            if name.endswith("gripper"):
                terms.append(name.removesuffix("gripper") + gripper)
                continue
            prefix = name.removesuffix("motion")
            terms += [prefix + displacement, *([f"{prefix}ee_delta_rot[{size - 3}]"] if size > 3 else [])]
        self.terms = tuple(terms)
        self.step_m: tuple[float, ...] = tuple(float(size) for size in env.scale)
        self.idle: NDArray[np.float32] = np.zeros(self.size, np.float32)
        self.idle[self._grippers] = 1.0

    def to_env(self, action: Any) -> Action:
        """Return the end-effector action for a policy's action."""
        command = np.array(action, np.float32)
        for entry in self._grippers:
            closes = command[entry] < 0.0
            command[entry] = schema.GripperCommand.CLOSE if closes else schema.GripperCommand.OPEN
        return command

    def executed(self, action: Any, record: StepRecord) -> NDArray[np.float32]:
        """Return the executed action, whose gripper entries are -1 while the gripper closes and 1 otherwise."""
        if not record.is_intervention:
            return np.array(action, np.float32)
        executed = record.executed_action.copy()
        for entry, end_effector in zip(self._grippers, self._simulation.end_effectors, strict=True):
            executed[entry] = -1.0 if end_effector.gripper_closing else 1.0
        return executed


class ScaledBox:
    """Actions of any environment with a bounded `gymnasium.spaces.Box`, scaled to [-1, 1].

    Args:
        env: the environment.

    Raises:
        InvalidArgumentError: the action space is not a bounded vector.
    """

    step_m: tuple[float, ...] = ()

    def __init__(self, env: EnvironmentInterface) -> None:
        space = env.env.action_space
        if not isinstance(space, spaces.Box) or len(space.shape) != 1 or not space.is_bounded():
            raise InvalidArgumentError(
                f"a policy needs an action space that is a bounded vector, not {space}"
            )
        self._space = space
        self._middle = (space.high.astype(np.float64) + space.low) / 2.0
        self._half = (space.high.astype(np.float64) - space.low) / 2.0
        self.size = space.shape[0]
        self.terms: tuple[str, ...] = (f"action[{self.size}]",)
        self.idle: NDArray[np.float32] = self._to_policy(env.neutral_action())

    def to_env(self, action: Any) -> Action:
        """Return an action of the environment's space."""
        values = self._middle + self._half * np.asarray(action, np.float64)
        return np.clip(values.astype(self._space.dtype), self._space.low, self._space.high)

    def executed(self, action: Any, record: StepRecord) -> NDArray[np.float32]:
        """Return the executed action of the record."""
        return self._to_policy(record.executed_action)

    def _to_policy(self, action: Action) -> NDArray[np.float32]:
        offset = np.asarray(action, np.float64) - self._middle
        scaled = np.divide(offset, self._half, out=np.zeros_like(offset), where=self._half > 0)
        return np.clip(scaled, -1.0, 1.0).astype(np.float32)


def make_actions(env: EnvironmentInterface) -> PolicyActions:
    """Return the conversion of actions for an environment."""
    return EndEffectorSteps(env) if env.offers("simulation") else ScaledBox(env)
