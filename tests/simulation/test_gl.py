"""An OpenGL backend is chosen if none is set, and a missing library is reported in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ctypes.util import find_library
from importlib.util import find_spec

import mujoco
import pytest

from gym_hil.core.errors import RenderingError
from gym_hil.simulation import gl

RENDER = """
import gymnasium as gym, gym_hil
env = gym.make("gym_hil/PandaPickCube-v1", image_obs=True, render_mode="rgb_array")
observation, _ = env.reset(seed=0)
assert observation["pixels"]["front"].std() > 5 and env.render().std() > 5
from gym_hil.simulation import gl
print(gl.chosen_backend())
"""


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    chosen = ("MUJOCO_GL", "PYOPENGL_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    clean = {k: v for k, v in os.environ.items() if k not in chosen}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**clean, **variables},
        timeout=60,
    )


@pytest.mark.rendering
def test_without_display_a_backend_is_found():
    done = run(RENDER)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] in gl.HEADLESS


@pytest.mark.parametrize("backend", gl.HEADLESS)
def test_a_named_backend_is_used(backend):
    if find_library({"egl": "EGL", "osmesa": "OSMesa"}[backend]) is None:
        pytest.skip(f"the library of {backend} is not installed")
    done = run(RENDER, MUJOCO_GL=backend)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == backend and "ignored" not in done.stderr


@pytest.mark.rendering
@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
@pytest.mark.parametrize("start", ["gl.make_context(64, 64)", "gl.import_mujoco()"])
def test_triton_can_be_imported_after_opengl(start):
    done = run(f"from gym_hil.simulation import gl; {start}; import triton", MUJOCO_GL="egl")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(find_library("OSMesa") is None, reason="libOSMesa is not installed")
def test_without_an_egl_driver_osmesa_is_used():
    done = run(RENDER, __EGL_VENDOR_LIBRARY_DIRS="/nonexistent")
    if done.returncode and mujoco.__version__ < "4":
        assert "Start the program with the environment variable MUJOCO_GL=osmesa" in done.stderr
        done = run(RENDER, __EGL_VENDOR_LIBRARY_DIRS="/nonexistent", MUJOCO_GL="osmesa")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "osmesa"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MUJOCO_GL": "egl", "__EGL_VENDOR_LIBRARY_DIRS": "/nonexistent"}, "egl: .*(apt install libeg)"),
        ({"MUJOCO_GL": "glfw"}, "needs a display.*unset MUJOCO_GL"),
        ({"MUJOCO_GL": "foo"}, "MUJOCO_GL='foo' is not known.*egl, osmesa"),
    ],
)
def test_rendering_errors_are_one_line_and_other_functions_work(variables, message):
    code = RENDER.replace("import gymnasium", "from gym_hil.simulation import gl; import gymnasium")
    state_only = "env = gym.make('gym_hil/PandaPickCubeState-v1'); env.reset(seed=0); print('stepped')\n"
    done = run(code.replace("env = ", state_only + "env = ", 1), **variables)
    assert done.returncode == 1 and done.stdout.strip() == "stepped", done.stderr
    assert re.search(f"RenderingError: .*{message}", done.stderr.strip().splitlines()[-1]), done.stderr


def test_with_rendering_disabled_the_error_names_the_setting(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "disable")
    with pytest.raises(RenderingError, match="MUJOCO_GL='disable'"):
        gl.candidates()


def test_without_a_working_backend_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(gl, "_chosen", None)
    monkeypatch.setattr(gl, "candidates", lambda: gl.HEADLESS)

    def broken(name: str):
        raise OSError("no such library")

    monkeypatch.setattr(gl, "_load", broken)
    with pytest.raises(RenderingError) as caught:
        gl.make_context(8, 8)
    assert "\n" not in str(caught.value) and "apt install" in str(caught.value)


def test_state_observations_never_touch_opengl():
    code = (
        "import sys, gymnasium as gym, gym_hil\n"
        "env = gym.make('gym_hil/PandaPickCubeState-v1', image_obs=True)\n"
        "env.reset(seed=0); env.step(env.action_space.sample()); env.close()\n"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('OpenGL', 'glfw')], sys.modules.keys()\n"
    )
    done = run(code, MUJOCO_GL="disable")
    assert done.returncode == 0, done.stderr
