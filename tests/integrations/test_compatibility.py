"""The wrapper for LeRobot's loop, with a stand-in for the loop's rules. Needs no LeRobot."""

from __future__ import annotations

import enum
import json
import sys
from types import ModuleType

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.core.errors import MissingExtraError
from gym_hil.core.schema import EpisodeEvent
from gym_hil.integrations.lerobot.compatibility import LeRobotCompatibility, is_driving
from gym_hil.integrations.lerobot.policy import LeRobotPolicy
from gym_hil.intervention.operator import Decision, Operator
from gym_hil.stacks.build import make_env

STAY = np.array([0, 0, 0, 1], np.float32)
PUSH = np.array([1, 0, 0, 1], np.float32)
OTHER = np.array([0, 1, 0, 1], np.float32)


class TeleopEvents(enum.Enum):
    """The events of LeRobot."""

    SUCCESS = "success"
    FAILURE = "failure"
    RERECORD_EPISODE = "rerecord_episode"
    IS_INTERVENTION = "is_intervention"
    TERMINATE_EPISODE = "terminate_episode"


class Script(Operator):
    """Acts for three steps, then lets go, and ends the episode in the sixth step if it has an event."""

    name = "script"

    def __init__(self, *events):
        self.events = events

    def reset(self, *_):
        self.steps = 0

    def decide(self, view):
        self.steps += 1
        action = PUSH.copy() if self.steps <= 3 else None
        return Decision(action, self.events if self.steps == 6 else ())


@pytest.fixture
def lerobot(monkeypatch):
    """Let it look as if LeRobot's loop were loaded."""
    for name in ("lerobot", "lerobot.rl", "lerobot.rl.gym_manipulator", "lerobot.teleoperators"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    utils = ModuleType("lerobot.teleoperators.utils")
    utils.TeleopEvents = TeleopEvents
    monkeypatch.setitem(sys.modules, utils.__name__, utils)


def made(*events):
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=Script(*events))
    env.reset(seed=0)
    return env


def test_the_wrapper_is_added_in_lerobots_loop_only(monkeypatch):
    assert not is_driving() and not isinstance(made(), LeRobotCompatibility)
    monkeypatch.setitem(sys.modules, "lerobot", ModuleType("lerobot"))
    assert not isinstance(made(), LeRobotCompatibility), "LeRobot's other programs do not step like that"


@pytest.mark.parametrize("as_program", [False, True])
def test_lerobots_loop_is_recognised(monkeypatch, as_program):
    name = "lerobot.rl.gym_manipulator"
    monkeypatch.setitem(sys.modules, "lerobot", ModuleType("lerobot"))
    loop = ModuleType(name)
    loop.__spec__ = type("Spec", (), {"name": name})
    monkeypatch.setitem(sys.modules, "__main__" if as_program else name, loop)
    assert isinstance(made(), LeRobotCompatibility)


def test_lerobots_loop_keeps_real_time_by_itself(lerobot):
    env = gym.make("gym_hil/PandaPickCubeKeyboard-v1")
    layers = []
    while isinstance(env, gym.Wrapper):
        layers.append(type(env).__name__)
        env = env.env
    assert layers[0] == "LeRobotCompatibility" and "RealTimeWrapper" not in layers
    assert gym.make(gym.make("gym_hil/PandaPickCube-v1").spec).spec is not None


def test_the_echo_of_the_humans_action_is_not_executed(lerobot):
    env = made()
    executed = [
        env.step(action)[4]["teleop_action"].tolist() for action in (STAY, PUSH, PUSH, PUSH, PUSH, OTHER)
    ]
    assert executed[:3] == [PUSH.tolist()] * 3
    assert executed[3] == STAY.tolist(), "the first step after the release"
    assert executed[4] == PUSH.tolist(), "from then on the action is the policy's own"
    assert executed[5] == OTHER.tolist()


def test_another_action_after_the_release_is_executed(lerobot):
    env = made()
    for _ in range(3):
        env.step(STAY)
    assert env.step(OTHER)[4]["teleop_action"].tolist() == OTHER.tolist()


@pytest.mark.parametrize("merge", ["0.6.1", "0.4.4"])
@pytest.mark.parametrize(
    "event, rerecord, success",
    [("RERECORD", True, False), ("SUCCESS", False, True), ("FAILURE", False, False)],
)
def test_the_humans_events_arrive_in_lerobots_transition(lerobot, merge, event, rerecord, success):
    env = made(EpisodeEvent[event])
    before: dict = {}
    done = False
    while not done:
        *_, terminated, truncated, info = env.step(STAY)
        done = terminated or truncated
        before = {key: before.get(key, False) for key in TeleopEvents}
        if merge == "0.6.1":  # what the previous step said overwrites what this one says
            merged = info.copy()
            for key, value in before.items():
                merged[key] = value
        else:
            merged = {**before, **info}
        merged["anything else"] = 1
        before = merged
    assert before[TeleopEvents.RERECORD_EPISODE] is rerecord
    assert before[TeleopEvents.SUCCESS] is success
    assert before[TeleopEvents.TERMINATE_EPISODE] is True
    assert before["anything else"] == 1 and before["rerecord_episode"] is rerecord


def test_episodes_are_written_to_a_file(lerobot, monkeypatch, tmp_path):
    monkeypatch.setenv("GYM_HIL_EPISODES_FILE", str(tmp_path / "episodes.jsonl"))
    env = made(EpisodeEvent.SUCCESS)
    for steps in (6, 4):
        env.reset(seed=0)
        for _ in range(steps):
            env.step(STAY)
    env.reset()
    lines = [json.loads(line) for line in (tmp_path / "episodes.jsonl").read_text().splitlines()]
    assert lines == [
        {"number": 1, "outcome": "success", "steps": 6, "intervention_rate": 0.5},
        {"number": 2, "outcome": "time_limit", "steps": 4, "intervention_rate": 0.75},
    ]


def test_an_episode_at_its_time_limit_is_not_discarded(lerobot):
    env = gym.wrappers.TimeLimit(made(), 2)
    env.reset(seed=0)
    env.step(STAY)
    *_, truncated, info = env.step(STAY)
    assert truncated and not info.get(TeleopEvents.RERECORD_EPISODE, False)


def test_without_lerobot_its_policies_name_the_extra(monkeypatch, tmp_path):
    for name in ("torch", "lerobot", "lerobot.configs"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match="A policy of LeRobot needs the package"):
        LeRobotPolicy(tmp_path)
