"""Bodies at rest sleep until something touches them, which saves computation.

MuJoCo's sleeping islands do this within a step. Because saved states do not contain sleep, all bodies are woken between
steps; those at rest fall asleep again in the next physics step.
"""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

SLEEP_SINCE = (4, 0)
"""First MuJoCo version whose sleeping islands are used; those of earlier versions have known faults."""
WAKE_UP = -0.0
"""A velocity that wakes a body without moving it. MuJoCo wakes a tree if any byte of its velocities is not
zero, which is the case for a negative zero."""


def sleeps() -> bool:
    """Return whether bodies at rest sleep with the installed version of MuJoCo."""
    return tuple(int(part) for part in mujoco.__version__.split(".")[:2]) >= SLEEP_SINCE


class Sleepers:
    """Wakes sleeping bodies.

    Args:
        model: the compiled model.
        data: its state.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self.countdowns: NDArray[np.int32] = (
            data.tree_asleep if sleeps() else np.full(model.ntree, -1, np.int32)
        )
        """Per kinematic tree: at least 0 where it sleeps, below 0 where it is awake."""
        self._model, self._data = model, data
        self._velocities = [
            data.qvel[start : start + count]
            for start, count in zip(model.tree_dofadr.tolist(), model.tree_dofnum.tolist(), strict=True)
        ]

    def wake(self) -> None:
        """Wake all bodies, and compute the positions that follow from those of the joints."""
        countdowns = self.countdowns
        asleep = []
        for tree, count in enumerate(countdowns.tolist()):
            if count >= 0:
                self._velocities[tree].fill(WAKE_UP)
                asleep.append(tree)
        mujoco.mj_kinematics(self._model, self._data)
        for tree in asleep:
            countdowns[tree] = -1
