"""Camera observations of a policy: two images and the proprioceptive features in one vector of bytes.

Bytes keep the replay buffer small, and a flat vector fits every buffer and file format.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.envs.cameras import OBSERVATION_CAMERAS
from gym_hil.simulation.rendering import FAST, Renderer
from gym_hil.simulation.simulation import Simulation

CAMERAS = len(OBSERVATION_CAMERAS)
"""Number of cameras."""
FEATURES = 4
"""Number of proprioceptive features: position of the TCP and closure of the gripper."""
BOUND = 4.0
"""Proprioceptive features are stored in two bytes each, with a range from -`BOUND` to +`BOUND`."""
LEVELS = 2**16 - 1
"""Largest value of two bytes."""


@dataclass(frozen=True)
class ImageLayout:
    """Layout of the vector: images (cameras, height, width, 3), then features of two bytes, high byte first."""

    size: int
    """Height and width of an image in pixels."""

    @property
    def image_bytes(self) -> int:
        """Number of bytes of all images."""
        return CAMERAS * self.size * self.size * 3

    @property
    def total_bytes(self) -> int:
        """Length of the vector in bytes."""
        return self.image_bytes + 2 * FEATURES

    @classmethod
    def of(cls, total_bytes: int) -> ImageLayout:
        """Return the layout of vectors of length `total_bytes`."""
        return cls(round(((total_bytes - 2 * FEATURES) / (CAMERAS * 3)) ** 0.5))

    def pack(self, images: list[NDArray[np.uint8]], features: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return images (height, width, 3) and proprioceptive features (`FEATURES`,) as one vector."""
        row = np.empty(self.total_bytes, np.uint8)
        row[: self.image_bytes] = np.concatenate([image.ravel() for image in images])
        row[self.image_bytes :] = self.pack_features(features)
        return row

    @staticmethod
    def pack_features(features: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return proprioceptive features (`FEATURES`,) as bytes."""
        levels = np.rint((np.clip(features, -BOUND, BOUND) / BOUND + 1.0) * (0.5 * LEVELS)).astype(">u2")
        return levels.view(np.uint8)


class CameraObservation:
    """Renders and packs the cameras ``front`` and ``wrist``, independently of the environment's own observation.

    Args:
        env: the environment, whose simulation is rendered, unless it has cameras of its own (`camera_images`).
        size: height and width of an image in pixels.
    """

    def __init__(self, env: EnvironmentInterface, size: int) -> None:
        simulation: Simulation = env.simulation
        robot = simulation.robot
        if len(robot.end_effectors) > 1:
            raise InvalidArgumentError(
                f"obs='pixels' is for one end effector; {robot.name!r} needs obs='state'"
            )
        self.layout = ImageLayout(size)
        self._size, self._env, self._simulation = size, env, simulation
        self._renderer: Renderer | None = None
        if env.offers("camera_images"):
            return
        model = simulation.model
        self._cameras = [model.camera(name).id for name in OBSERVATION_CAMERAS]
        self._renderer = Renderer(model, size, size, FAST)

    def render(self, features: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the current observation.

        Args:
            features: proprioceptive features (`FEATURES`,), from -`BOUND` to `BOUND`.

        Returns:
            Vector of bytes (`layout.total_bytes`,).
        """
        if self._renderer is None:
            return self.layout.pack(self._env.camera_images(self._size), features)
        data = self._simulation.data
        return self.layout.pack([self._renderer.render(data, camera) for camera in self._cameras], features)

    def close(self) -> None:
        """Free the rendering resources."""
        if self._renderer is not None:
            self._renderer.close()
