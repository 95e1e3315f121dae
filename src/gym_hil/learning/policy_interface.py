"""The interface of a policy: its observation and action, by which unsuitable environments are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gym_hil.core.errors import InvalidArgumentError

_PAIRS_OF_VERSION_1 = {"PickCube": 0, "InsertPeg": 1}
"""Number of pairs of objects and goals of the tasks for which version 0.1.15 had policies."""


@dataclass(frozen=True, kw_only=True)
class PolicyInterface:
    """Interface of a policy to an environment. Environments with equal interfaces are interchangeable.

    Attributes:
        task: name of the task.
        robot: name of the robot.
        observation: terms of the observation in order, each as ``name[size]``.
        action: terms of the action in order, each as ``name[size]``.
        ee_step_m: distance per unit of action along x, y and z (m).
        control_dt: duration of a control step (s).
    """

    task: str
    robot: str
    observation: tuple[str, ...]
    action: tuple[str, ...]
    ee_step_m: tuple[float, ...]
    control_dt: float

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> PolicyInterface:
        """Return an interface from its JSON form, also that of version 0.1.15, which had only one robot.

        Raises:
            KeyError: an entry is missing.
            TypeError: an entry has the wrong type.
        """
        facts = dict(facts)
        if "observation_size" in facts:
            facts |= _terms_of_version_1(facts)
        names = ("observation", "action", "ee_step_m")
        return cls(**{**facts, **{name: tuple(facts[name]) for name in names}})

    def require_same(self, other: PolicyInterface, name: object) -> None:
        """Require that an environment has the interface for which the policy was trained.

        Args:
            other: interface of the environment.
            name: name of the policy in the error message.

        Raises:
            InvalidArgumentError: the interfaces differ.
        """
        if wrong := differences(self, other):
            raise InvalidArgumentError(f"{name} was trained for {wrong}")


def differences(required: Any, found: Any) -> str:
    """Return which fields of two dataclasses differ, such as ``"robot panda, not so101"``; empty if none do."""
    fields, other_fields = asdict(required), asdict(found)
    return "; ".join(
        f"{key} {fields[key]}, not {other_fields[key]}" for key in fields if fields[key] != other_fields[key]
    )


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
"""Terms of an action: displacement of the end effector, and state of the gripper (closed below 0, else open)."""
