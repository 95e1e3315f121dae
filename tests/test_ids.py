"""The parts of environment ids."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import pytest

import gym_hil  # noqa: F401
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.robots import ROBOTS
from gym_hil.stacks import robot_tasks
from gym_hil.stacks.config import EnvConfig
from gym_hil.stacks.ids import IdParts, parse_id


def test_every_registered_id_can_be_parsed_into_its_parts():
    env_ids = [env_id for env_id in gym.registry if env_id.startswith("gym_hil/")]
    assert len(env_ids) > 50
    for env_id in env_ids:
        assert parse_id(env_id).env_id == env_id == parse_id(env_id.removeprefix("gym_hil/")).env_id


def test_the_file_of_robots_and_tasks_is_up_to_date():
    assert robot_tasks.FILE.read_text(encoding="utf-8") == robot_tasks.text(), (
        f"out of date; run: {robot_tasks.WRITE}"
    )


def test_parts_are_read_from_an_id_and_changed():
    parts = parse_id("gym_hil/PandaInsertPegStateGamepad-v0")
    assert parts == IdParts("Panda", "InsertPeg", state=True, suffix="Gamepad", version=0)
    assert replace(parts, state=False, suffix="Base", version=1).env_id == "gym_hil/PandaInsertPegBase-v1"


@pytest.mark.parametrize("wrong", ["PandaPickCub-v1", "gym_hil/PandaPickCube", "PandaStatePickCube-v1", ""])
def test_an_unknown_id_is_refused(wrong):
    with pytest.raises(InvalidArgumentError, match="is not known"):
        parse_id(wrong)
    with pytest.raises(InvalidArgumentError, match=r"did you mean.*PandaPickCube"):
        parse_id("PandaPickCubee-v1")
    with pytest.raises(InvalidArgumentError, match="is a task; its environment ids are PandaInsertPeg-v1, "):
        parse_id("InsertPeg")


def test_two_robots_cannot_have_the_same_ids(monkeypatch):
    monkeypatch.setitem(ROBOTS._values, "twin", replace(ROBOTS["panda"], name="twin"))
    with pytest.warns(
        UserWarning, match="robot 'twin' has no ids, because 'panda' has its id_prefix='Panda'"
    ):
        parts = parse_id("PandaPickCube-v1")
    assert parts.robot == "Panda"
    with pytest.warns(UserWarning):
        assert parts.arguments["robot"] == "panda"


def test_a_robot_is_made_by_the_name_that_it_is_registered_under(monkeypatch):
    soft = replace(ROBOTS["panda"], name="another name", id_prefix="Soft")
    monkeypatch.setitem(ROBOTS._values, "soft", soft)
    assert EnvConfig.of("SoftPickCube-v1").robot == "soft"


def test_an_unknown_id_lists_the_nearest_ones_only():
    with pytest.raises(InvalidArgumentError) as error:
        parse_id("PandaPickCub-v1")
    assert str(error.value).count("PickCube") == 9 and "nearest of" in str(error.value)
    with pytest.raises(InvalidArgumentError, match="`gym-hil list` lists all names"):
        parse_id("xyzzy")
