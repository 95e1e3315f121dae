"""Contacts and their surfaces, and bodies that sleep while nothing touches them."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from gym_hil.robots import ROBOTS
from gym_hil.robots.geometry import Box
from gym_hil.simulation import composition as compose
from gym_hil.simulation.simulation import Simulation
from gym_hil.simulation.sleep import sleeps
from gym_hil.tasks import TASKS, Task, fits

PANDA = ROBOTS["panda"]
DONE_BY_ONE_ARM = [task(PANDA) for _, task in TASKS.items() if fits(task, PANDA)]


def step(sim: Simulation, translation, rotation, low, high) -> None:
    sim.end_effectors[0].move(translation, rotation, Box(tuple(low), tuple(high)))
    sim.step()


def simulate(task: Task) -> Simulation:
    return Simulation(PANDA, task.scene, control_dt=0.1, physics_dt=0.004)


def surfaces_by_bits(model: mujoco.MjModel) -> dict[frozenset[int], tuple[int, list[float]]]:
    """Pairs that the engine finds by contact bits, with condim and friction by its rules."""
    found = {}
    for one in range(model.ngeom):
        for other in range(one):
            bits = model.geom_contype[one] & model.geom_conaffinity[other]
            bits |= model.geom_contype[other] & model.geom_conaffinity[one]
            bodies = model.geom_bodyid[[one, other]]
            fixed = (model.body_treeid[bodies] < 0).all()
            signature = (int(min(bodies)) << 16) + int(max(bodies))
            if not bits or bodies[0] == bodies[1] or fixed or signature in model.exclude_signature:
                continue
            priority = model.geom_priority[[one, other]]
            leaders = [one, other] if priority[0] == priority[1] else [[one, other][int(np.argmax(priority))]]
            slide, spin, roll = model.geom_friction[leaders].max(axis=0).tolist()
            condim = int(model.geom_condim[leaders].max())
            found[frozenset((one, other))] = condim, [slide, slide, spin, roll, roll]
    return found


@pytest.mark.parametrize("task", DONE_BY_ONE_ARM, ids=lambda task: task.name)
def test_listed_contact_pairs_are_those_that_mujoco_would_find(task, monkeypatch):
    listed = compose.compose(PANDA, task.scene, 0.004)
    monkeypatch.setattr(compose, "list_contacts", lambda spec, prefixes: None)
    expected = surfaces_by_bits(compose.compose(PANDA, task.scene, 0.004))
    pairs = zip(listed.pair_geom1.tolist(), listed.pair_geom2.tolist(), strict=True)
    found = {
        frozenset(pair): (int(listed.pair_dim[i]), listed.pair_friction[i].tolist())
        for i, pair in enumerate(pairs)
    }
    assert len(found) == listed.npair and not listed.geom_contype.any()
    assert found == expected


def act(sim: Simulation, task: Task, start: dict, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    intent = task.intent(sim, start)
    way = np.clip(intent.tcp_pos_w - sim.target_pos_w, -0.025, 0.025)
    return way + rng.normal(0, 0.008, 3), intent.opening


@pytest.mark.parametrize("task", DONE_BY_ONE_ARM, ids=lambda task: task.name)
def test_states_saved_with_sleeping_objects_continue_bit_for_bit_elsewhere(task):
    first, second = simulate(task), simulate(task)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        start = task.sample_start(rng, randomise=True, options={})
        for sim in (first, second):
            sim.reset(start)
        for _ in range(rng.integers(1, 50)):
            translation, opening = act(first, task, start, rng)
            first.command_gripper(opening)
            step(first, translation, np.zeros(3), task.workspace.low, task.workspace.high)
            step(second, -translation, np.zeros(3), task.workspace.low, task.workspace.high)
        second.restore(first.save())
        for _ in range(20):
            translation, opening = act(first, task, start, rng)
            for sim in (first, second):
                sim.command_gripper(opening)
                step(sim, translation, np.zeros(3), task.workspace.low, task.workspace.high)
            np.testing.assert_array_equal(second.save(), first.save())


@pytest.mark.skipif(not sleeps(), reason="nothing sleeps with this version of MuJoCo")
def test_a_resting_cube_sleeps_until_it_is_touched():
    task = TASKS["PickCube"](PANDA)
    sim = simulate(task)
    start = task.sample_start(np.random.default_rng(0), randomise=True, options={})
    sim.reset(start)
    for _ in range(3):
        step(sim, (0, 0, 0), (0, 0, 0), task.workspace.low, task.workspace.high)
    assert sim.data.ncon == 0, "contacts of what sleeps are not computed"
    rested = sim.body_pos_w("cube").copy()
    for _ in range(40):
        intent = task.intent(sim, start)
        sim.command_gripper(intent.opening)
        translation = np.clip(intent.tcp_pos_w - sim.target_pos_w, -0.025, 0.025)
        step(sim, translation, (0, 0, 0), task.workspace.low, task.workspace.high)
    assert sim.body_pos_w("cube")[2] > rested[2] + 0.1
