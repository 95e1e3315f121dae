"""Masses and friction coefficients that differ between episodes."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.scenes.scene import FRICTION, MASS

Array = NDArray[np.float64]


class Variation:
    """A copy of a model in which the masses and frictions of some bodies are scaled.

    Args:
        model: the model, which is not changed.
        bodies: names of the bodies. If there are none, `model` is not copied.

    Attributes:
        model: the copy.
        names: names of the factors in an initial state, in the order of `factors`.
        factors: factors of the masses of the bodies, followed by factors of their frictions.
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
        """Use the factors of an initial state; missing factors are 1."""
        self.use(np.array([float(start[name][0]) if name in start else 1.0 for name in self.names]))

    def use(self, factors: Array) -> None:
        """Scale masses, inertias and frictions by `factors`, relative to the original model."""
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
