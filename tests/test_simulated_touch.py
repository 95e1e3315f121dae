"""A person places a peg with the touch sticks and buttons of the page, as the page's messages operate them."""

from __future__ import annotations

from unittest import mock

import pytest

from gym_hil.devices import Engage, PageDevice
from gym_hil.devices.controls import Control
from gym_hil.intervention.held_devices import Handle, HeldDevice
from gym_hil.intervention.limits import PRESETS
from gym_hil.intervention.simulated_human_with_device import SimulatedHumanWithDevice
from gym_hil.stacks.build import make_env

EPISODES, ENOUGH = 10, 8
STEPS = 900
"""Steps per episode: six time limits, as `gym-hil train` gives a person who demonstrates."""
STICK_PIXELS = 50
"""Travel of a stick from its middle to its edge, in pixels of the page (sticks.js and style.css)."""
FINGER_LIFTED = 1.5 / STICK_PIXELS
"""Level up to which no finger is on a stick: at rest, its tremor does not move the robot. Assumed: one pixel."""


class TouchHandle(Handle):
    """The page with touch sticks. Each call is what the page's server does with one message."""

    def __init__(self, clock) -> None:
        self.device = self._page = PageDevice()
        self._page.attended = True

    def press(self, control: Control, at: float) -> None:
        self._page.keyboard.press_button(control)

    def release(self, control: Control, at: float) -> None:
        self._page.keyboard.release_button(control)

    def move(self, motion, *, turning: bool) -> None:
        x, y, z, rx, ry, rz = motion
        levels = (ry, -rx, rz) if turning else (x, y, z)  # the button for turning is held then
        self._page.sticks.move(*(level if abs(level) > FINGER_LIFTED else 0.0 for level in levels))


TOUCH = HeldDevice(
    name="simulated-touch",
    hold=TouchHandle,
    engage=Engage.TOGGLE,
    resolution=1 / STICK_PIXELS,
    turns_with_button=True,
)


@pytest.mark.slow
def test_touch_sticks_insert_the_peg():
    """The clearance is 1 mm. The person has the limits of the preset ``average``, such as its errors of perception."""
    operator = SimulatedHumanWithDevice(PRESETS["average"].driving(), held=TOUCH)
    with mock.patch(
        "gym_hil.stacks.build.needs_viewer", return_value=False
    ):  # its server would wait for a browser
        env = make_env("gym_hil/PandaInsertPeg-v1", operator=operator, max_episode_steps=STEPS)
    neutral = env.get_wrapper_attr("neutral_action")()
    inserted = episodes = 0
    speeds = set()
    while episodes < EPISODES and inserted < ENOUGH:
        env.reset(seed=episodes)
        ended = False
        while not ended:
            *_, terminated, truncated, info = env.step(neutral)
            ended = terminated or truncated
            speeds.add(info["step"].reading.speed)
        inserted += info["is_success"]
        episodes += 1
    env.close()
    assert inserted >= ENOUGH, f"{inserted} of {episodes}"
    assert len(speeds) == 3
