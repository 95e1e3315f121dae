"""Masses and frictions that differ from episode to episode."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.scenes.scene import FRICTION, MASS

Array = NDArray[np.float64]


class Variation:
    """A copy of a model in which mass and friction of some bodies are scaled.

    Args:
        model: the model, which is left alone.
        bodies: names of the bodies; without any, `model` itself is used.

    Attributes:
        model: the copy.
        factors: what the bodies' masses, then their frictions are multiplied by.
    """

    def __init__(self, model: mujoco.MjModel, bodies: Sequence[str]) -> None:
        self.names = [name.format(body) for name in (MASS, FRICTION) for body in bodies]
        self.factors = np.ones(len(self.names))
        self.model = copy.copy(model) if bodies else model
        self._original = model
        self._bodies = [int(model.body(name).id) for name in bodies]
        owners = model.geom_bodyid
        first, second = owners[model.pair_geom1], owners[model.pair_geom2]
        self._pairs = [np.flatnonzero((first == body) | (second == body)) for body in self._bodies]

    def read(self, start: Mapping[str, Sequence[float]]) -> None:
        """Use the factors that a start has; those that it lacks are 1."""
        self.use(np.array([float(start[name][0]) if name in start else 1.0 for name in self.names]))

    def use(self, factors: Array) -> None:
        """Scale masses and frictions by `factors`."""
        if (factors == self.factors).all():
            return
        self.factors[:] = factors
        model, original, count = self.model, self._original, len(self._bodies)
        model.pair_friction[:] = original.pair_friction
        for body, pairs, mass, friction in zip(
            self._bodies, self._pairs, factors[:count], factors[count:], strict=True
        ):
            model.body_mass[body] = mass * original.body_mass[body]
            model.body_inertia[body] = mass * original.body_inertia[body]
            model.pair_friction[pairs, :2] *= friction
        mujoco.mj_setConst(model, mujoco.MjData(model))
