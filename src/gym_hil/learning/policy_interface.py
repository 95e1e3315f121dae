"""What a policy observes and does, so that it is refused where it does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gym_hil.core.errors import InvalidArgumentError

_PAIRS_OF_VERSION_1 = {"PickCube": 0, "InsertPeg": 1}


@dataclass(frozen=True, kw_only=True)
class PolicyInterface:
    """Two environments with equal interfaces are interchangeable for a policy.

    Attributes:
        task: name of the task.
        robot: name of the robot.
        observation: terms of the observation in their order, each as ``name[size]``.
        action: terms of the action in their order, likewise.
        ee_step_m: metres per unit of action, for x, y and z.
        control_dt: seconds per step.
    """

    task: str
    robot: str
    observation: tuple[str, ...]
    action: tuple[str, ...]
    ee_step_m: tuple[float, ...]
    control_dt: float

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> PolicyInterface:
        """Return the interface that was written as JSON, also by version 0.1.15, which had one robot only.

        Raises:
            KeyError: a fact is missing.
            TypeError: a fact is of the wrong type.
        """
        facts = dict(facts)
        if "observation_size" in facts:
            facts |= _terms_of_version_1(facts)
        names = ("observation", "action", "ee_step_m")
        return cls(**{**facts, **{name: tuple(facts[name]) for name in names}})

    def require_same(self, other: PolicyInterface, name: object) -> None:
        """Refuse an environment that the policy was not trained for.

        Args:
            other: interface of the environment.
            name: of the policy, for the message.

        Raises:
            InvalidArgumentError: the interfaces differ; the message names both values of whatever differs.
        """
        mine, others = asdict(self), asdict(other)
        wrong = [f"{key} {mine[key]}, not {others[key]}" for key in mine if mine[key] != others[key]]
        if wrong:
            raise InvalidArgumentError(f"{name} was trained for {'; '.join(wrong)}")


def _terms_of_version_1(facts: dict[str, Any]) -> dict[str, Any]:
    from gym_hil.learning.features import image_terms, state_terms

    size = facts.pop("observation_size")
    del facts["action_size"]
    pairs = _PAIRS_OF_VERSION_1.get(facts["task"], 0)
    numbers, rest = divmod(size - 4 - 9 * pairs, 3)
    is_state = rest == 0 and numbers <= 30
    return {
        "robot": "panda",
        "observation": state_terms(numbers, pairs) if is_state else image_terms(size),
        "action": ACTION_TERMS,
    }


ACTION_TERMS = ("ee_delta_pos[3]", "gripper[1]")
"""A displacement of the end effector, and the gripper as a held state: closed below 0, else open."""
