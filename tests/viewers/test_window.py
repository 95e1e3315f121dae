"""A real window on a virtual screen, driven by real keys."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import imageio.v3 as iio
import pytest

pytestmark = pytest.mark.display

PROGRAM = """
import json, sys
import gymnasium as gym, numpy as np, pygame
import gym_hil
from gym_hil.viewers.attach import window_of
from gym_hil.wrappers.real_time import RealTimeWrapper
env = gym.make("gym_hil/PandaPickCubeKeyboard-v1", render_mode="human", max_episode_steps=1000)
env = RealTimeWrapper(env)
env.reset(seed=0)
print(json.dumps(window_of(env).buttons), flush=True)
for _ in range(int(sys.argv[1])):
    *_, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
    raw = env.unwrapped
    print(json.dumps({"human": info["is_intervention"], "x": float(raw.simulation.tcp_pos_w[0]),
                      "slow": window_of(env).time_scale,
                      "closed": window_of(env).closed,
                      "focus": not window_of(env).closed and pygame.key.get_focused(),
                      "reason": info["termination_reason"]}), flush=True)
    if terminated or truncated:
        env.reset()
env.close()
"""

MOVING = """
import json, sys
import gymnasium as gym, numpy as np, pygame
import gym_hil
from gym_hil.viewers.window import STRIP
from gym_hil.viewers.attach import window_of
from gym_hil.wrappers.real_time import RealTimeWrapper
seen = []
def look(shown):
    def show(*arguments):
        shown(*arguments)
        picture = pygame.display.get_surface().subsurface((0, STRIP, 640, 480))
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
window = window_of(env)
window.paced = False
window.show(env.unwrapped.data, 0.0)
at_the_end = window_of(env)._pictures.outside(env.unwrapped.data).tobytes()
print(json.dumps({"pictures": pictures, "late": env.overruns if sys.argv[1] == "paced" else 0,
                  "end": seen[-1] == at_the_end}))
env.close()
"""


@contextlib.contextmanager
def running(screen, steps):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(steps)], env=screen, stdout=subprocess.PIPE, text=True
    )
    try:
        line = program.stdout.readline()
        assert line, "it ended"
        program.buttons = json.loads(line)
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
        assert is_orange(picture[3:50, 300:400]), "the strip is orange while the human acts"
        assert picture[80:500, 20:600].std() > 10
        assert is_orange(picture[button(program, "take over / let go")])
        xdotool(screen, "key", "Return")
        until(program, lambda line: line["reason"] == "human_success")
        until(program, lambda line: not line["human"])
        xdotool(screen, "key", "space")
        until(program, lambda line: line["human"])
        close_the_window(screen)
        until(program, lambda line: line["closed"] and not line["human"])
        assert program.wait(timeout=60) == 0, "it ran to its end without the window"


def test_buttons_work_the_keyboard(screen, tmp_path):
    with running(screen, 400) as program:
        until(program, lambda line: line["focus"] and not line["human"])
        click(screen, program, "take over / let go")
        until(program, lambda line: line["human"])
        click(screen, program, "take over / let go")
        until(program, lambda line: not line["human"])
        for label, reason in (
            ("success", "human_success"),
            ("failure", "human_failure"),
            ("re-record", "rerecord_episode"),
            ("reset", "human_reset"),
        ):
            click(screen, program, label)
            until(program, lambda line, reason=reason: line["reason"] == reason)
            following = [json.loads(program.stdout.readline())["reason"] for _ in range(5)]
            assert following == [""] * 5, "it counts once"
        click(screen, program, "slow motion")
        until(program, lambda line: line["slow"] > 1.0)
        click(screen, program, "slow motion")
        until(program, lambda line: line["slow"] == 1.0)
        click(screen, program, "pause")
        picture = screenshot(screen, tmp_path / "paused.png")
        while not is_violet(picture[3:50, 300:400]):
            picture = screenshot(screen, tmp_path / "paused.png")
        click(screen, program, "pause")
        until(program, lambda line: line["human"] is False)


def test_the_panel_shows_cameras_and_rates(screen, tmp_path):
    with running(screen, 200) as program:
        until(program, lambda line: line["focus"])
        for label, reason in (("success", "human_success"), ("failure", "human_failure")) * 2:
            click(screen, program, label)
            until(program, lambda line, reason=reason: line["reason"] == reason)
        for _ in range(3):
            program.stdout.readline()
        panel = screenshot(screen, tmp_path / "panel.png")[60:, 640:].astype(int)
    r, g, b = panel[..., 0], panel[..., 1], panel[..., 2]
    assert ((r > 120) & (g < 80) & (b < 80))[:150].sum() > 20, "no camera sees the cube"
    green, orange = (g > r + 60) & (g > b + 60), (r > g + 60) & (g > b + 40)
    assert green[160:230].any() and orange[160:230].any(), "no rates"
    rows = green[238:326].nonzero()[0]
    assert rows.max() - rows.min() > 25, "the plot falls from all to half"


def test_a_window_without_a_keyboard_has_no_buttons(screen):
    program = """
import gymnasium as gym, gym_hil
from gym_hil.viewers.attach import window_of
env = gym.make("gym_hil/PandaPickCubeBase-v0", render_mode="human")
env.reset(seed=0)
assert window_of(env).buttons == {}
env.close()
"""
    subprocess.run([sys.executable, "-c", program], env=screen, check=True, timeout=60)


def is_orange(picture):
    red, green, blue = picture.reshape(-1, 3).mean(axis=0)
    return red > 150 and green < 140 and blue < 90


def is_violet(picture):
    red, green, blue = picture.reshape(-1, 3).mean(axis=0)
    return blue > red > green + 15


def button(program, label):
    """Return where in a picture a button is, save for its edges."""
    x, y = program.buttons[label]
    return slice(y - 15, y + 15), slice(x - 80, x + 80)


def click(screen, program, label):
    x, y = map(str, program.buttons[label])
    xdotool(screen, "getwindowfocus", "mousemove", "--window", "%1", x, y, "click", "1")


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


@pytest.mark.parametrize(("pacing", "pictures"), [("paced", {2, 3, 4, 5}), ("unpaced", {1})])
def test_in_real_time_the_robot_is_shown_within_steps(screen, pacing, pictures):
    program = subprocess.run(
        [sys.executable, "-c", MOVING, pacing], env=screen, capture_output=True, text=True, timeout=120
    )
    assert program.returncode == 0, program.stderr
    found = json.loads(program.stdout)
    assert found["late"] == 0 and found["end"]
    assert sorted(found["pictures"])[3] in pictures, "a slow machine leaves some out"
