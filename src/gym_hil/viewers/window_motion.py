"""Stores the motion of the robot within a step, so that a window can show it in real time."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray


class Motion:
    """The states of a model within one step.

    Args:
        model: the model.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._drawn = mujoco.MjData(model)
        self._poses: list[tuple[NDArray[np.float64], ...]] = []
        self._next = 0

    def begin(self) -> None:
        """Discard the states of the previous step."""
        self._poses.clear()
        self._next = 0

    def note(self, data: mujoco.MjData) -> None:
        """Store the state of `data` as the next one within the step."""
        self._poses.append((data.qpos.copy(), data.mocap_pos.copy(), data.mocap_quat.copy()))

    def at(self, fraction: float) -> mujoco.MjData | None:
        """Return the state at a fraction of the step.

        Args:
            fraction: elapsed fraction of the step, in [0, 1].

        Returns:
            The latest stored state up to this fraction, with updated kinematics, or None if an earlier call has
            returned it. The same object is used in all calls.
        """
        number = min(int(fraction * len(self._poses) + 1e-6), len(self._poses) - 1)
        if number < self._next:
            return None
        self._next = number + 1
        drawn = self._drawn
        drawn.qpos[:], drawn.mocap_pos[:], drawn.mocap_quat[:] = self._poses[number]
        mujoco.mj_kinematics(self._model, drawn)
        return drawn
