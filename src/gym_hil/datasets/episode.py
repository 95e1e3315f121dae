"""The data of a recorded episode."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidStateError
from gym_hil.envs.saved_state import EnvironmentState

FRAMES: dict[str, str] = {
    "observation.state": "float32",
    "observation.environment_state": "float32",
    "action": "float32",
    "policy_action": "float32",
    "human_action": "float32",
    "next.reward": "float32",
    "next.done": "bool",
    "next.truncated": "bool",
    "next.success": "bool",
    "complementary_info.discrete_penalty": "float32",
    "complementary_info.is_intervention": "bool",
    "intervention_id": "int64",
    "phase": "uint8",
    "physics": "float64",
}
"""Arrays with one row per step, and their types. Observations and `physics`, the complete state of the simulation, are
those before the step. `action` is the executed action, and `human_action` is neutral while the policy acts."""
FINAL = ("observation.state", "observation.environment_state", "physics")
"""Arrays whose values after the last step are stored as well. Additional observation terms are stored in the same way,
for example as ``observation.tcp_wrench`` or ``observation.depth.front``."""
OBSERVED = "observation."
"""Prefix of the names of observations."""


def extra_observations(env: EnvironmentInterface) -> dict[str, NDArray[Any]]:
    """Return the current observations of an environment's additional terms, by the names of their arrays."""
    arrays: dict[str, NDArray[Any]] = {}
    for key, value in env.observe_extra_terms().items() if env.offers("observe_extra_terms") else ():
        parts = (
            {f"{key}.{name}": part for name, part in value.items()}
            if isinstance(value, dict)
            else {key: value}
        )
        arrays |= {OBSERVED + name: np.asarray(part) for name, part in parts.items()}
    return arrays


@dataclass(frozen=True)
class Episode:
    """One episode.

    Attributes:
        frames: the arrays of `FRAMES`, all of the same length.
        final: the rows of `FINAL` after the last step.
        initial: the environment's state before the first step.
        meta: JSON values: environment, seed, versions, hash of the model, reason of the end, and so on.
        device_log: the readings of a person's device, which `gym_hil.devices.RecordedDevice` plays back; empty if
            no device was used.
    """

    frames: dict[str, NDArray[Any]]
    final: dict[str, NDArray[Any]]
    initial: EnvironmentState
    meta: dict[str, Any]
    device_log: str = ""

    @property
    def extra_terms(self) -> list[str]:
        """Names of the arrays of additional observation terms."""
        return [name for name in self.final if name not in FINAL]

    @property
    def length(self) -> int:
        """Number of steps."""
        return len(self.frames["action"])

    @property
    def success(self) -> bool:
        """Whether the episode ended in success."""
        return bool(self.frames["next.success"][-1])


def state_to_json(state: EnvironmentState) -> dict[str, Any]:
    """Return `state` as JSON values, without the states of operator and time limit. Floats are exact."""
    return {
        **asdict(replace(state, parts=())),
        "physics": state.physics.tolist(),
        "start": {name: pos.tolist() for name, pos in state.start.items()},
    }


def state_from_json(data: Any) -> EnvironmentState:
    """Return a state from the result of `state_to_json`.

    Raises:
        InvalidStateError: `data` is not a state.
    """
    try:
        return EnvironmentState(
            task=data["task"],
            physics=np.array(data["physics"], np.float64),
            start={name: np.array(pos, np.float64) for name, pos in data["start"].items()},
            elapsed_steps=int(data["elapsed_steps"]),
            done=bool(data["done"]),
            rng=data["rng"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidStateError(f"the initial state cannot be read: {error!r}") from error


def model_hash(env: EnvironmentInterface) -> str | None:
    """Return the SHA-256 of the compiled MuJoCo model, or None if the environment has none."""
    if not env.offers("model"):
        return None
    model = env.model
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return hashlib.sha256(buffer.tobytes()).hexdigest()
