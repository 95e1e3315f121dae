"""Visibility of a point in the pictures of the web page, and the accuracy with which a person can locate it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.robots import collision

Array = NDArray[np.float64]
AROUND_M = 0.03
"""A surface in front of a point by less than this belongs to the object around the point (m)."""
DEPTH_FACTOR = 8.0
"""Ratio of the errors along and across the line of sight in one picture. Assumed: one picture shows distance
only by size and shading, several pictures together locate a point (Park and Woldstad, Human Factors 42,
2000)."""


@dataclass(frozen=True)
class FixedCamera:
    """A fixed camera: azimuth and elevation (rad), distance (m) and the point that it looks at (3, m, world
    frame).
    """

    azimuth: float
    elevation: float
    distance: float
    centre: tuple[float, float, float]

    def pose(self) -> tuple[Array, Array]:
        """Return position (3, m) and axes (3, 3: right, up and back as columns), world frame."""
        a, e = self.azimuth, self.elevation
        back = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
        right = np.array([-math.sin(a), math.cos(a), 0.0])
        axes = np.column_stack([right, np.cross(back, right), back])
        return np.array(self.centre) + self.distance * back, axes


@dataclass(frozen=True)
class Picture:
    """One picture on the screen.

    Attributes:
        camera: name of a camera of the model, or a fixed camera.
        pixels: height on the screen (pixels).
        aspect: width divided by height.
        fovy: vertical field of view (rad); None for that of the model's camera.
    """

    camera: str | FixedCamera
    pixels: int
    aspect: float = 1.0
    fovy: float | None = None


PAGE = (
    Picture(FixedCamera(-0.82, 0.42, 1.35, (0.4, 0.0, 0.22)), pixels=720, aspect=16 / 9, fovy=0.8),
    *(Picture(name, pixels=180) for name in ("front", "wrist", "left_wrist", "right_wrist")),
)
"""The pictures of the page on a screen with 1280 x 720 pixels, before the person turns the large picture."""


class VisualPrecision:
    """Locates points in the pictures of one model.

    Args:
        model: the MuJoCo model.
        pictures: pictures on the screen; cameras that the model lacks are left out.
    """

    def __init__(self, model: Any, pictures: tuple[Picture, ...] = PAGE) -> None:
        import mujoco

        self.model = model
        self._ray = mujoco.mj_ray
        self._group = np.zeros(6, np.uint8)
        self._group[collision.VISIBLE] = 1
        self._hit = np.zeros(1, np.int32)
        self._axes = np.zeros((model.ncam, 3, 3))
        for axes, quat in zip(self._axes, model.cam_quat, strict=True):
            flat = np.zeros(9)
            mujoco.mju_quat2Mat(flat, quat)
            axes[:] = flat.reshape(3, 3)
        names = {model.camera(number).name: number for number in range(model.ncam)}
        self._pictures: list[tuple[Picture, int | tuple[Array, Array]]] = []
        for picture in pictures:
            if isinstance(picture.camera, FixedCamera):
                self._pictures.append((picture, picture.camera.pose()))
            elif picture.camera in names:
                self._pictures.append((picture, names[picture.camera]))

    def precision(self, data: Any, point: Array) -> Array | None:
        """Return the accuracy with which a person with an acuity of one pixel locates a point.

        Args:
            data: the MuJoCo data.
            point: the point (3, m, world frame).

        Returns:
            The inverse of the error's covariance (3, 3, 1/m^2, world axes), summed over the pictures; None if no
            picture shows the point.
        """
        total, shown = np.zeros((3, 3)), False
        for picture, camera in self._pictures:
            pixel = self._pixel(data, picture, camera, point)
            if pixel is not None:
                size, line = pixel
                across, along = 1.0 / size**2, 1.0 / (DEPTH_FACTOR * size) ** 2
                total += across * np.eye(3) + (along - across) * np.outer(line, line)
                shown = True
        return total if shown else None

    def _pixel(
        self, data: Any, picture: Picture, camera: int | tuple[Array, Array], point: Array
    ) -> tuple[float, Array] | None:
        """Return the size of a pixel at a point (m) and the line of sight (3), or None if the point is not
        visible.
        """
        body = -1
        fovy = picture.fovy
        if isinstance(camera, tuple):
            pos, axes = camera
        else:
            body = int(self.model.cam_bodyid[camera])
            # The engine's own cam_xpos is older than the bodies' positions, and not up to date in a restored state.
            turned = data.xmat[body].reshape(3, 3)
            pos = data.xpos[body] + turned @ self.model.cam_pos[camera]
            axes = turned @ self._axes[camera]
            body = body or -1  # a camera may be inside the hand
        if fovy is None:
            fovy = math.radians(self.model.cam_fovy[camera])
        ray = point - pos
        x, y, back = (axes.T @ ray).tolist()
        half = -back * math.tan(0.5 * fovy)
        if back >= 0.0 or abs(y) > half or abs(x) > half * picture.aspect:
            return None
        distance = math.sqrt(float(ray @ ray))
        line = ray / distance
        hit = self._ray(self.model, data, pos, line, self._group, 1, body, self._hit)
        if 0.0 <= hit < distance - AROUND_M:
            return None
        return 2.0 * half / picture.pixels, line
