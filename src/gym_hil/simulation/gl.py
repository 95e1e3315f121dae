"""Selects an OpenGL backend that works on this machine.

MuJoCo uses the backend that the environment variable `MUJOCO_GL` names, and otherwise assumes a display.
Without a display, this module tries EGL and then OSMesa, so that rendering works on a server without any
settings.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gym_hil.core.errors import RenderingError, suggestion

HEADLESS = ("egl", "osmesa")
_MODULES = {
    "egl": "mujoco.egl",
    "osmesa": "mujoco.osmesa",
    "glfw": "mujoco.glfw",
    "glx": "mujoco.glfw",
    "wgl": "mujoco.glfw",
    "cgl": "mujoco.cgl",
}
_OFF = ("disable", "disabled", "off", "false", "0")
_AUTOMATIC = ("", "enable", "enabled", "on", "true", "1")
_LIBRARIES = {
    "egl": ("EGL", "apt install libegl1 libgl1", "apt install libegl-mesa0 libgl1-mesa-dri"),
    "osmesa": ("OSMesa", "apt install libosmesa6", "apt install --reinstall libosmesa6"),
}
"""Library of each backend, the packages that install it on Debian and Ubuntu, and those to install if it
fails."""

_chosen: str | None = None
_started_in: int | None = None


def import_mujoco() -> None:
    """Import MuJoCo, even if `MUJOCO_GL` names a backend that does not work.

    MuJoCo loads this backend when it is imported, but only rendering needs it. Rendering raises
    a clear error.
    """
    if "mujoco" in sys.modules:
        return
    if os.environ.get("MUJOCO_GL", "").lower().strip() in HEADLESS:
        _load_triton()
    try:
        with _restored_on_failure():
            importlib.import_module("mujoco")
    except Exception:
        named = os.environ.get("MUJOCO_GL")
        if named is None:
            raise
        os.environ["MUJOCO_GL"] = "disable"
        try:
            importlib.import_module("mujoco")
        finally:
            os.environ["MUJOCO_GL"] = named


def has_display() -> bool:
    """Return whether windows can be opened: always true on macOS and Windows."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def candidates() -> tuple[str, ...]:
    """Return the backends to try, in order, in the environment of this process.

    Raises:
        RenderingError: `MUJOCO_GL` disables rendering, or its value is unknown.
    """
    named = os.environ.get("MUJOCO_GL", "").lower().strip()
    if named in _OFF:
        raise RenderingError(f"rendering is switched off by MUJOCO_GL={named!r}; unset it to render")
    if named in _MODULES:
        return (named,)
    if named not in _AUTOMATIC:
        raise RenderingError(f"MUJOCO_GL={named!r} is not known{suggestion(named, (*_MODULES, 'disable'))}")
    if sys.platform == "darwin":
        return ("cgl", "glfw")
    if not sys.platform.startswith("linux"):
        return ("glfw",)
    return (*HEADLESS, "glfw") if has_display() else HEADLESS


def make_context(width: int, height: int) -> Any:
    """Return an OpenGL context for off-screen images, which is current in this thread.

    Args:
        width: largest width of an image (pixels).
        height: largest height of an image (pixels).

    Raises:
        RenderingError: no backend works, or this process was forked from one that has rendered.
    """
    global _chosen, _started_in
    if _started_in not in (None, os.getpid()):
        raise RenderingError(
            "images were drawn before this process was forked, and OpenGL does not survive a fork. Start the "
            'processes by "spawn" or "forkserver" (gym.make_vec: vector_kwargs={"context": "spawn"}; '
            'Stable-Baselines3: SubprocVecEnv(..., start_method="spawn")), or render nothing before the fork'
        )
    names = (_chosen,) if _chosen else candidates()
    _started_in = os.getpid()
    _load_triton()
    failures = []
    for name in names:
        try:
            with _restored_on_failure():
                context = _start(name, width, height)
        except Exception as error:
            failures.append(f"{name}: {error or type(error).__name__}")
            continue
        _chosen = name
        if name == "osmesa":
            os.environ["MUJOCO_GL"] = name  # otherwise, MuJoCo's library would use the libEGL that has failed
        return context
    raise RenderingError(f"no OpenGL backend works ({'; '.join(failures)}). {_advice(names)}")


def release() -> None:
    """Release the current context of this thread for use in another thread."""
    if _chosen == "egl":
        backend = sys.modules["mujoco.egl"]
        egl = backend.EGL
        egl.eglMakeCurrent(backend.EGL_DISPLAY, egl.EGL_NO_SURFACE, egl.EGL_NO_SURFACE, egl.EGL_NO_CONTEXT)
    elif _chosen in ("glfw", "glx", "wgl"):
        sys.modules["glfw"].make_context_current(None)
    # A context of OSMesa may be current in several threads. macOS draws in one thread.


def disown() -> None:
    """Prevent a forked process from closing its parent's display at exit, which would block."""
    if "mujoco.egl" in sys.modules:
        backend = sys.modules["mujoco.egl"]
        backend.EGL_DISPLAY = None  # type: ignore[attr-defined]
        atexit.unregister(backend.EGL.eglTerminate)  # what MuJoCo 3.8 registers, with the parent's display


def chosen_backend() -> str | None:
    """Return the backend in use, or None before the first image."""
    return _chosen


def _start(name: str, width: int, height: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the error below replaces GLFW's warnings
        context = _load(name)(width, height)
        context.make_current()
        if _MODULES[name] == "mujoco.glfw" and not sys.modules["glfw"].get_current_context():
            raise RenderingError("GLFW cannot open a window; it needs a display")
    return context


@functools.cache
def _load_triton() -> None:
    """Load the library of Triton, which PyTorch installs on Linux, before Mesa's software renderer.

    Both contain LLVM. If Mesa comes first, importing Triton 3.9 (with PyTorch 2.15) crashes the process.
    """
    spec = find_spec("triton")
    if spec is not None and spec.origin is not None:
        with contextlib.suppress(OSError):  # without it, the import of Triton fails with a clear error
            ctypes.CDLL(str(Path(spec.origin).parent / "_C" / "libtriton.so"))


def _load(name: str) -> Any:
    return importlib.import_module(_MODULES[name]).GLContext


@contextlib.contextmanager
def _restored_on_failure() -> Iterator[None]:
    """Restore PyOpenGL's platform after a failed attempt, because it would apply to all later attempts."""
    platform, before = os.environ.get("PYOPENGL_PLATFORM"), set(sys.modules)
    try:
        yield
    except Exception:
        if platform is None:
            os.environ.pop("PYOPENGL_PLATFORM", None)
        added = set(sys.modules) - before
        for module in added:
            if module.split(".")[0] == "OpenGL" or module.startswith(("mujoco.egl", "mujoco.osmesa")):
                del sys.modules[module]
        raise


def _advice(names: tuple[str, ...]) -> str:
    """Return advice for the backends that failed and the installed libraries."""
    installs = []
    for name in names:
        if name in _LIBRARIES:
            library, install, repair = _LIBRARIES[name]
            found = find_library(library) is not None
            state = "is installed but does not start; try" if found else "is missing;"
            installs.append(f"{library} {state} {repair if found else install}")
        elif not has_display():
            installs.append("there is no display; unset MUJOCO_GL to draw without one")
    return f"On Debian or Ubuntu: {'. '.join(installs)}" if installs else "Update the graphics driver"
