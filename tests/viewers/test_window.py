"""A real window on a virtual screen, driven by real keys."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

import imageio.v3 as iio
import pytest

pytestmark = [
    pytest.mark.display,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool"
    ),
]

PROGRAM = """
import json, sys
import gymnasium as gym, numpy as np, pygame
import gym_hil
from gym_hil.wrappers.pacing import RealTimeWrapper
env = gym.make("gym_hil/PandaPickCubeKeyboard-v1", render_mode="human", max_episode_steps=1000)
env = RealTimeWrapper(env)
env.reset(seed=0)
print("ready", flush=True)
for _ in range(int(sys.argv[1])):
    *_, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
    raw = env.unwrapped
    print(json.dumps({"human": info["is_intervention"], "x": float(raw.simulation.tcp_pos_w[0]),
                      "closed": raw.window.closed,
                      "focus": not raw.window.closed and pygame.key.get_focused(),
                      "reason": info["termination_reason"]}), flush=True)
    if terminated or truncated:
        env.reset()
env.close()
"""


@pytest.fixture
def screen():
    number = 90 + os.getpid() % 100
    server = subprocess.Popen(["Xvfb", f":{number}", "-screen", "0", "800x700x24"], stderr=subprocess.DEVNULL)
    environment = {**os.environ, "DISPLAY": f":{number}"}
    environment.pop("WAYLAND_DISPLAY", None)
    try:
        for _ in range(50):
            if (
                subprocess.run(
                    ["xdotool", "getdisplaygeometry"], env=environment, capture_output=True
                ).returncode
                == 0
            ):
                break
            time.sleep(0.1)
        yield environment
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def running(screen, steps):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(steps)], env=screen, stdout=subprocess.PIPE, text=True
    )
    try:
        while program.stdout.readline().strip() != "ready":
            assert program.poll() is None
        yield program
    finally:
        program.kill()
        program.wait()


def xdotool(screen, *words):
    return subprocess.run(
        ["xdotool", *words], env=screen, capture_output=True, text=True, check=True, timeout=20
    ).stdout


def until(program, wanted, limit=60):
    for _ in range(limit):
        line = json.loads(program.stdout.readline())
        if wanted(line):
            return line
    raise AssertionError("it never happened")


def test_keys_in_the_window_move_the_robot_and_closing_it_ends_nothing(screen, tmp_path):
    with running(screen, 150) as program:
        before = until(program, lambda line: line["focus"] and not line["human"])
        xdotool(screen, "key", "space")
        until(program, lambda line: line["human"])
        xdotool(screen, "keydown", "Up")
        until(program, lambda line: line["x"] > before["x"] + 0.05)
        xdotool(screen, "keyup", "Up")
        picture = screenshot(screen, tmp_path / "window.png")
        strip = picture[3:30, 300:400].reshape(-1, 3).mean(axis=0)
        assert strip[0] > 180 > strip[2], "the strip is orange while the human acts"
        assert picture[60:460, 20:600].std() > 10
        xdotool(screen, "key", "Return")
        until(program, lambda line: line["reason"] == "human_success")
        until(program, lambda line: not line["human"])
        xdotool(screen, "key", "space")
        until(program, lambda line: line["human"])
        close_the_window(screen)
        until(program, lambda line: line["closed"] and not line["human"])
        assert program.wait(timeout=60) == 0, "it ran to its end without the window"


def close_the_window(screen):
    """Send what a window manager sends when somebody clicks on the cross."""
    from Xlib import X, display
    from Xlib.protocol.event import ClientMessage

    connection = display.Display(screen["DISPLAY"])
    for window in connection.screen().root.query_tree().children:
        protocols = connection.intern_atom("WM_PROTOCOLS")
        if window.get_attributes().map_state == X.IsViewable:
            data = (32, [connection.intern_atom("WM_DELETE_WINDOW"), X.CurrentTime, 0, 0, 0])
            window.send_event(ClientMessage(window=window, client_type=protocols, data=data))
    connection.sync()
    connection.close()


def screenshot(screen, path):
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-f", "x11grab", "-video_size", "640x592"]
    subprocess.run(
        [*command, "-i", f"{screen['DISPLAY']}+80,90", "-frames:v", "1", str(path)],
        check=True,
        capture_output=True,
    )
    return iio.imread(path)
