"""The robot holds still, follows, grasps, and continues bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError, InvalidStateError
from gym_hil.robots import ROBOTS
from gym_hil.robots.geometry import Box
from gym_hil.scenes.scene import Cube, Scene
from gym_hil.simulation.rendering import FAST, GymRenderingSpec, Renderer
from gym_hil.simulation.simulation import Simulation

PANDA = ROBOTS["panda"]

LOW, HIGH = np.array([0.2, -0.3, 0.0]), np.array([0.6, 0.3, 0.5])
NO_TURN = np.zeros(3)


def step(sim: Simulation, translation, rotation, low, high) -> None:
    sim.end_effectors[0].move(translation, rotation, Box(tuple(low), tuple(high)))
    sim.step()


@pytest.fixture
def sim() -> Simulation:
    scene = Scene(home="above_table", props=(Cube("cube", (0.85, 0.2, 0.15)),))
    simulation = Simulation(PANDA, scene, control_dt=0.1, physics_dt=0.004)
    simulation.reset({"cube": (0.5, 0.0, 0.02)})
    return simulation


def move(sim: Simulation, delta: tuple[float, float, float], steps: int = 1) -> None:
    for _ in range(steps):
        step(sim, np.array(delta), NO_TURN, LOW, HIGH)


def test_holding_still_drifts_less_than_a_tenth_of_a_millimetre_in_ten_seconds(sim):
    start = sim.tcp_pos_w.copy()
    move(sim, (0, 0, 0), 100)
    assert np.abs(sim.tcp_pos_w - start).max() < 1e-4


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_straight_line_of_10_cm_is_followed_within_1_cm_and_settles_within_1_mm(sim, axis):
    delta = np.zeros(3)
    delta[axis] = -0.025 if axis == 0 else 0.025
    start = sim.tcp_pos_w.copy()
    for step in range(4):
        move(sim, tuple(delta))
        assert np.linalg.norm(sim.tcp_pos_w - (start + (step + 1) * delta)) < 0.01
    move(sim, (0, 0, 0), 3)
    assert np.linalg.norm(sim.tcp_pos_w - (start + 4 * delta)) < 1e-3


def test_a_rotation_about_the_vertical_turns_the_hand(sim):
    start = sim.tcp_quat_w
    for _ in range(4):
        step(sim, np.zeros(3), np.array([0.0, 0.0, 0.1]), LOW, HIGH)
    move(sim, (0, 0, 0), 3)
    turned = 2 * np.arccos(min(1.0, abs(float(start @ sim.tcp_quat_w))))
    assert turned == pytest.approx(0.4, abs=0.01)


def test_gripper_commands_open_and_close_the_fingers(sim):
    sim.command_gripper(0.0)
    move(sim, (0, 0, 0), 5)
    assert sim.closure > 0.98 and sim.gripper_closing
    sim.command_gripper(1.0)
    move(sim, (0, 0, 0), 5)
    assert sim.closure < 0.02 and not sim.gripper_closing


def test_a_grasped_cube_survives_lifting_and_shaking_at_full_speed(sim):
    move(sim, (0.0095, 0, 0))
    move(sim, (0, 0, -0.025), 4)
    move(sim, (0, 0, 0), 2)
    sim.command_gripper(0.0)
    move(sim, (0, 0, 0), 4)
    move(sim, (0, 0, 0.025), 8)
    for _ in range(10):
        move(sim, (0, 0.025, 0), 2)
        move(sim, (0, -0.025, 0), 2)
    assert np.linalg.norm(sim.body_pos_w("cube") - sim.tcp_pos_w) < 0.02
    assert sim.body_pos_w("cube")[2] > 0.15


def test_pressing_down_for_five_seconds_pushes_no_finger_into_the_floor(sim):
    sim.reset({"cube": (0.3, 0.25, 0.02)})
    lowest = 1.0
    tip = 0.009
    for _ in range(50):
        move(sim, (0, 0, -0.025))
        lowest = min(lowest, sim.tcp_pos_w[2] - tip)
    assert lowest > -0.002


def test_the_target_stays_near_the_arm(sim):
    for _ in range(30):
        step(sim, np.array([0.0, 0.0, 0.1]), NO_TURN, LOW, np.array([9.0, 9.0, 9.0]))
    move(sim, (0, 0, 0))
    lead = np.linalg.norm(sim.target_pos_w - sim.tcp_pos_w)
    assert lead <= PANDA.end_effectors[0].impedance.max_lead + 0.01
    assert sim.stable


def test_a_saved_state_continues_bit_for_bit(sim):
    move(sim, (-0.02, 0.01, -0.01), 3)
    saved = sim.save()
    move(sim, (0.01, 0.02, -0.02), 5)
    expected = sim.save()
    sim.restore(saved)
    move(sim, (0.01, 0.02, -0.02), 5)
    np.testing.assert_array_equal(sim.save(), expected)


def test_a_state_of_another_simulation_is_refused(sim):
    with pytest.raises(InvalidStateError, match=r"shape \(3,\)"):
        sim.restore(np.zeros(3))


def test_images_show_the_red_cube_and_are_fresh_arrays(sim):
    renderer = Renderer(sim.model, 128, 128, FAST)
    camera = sim.model.camera("front").id
    first, second = renderer.render(sim.data, camera), renderer.render(sim.data, camera)
    renderer.close()
    renderer.close()
    assert first.shape == (128, 128, 3) and first.dtype == np.uint8
    assert not np.shares_memory(first, second)
    red = (first[..., 0] > 120) & (first[..., 1] < 80) & (first[..., 2] < 80)
    assert 10 < red.sum() < 2000


def test_an_image_depends_on_the_state_alone_not_on_the_camera_before(sim):
    renderer = Renderer(sim.model, 128, 128, FAST)
    first = renderer.render(sim.data, 0)
    renderer.render(sim.data, 1)
    assert (renderer.render(sim.data, 0) == first).all()
    assert (renderer.render(sim.data, 0) == first).all()
    renderer.close()


def test_invalid_image_sizes_are_refused():
    with pytest.raises(InvalidArgumentError, match="height=0"):
        GymRenderingSpec(height=0)
