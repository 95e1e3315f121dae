"""Resets of the simulation of LeRobot's robot, with a stand-in for LeRobot's dataset."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from gym_hil.integrations.lerobot.shared_simulation import SharedSimulation

UP = np.array([0.0, 0.0, 0.02])


class LeRobotDataset:
    """The three methods that LeRobot's loops call."""

    def add_frame(self):
        pass

    def save_episode(self):
        pass

    def clear_episode_buffer(self):
        pass


@pytest.fixture
def dataset(monkeypatch):
    module = ModuleType("lerobot.datasets.lerobot_dataset")
    module.LeRobotDataset = type("LeRobotDataset", (LeRobotDataset,), dict(vars(LeRobotDataset)))
    for name in ("lerobot", "lerobot.datasets"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.LeRobotDataset()


@pytest.fixture
def world(dataset):
    world = SharedSimulation("PandaPickCubeState-v1", fps=50, images=False, restart_after_s=0.0, seed=0)
    yield world
    world.close()


def call(dataset, method, file):
    """Call a method from a file of that name."""
    exec(compile(f"dataset.{method}()", f"/lerobot/scripts/{file}", "exec"), {"dataset": dataset})


def raised(world) -> bool:
    """Move up, and return whether the world is still where that led."""
    for _ in range(5):
        world.move_to(world.raw.simulation.target_pos_w + UP, 100.0)
    height = world.observation["agent_pos"][17]
    return bool(world.observe()["agent_pos"][17] == height)


@pytest.mark.parametrize("method", ["save_episode", "clear_episode_buffer"])
@pytest.mark.parametrize("file", ["lerobot_record.py", "episodic.py"])
def test_the_simulation_is_reset_after_a_recorded_episode(world, dataset, method, file):
    call(dataset, "add_frame", file)
    assert raised(world)
    call(dataset, method, file)
    assert not raised(world)
    assert raised(world)


def test_a_correction_continues_from_the_end_of_the_previous_one(world, dataset):
    call(dataset, "add_frame", "dagger.py")
    call(dataset, "save_episode", "dagger.py")
    assert raised(world) and not world.recorded


@pytest.mark.parametrize("records", [True, False])
def test_success_resets_the_simulation_only_while_nothing_is_recorded(world, dataset, records, monkeypatch):
    if records:
        call(dataset, "add_frame", "lerobot_record.py")
    monkeypatch.setattr(type(world.raw.task), "success", lambda *_: True)
    assert raised(world) is records


def test_closing_the_simulation_does_not_change_the_dataset(world, dataset):
    watched = type(dataset).save_episode
    world.close()
    assert type(dataset).save_episode is not watched
    assert type(dataset).save_episode.__module__ == __name__
