"""The observation of a learned reward: two camera images, or features of the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.features import image_terms
from gym_hil.learning.image_observation import FEATURES, ImageLayout
from gym_hil.learning.observation_kind import STATE, ObservationKind
from gym_hil.learning.policy_env import task_and_robot
from gym_hil.learning.policy_interface import differences
from gym_hil.learning.policy_observation import PolicyObservation

NOTHING = np.zeros(FEATURES, np.float32)
"""Replaces the proprioception in rows of images, because a reward is learned from the images alone."""
OUTSIDE = ""
"""Name of all robots outside the simulation."""


@dataclass(frozen=True, kw_only=True)
class RewardInterface:
    """The task, robot and observation of a learned reward.

    Attributes:
        task: name of the task, or its description in words if the robot is outside the simulation.
        robot: name of the robot; empty outside the simulation, where the reward depends on the images alone.
        observation: terms of the observation in order, each as ``name[size]``.
    """

    task: str
    robot: str
    observation: tuple[str, ...]

    def require_same(self, other: RewardInterface, own_name: object, name: object) -> None:
        """Require that another interface is equal to this one.

        Args:
            other: the other interface.
            own_name: name of the object with this interface, for the error message.
            name: name of the object with the other interface.

        Raises:
            InvalidArgumentError: the interfaces differ.
        """
        if wrong := differences(self, other):
            raise InvalidArgumentError(f"{name} does not fit: {own_name} is for {wrong}")


def camera_terms(size: int) -> tuple[str, ...]:
    """Return the terms of two images of this height and width (pixels)."""
    return image_terms(ImageLayout(size).total_bytes)[:-1]


def pack_images(images: Sequence[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    """Return one row of images (height, width, 3) of any size, resized to `size` pixels in both directions."""
    from PIL import Image

    small = [np.asarray(Image.fromarray(image).resize((size, size))) for image in images]
    return ImageLayout(size).pack(small, NOTHING)


class RewardObservation:
    """The current observation of an environment as one row, with the layout of a policy's observation.

    Args:
        env: an environment of this package.
        size: height and width of the images in pixels; 0 for features of the state.

    Attributes:
        interface: task, robot and terms of the observation.
    """

    def __init__(self, env: EnvironmentInterface, size: int) -> None:
        self._env, self._size = env, size
        self._observation = PolicyObservation(env, ObservationKind("pixels", size) if size else STATE)
        task, robot = task_and_robot(env)
        if size and env.offers("camera_images"):
            task, robot = env.task_description, OUTSIDE
        terms = camera_terms(size) if size else self._observation.terms
        self.interface = RewardInterface(task=task, robot=robot, observation=terms)

    def read(self) -> NDArray[Any]:
        """Return the current row."""
        row = self._observation(self._env.observe_state())
        if self._size:
            layout = ImageLayout(self._size)
            row[layout.image_bytes :] = layout.pack_features(NOTHING)
        return row

    def close(self) -> None:
        """Free the rendering resources."""
        self._observation.close()
