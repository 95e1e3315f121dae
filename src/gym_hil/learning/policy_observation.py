"""What a policy observes: features of the state, plain positions, or camera images."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.features import (
    Features,
    PlainPositions,
    VectorFeatures,
    image_terms,
    make_features,
    make_subgoals,
    total_size,
)
from gym_hil.learning.image_observation import CameraObservation
from gym_hil.learning.observation_kind import ObservationKind
from gym_hil.learning.proprioception import ProprioceptiveState


class PolicyObservation:
    """The observation of a policy: features of the state, or camera images and proprioception.

    For environments of other packages, it consists of the vectors of `observe_state`.

    Args:
        env: the environment.
        kind: what the policy observes.

    Raises:
        InvalidArgumentError: another package's environment can only be observed as ``"state"``.

    Attributes:
        terms: names and sizes of the parts, each as ``name[size]``.
        space: the space of the observation.
    """

    def __init__(self, env: EnvironmentInterface, kind: ObservationKind) -> None:
        self._cameras: CameraObservation | None = None
        self.space: spaces.Box
        if not kind.has_images:
            self._features = _features_of(env, kind)
            self.terms = self._features.terms
            self.space = spaces.Box(-np.inf, np.inf, (total_size(self.terms),), np.float32)
        else:
            _require_this_package(env, kind)
            self._cameras = CameraObservation(env, kind.image_size)
            self._proprioception = ProprioceptiveState(env.task.robot)
            total = self._cameras.layout.total_bytes
            self.terms = image_terms(total)
            self.space = spaces.Box(0, 255, (total,), np.uint8)

    def __call__(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return the policy's current observation.

        Args:
            observation: the environment's current observation.
        """
        if self._cameras is None:
            return self._features(observation)
        return self._cameras.render(self._proprioception.features(observation))

    def close(self) -> None:
        """Free the rendering resources."""
        if self._cameras is not None:
            self._cameras.close()


def _features_of(env: EnvironmentInterface, kind: ObservationKind) -> Features:
    if kind.name == "positions":
        _require_this_package(env, kind)
        return PlainPositions(env.task)
    if env.offers("simulation"):
        return make_features(env.task, make_subgoals(env.task))
    return VectorFeatures(env.observe_state)


def _require_this_package(env: EnvironmentInterface, kind: ObservationKind) -> None:
    if not env.offers("simulation"):
        raise InvalidArgumentError(
            f"obs={kind.name!r} needs an environment of this package; use obs='state' for {env.env}"
        )
