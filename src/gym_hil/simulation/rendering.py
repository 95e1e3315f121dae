"""Off-screen images: quality presets, and a renderer that wakes up with the first image."""

from __future__ import annotations

import atexit
import functools
import weakref
from dataclasses import dataclass
from typing import Any, Literal

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import EpisodeOrderError, InvalidArgumentError
from gym_hil.robots import collision
from gym_hil.simulation import gl

Image = NDArray[np.uint8]
MAX_GEOMS = 400


@dataclass(frozen=True)
class Quality:
    """What an image may cost."""

    shadow_size: int
    """Pixels along a side of the shadow map; 0 for no shadows."""
    samples: int
    """Samples per pixel against jagged edges; 0 for one."""
    slices: int
    """Flat faces around a round shape."""
    stacks: int
    """Flat faces along a round shape."""


FAST = Quality(shadow_size=0, samples=0, slices=12, stacks=6)
"""For observations: every shape in its place, no shadows, about ten times cheaper than MuJoCo's defaults."""
PRETTY = Quality(shadow_size=2048, samples=4, slices=36, stacks=18)
"""For videos and windows."""


@dataclass(frozen=True)
class GymRenderingSpec:
    """How images are made.

    `height`, `width` and `quality` are those of the image observations. `render()` has a size and quality of
    its own, and shows what `camera_id` says: -1 the third-person view, else a camera's name or number.
    """

    height: int = 128
    width: int = 128
    camera_id: str | int = -1
    mode: Literal["rgb_array", "human"] = "rgb_array"
    quality: Quality = FAST
    video_height: int = 480
    video_width: int = 640
    video_quality: Quality = PRETTY

    def __post_init__(self) -> None:
        """Refuse sizes that no image can have."""
        for name in ("height", "width", "video_height", "video_width"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or not 1 <= value <= 8192:
                raise InvalidArgumentError(
                    f"{name}={value!r} must be a whole number of pixels from 1 to 8192"
                )
        if self.mode not in ("rgb_array", "human"):
            raise InvalidArgumentError(f"mode={self.mode!r} is not known. Valid: rgb_array, human.")


class Renderer:
    """Draws one model at one size and quality. OpenGL starts with the first `render`."""

    def __init__(self, model: mujoco.MjModel, height: int, width: int, quality: Quality) -> None:
        self._model = model
        self._quality = quality
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._flipped = np.empty((height, width, 3), np.uint8)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[collision.VISIBLE] = 1
        self._camera = mujoco.MjvCamera()
        self._gl: Any = None
        self._context: Any = None
        self._scene: Any = None
        self._closed = False

    def render(self, data: mujoco.MjData, camera: int) -> Image:
        """Return a fresh image, (height, width, 3) uint8, of `data` seen by camera number `camera`."""
        if self._closed:
            raise EpisodeOrderError("render was called after close; make a new environment")
        if self._gl is None:
            self._start()
        self._gl.make_current()
        mujoco.mj_camlight(self._model, data)
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._camera.fixedcamid = camera
        # The headlight takes its place from the camera of the frame before, so the camera moves first.
        mujoco.mjv_updateCamera(self._model, data, self._camera, self._scene)
        mujoco.mjv_updateScene(
            self._model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        mujoco.mjr_render(self._rect, self._scene, self._context)
        mujoco.mjr_readPixels(self._flipped, None, self._rect, self._context)
        return np.ascontiguousarray(self._flipped[::-1])

    def close(self) -> None:
        """Free OpenGL's memory. Calling it twice is allowed."""
        self._closed = True
        if self._gl is None:
            return
        try:
            self._gl.make_current()
            self._context.free()
            self._gl.free()
        finally:
            self._gl = self._context = self._scene = None

    def __del__(self) -> None:
        """Free OpenGL's memory, silently: the interpreter may be going down."""
        try:
            self.close()
        except BaseException:
            self._gl = None

    def _start(self) -> None:
        model, quality = self._model, self._quality
        self._gl = gl.make_context(self._rect.width, self._rect.height)
        _open.add(self)
        _close_at_exit()
        visual = model.vis
        before = (
            visual.global_.offwidth,
            visual.global_.offheight,
            visual.quality.shadowsize,
            visual.quality.offsamples,
            visual.quality.numslices,
            visual.quality.numstacks,
        )
        try:
            visual.global_.offwidth, visual.global_.offheight = self._rect.width, self._rect.height
            visual.quality.shadowsize, visual.quality.offsamples = quality.shadow_size, quality.samples
            visual.quality.numslices, visual.quality.numstacks = quality.slices, quality.stacks
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        finally:
            (
                visual.global_.offwidth,
                visual.global_.offheight,
                visual.quality.shadowsize,
                visual.quality.offsamples,
                visual.quality.numslices,
                visual.quality.numstacks,
            ) = before
        self._scene = mujoco.MjvScene(model, MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = quality.shadow_size > 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False


_open: weakref.WeakSet[Renderer] = weakref.WeakSet()


def _close_all() -> None:
    for renderer in list(_open):
        renderer.close()


@functools.cache
def _close_at_exit() -> None:
    # Registered after the backend's own hooks, so it runs before them, while OpenGL still stands.
    atexit.register(_close_all)
