"""Recording: finished episodes are never lost, damaged ones are never read, and all of them replay exactly."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from commands import COMMAND, run
from gym_hil.cli.record import Record
from gym_hil.cli.replay import Replay
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidDatasetError
from gym_hil.datasets.camera_images import render_images
from gym_hil.datasets.dataset import journal_folder
from gym_hil.datasets.journal import EpisodeStore, move_aside
from gym_hil.datasets.replay import first_difference, make_replay_env, recorded_arguments, replayed
from gym_hil.datasets.validation import assess

MAIN = [sys.executable, "-c", COMMAND]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "picks"
    done = run(
        "record",
        "PandaPickCube-v1",
        "--root",
        root,
        "--episodes",
        10,
        "--policy",
        "random",
        "--preset",
        "scripted",
    )
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def copy(recorded, tmp_path) -> Path:
    import shutil

    return Path(shutil.copytree(recorded, tmp_path / "copy"))


def test_a_recording_is_inspected_and_replays_bit_for_bit(recorded, tmp_path):
    facts = tmp_path / "facts.json"
    done = run("inspect", recorded, "--json", facts, "--no-page", "--verify")
    assert done.returncode == 0, done.stderr
    episodes = json.loads(facts.read_text())["episodes"]
    assert all(episode["replays"] for episode in episodes.values())
    assert len(episodes) == 10 and any(episode["interventions"] > 0 for episode in episodes.values())
    done = run("replay", recorded, "--verify", "--video", tmp_path / "again.mp4", "--episode", "0")
    assert done.returncode == 0 and "bit-identical" in done.stdout, done.stdout + done.stderr
    assert iio.imread(tmp_path / "again.mp4").shape[0] == episodes["0"]["length"] + 1
    done = run("replay", recorded, "--episode", "3")
    assert done.returncode == 0 and "episode 3: " in done.stdout and "steps, success" in done.stdout
    done = run("replay", recorded, "--episode", "99")
    assert done.returncode == 2 and "has no episode 99; it has 10, the last is 9" in done.stderr
    done = run("replay", recorded, "--verify")
    assert done.returncode == 0 and done.stdout.count("bit-identical") == 10


def test_every_frame_records_who_acted(recorded):
    store = EpisodeStore(recorded)
    for number in store.numbers():
        frames = store.read(number).frames
        human = frames["complementary_info.is_intervention"]
        np.testing.assert_array_equal(frames["action"][human], frames["human_action"][human])
        np.testing.assert_array_equal(frames["action"][~human], frames["policy_action"][~human])
        assert (frames["human_action"][~human] == [0, 0, 0, 1]).all()
        assert frames["next.done"].sum() == 1 and frames["next.done"][-1]


def test_images_are_rendered_from_the_stored_states(recorded):
    store = EpisodeStore(recorded)
    episode = store.read(0)
    env = make_replay_env(store.env_id)
    seen = [env.get_wrapper_attr("draw")() for _ in replayed(episode, env)]
    again = render_images(episode, EnvironmentInterface(env))
    assert set(again) == {"front", "wrist"}
    for camera, images in again.items():
        for image, other in zip(images, seen, strict=True):
            np.testing.assert_array_equal(image, other[camera])
    env.close()


def test_verify_names_the_first_difference_of_a_replay(recorded):
    store = EpisodeStore(recorded)
    episode = store.read(0)
    episode.frames["observation.state"][5, 2] += 1e-7
    episode.frames["observation.state"][7, 0] += 1.0
    difference = first_difference(episode, make_replay_env(store.env_id))
    assert difference is not None and (difference.step, difference.index) == (5, 2)


def test_further_observation_terms_are_kept_and_verified(tmp_path, capsys):
    root, terms = tmp_path / "felt", ("objects", "tcp_wrench", "contact", "depth")
    options = {"policy": "noisy-expert", "image_size": 16, "observation_terms": terms}
    assert Record(task="PandaPickCube-v1", root=root, episodes=1, **options).run() == 0
    store = EpisodeStore(root)
    episode = store.read(0)
    shapes = {name: episode.frames[name].shape[1:] for name in episode.extra_terms}
    assert shapes == {
        "observation.tcp_wrench": (6,),
        "observation.contact": (2,),
        "observation.depth.front": (16, 16),
        "observation.depth.wrist": (16, 16),
    }
    assert episode.frames["observation.contact"].max() > 1.0, "the cube is held"
    assert Replay(root=root, verify=True).run() == 0 and "bit-identical" in capsys.readouterr().out
    env = make_replay_env(store.env_id, **recorded_arguments(store))
    episode.frames["observation.depth.wrist"][3, 2, 1] += 1.0
    difference = first_difference(episode, env)
    assert difference is not None
    assert (difference.step, difference.name, difference.index) == (3, "observation.depth.wrist", 33)
    difference = first_difference(episode, make_replay_env(store.env_id))
    assert difference is not None and difference.recorded == sorted(shapes)
    assert (
        Record(task="PandaPickCube-v1", root=root, episodes=2, policy="noisy-expert", resume=True).run() == 0
    )
    assert store.read(1).extra_terms == list(shapes)
    with pytest.raises(InvalidDatasetError, match="observation_terms"):
        terms = ("contact",)
        Record(
            task="PandaPickCube-v1", root=root, resume=True, format="episodes", observation_terms=terms
        ).run()


def test_resume_appends_and_refuses_other_settings(copy):
    again = run("record", "PandaPickCube-v1", "--root", copy, "--episodes", 12)
    assert again.returncode == 2 and "contains 10 episodes" in again.stderr
    other = run("record", "PandaArrangeBoxes-v1", "--root", copy, "--resume")
    assert other.returncode == 2 and "not of gym_hil/PandaArrangeBoxesBase-v1" in other.stderr
    done = run("record", "PandaPickCube-v1", "--root", copy, "--episodes", 12, "--resume")
    assert done.returncode == 0 and EpisodeStore(copy).numbers() == list(range(12))


def test_a_dataset_with_the_earlier_name_of_its_settings_is_read(copy):
    path = journal_folder(copy) / "dataset.json"
    info = json.loads(path.read_text())
    settings = info.pop("settings")
    path.write_text(json.dumps({**info, "about": settings}))
    assert EpisodeStore(journal_folder(copy)).settings == settings


def test_a_full_disk_loses_no_finished_episode(copy, no_coverage):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    command = [sys.executable, "-c", f"{limit}; {COMMAND}", "record", "PandaPickCube-v1", "--root", str(copy)]
    done = subprocess.run([*command, "--resume", "--episodes", "11"], capture_output=True, text=True)
    assert done.returncode == 2, done.stdout
    assert "The 10 episodes before it" in done.stderr and "--resume" in done.stderr
    store = EpisodeStore(copy)
    assert store.numbers() == list(range(10)) and not list(copy.glob(".writing-*"))
    assert all(store.read(number).length for number in store.numbers())


SPOILERS = {
    "no meta": lambda p: (p / "meta.json").unlink(),
    "no frames": lambda p: (p / "frames.npz").unlink(),
    "no checksums": lambda p: (p / "sha256.json").unlink(),
    "empty meta": lambda p: (p / "meta.json").write_text(""),
    "half a meta": lambda p: (p / "meta.json").write_text((p / "meta.json").read_text()[:99]),
    "half the frames": lambda p: (p / "frames.npz").write_bytes((p / "frames.npz").read_bytes()[:500]),
    "no frames in the file": lambda p: (p / "frames.npz").write_bytes(b""),
    "one byte of the frames is wrong": lambda p: flip(p / "frames.npz"),
    "one byte of the meta is wrong": lambda p: flip(p / "meta.json"),
    "one byte of the checksums is wrong": lambda p: flip(p / "sha256.json"),
    "empty checksums": lambda p: (p / "sha256.json").write_text("{}"),
    "checksums of something else": lambda p: (p / "sha256.json").write_text("[1, 2]"),
    "meta of something else": lambda p: change(p, lambda meta: meta.clear()),
    "no initial state": lambda p: change(p, lambda meta: meta.pop("initial")),
    "a bent initial state": lambda p: change(p, lambda meta: meta.update(initial={"task": 1})),
    "no length": lambda p: change(p, lambda meta: meta.pop("length")),
    "another length": lambda p: change(p, lambda meta: meta.update(length=3)),
    "a word as length": lambda p: change(p, lambda meta: meta.update(length="long")),
}
FOREIGN = {
    "no such folder": lambda p: p.rename(p.with_name("elsewhere")),
    "no dataset file": lambda p: (p / "dataset.json").unlink(),
    "empty dataset file": lambda p: (p / "dataset.json").write_text(""),
    "another format": lambda p: (p / "dataset.json").write_text('{"format": "x", "version": 1}'),
    "another version": lambda p: (p / "dataset.json").write_text(
        '{"format": "gym-hil episodes", "version": 9}'
    ),
    "the version before": lambda p: (p / "dataset.json").write_text(
        '{"format": "gym-hil episodes", "version": 1, "env_id": "gym_hil/PandaPickCubeBase-v1"}'
    ),
    "somebody else's LeRobotDataset": lambda p: (
        (p / "dataset.json").unlink(),
        (p / "meta").mkdir(),
        (p / "meta" / "info.json").write_text("{}"),
    ),
}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change(path: Path, how) -> None:
    meta = json.loads((path / "meta.json").read_text())
    how(meta)
    (path / "meta.json").write_text(json.dumps(meta))
    checksums = json.loads((path / "sha256.json").read_text())
    checksums["meta.json"] = hashlib.sha256((path / "meta.json").read_bytes()).hexdigest()
    (path / "sha256.json").write_text(json.dumps(checksums))


@pytest.mark.parametrize("what", SPOILERS)
def test_a_damaged_episode_is_refused_and_named(copy, what):
    SPOILERS[what](copy / "episode_000004")
    store = EpisodeStore(copy)
    with pytest.raises(InvalidDatasetError, match="episode_000004"):
        store.read(4)
    assert store.read(5).length > 0


@pytest.mark.parametrize("what", FOREIGN)
def test_a_folder_of_another_program_is_refused_and_named(copy, what):
    FOREIGN[what](copy)
    with pytest.raises(InvalidDatasetError, match="copy"):
        EpisodeStore(journal_folder(copy))


@pytest.mark.slow
def test_an_idle_demonstration_gives_a_warning(tmp_path):
    done = run(
        "record", "PandaPickCube-v1", "--root", tmp_path / "idle", "--operator", "gamepad", "--episodes", 1
    )
    assert done.returncode == 0, done.stderr
    store = EpisodeStore(tmp_path / "idle")
    warnings = assess(store.read(0), EnvironmentInterface(make_replay_env(store.env_id))).warnings
    assert warnings == (
        "the robot is idle in all steps: record the episode again",
        "ended by the time limit",
        "ends without success",
    )


def kill_again_and_again(root: Path, times: int) -> None:
    rng = random.Random(0)
    before: dict[int, int] = {}
    command = [*MAIN, "record", "PandaPickCube-v1", "--root", str(root), "--episodes", "100000", "--resume"]
    for _ in range(times):
        program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert program.stdout is not None
        while not program.stdout.readline().startswith("episode"):
            assert program.poll() is None
        time.sleep(rng.uniform(0.0, 0.4))
        program.kill()
        program.wait()
        store = EpisodeStore(root)
        now = {number: store.read(number).length for number in store.numbers()}
        assert before.items() <= now.items() and len(now) > len(before)
        assert sorted(now) == list(range(len(now)))
        before = now


def test_sigkill_loses_no_finished_episode(tmp_path):
    kill_again_and_again(tmp_path / "killed", 3)


@pytest.mark.slow
def test_a_trained_policy_is_recorded(tmp_path):
    pytest.importorskip("stable_baselines3")
    from gym_hil.learning import run as runs
    from gym_hil.learning.async_learner import InProcessLearner
    from gym_hil.learning.config import TrainConfig

    trained = tmp_path / "run"
    config = TrainConfig(
        env_id="gym_hil/PandaPickCubeStateBase-v1", method="bc", robot_minutes=0.1, demos=2, width=16,
        eval_episodes=1, final_episodes=1,
    )  # fmt: skip
    runs.train(config, trained, videos=False, learner=InProcessLearner)
    root = tmp_path / "d"
    done = run("record", "PandaPickCube-v1", "--root", root, "--policy", trained, "--episodes", 2)
    assert done.returncode == 0, done.stderr
    store = EpisodeStore(root)
    for number in store.numbers():
        wanted = store.read(number).frames["policy_action"]
        assert len(np.unique(wanted[:, 0])) > 2, "a network's actions, not a stand-in's"
        assert store.read(number).meta["policy"] == str(trained)
    done = run("record", "PandaArrangeBoxes-v1", "--root", tmp_path / "e", "--policy", trained)
    assert (
        done.returncode == 2
        and "was trained for task PickCube" in done.stderr
        and not (tmp_path / "e").exists()
    )


@pytest.mark.nightly
def test_twenty_sigkills_lose_no_finished_episode(tmp_path):
    kill_again_and_again(tmp_path / "killed", 20)


def test_files_left_by_a_crash_are_moved_aside_and_named(copy):
    (copy / ".writing-000010").mkdir()
    (copy / ".writing-000010" / "frames.npz").write_bytes(b"half")
    done = run("record", "PandaPickCube-v1", "--root", copy, "--episodes", 11, "--resume")
    assert done.returncode == 0 and "writing-000010 was set aside" in done.stdout
    assert (copy / "set-aside" / "writing-000010" / "frames.npz").read_bytes() == b"half"
    assert EpisodeStore(copy).numbers() == list(range(11))


def test_moving_aside_never_overwrites_and_terminates(tmp_path):
    for number in range(300):
        half = tmp_path / "half"
        half.write_text(str(number))
        move_aside(half, tmp_path, "meta/half")
    found = {path.read_text() for path in (tmp_path / "set-aside" / "meta").iterdir()}
    assert found == {str(number) for number in range(300)}
