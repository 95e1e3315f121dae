"""How the robot moved within a step, so that a window can show it afterwards, at the pace of real time."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray


class Motion:
    """The states of `model` within one step."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._drawn = mujoco.MjData(model)
        self._poses: list[tuple[NDArray[np.float64], ...]] = []
        self._next = 0

    def begin(self) -> None:
        """Forget the step before."""
        self._poses.clear()
        self._next = 0

    def note(self, data: mujoco.MjData) -> None:
        """Keep the state of `data` as the next one of this step."""
        self._poses.append((data.qpos.copy(), data.mocap_pos.copy(), data.mocap_quat.copy()))

    def at(self, share: float) -> mujoco.MjData | None:
        """Return the newest state that is due after the `share` (0 to 1) of the time that a step takes, with
        its positions up to date; None if it was returned before. The next call changes what was returned.
        """
        number = min(int(share * len(self._poses) + 1e-6), len(self._poses) - 1)
        if number < self._next:
            return None
        self._next = number + 1
        drawn = self._drawn
        drawn.qpos[:], drawn.mocap_pos[:], drawn.mocap_quat[:] = self._poses[number]
        mujoco.mj_kinematics(self._model, drawn)
        return drawn
