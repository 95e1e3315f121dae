"""The tasks can be done: an expert that reads only their intents succeeds from every start."""

from __future__ import annotations

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import TerminationReason
from gym_hil.robots import ROBOTS
from gym_hil.robots.geometry import Box
from gym_hil.simulation.simulation import Simulation
from gym_hil.tasks import TASKS

PANDA = ROBOTS["panda"]


def step(sim: Simulation, translation, rotation, low, high) -> None:
    sim.end_effectors[0].move(translation, rotation, Box(tuple(low), tuple(high)))
    sim.step()


def run_expert(name: str, seed: int) -> int | None:
    """Return how many steps the expert needed, or None."""
    task = TASKS[name](PANDA)
    sim = Simulation(PANDA, task.scene, control_dt=0.1, physics_dt=0.004)
    start = task.sample_start(np.random.default_rng(seed), randomise=True, options={})
    sim.reset(start)
    for number in range(task.max_episode_steps):
        intent = task.intent(sim, start)
        sim.command_gripper(intent.opening)
        delta = np.clip(intent.tcp_pos_w - sim.target_pos_w, -0.025, 0.025)
        step(sim, delta, np.zeros(3), task.workspace.low, task.workspace.high)
        if task.success(sim, start):
            return number + 1
    return None


def test_the_expert_picks_up_100_of_100_random_cubes():
    assert [seed for seed in range(100) if run_expert("PickCube", seed) is None] == []


def test_the_expert_inserts_100_of_100_pegs():
    assert [seed for seed in range(100) if run_expert("InsertPeg", seed) is None] == []


def test_a_peg_beside_the_hole_is_not_inserted_and_one_that_lies_is_lost():
    task = TASKS["InsertPeg"](PANDA)
    sim = Simulation(PANDA, task.scene, control_dt=0.1, physics_dt=0.004)
    start = task.sample_start(np.random.default_rng(0), randomise=False, options={})
    x, y = start["socket"][:2]
    sim.reset({**start, "peg": np.array([x, y, 0.045])})
    assert task.success(sim, start)
    sim.reset({**start, "peg": np.array([x + 0.06, y, 0.04])})
    assert not task.success(sim, start) and task.failure(sim) is None
    sim.reset({**start, "peg": np.array([x, y, 0.065])})
    assert not task.success(sim, start)
    sim.reset({**start, "peg": np.array([0.4, -0.1, 0.012, 0.7071, 0.7071, 0.0, 0.0])})
    assert task.failure(sim) is TerminationReason.TOPPLED


def test_the_socket_stays_where_it_is_put():
    task = TASKS["InsertPeg"](PANDA)
    sim = Simulation(PANDA, task.scene, control_dt=0.1, physics_dt=0.004)
    options = {"socket_xy": (0.4, 0.12), "socket_yaw": 0.02, "peg_xy": (0.4, -0.05)}
    start = task.sample_start(np.random.default_rng(0), randomise=True, options=options)
    sim.reset(start)
    saved = sim.save()
    for _ in range(10):
        step(sim, np.array([0.0, 0.02, -0.02]), np.zeros(3), task.workspace.low, task.workspace.high)
    assert task.opening(sim) == pytest.approx([0.4, 0.12, 0.03], abs=1e-9)
    sim.reset(task.sample_start(np.random.default_rng(1), randomise=True, options={}))
    sim.restore(saved)
    assert task.opening(sim) == pytest.approx([0.4, 0.12, 0.03], abs=1e-9)


@pytest.mark.slow
def test_the_expert_arranges_all_boxes_95_times_of_100():
    assert len([seed for seed in range(100) if run_expert("ArrangeBoxes", seed) is None]) <= 5


def test_the_expert_arranges_all_boxes():
    assert [seed for seed in range(10) if run_expert("ArrangeBoxes", seed) is None] == []


@pytest.mark.parametrize("name", list(TASKS))
def test_a_start_depends_on_the_generator_alone(name):
    task = TASKS[name](PANDA)

    def drawn() -> list[list[float]]:
        start = task.sample_start(np.random.default_rng(7), randomise=True, options={})
        return [list(pos) for pos in start.values()]

    assert drawn() == drawn()


@pytest.mark.parametrize("name", list(TASKS))
def test_dense_rewards_lie_between_0_and_1_and_nothing_is_done_at_the_start(name):
    task = TASKS[name](PANDA)
    sim = Simulation(PANDA, task.scene, control_dt=0.1, physics_dt=0.004)
    start = task.sample_start(np.random.default_rng(0), randomise=True, options={})
    sim.reset(start)
    terms = task.reward_terms(sim, start)
    assert sum(weight for weight, _ in terms.values()) == pytest.approx(1.0)
    assert all(0.0 <= value <= 1.0 for _, value in terms.values())
    assert not task.success(sim, start)
    assert task.failure(sim) is None


def test_a_falling_cube_far_from_the_hand_is_no_success():
    task = TASKS["PickCube"](PANDA)
    sim = Simulation(PANDA, task.scene, control_dt=0.1, physics_dt=0.004)
    start = task.sample_start(np.random.default_rng(0), randomise=False, options={})
    sim.reset({"cube": (0.3, 0.2, 0.4)})
    assert not task.success(sim, start)


def test_unknown_and_malformed_options_are_refused():
    task = TASKS["PickCube"](PANDA)
    with pytest.raises(InvalidArgumentError, match='did you mean "cube_xy"'):
        task.check_options({"cube_xyz": (0, 0)})
    with pytest.raises(InvalidArgumentError, match="finite numbers"):
        task.sample_start(np.random.default_rng(0), randomise=True, options={"cube_xy": (np.nan, 0)})
