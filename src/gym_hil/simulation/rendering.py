"""Off-screen rendering: quality presets, and a renderer that creates its OpenGL context with the first image."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import EpisodeOrderError, InvalidArgumentError, RenderingError
from gym_hil.robots import collision
from gym_hil.simulation import gl

Image = NDArray[np.uint8]
MAX_GEOMS = 400


@dataclass(frozen=True)
class Quality:
    """Quality of an image."""

    shadow_size: int
    """Width of the shadow map in pixels; 0 for no shadows."""
    samples: int
    """Samples per pixel for antialiasing; 0 for none."""
    slices: int
    """Number of faces around a round shape."""
    stacks: int
    """Number of faces along a round shape."""
    scenery: bool = True
    """Whether to render the room and the table's support."""


FAST = Quality(shadow_size=0, samples=0, slices=12, stacks=6, scenery=False)
"""Quality of observations: all shapes, but no room and no shadows, which is much faster than MuJoCo's
defaults."""
PRETTY = Quality(shadow_size=2048, samples=4, slices=20, stacks=10)
"""Quality of videos and windows."""


@dataclass(frozen=True)
class GymRenderingSpec:
    """Size, quality and camera of images.

    `height`, `width` and `quality` apply to image observations. `render()` has its own size and quality, and
    uses the camera `camera_id`: -1 for the third-person view, or the name or index of a camera.
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
        """Validate the fields.

        Raises:
            InvalidArgumentError: a field is invalid.
        """
        for name in ("height", "width", "video_height", "video_width"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or not 1 <= value <= 8192:
                raise InvalidArgumentError(
                    f"{name}={value!r} must be a whole number of pixels from 1 to 8192"
                )
        if self.mode not in ("rgb_array", "human"):
            raise InvalidArgumentError(f"mode={self.mode!r} is not known. Valid: rgb_array, human.")


@dataclass(frozen=True, eq=False)
class OpenGL:
    """OpenGL resources of a renderer.

    `_allocated` keeps them alive until they are freed. If they were garbage together with their renderer, the garbage
    collector would destroy the context at any time, while another thread frees it or renders.
    """

    context: Any
    """The context of the backend."""
    drawing: mujoco.MjrContext

    def free(self) -> None:
        """Free the resources."""
        _allocated.discard(self)
        self.context.make_current()
        self.drawing.free()
        self.context.free()


class Renderer:
    """Renders one model with one size and quality.

    The OpenGL context is created with the first image. Any thread may render, one at a time. Copies, also
    pickled ones, have their own context.

    Args:
        model: the model.
        height: height of the images (pixels).
        width: width of the images (pixels).
        quality: quality of the images.
    """

    def __init__(self, model: mujoco.MjModel, height: int, width: int, quality: Quality) -> None:
        self._model = model
        self._quality = quality
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._flipped = np.empty((height, width, 3), np.uint8)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[collision.VISIBLE] = 1
        self._option.geomgroup[[collision.SCENERY, collision.WALLS]] = quality.scenery
        self._camera = mujoco.MjvCamera()
        self._opengl: OpenGL | None = None
        self._scene: Any = None
        self._closed = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to create an equal renderer: OpenGL resources cannot be copied."""
        return Renderer, (self._model, self._rect.height, self._rect.width, self._quality)

    def render(self, data: mujoco.MjData, camera: int) -> Image:
        """Return an image of a state.

        Args:
            data: the state.
            camera: index of the camera.

        Returns:
            A new array (height, width, 3, uint8).

        Raises:
            EpisodeOrderError: the renderer is closed.
            RenderingError: no OpenGL backend works, this process was forked from one that has rendered, or
                another thread uses the renderer.
        """
        with self._drawn(data, camera) as drawing:
            mujoco.mjr_readPixels(self._flipped, None, self._rect, drawing)
        return np.ascontiguousarray(self._flipped[::-1])

    def depth(self, data: mujoco.MjData, camera: int) -> NDArray[np.float32]:
        """Return a depth image of a state.

        Args:
            data: the state.
            camera: index of the camera.

        Returns:
            Distances along the optical axis (height, width, m, float32), a new array.

        Raises:
            EpisodeOrderError: the renderer is closed.
            RenderingError: see `render`.
        """
        buffer = np.empty((self._rect.height, self._rect.width), np.float32)
        with self._drawn(data, camera) as drawing:
            drawing.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
            mujoco.mjr_readPixels(None, buffer, self._rect, drawing)
        extent = self._model.stat.extent
        near, far = self._model.vis.map.znear * extent, self._model.vis.map.zfar * extent
        # The buffer holds 1 at the near plane and 0 at the far one, and is linear in the reciprocal of the depth.
        return (far * near / (buffer[::-1].astype(np.float64) * (far - near) + near)).astype(np.float32)

    @contextmanager
    def _drawn(self, data: mujoco.MjData, camera: int) -> Iterator[mujoco.MjrContext]:
        """Render an image, and keep its OpenGL resources until it has been read."""
        if self._closed:
            raise EpisodeOrderError("render was called after close; make a new environment")
        _free_unused()
        opengl = self._current()
        try:
            mujoco.mj_camlight(self._model, data)
            self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
            self._camera.fixedcamid = camera
            # The headlight is at the camera of the previous frame, so the camera is updated first.
            mujoco.mjv_updateCamera(self._model, data, self._camera, self._scene)
            mujoco.mjv_updateScene(
                self._model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
            )
            mujoco.mjr_render(self._rect, self._scene, opengl.drawing)
            yield opengl.drawing
        finally:
            gl.release()

    def close(self) -> None:
        """Free the OpenGL resources. It may be called more than once."""
        self._closed = True
        self._leave_opengl()
        _free_unused()

    def __del__(self) -> None:
        """Let the next renderer that is used free the OpenGL resources, because another one may be rendering now."""
        self._leave_opengl()

    def _leave_opengl(self) -> None:
        opengl, self._opengl, self._scene = getattr(self, "_opengl", None), None, None
        if opengl is not None:
            _unused.append(opengl)

    def _current(self) -> OpenGL:
        if self._opengl is None:
            self._opengl = self._start()
            _renderers.add(self)
            return self._opengl
        try:
            self._opengl.context.make_current()
        except Exception as error:
            raise RenderingError(
                "another thread is drawing with this environment; only one thread can use it at a time"
            ) from error
        return self._opengl

    def _start(self) -> OpenGL:
        model, quality = self._model, self._quality
        context = gl.make_context(self._rect.width, self._rect.height)
        _register_hooks()
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
            drawing = _make_drawing_context(model)
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, drawing)
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
        opengl = OpenGL(context, drawing)
        _allocated.add(opengl)
        return opengl


def _make_drawing_context(model: mujoco.MjModel) -> mujoco.MjrContext:
    try:
        return mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
    except mujoco.FatalError as error:  # before version 4: OSMesa in a process that has tried EGL
        backend = gl.chosen_backend()
        raise RenderingError(
            f"MuJoCo {mujoco.__version__} cannot draw with {backend}: {error}. "
            f"Start the program with the environment variable MUJOCO_GL={backend}"
        ) from error


_renderers: weakref.WeakSet[Renderer] = weakref.WeakSet()
"""All renderers that have rendered."""
_allocated: set[OpenGL] = set()
"""Resources that have not been freed yet."""
_unused: list[OpenGL] = []
"""Resources that no renderer uses any more."""
_inherited: list[OpenGL] = []
"""Resources of the process from which this one was forked."""


def _free_unused() -> None:
    """Free the resources of closed and deleted renderers. It must not be called while a renderer is
    rendering.
    """
    while _unused:
        with contextlib.suppress(Exception):  # the interpreter or the driver may be shutting down
            _unused.pop().free()
        gl.release()


def _free_all() -> None:
    for renderer in list(_renderers):
        renderer.close()
    _free_unused()


def _disown() -> None:
    """Prevent a forked process from freeing its parent's resources, which would block."""
    for renderer in list(_renderers):
        renderer._leave_opengl()
    for opengl in _allocated:
        _inherited.append(opengl)
        for owned in (opengl.context, opengl.drawing):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(owned))  # never destroyed, not even at exit
    _allocated.clear()
    _unused.clear()
    gl.disown()


@functools.cache
def _register_hooks() -> None:
    # Registered after the backend's own hook, so it runs before that one, while OpenGL is still available.
    atexit.register(_free_all)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_disown)
