"""Choose an OpenGL backend that works here.

MuJoCo takes the one that `MUJOCO_GL` names and otherwise assumes a display. Without a display this module
tries EGL, then OSMesa, so that rendering works on a bare server without anybody setting a variable.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from gym_hil.core.errors import RenderingError

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
INSTALL_HINT = "install EGL (Debian/Ubuntu: apt install libegl1 libgl1) or OSMesa (apt install libosmesa6)"

_chosen: str | None = None


def has_display() -> bool:
    """Return whether windows can be opened: always true on macOS and Windows."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def candidates() -> tuple[str, ...]:
    """Return the backends to try, in order, for this process's environment."""
    named = os.environ.get("MUJOCO_GL", "").lower().strip()
    if named in _OFF:
        raise RenderingError(f"rendering is switched off by MUJOCO_GL={named!r}; unset it to render")
    if named in _MODULES:
        return (named,)
    if sys.platform == "darwin":
        return ("cgl", "glfw")
    if not sys.platform.startswith("linux"):
        return ("glfw",)
    return (*HEADLESS, "glfw") if has_display() else HEADLESS


def make_context(width: int, height: int) -> Any:
    """Return a current OpenGL context for off-screen images of at most `width` x `height` pixels.

    Raises:
        RenderingError: no backend works; the message says what to install.
    """
    global _chosen
    failures = []
    for name in (_chosen,) if _chosen else candidates():
        try:
            context = _load(name)(width, height)
            context.make_current()
        except Exception as error:
            failures.append(f"{name}: {error or type(error).__name__}")
            continue
        _chosen = name
        return context
    raise RenderingError(f"no OpenGL backend works ({'; '.join(failures)}): {INSTALL_HINT}")


def chosen_backend() -> str | None:
    """Return the backend in use, or None while nothing has been rendered."""
    return _chosen


def _load(name: str) -> Any:
    platform = os.environ.get("PYOPENGL_PLATFORM")
    try:
        return importlib.import_module(_MODULES[name]).GLContext
    except Exception:
        # A failed attempt must not pin PyOpenGL to its platform for the next one.
        if platform is None:
            os.environ.pop("PYOPENGL_PLATFORM", None)
        for module in [m for m in sys.modules if m == "OpenGL" or m.startswith("OpenGL.")]:
            del sys.modules[module]
        raise
