"""A person who records keeps, repeats and discards episodes with their device, and no finished episode is lost."""

from __future__ import annotations

import functools
import os
import sys

import numpy as np
import pytest

import gym_hil
from gym_hil.cli import record as record_module
from gym_hil.cli.record import Record
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.schema import EpisodeEvent
from gym_hil.datasets.journal import DEVICE_LOG, EpisodeStore
from gym_hil.datasets.review import QUESTION, Answer, ask
from gym_hil.devices.base import DISCONNECTED, NEUTRAL, Device, DeviceReading
from gym_hil.devices.device_log import load_device_log
from gym_hil.devices.recorded import RecordedDevice
from gym_hil.intervention.human import Human
from gym_hil.intervention.scripted_policies import zero
from gym_hil.wrappers.real_time import RealTimeWrapper

SUCCESS, FAILURE, RERECORD = EpisodeEvent.SUCCESS, EpisodeEvent.FAILURE, EpisodeEvent.RERECORD


class Scripted(Device):
    """Drives to the left, and presses what its script says at the end of each episode."""

    name = "script"

    def __init__(self, *presses: EpisodeEvent, every: int = 5, then: DeviceReading = NEUTRAL) -> None:
        self.presses, self.every, self.then, self.polls, self.raw = list(presses), every, then, 0, None

    def poll(self) -> DeviceReading:
        if not self.presses:
            return self.then
        self.polls += 1
        if self.polls % self.every == 0:
            return DeviceReading(engage=True, events=(self.presses.pop(0),))
        if self.polls % self.every == 1:
            return NEUTRAL
        return DeviceReading(engage=True, motion=(0.0, 0.5 + 0.1 * (self.polls % 3), 0.0, 0.0, 0.0, 0.0))

    def flush(self) -> None:
        """Discard nothing, so that all scripted presses are delivered."""

    def help(self) -> str:
        return "it drives by itself"


@pytest.fixture
def person(monkeypatch):
    """Return what records with a device as if it were a gamepad, faster than real time."""

    def record(device: Device, root, episodes: int, **more) -> int:
        monkeypatch.setattr("gym_hil.stacks.build.make_operator", lambda *_, **__: Human(device))
        fast = functools.partial(RealTimeWrapper, period_s=1e-6)
        monkeypatch.setattr("gym_hil.stacks.build.RealTimeWrapper", fast)
        return Record(task="PandaPickCube-v1", root=root, operator="gamepad", episodes=episodes, **more).run()

    return record


def test_buttons_keep_rerecord_or_mark_an_episode_as_failure(person, tmp_path):
    device = Scripted(SUCCESS, RERECORD, RERECORD, FAILURE, SUCCESS)
    assert person(device, tmp_path / "d", 3) == 0
    store = EpisodeStore(tmp_path / "d")
    episodes = [store.read(number) for number in store.numbers()]
    assert [episode.meta["end"] for episode in episodes] == [
        "human_success",
        "human_failure",
        "human_success",
    ]
    assert [episode.success for episode in episodes] == [True, False, True]
    assert [episode.meta["seed"] for episode in episodes] == [0, 1, 2], "again means from the same start"
    assert {path.name for path in (tmp_path / "d").iterdir()} - {".lock"} == {
        "dataset.json", "episode_000000", "episode_000001", "episode_000002"
    }, "a repeated episode leaves nothing behind"  # fmt: skip


def test_recorded_presses_can_be_played_back(person, tmp_path):
    assert person(Scripted(SUCCESS, every=9), tmp_path / "d", 1) == 0
    store = EpisodeStore(tmp_path / "d")
    episode = store.read(0)
    log = load_device_log(store.path(0) / DEVICE_LOG)
    assert log.device == "script" and log.readings[-1].reading.events == (SUCCESS,)
    env = gym_hil.make_env(store.env_id, operator=Human(RecordedDevice(log, period_s=0.1)))
    env.reset(seed=episode.meta["seed"])
    actions, ended = [], False
    while not ended:
        *_, ended, _, info = env.step(zero(EnvironmentInterface(env), np.random.default_rng(0)))
        actions.append(info["teleop_action"])
    np.testing.assert_array_equal(actions, episode.frames["action"])
    env.close()


@pytest.mark.parametrize(("press", "verdict"), [
    (SUCCESS, Answer.KEEP), (RERECORD, Answer.AGAIN), (FAILURE, Answer.DISCARD)
])  # fmt: skip
def test_after_an_automatic_end_the_recorder_asks_whether_to_keep_the_episode(press, verdict):
    assert ask(Scripted(press), [], QUESTION, typed=False) is verdict


@pytest.mark.parametrize(("typed", "verdict"), [
    ("k\n", Answer.KEEP), ("what?\nR\n", Answer.AGAIN), ("d\n", Answer.DISCARD)
])  # fmt: skip
def test_letters_in_the_terminal_answer_the_question(typed, verdict, monkeypatch):
    controlling_end, terminal_end = os.openpty()
    with (
        open(terminal_end, encoding="utf-8") as terminal,
        open(controlling_end, "w", encoding="utf-8") as keyboard,
    ):
        monkeypatch.setattr(sys, "stdin", terminal)
        keyboard.write(typed)
        keyboard.flush()
        assert ask(Scripted(then=DISCONNECTED), [], QUESTION, typed=True) is verdict


def test_with_a_disconnected_device_and_no_terminal_the_episode_is_kept():
    assert ask(Scripted(then=DISCONNECTED), [], QUESTION, typed=False) is Answer.KEEP


def test_a_discarded_episode_is_recorded_again_from_another_start(person, tmp_path, monkeypatch, capsys):
    answers = iter([Answer.DISCARD, Answer.AGAIN, Answer.KEEP])
    monkeypatch.setattr(record_module, "ask", lambda *_, **__: next(answers))
    assert person(Scripted(), tmp_path / "d", 1) == 0
    store = EpisodeStore(tmp_path / "d")
    assert [store.read(number).meta["seed"] for number in store.numbers()] == [1]
    assert capsys.readouterr().out.count("Time limit. Keep the episode") == 3
    assert person(Scripted(), tmp_path / "d", 2, resume=True, ask=False) == 0
    assert store.read(1).meta["seed"] == 2, "no start is used twice"


def test_ctrl_c_at_the_question_keeps_the_episode(person, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(record_module, "ask", interrupted)
    assert person(Scripted(), tmp_path / "d", 5) == 1
    assert EpisodeStore(tmp_path / "d").numbers() == [0]
    assert "Stopped" in capsys.readouterr().out


def test_a_closed_window_discards_only_the_running_episode(person, tmp_path, monkeypatch, capsys):
    made = []
    make = record_module.make_env
    monkeypatch.setattr(record_module, "make_env", lambda *a, **k: made.append(make(*a, **k)) or made[0])

    class Closes(Scripted):
        def poll(self) -> DeviceReading:
            if len(self.presses) == 1 and self.polls % self.every == 3:
                made[0].get_wrapper_attr("observers")[0].closed = True
            return super().poll()

    assert person(Closes(SUCCESS, SUCCESS), tmp_path / "d", 2) == 1
    assert EpisodeStore(tmp_path / "d").numbers() == [0]
    assert "window was closed" in capsys.readouterr().out


def test_unplugging_the_gamepad_loses_no_episode(person, tmp_path):
    device = Scripted(SUCCESS, then=DISCONNECTED)
    assert person(device, tmp_path / "d", 2) == 0
    store = EpisodeStore(tmp_path / "d")
    assert [store.read(number).meta["end"] for number in store.numbers()] == ["human_success", "time_limit"]


def test_late_steps_are_counted_and_reported(person, tmp_path, capsys):
    assert person(Scripted(SUCCESS), tmp_path / "d", 1) == 0
    assert EpisodeStore(tmp_path / "d").read(0).meta["late_steps"] == 4, "1 us per step is never kept"
    assert "4 of 5 steps began late" in capsys.readouterr().out
