"""Camera observations of a policy: both images and the proprioceptive features, packed into one row of bytes.

Bytes keep the replay buffer small, and one flat row fits every buffer and file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gym_hil.envs.manipulation import OBSERVATION_CAMERAS
from gym_hil.simulation.rendering import FAST, Renderer
from gym_hil.simulation.simulation import Simulation

CAMERAS = len(OBSERVATION_CAMERAS)
NUMBERS = 4
"""Position of the TCP, and how far the fingers are closed."""
BOUND = 4.0
"""Numbers are kept in two bytes each, from -`BOUND` to +`BOUND`."""
LEVELS = 2**16 - 1


@dataclass(frozen=True)
class Layout:
    """Where things are in a row: images (cameras, height, width, 3), then numbers, high byte first."""

    size: int
    """Pixels along a side of an image."""

    @property
    def image_bytes(self) -> int:
        """Bytes of all images."""
        return CAMERAS * self.size * self.size * 3

    @property
    def total_bytes(self) -> int:
        """Bytes of a row."""
        return self.image_bytes + 2 * NUMBERS

    @classmethod
    def of(cls, total_bytes: int) -> Layout:
        """Return the layout of rows of that length."""
        return cls(round(((total_bytes - 2 * NUMBERS) / (CAMERAS * 3)) ** 0.5))

    def pack(self, images: list[NDArray[np.uint8]], numbers: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return a row."""
        row = np.empty(self.total_bytes, np.uint8)
        row[: self.image_bytes] = np.concatenate([image.ravel() for image in images])
        levels = np.rint((np.clip(numbers, -BOUND, BOUND) / BOUND + 1.0) * (0.5 * LEVELS)).astype(">u2")
        row[self.image_bytes :] = levels.view(np.uint8)
        return row


class CameraObservation:
    """Renders and packs the cameras ``front`` and ``wrist`` of an environment, whatever it observes
    itself.
    """

    def __init__(self, simulation: Simulation, size: int) -> None:
        self.layout = Layout(size)
        self._simulation = simulation
        model = simulation.model
        self._cameras = [model.camera(name).id for name in OBSERVATION_CAMERAS]
        self._renderer = Renderer(model, size, size, FAST)

    def render(self, numbers: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return a row with the present images.

        Args:
            numbers: proprioceptive features of shape (`NUMBERS`,), from -`BOUND` to `BOUND`.

        Returns:
            Bytes of shape (`layout.total_bytes`,).
        """
        data = self._simulation.data
        return self.layout.pack([self._renderer.render(data, camera) for camera in self._cameras], numbers)

    def close(self) -> None:
        """Free OpenGL's memory."""
        self._renderer.close()
