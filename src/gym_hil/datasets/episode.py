"""What is kept of an episode."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidStateError
from gym_hil.envs.manipulation import EnvironmentState

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
"""Arrays with one row per step, and their types. Observations, and `physics`, the simulation's whole state,
are those before the step; `action` is the executed one; `human_action` is idle while the policy acts."""
FINAL = ("observation.state", "observation.environment_state", "physics")
"""Which of them are also kept for the moment after the last step."""


@dataclass(frozen=True)
class Episode:
    """One episode.

    Attributes:
        frames: arrays as `FRAMES` says, all of the same length.
        final: what `FINAL` names, after the last step.
        initial: the environment's state before the first step.
        meta: environment, seed, versions, model hash, how it ended. JSON.
        device_log: what a person did with their device, as `gym_hil.devices.RecordedDevice` plays it back;
            empty where no device was used.
    """

    frames: dict[str, NDArray[Any]]
    final: dict[str, NDArray[Any]]
    initial: EnvironmentState
    meta: dict[str, Any]
    device_log: str = ""

    @property
    def length(self) -> int:
        """Number of steps."""
        return len(self.frames["action"])

    @property
    def success(self) -> bool:
        """Whether it ended in success."""
        return bool(self.frames["next.success"][-1])


def state_to_json(state: EnvironmentState) -> dict[str, Any]:
    """Return `state` as JSON, without the states of operator and time limit; floats keep every bit."""
    return {
        **asdict(replace(state, parts=())),
        "physics": state.physics.tolist(),
        "start": {name: pos.tolist() for name, pos in state.start.items()},
    }


def state_from_json(data: Any) -> EnvironmentState:
    """Return what `state_to_json` was given."""
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
