"""One operator for a robot with several end effectors: a hand, with a device of its own, for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.base import Device
from gym_hil.devices.combined import CombinedDevice
from gym_hil.intervention.operator import Decision, Operator, View

SEED_STRIDE = 1_000_003
"""Difference of the seeds of two hands, so that they do not make the same errors."""


class Hands(Operator):
    """Drives every end effector as one of several operators decides, each of which sees the environment as if its end
    effector were the only one.

    An end effector whose operator does not act is left to the policy, also while another one is driven.

    Args:
        operators: one per end effector, in the robot's order. With fewer than end effectors, the policy keeps the rest.
    """

    def __init__(self, operators: Sequence[Operator]) -> None:
        if not operators:
            raise InvalidArgumentError("Hands needs at least one operator")
        self.operators = tuple(operators)
        self.name = " and ".join(operator.name for operator in self.operators)

    @property
    def device(self) -> Device | None:
        """All devices as one, or None where there is none."""
        devices = [operator.device for operator in self.operators if operator.device is not None]
        return CombinedDevice(*devices) if devices else None

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode.

        Raises:
            InvalidArgumentError: there are more operators than end effectors.
        """
        hands = env.end_effectors
        if len(self.operators) > len(hands):
            raise InvalidArgumentError(
                f"{self.name} drive {len(self.operators)} end effectors, this robot has {len(hands)}"
            )
        for number, (operator, hand) in enumerate(zip(self.operators, hands, strict=False)):
            operator.reset(hand, None if seed is None else seed + number * SEED_STRIDE)

    def decide(self, view: View) -> Decision:
        """Ask every operator, and put the actions of those who act into the policy's."""
        hands, action = view.env.end_effectors, view.policy_action.copy()
        decisions = []
        for number, (operator, hand) in enumerate(zip(self.operators, hands, strict=False)):
            operator.time_scale = self.time_scale
            entries = hand.entries if len(hands) > 1 else slice(None)
            decision = operator.decide(View(hand, view.policy_action[entries]))
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
        """Whether anybody wants the environment to wait."""
        return any(operator.paused for operator in self.operators)

    def idle(self) -> None:
        """Listen to every device while paused."""
        for operator in self.operators:
            operator.idle()

    def get_state(self) -> Any:
        """Return the states of all operators."""
        return tuple(operator.get_state() for operator in self.operators)

    def set_state(self, state: Any) -> None:
        """Continue from what `get_state` returned."""
        for operator, its in zip(self.operators, state, strict=True):
            operator.set_state(its)

    def help(self) -> str:
        """Return the operators' lines in one."""
        return "; ".join(filter(None, (operator.help() for operator in self.operators)))

    def close(self) -> None:
        """Close all operators."""
        for operator in self.operators:
            operator.close()
