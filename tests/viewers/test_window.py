"""A real window on a virtual screen, with real keys."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time

import imageio.v3 as iio
import numpy as np
import pytest

from gym_hil.devices.device_log import load_device_log
from gym_hil.viewers.window import BANNER

SIZES = (32, 22)
"""Sizes in which the window writes the speed: the larger one, if there is space."""
pytestmark = pytest.mark.display

PROGRAM = """
import json, sys
import gymnasium as gym, numpy as np, pygame
import gym_hil
from gym_hil.viewers.attach import find_window
from gym_hil.wrappers.real_time import RealTimeWrapper
env = gym.make("gym_hil/PandaPickCubeKeyboard-v1", render_mode="human", max_episode_steps=1000)
env = RealTimeWrapper(env)
env.reset(seed=0)
window = find_window(env)
for _ in range(int(sys.argv[1])):
    *_, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
    raw = env.unwrapped
    print(json.dumps({"human": info["is_intervention"], "x": float(raw.simulation.tcp_pos_w[0]),
                      "closed": window.closed,
                      "focus": not window.closed and pygame.key.get_focused(),
                      "reason": info["termination_reason"]}), flush=True)
    if terminated or truncated:
        env.reset()
env.close()
"""

MOVING = """
import json, sys
import gymnasium as gym, numpy as np, pygame
import gym_hil
from gym_hil.viewers.attach import find_window
from gym_hil.viewers.window import BANNER
from gym_hil.wrappers.real_time import RealTimeWrapper
seen = []
def look(shown):
    def show(*arguments):
        shown(*arguments)
        picture = pygame.display.get_surface().subsurface((0, BANNER, 640, 480))
        seen.append(pygame.image.tobytes(picture, "RGB"))
    return show
pygame.display.flip, pygame.display.update = look(pygame.display.flip), look(pygame.display.update)
env = gym.make("gym_hil/PandaPickCubeBase-v1", render_mode="human", max_episode_steps=1000)
if sys.argv[1] == "paced":
    env = RealTimeWrapper(env, slow_motion=4.0)
env.reset(seed=0)
pictures = []
for number in range(8):
    seen.clear()
    env.step(np.array([0.02, 0, 0.02, 0, 0, 0, 1], np.float32))
    if number > 1:
        pictures.append(len(set(seen)))
window = find_window(env)
window.paced = False
window.show(env.unwrapped.data, 0.0)
at_the_end = window._renderer.render(env.unwrapped.data, window._camera).tobytes()
print(json.dumps({"pictures": pictures, "late": env.overruns if sys.argv[1] == "paced" else 0,
                  "end": seen[-1] == at_the_end}))
env.close()
"""


GAMEPAD = """
import json
import gymnasium as gym, numpy as np, pygame
import gym_hil
from gym_hil.testing.virtual_gamepad import VirtualGamepad
from gym_hil.viewers.attach import open_window, find_window
pad = VirtualGamepad()
env = gym.make("gym_hil/PandaPickCubeGamepad-v1", render_mode="human", max_episode_steps=1000)
env.reset(seed=0)
idle = np.array([0, 0, 0, 1], np.float32)
found = {}
pad.press("rb")
found["before"] = bool([env.step(idle) for _ in range(3)][-1][4]["is_intervention"])
pygame.event.post(pygame.event.Event(pygame.QUIT))
env.step(idle)
assert find_window(env).closed
pad.set_axis("left_y", 1.0)
before = env.unwrapped.simulation.tcp_pos_w.copy()
found["after"] = bool([env.step(idle) for _ in range(8)][-1][4]["is_intervention"])
found["moved"] = float(np.abs(env.unwrapped.simulation.tcp_pos_w - before).max()) > 0.05
env.close()
env = gym.make("gym_hil/PandaPickCubeGamepad-v1", render_mode="human")
env.reset(seed=0)
found["opened again"] = not find_window(env).closed
env.close()
print(json.dumps(found))
"""


@contextlib.contextmanager
def running(screen, steps):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(steps)], env=screen, stdout=subprocess.PIPE, text=True
    )
    try:
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


@pytest.mark.slow
def test_keys_in_the_window_move_the_robot_and_closing_it_does_not_end_the_episode(screen, tmp_path):
    with running(screen, 150) as program:
        before = until(program, lambda line: line["focus"] and not line["human"])
        xdotool(screen, "key", "space")
        until(program, lambda line: line["human"])
        xdotool(screen, "keydown", "Up")
        until(program, lambda line: line["x"] > before["x"] + 0.05)
        xdotool(screen, "keyup", "Up")
        picture = screenshot(screen, tmp_path / "window.png")
        assert is_orange(picture[3:50, 300:400]), "the banner is orange while the human acts"
        assert picture[80:500, 20:600].std() > 10
        assert picture[BANNER + 480 + 10 : -10].max() > 200, "no help below the picture"
        xdotool(screen, "key", "Return")
        until(program, lambda line: line["reason"] == "human_success")
        until(program, lambda line: not line["human"])
        xdotool(screen, "key", "space")
        until(program, lambda line: line["human"])
        close_the_window(screen)
        until(program, lambda line: line["closed"] and not line["human"])
        assert program.wait(timeout=60) == 0, "it ran to its end without the window"


def shows(picture, text):
    """Return whether the middle of the banner shows a text, and nothing else, in white."""
    import pygame

    pygame.font.init()
    for size in SIZES:
        shape = pygame.font.Font(None, size).render(text, True, (255, 255, 255))
        wide, high = shape.get_size()
        left, top = (picture.shape[1] - wide) // 2, (BANNER - high) // 2
        banner = picture[top : top + high, left - 4 : left + wide + 4].min(axis=-1)
        letters = np.zeros(banner.shape, bool)
        opacity = pygame.surfarray.array_alpha(shape).T
        letters[:, 4:-4] = opacity > 250
        background = np.ones(banner.shape, bool)
        background[:, 4:-4] = opacity == 0
        if banner[letters].min() > 230 and banner[background].max() < 200:
            return True
    return False


@pytest.mark.slow
def test_the_window_shows_the_speed_that_the_person_has_selected(screen, tmp_path):
    with running(screen, 1000) as program:
        until(program, lambda line: line["focus"])
        for label in ("coarse (100 %)", "medium (20 %)", "fine (2 %)", "coarse (100 %)"):
            deadline = time.monotonic() + 20
            while not shows(screenshot(screen, tmp_path / "speed.png"), f"speed: {label}"):
                assert time.monotonic() < deadline, label
            xdotool(screen, "key", "f")


@pytest.mark.slow
def test_the_window_shows_a_pause(screen, tmp_path):
    with running(screen, 150) as program:
        until(program, lambda line: line["focus"])
        xdotool(screen, "key", "p")
        deadline = time.monotonic() + 20
        while not is_violet(screenshot(screen, tmp_path / "paused.png")[3:50, 250:400]):
            assert time.monotonic() < deadline
        xdotool(screen, "key", "p")
        assert program.wait(timeout=60) == 0


def test_after_closing_the_window_the_gamepad_still_drives(screen):
    program = subprocess.run(
        [sys.executable, "-c", GAMEPAD], env=screen, capture_output=True, text=True, timeout=120
    )
    assert program.returncode == 0, program.stderr
    assert json.loads(program.stdout) == {"before": True, "after": True, "moved": True, "opened again": True}


def test_there_is_one_window_at_a_time(screen):
    program = """
import gymnasium as gym, gym_hil
from gym_hil.viewers.attach import find_window
first, second = (gym.make("gym_hil/PandaPickCubeBase-v0", render_mode="human") for _ in range(2))
for env in (first, second):
    env.reset(seed=0)
assert find_window(first) is not None and find_window(second) is None
first.close()
third = gym.make("gym_hil/PandaPickCubeBase-v0", render_mode="human")
third.reset(seed=0)
assert find_window(third) is not None
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=screen, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    assert "this process already has a window" in done.stderr


def is_orange(picture):
    red, green, blue = picture.reshape(-1, 3).mean(axis=0)
    return red > 150 and green < 140 and blue < 90


def is_violet(picture):
    red, green, blue = picture.reshape(-1, 3).mean(axis=0)
    return blue > red > green + 15


WRAPPED = """
import json, sys
import gymnasium as gym, numpy as np, pygame
import gym_hil
from gym_hil.devices import RecordingDevice
from gym_hil.devices.keyboard import WindowKeyboard
from gym_hil.intervention import Human
from gym_hil.wrappers.real_time import RealTimeWrapper
keyboard = WindowKeyboard()
operator = Human(RecordingDevice(keyboard, sys.argv[1]), "toggle")
env = RealTimeWrapper(gym.make("gym_hil/PandaPickCube-v1", operator=operator, max_episode_steps=1000))
env.reset(seed=0)
for _ in range(200):
    info = env.step(np.array([0, 0, 0, 1], np.float32))[4]
    print(json.dumps({"focus": pygame.key.get_focused(), "connected": keyboard.connected,
                      "human": info["is_intervention"]}), flush=True)
env.close()
"""


def test_a_wrapped_keyboard_gets_a_window_and_its_keys(screen, tmp_path):
    log = tmp_path / "log.jsonl"
    program = subprocess.Popen(
        [sys.executable, "-c", WRAPPED, str(log)], env=screen, stdout=subprocess.PIPE, text=True
    )
    try:
        assert until(program, lambda line: line["focus"])["connected"]
        xdotool(screen, "key", "space")
        until(program, lambda line: line["human"])
    finally:
        program.kill()
        program.wait()
    assert sum(timed.reading.engage_presses for timed in load_device_log(log).readings) == 1


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

    geometry = xdotool(screen, "getwindowfocus", "getwindowgeometry", "--shell")
    place = dict(line.split("=") for line in geometry.split() if "=" in line)
    size, corner = f"{place['WIDTH']}x{place['HEIGHT']}", f"{place['X']},{place['Y']}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-f", "x11grab", "-draw_mouse", "0"]
    subprocess.run(
        [*command, "-video_size", size, "-i", f"{screen['DISPLAY']}+{corner}", "-frames:v", "1", str(path)],
        check=True,
        capture_output=True,
    )
    return iio.imread(path)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize(("pacing", "pictures"), [("paced", {2, 3, 4, 5}), ("unpaced", {1})])
def test_in_real_time_the_robot_is_shown_within_steps(screen, pacing, pictures):
    program = subprocess.run(
        [sys.executable, "-c", MOVING, pacing], env=screen, capture_output=True, text=True, timeout=120
    )
    assert program.returncode == 0, program.stderr
    found = json.loads(program.stdout)
    assert found["late"] == 0 and found["end"]
    assert sorted(found["pictures"])[3] in pictures, "a slow machine leaves some out"
