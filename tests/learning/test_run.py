"""A run has the same results with every process that learns, and after being killed at any time."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from gym_hil.core import files
from gym_hil.core.errors import FolderInUseError, StorageError
from gym_hil.intervention import SimulatedHuman
from gym_hil.learning import rollout as acting
from gym_hil.learning import run as runs
from gym_hil.learning.async_learner import (
    InProcessLearner,
    LearningError,
    SeparateProcessLearner,
    ctrl_c_ignored,
)
from gym_hil.learning.checkpoint import load
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import EpisodeInProgress, TrainingEpisodeStore
from gym_hil.learning.learner_service import LearnerMessage
from gym_hil.learning.learning_curve import read_curve
from gym_hil.learning.methods import METHODS
from gym_hil.learning.run import TrainingRun
from gym_hil.learning.run_folder import open_folder

PICK = "gym_hil/PandaPickCubeStateBase-v1"
SHORT = TrainConfig(
    env_id=PICK, robot_minutes=0.35, demos=2, updates_per_step=1, batch_size=16, width=16,
    eval_every_steps=100, eval_episodes=1, final_episodes=1,
)  # fmt: skip


train = partial(runs.train, videos=False)


class StopError(Exception):
    pass


def same_weights(first, second) -> bool:
    ours, theirs = load(first).weights, load(second).weights
    return all((ours[name] == theirs[name]).all() for name in ours) and set(ours) == set(theirs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "whole"
    train(SHORT, out, learner=InProcessLearner)
    return out


@pytest.mark.slow
def test_a_learner_process_gives_the_same_weights_as_one_in_process(whole, tmp_path):
    train(SHORT, tmp_path / "process", learner=SeparateProcessLearner)
    assert same_weights(whole, tmp_path / "process")


def test_the_number_of_updates_per_step_follows_the_configuration(whole):
    store = TrainingEpisodeStore(whole / "episodes")
    episodes = [store.read(number) for number in range(len(store))]
    online = sum(len(episode) for episode in episodes if episode.kind == "online")
    assert sum(map(len, episodes)) == SHORT.total_steps
    learned = online + METHODS.get(SHORT.method).pretraining_steps_of(SHORT)
    assert read_curve(whole / "curve.csv")[-1].updates == learned * SHORT.updates_per_step


@pytest.mark.parametrize("episodes", [1, 2, 3, 4])
def test_a_run_interrupted_at_any_step_resumes_bit_for_bit(whole, tmp_path, episodes):
    def stop(status):
        if status.episodes == episodes:
            raise StopError

    with pytest.raises(StopError):
        train(SHORT, tmp_path, stop, learner=InProcessLearner)
    (tmp_path / ".writing-checkpoint.npz").write_bytes(b"half of it")
    (tmp_path / "episodes" / ".writing-000009.npz").write_bytes(b"half of it")
    train(SHORT, tmp_path, resume=True, learner=InProcessLearner)
    assert same_weights(whole, tmp_path)
    resumed, uninterrupted = read_curve(tmp_path / "curve.csv"), read_curve(whole / "curve.csv")
    assert [(p.steps, p.success_alone, p.updates) for p in resumed] == [
        (p.steps, p.success_alone, p.updates) for p in uninterrupted
    ]
    assert not list(tmp_path.rglob(".writing-*"))


def test_steps_after_the_checkpoint_are_learned_again(whole, tmp_path):
    """Killed between an episode's file and the checkpoint."""
    kept = {}

    def keep(status):
        path = tmp_path / "checkpoint.npz"
        if path.is_file():
            kept[status.episodes] = path.read_bytes()

    train(SHORT, tmp_path, keep, learner=InProcessLearner)
    (tmp_path / "checkpoint.npz").write_bytes(kept[3])
    train(SHORT, tmp_path, resume=True, learner=InProcessLearner)
    assert same_weights(whole, tmp_path)


def test_a_finished_run_can_be_extended(whole, tmp_path):
    train(SHORT, tmp_path, learner=InProcessLearner)
    longer = TrainConfig(**{**SHORT.as_dict(), "robot_minutes": 0.5})
    train(longer, tmp_path, resume=True, learner=InProcessLearner)
    assert read_curve(tmp_path / "curve.csv")[-1].steps == 300


def test_a_rerecorded_episode_is_not_learned_from(tmp_path):
    run = TrainingRun(SHORT, tmp_path, lambda status: None, InProcessLearner)
    buffer = run._learner._service.learner.buffer
    run._demonstrate()
    before = buffer.size(), buffer.prior.size()
    first = np.zeros(13, np.float32)
    episode = EpisodeInProgress(1, "online", 0, [first], [first])
    for human, reward in ((False, 0.0), (True, 0.0), (True, 1.0)):
        episode.observations.append(first)
        episode.states.append(first)
        episode.actions.append(np.zeros(4, np.float32))
        episode.rewards.append(reward)
        episode.interventions.append(human)
    run._learner.send(LearnerMessage(transitions=episode.so_far().transitions(0, 3, ended=False), learn=True))
    assert (buffer.size(), buffer.prior.size()) == (before[0] + 3, before[1] + 2)
    run._learner.send(LearnerMessage(forget=3))
    assert (buffer.size(), buffer.prior.size()) == before
    run.close()


def test_the_end_of_the_learner_is_reported_and_no_episode_is_lost(tmp_path):
    def kill(status):
        if status.phase == "learning":
            import multiprocessing

            for child in multiprocessing.active_children():
                child.kill()

    with pytest.raises(LearningError, match="status -9"):
        train(SHORT, tmp_path, kill, learner=SeparateProcessLearner)
    stored = len(TrainingEpisodeStore(tmp_path / "episodes"))
    assert stored >= 2
    train(SHORT, tmp_path, resume=True, learner=InProcessLearner)
    assert len(TrainingEpisodeStore(tmp_path / "episodes")) > stored


def test_a_message_to_a_learner_that_has_failed_raises_the_reason():
    learner = SeparateProcessLearner(SHORT)  # without the other arguments of LearnerService
    learner._process.join(timeout=60)
    with pytest.raises(LearningError, match=r"learning failed: \nTraceback (.|\n)*TypeError.*missing"):
        learner.send(LearnerMessage(forget=1))
    with pytest.raises(LearningError, match="the learning process ended with status 0"):
        learner.newest()
    learner.close()


def test_a_learner_can_be_started_from_any_thread():
    handlers = []

    def start():
        with ctrl_c_ignored():
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert handlers == [before], "only the main thread can change what Ctrl-C does"
    start()
    assert handlers[1] is signal.SIG_IGN and signal.getsignal(signal.SIGINT) is before


@pytest.mark.nightly
@pytest.mark.parametrize("kills", [5])
def test_after_sigkill_at_random_times_the_final_weights_are_the_same(whole, tmp_path, kills):
    rng = np.random.default_rng(0)
    code = (
        "from pathlib import Path\n"
        "from gym_hil.learning.config import TrainConfig\n"
        "from gym_hil.learning.run import train\n"
        "if __name__ == '__main__':\n"
        f"    config = TrainConfig(**{SHORT.as_dict()!r})\n"
        f"    train(config, Path({str(tmp_path / 'run')!r}), resume=True, videos=False)\n"
    )
    (tmp_path / "main.py").write_text(code)
    command = [sys.executable, str(tmp_path / "main.py")]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = 0
    while killed < kills:
        process = subprocess.Popen(command, env=env)
        try:
            assert process.wait(timeout=rng.uniform(2.0, 9.0)) == 0
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
            time.sleep(0.2)
    assert killed >= 2
    subprocess.run(command, env=env, check=True, timeout=120)
    assert same_weights(whole, tmp_path / "run")


@pytest.mark.slow
@pytest.mark.alone
def test_in_real_time_acting_never_waits_and_all_updates_are_made_later(tmp_path, monkeypatch):
    class Person(SimulatedHuman):
        asked: ClassVar[list[float]] = []

        def decide(self, view):
            self.asked.append(time.perf_counter())
            return super().decide(view)

    monkeypatch.setattr(acting, "make_operator", lambda name, **_: Person("expert"))
    change = {
        "operator": "terminal",
        "robot_minutes": 0.06,
        "demos": 1,
        "updates_per_step": 1000,
        "imitation": 0.0,
    }
    config = TrainConfig(**{**SHORT.as_dict(), **change})
    train(config, tmp_path)
    store = TrainingEpisodeStore(tmp_path / "episodes")
    online = sum(len(e) for e in map(store.read, range(len(store))) if e.kind == "online")
    last = read_curve(tmp_path / "curve.csv")[-1]
    assert last.updates == 1000 * online
    acting_s = Person.asked[-1] - Person.asked[-online]
    assert acting_s > 0.08 * online
    assert acting_s < 0.7 * last.updates / last.updates_per_s
    assert json.loads((tmp_path / "result.json").read_text())["worst_late_s"] >= 0.0


@pytest.mark.slow
def test_a_write_error_of_the_learner_is_reported_and_the_run_can_be_resumed(tmp_path):
    (tmp_path / "checkpoint.npz").mkdir()
    SHORT.save(tmp_path / "config.json")
    for _ in range(2):
        with pytest.raises(LearningError, match=r"checkpoint\.npz cannot be written: Is a directory"):
            train(SHORT, tmp_path, resume=True, learner=SeparateProcessLearner)
    assert len(TrainingEpisodeStore(tmp_path / "episodes")) >= 1
    (tmp_path / "checkpoint.npz").rmdir()
    train(SHORT, tmp_path, resume=True, learner=InProcessLearner)


def test_a_full_disk_is_reported_and_the_run_can_be_resumed(whole, tmp_path, monkeypatch):
    room = [3]

    def flush_until_full(_):
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(files, "flush", flush_until_full)
        for left in (0, 1, 4, 9):
            room[0] = left
            with pytest.raises(StorageError, match="cannot be written: the disk is full"):
                train(SHORT, tmp_path / "run", resume=True, learner=InProcessLearner)
    train(SHORT, tmp_path / "run", resume=True, learner=InProcessLearner)
    assert same_weights(whole, tmp_path / "run")


def test_after_a_full_disk_at_the_start_the_folder_can_be_used(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for step in ("flush", "replace"):
        with monkeypatch.context() as patch, pytest.raises(StorageError, match="the disk is full"):
            patch.setattr(files if step == "flush" else files.os, step, full)
            open_folder(SHORT, tmp_path / step, resume=False)
        open_folder(SHORT, tmp_path / step, resume=False).release()


def test_a_second_process_cannot_train_into_the_same_folder(tmp_path):
    lock = open_folder(SHORT, tmp_path, resume=False)
    with pytest.raises(FolderInUseError, match="another process"):
        train(SHORT, tmp_path, resume=True, learner=InProcessLearner)
    lock.release()
    open_folder(SHORT, tmp_path, resume=True).release()
