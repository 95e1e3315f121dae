"""Measurements of the robot: it holds still, follows commands, stops, and stays stable under extreme actions."""

from __future__ import annotations

import itertools

import mujoco
import numpy as np
import pytest

from gym_hil.robots import ROBOTS
from gym_hil.robots.geometry import Box
from gym_hil.simulation.simulation import Simulation
from gym_hil.tasks import TASKS

PANDA = ROBOTS["panda"]

PICK = TASKS["PickCube"](PANDA)
LOW, HIGH = PICK.workspace.low, PICK.workspace.high
WIDE_LOW, WIDE_HIGH = np.full(3, -2.0), np.full(3, 2.0)
FULL = 0.025
STILL = np.zeros(3)


def step(sim: Simulation, translation, rotation, low, high) -> None:
    sim.end_effectors[0].move(translation, rotation, Box(tuple(low), tuple(high)))
    sim.step()


def simulation(cube=(0.5, 0.0, 0.02)) -> Simulation:
    sim = Simulation(PANDA, PICK.scene, control_dt=0.1, physics_dt=0.004)
    sim.reset({"cube": cube})
    return sim


def grasp(sim: Simulation, start) -> None:
    """Let the expert lift the cube by 10 cm."""
    for _ in range(100):
        intent = PICK.intent(sim, start)
        sim.command_gripper(intent.opening)
        step(sim, np.clip(intent.tcp_pos_w - sim.target_pos_w, -FULL, FULL), STILL, LOW, HIGH)
        if PICK.success(sim, start):
            return
    raise AssertionError("the expert did not lift the cube")


def shaken_off(seed: int) -> bool:
    rng = np.random.default_rng(seed)
    sim = simulation()
    start = PICK.sample_start(rng, randomise=True, options={})
    sim.reset(start)
    grasp(sim, start)
    for _ in range(30):
        step(sim, FULL * rng.choice([-1.0, 1.0], 3) * [1, 1, 0.5], STILL, LOW + np.array([0, 0, 0.08]), HIGH)
    return float(np.linalg.norm(sim.body_pos_w("cube") - sim.tcp_pos_w)) > 0.03


def test_a_grasped_cube_survives_shaking():
    assert not any(shaken_off(seed) for seed in range(5))


@pytest.mark.nightly
def test_a_grasped_cube_survives_shaking_100_of_100():
    assert [seed for seed in range(100) if shaken_off(seed)] == []


def test_a_standing_arm_drifts_less_than_a_tenth_of_a_millimetre_in_10_s():
    sim = simulation()
    for _ in range(5):
        step(sim, STILL, STILL, LOW, HIGH)
    before = sim.tcp_pos_w.copy()
    for _ in range(100):
        step(sim, STILL, STILL, LOW, HIGH)
    assert np.linalg.norm(sim.tcp_pos_w - before) < 1e-4


@pytest.mark.parametrize("direction", list(itertools.product([-1, 0, 1], repeat=2)))
def test_after_release_the_tcp_stops_within_a_tenth_of_a_second_and_5_mm(direction):
    if direction == (0, 0):
        return
    sim = simulation(cube=(0.3, 0.15, 0.02))
    for _ in range(4):
        step(sim, FULL * np.array([*direction, 0.3]), STILL, LOW, HIGH)
    released = sim.tcp_pos_w.copy()
    sim.anchor_target()
    step(sim, STILL, STILL, LOW, HIGH)
    assert np.linalg.norm(sim.tcp_pos_w - released) < 5e-3
    stopped = sim.tcp_pos_w.copy()
    for _ in range(5):
        step(sim, STILL, STILL, LOW, HIGH)
    assert np.linalg.norm(sim.tcp_pos_w - stopped) < 5e-3


def test_pressing_down_at_full_speed_for_5_s_keeps_fingers_out_of_the_floor():
    sim = simulation(cube=(0.3, 0.15, 0.02))
    deepest = 0.0
    for _ in range(50):
        step(sim, np.array([0, 0, -FULL]), STILL, np.array([0.2, -0.3, -0.2]), HIGH)
        for contact in sim.data.contact[: sim.data.ncon]:
            deepest = min(deepest, float(contact.dist))
    assert sim.tcp_pos_w[2] < 0.05, "the fingers did come down"
    assert deepest > -2e-3


@pytest.mark.parametrize("joint", range(7))
@pytest.mark.parametrize("side", [0, 1])
def test_at_a_joint_limit_all_values_are_finite(joint, side):
    sim = simulation()
    address = sim.model.joint(PANDA.joints[joint]).qposadr[0]
    sim.data.qpos[address] = sim.model.joint(PANDA.joints[joint]).range[side]
    mujoco.mj_forward(sim.model, sim.data)
    sim.anchor_target()
    rng = np.random.default_rng(joint)
    for _ in range(30):
        step(sim, rng.uniform(-FULL, FULL, 3), rng.uniform(-0.3, 0.3, 3), WIDE_LOW, WIDE_HIGH)
        assert sim.stable
    assert sum(warning.number for warning in sim.data.warning) == 0


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (1, 1, 1)])
def test_a_stretched_arm_has_finite_values_and_a_near_target(direction):
    sim = simulation()
    for _ in range(80):
        step(sim, FULL * np.array(direction, float), STILL, WIDE_LOW, WIDE_HIGH)
        assert sim.stable
        assert (
            np.linalg.norm(sim.target_pos_w - sim.tcp_pos_w)
            < PANDA.end_effectors[0].impedance.max_lead + FULL * 2 + 0.05
        )
    assert np.abs(sim.joint_vel).max() < 5
    assert sum(warning.number for warning in sim.data.warning) == 0
