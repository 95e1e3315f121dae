"""The cameras of an environment: images of the observed cameras and of the video camera, rendered on demand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import require_one_of
from gym_hil.simulation.rendering import GymRenderingSpec, Image, Quality, Renderer
from gym_hil.simulation.simulation import Simulation

OBSERVATION_CAMERAS = ("front", "wrist")
"""Observed cameras of robots with one end effector."""
VIDEO_CAMERA = "third_person"


class EnvironmentCameras:
    """Renders the images of a simulation's cameras.

    Args:
        simulation: the simulation.
        spec: size and quality of the images, and the camera of the video.
        observed: names of the observed cameras.

    Attributes:
        observed: indices of the observed cameras in the model, by their names.
        video_camera: index of the camera of the video.

    Raises:
        InvalidArgumentError: the model has no camera with this name or index.
    """

    def __init__(self, simulation: Simulation, spec: GymRenderingSpec, observed: Sequence[str]) -> None:
        self._simulation, self._spec = simulation, spec
        self._renderers: dict[str, Renderer] = {}
        self.observed = {name: self._index(name) for name in observed}
        self.video_camera = self._index(spec.camera_id)

    def images(self) -> dict[str, Image]:
        """Return an image (height, width, 3, uint8) of every observed camera in a new array."""
        renderer, data = self._observing(), self._simulation.data
        return {name: renderer.render(data, index) for name, index in self.observed.items()}

    def depth_images(self) -> dict[str, NDArray[np.float32]]:
        """Return a depth image (height, width, m) of every observed camera in a new array."""
        renderer, data = self._observing(), self._simulation.data
        return {name: renderer.depth(data, index) for name, index in self.observed.items()}

    def video_image(self) -> Image:
        """Return an image (height, width, 3, uint8) with the video size of the specification."""
        spec = self._spec
        renderer = self._renderer("video", spec.video_height, spec.video_width, spec.video_quality)
        return renderer.render(self._simulation.data, self.video_camera)

    def share_renderers(self, other: EnvironmentCameras) -> None:
        """Draw with the renderers of another environment that has the same model."""
        self._renderers = other._renderers

    def close(self) -> None:
        """Free the renderers."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    def _observing(self) -> Renderer:
        return self._renderer("observation", self._spec.height, self._spec.width, self._spec.quality)

    def _renderer(self, name: str, height: int, width: int, quality: Quality) -> Renderer:
        if name not in self._renderers:
            self._renderers[name] = Renderer(self._simulation.model, height, width, quality)
        return self._renderers[name]

    def _index(self, camera: str | int) -> int:
        model = self._simulation.model
        names = [model.camera(i).name for i in range(model.ncam)]
        if camera == -1:
            return names.index(VIDEO_CAMERA)
        if isinstance(camera, int | np.integer):
            require_one_of("camera_id", camera, (-1, *range(model.ncam)))
            return int(camera)
        require_one_of("camera_id", camera, names)
        return names.index(camera)
