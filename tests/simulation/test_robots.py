"""Every robot does every task without code for that robot in the task."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import gym_hil
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.robots import ROBOTS
from gym_hil.robots.geometry import Box
from gym_hil.simulation.simulation import Simulation
from gym_hil.tasks import TASKS

STILL = (0.0, 0.0, 0.0)


def step(sim: Simulation, translation, rotation, low, high) -> None:
    sim.end_effectors[0].move(translation, rotation, Box(tuple(low), tuple(high)))
    sim.step()


def simulate(robot: str, task: str) -> Simulation:
    return Simulation(ROBOTS[robot], TASKS[task](ROBOTS[robot]).scene, control_dt=0.1, physics_dt=0.004)


@pytest.mark.parametrize("robot", ["panda", "panda_robotiq_2f85"])
def test_the_fingers_open_to_the_declared_width_and_close(robot):
    sim = simulate(robot, "PickCube")
    sim.reset({"cube": np.array([0.3, 0.2, 0.02])})
    for opening in (0.0, 1.0):
        sim.command_gripper(opening)
        for _ in range(6):
            step(sim, STILL, STILL, *2 * [tuple(sim.target_pos_w)])
        left, right = (sim.data.geom(name) for name in sim.robot.end_effectors[0].finger_geoms)
        thickness = 2 * sim.model.geom(sim.robot.end_effectors[0].finger_geoms[0]).size[1]
        gap = float(np.linalg.norm(left.xpos - right.xpos)) - thickness
        assert gap == pytest.approx(opening * sim.robot.end_effectors[0].hand.max_aperture, abs=0.001)
        assert sim.aperture == pytest.approx(gap, abs=0.001)
        assert abs((left.xpos[2] + right.xpos[2]) / 2 - sim.tcp_pos_w[2]) < 0.01


@pytest.mark.parametrize(("task", "episodes"), [("PickCube", 10), ("InsertPeg", 5), ("ArrangeBoxes", 1)])
@pytest.mark.parametrize("robot", ["panda_robotiq_2f85"])
def test_the_expert_succeeds_in_every_task_with_another_hand(robot, task, episodes):
    env = gym_hil.make_env(f"gym_hil/Panda{task}Base-v1", robot=robot, operator="expert")
    for seed in range(episodes):
        env.reset(seed=seed)
        for _ in range(TASKS[task].max_episode_steps):
            *_, terminated, _, info = env.step(np.array([0, 0, 0, 1], np.float32))
            if terminated:
                break
        assert info["is_success"], f"seed {seed} of {task}"
    env.close()


def test_an_unknown_robot_is_refused_by_name():
    with pytest.raises(InvalidArgumentError, match=r"robot='pandas'.*panda_robotiq_2f85"):
        gym.make("gym_hil/PandaPickCube-v1", robot="pandas")
