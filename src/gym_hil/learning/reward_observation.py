"""What a learned reward observes: two camera images, or features of the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.features import image_terms
from gym_hil.learning.image_observation import NUMBERS, ImageLayout
from gym_hil.learning.policy_env import PolicyObservation, task_and_robot
from gym_hil.learning.policy_interface import differences

NOTHING = np.zeros(NUMBERS, np.float32)
"""Stands in for the proprioception in rows of images: a reward is learned from the images alone."""
OUTSIDE = ""
"""Name of all robots outside the simulation."""


@dataclass(frozen=True, kw_only=True)
class RewardInterface:
    """What a learned reward is for.

    Attributes:
        task: name of the task; of a robot outside the simulation, its description in words.
        robot: name of the robot; empty outside the simulation, where the images alone matter.
        observation: terms of the observation in order, each as ``name[size]``.
    """

    task: str
    robot: str
    observation: tuple[str, ...]

    def require_same(self, other: RewardInterface, mine: object, name: object) -> None:
        """Require that something else has this interface.

        Args:
            other: its interface.
            mine: name of what has this interface, for the error message.
            name: name of the other.

        Raises:
            InvalidArgumentError: the interfaces differ.
        """
        if wrong := differences(self, other):
            raise InvalidArgumentError(f"{name} does not fit: {mine} is for {wrong}")


def picture_terms(size: int) -> tuple[str, ...]:
    """Return the terms of two images of this height and width (pixels)."""
    return image_terms(ImageLayout(size).total_bytes)[:-1]


def packed(images: Sequence[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
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
        interface: what is observed.
    """

    def __init__(self, env: EnvironmentInterface, size: int) -> None:
        self._env, self._size = env, size
        self._observation = PolicyObservation(env, size)
        task, robot = task_and_robot(env)
        if size and env.offers("camera_images"):
            task, robot = env.task_description, OUTSIDE
        terms = picture_terms(size) if size else self._observation.terms
        self.interface = RewardInterface(task=task, robot=robot, observation=terms)

    def read(self) -> NDArray[Any]:
        """Return the current row."""
        row = self._observation(self._env.observe_state())
        if self._size:
            layout = ImageLayout(self._size)
            row[layout.image_bytes :] = layout.pack_numbers(NOTHING)
        return row

    def close(self) -> None:
        """Free the rendering resources."""
        self._observation.close()
