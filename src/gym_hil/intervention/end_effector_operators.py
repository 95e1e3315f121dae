"""An operator for robots with several end effectors, which has one operator for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.base import Device
from gym_hil.devices.combined import CombinedDevice
from gym_hil.intervention.operator import Decision, Operator, View

SEED_STRIDE = 1_000_003
"""Difference between the seeds of two end effectors' operators, so that their errors are independent."""


class EndEffectorOperators(Operator):
    """Drives every end effector by an operator of its own, which sees the environment as if there were no
    other one.

    The policy keeps control of an end effector whose operator does not act, even while a human drives another
    one.

    Args:
        operators: one operator per end effector, in the robot's order. If there are fewer, the policy
            controls the rest.

    Raises:
        InvalidArgumentError: there are no operators.
    """

    def __init__(self, operators: Sequence[Operator]) -> None:
        if not operators:
            raise InvalidArgumentError("EndEffectorOperators needs at least one operator")
        self.operators = tuple(operators)
        self.name = " and ".join(operator.name for operator in self.operators)
        self.simulated = all(operator.simulated for operator in self.operators)

    @property
    def device(self) -> Device | None:
        """All devices as one, or None if there are none."""
        devices = [operator.device for operator in self.operators if operator.device is not None]
        return CombinedDevice(*devices) if devices else None

    @property
    def used_in(self) -> object | None:
        """Identity of the takeover wrapper in whose environment the present episode runs, or None."""
        return self.operators[0].used_in

    @used_in.setter
    def used_in(self, identity: object | None) -> None:
        for operator in self.operators:
            operator.used_in = identity

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode.

        Raises:
            InvalidArgumentError: there are more operators than end effectors.
        """
        end_effectors = env.end_effectors
        if len(self.operators) > len(end_effectors):
            raise InvalidArgumentError(
                f"{self.name} drive {len(self.operators)} end effectors, but this robot has {len(end_effectors)}"
            )
        for number, (operator, end_effector) in enumerate(zip(self.operators, end_effectors, strict=False)):
            operator.reset(end_effector, None if seed is None else seed + number * SEED_STRIDE)

    def decide(self, view: View) -> Decision:
        """Ask every operator, and replace the policy's actions by those of the operators that act."""
        end_effectors, action = view.env.end_effectors, view.policy_action.copy()
        decisions = []
        for number, (operator, end_effector) in enumerate(zip(self.operators, end_effectors, strict=False)):
            operator.time_scale = self.time_scale
            entries = end_effector.entries if len(end_effectors) > 1 else slice(None)
            decision = operator.decide(View(end_effector, view.policy_action[entries]))
            decisions.append((number, decision))
            if decision.action is not None:
                action[entries] = decision.action
        driven = tuple(number for number, decision in decisions if decision.engaged)
        readings = tuple(decision.reading for _, decision in decisions)
        return Decision(
            action=action if driven else None,
            events=tuple(event for _, decision in decisions for event in decision.events),
            reading=None if all(reading is None for reading in readings) else readings,
            driven=driven,
        )

    @property
    def paused(self) -> bool:
        """Whether an operator wants the environment to wait."""
        return any(operator.paused for operator in self.operators)

    def poll_in_pause(self) -> None:
        """Read all devices during a pause."""
        for operator in self.operators:
            operator.poll_in_pause()

    def get_state(self) -> Any:
        """Return the states of all operators."""
        return tuple(operator.get_state() for operator in self.operators)

    def set_state(self, state: Any) -> None:
        """Restore the result of `get_state`."""
        for operator, operator_state in zip(self.operators, state, strict=True):
            operator.set_state(operator_state)

    def help(self) -> str:
        """Return the help of all operators in one line."""
        return "; ".join(filter(None, (operator.help() for operator in self.operators)))

    def close(self) -> None:
        """Close all operators."""
        for operator in self.operators:
            operator.close()
