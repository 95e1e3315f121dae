"""`gym-hil record --repo-id` writes datasets that LeRobot reads. Runs where LeRobot is installed."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import commands
from gym_hil.cli.inspect_command import Inspect
from gym_hil.cli.record import Record
from gym_hil.cli.replay import Replay
from gym_hil.core.errors import InvalidArgumentError, RecordingError
from gym_hil.datasets.camera_images import render_images
from gym_hil.datasets.dataset import journal_folder
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.replay import make_replay_env

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("lerobot"),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(importlib.util.find_spec("lerobot") is None, reason="needs lerobot[dataset]"),
]
FEATURES = {
    "observation.state": ("float32", (18,)),
    "observation.environment_state": ("float32", (3,)),
    "observation.images.front": ("video", (3, 128, 128)),
    "observation.images.wrist": ("video", (3, 128, 128)),
    "action": ("float32", (4,)),
    "policy_action": ("float32", (4,)),
    "human_action": ("float32", (4,)),
    "next.reward": ("float32", (1,)),
    "next.done": ("bool", (1,)),
    "next.truncated": ("bool", (1,)),
    "next.success": ("bool", (1,)),
    "complementary_info.discrete_penalty": ("float32", (1,)),
    "complementary_info.is_intervention": ("bool", (1,)),
    "intervention": ("bool", (1,)),
    "intervention_id": ("int64", (1,)),
}
BOOKKEEPING = {"timestamp", "frame_index", "episode_index", "index", "task_index"}


def record(root: Path, **more) -> int:
    options = {"repo_id": "me/picks", "episodes": 3, "policy": "noisy-expert"}
    return Record(task="PandaPickCube-v1", root=root, **{**options, **more}).run()


def load(root: Path):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    return LeRobotDataset("me/picks", root=root, video_backend="pyav")


def require_equal(root: Path) -> list[Episode]:
    """Return the journal's episodes, after comparing all of their numbers with the LeRobotDataset."""
    store = EpisodeStore(journal_folder(root))
    episodes = [store.read(number) for number in store.numbers()]
    dataset = load(root)
    rows = dataset.hf_dataset.with_format("numpy")[:]
    assert dataset.num_episodes == len(episodes)
    for number, episode in enumerate(episodes):
        rows_of_episode = np.asarray(rows["episode_index"]) == number
        for name in set(FEATURES) - {"intervention"}:
            if not name.startswith("observation.images"):
                np.testing.assert_array_equal(np.stack(rows[name])[rows_of_episode], episode.frames[name])
        human = episode.frames["complementary_info.is_intervention"]
        np.testing.assert_array_equal(np.asarray(rows["intervention"])[rows_of_episode], human)
    return episodes


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "picks"
    assert record(root) == 0
    return root


@pytest.fixture
def copy(recorded, tmp_path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "copy"))


def test_features_are_those_of_lerobot_and_of_this_package(recorded):
    features = json.loads((recorded / "meta" / "info.json").read_text())["features"]
    found = {name: (kind["dtype"], tuple(kind["shape"])) for name, kind in features.items()}
    assert {name: kind for name, kind in found.items() if name not in BOOKKEEPING} == FEATURES
    assert features["action"]["names"] == ["delta_x", "delta_y", "delta_z", "gripper"]


def test_every_number_arrives_and_pictures_are_those_of_the_stored_states(recorded):
    episodes = require_equal(recorded)
    assert any(episode.frames["intervention_id"].any() for episode in episodes)
    dataset, first = load(recorded), 0
    env = make_replay_env(EpisodeStore(journal_folder(recorded)).env_id)
    for episode in episodes:
        assert dataset[first]["task"] == "Pick up the cube and lift it."
        for camera, images in render_images(episode, env.unwrapped).items():
            for step in (0, episode.length - 1):
                video = np.asarray(dataset[first + step][f"observation.images.{camera}"]) * 255.0
                error = np.abs(video.transpose(1, 2, 0) - images[step].astype(float))
                assert error.mean() < 4.0, "the video is compressed, and nothing else"
        first += episode.length
    env.close()


def test_the_folder_replays_bit_for_bit(recorded, capsys):
    assert Replay(root=recorded, verify=True).run() == 0
    assert capsys.readouterr().out.count("bit-identical") == 3


def test_resume_appends_episodes(copy):
    assert record(copy, episodes=5, resume=True, repo_id=None) == 0
    assert len(require_equal(copy)) == 5


def test_a_changed_file_is_moved_aside_and_written_again(copy, capsys):
    video = next(copy.glob("videos/**/*.mp4"))
    video.write_bytes(video.read_bytes()[:1000])
    assert record(copy, resume=True) == 0
    assert "were exported again" in capsys.readouterr().out
    assert len(require_equal(copy)) == 3
    aside = copy / "gym_hil" / "set-aside" / "lerobot" / video.relative_to(copy)
    assert aside.stat().st_size == 1000


@pytest.mark.parametrize("pattern", ["videos/**/*.mp4", "data/**/*.parquet"])
def test_a_changed_byte_is_detected_and_the_file_named(copy, pattern, capsys):
    path = next(copy.glob(pattern))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = f"{path.relative_to(copy).as_posix()} was changed after it was written"
    assert Inspect(root=copy, page=False).run() == 1
    assert said in " ".join(capsys.readouterr().out.split())
    assert record(copy, resume=True) == 0
    assert said in " ".join(capsys.readouterr().out.split())
    assert len(require_equal(copy)) == 3 and Inspect(root=copy, page=False).run() == 0


def test_sigkill_loses_no_finished_episode(copy):
    main = [sys.executable, "-c", "from gym_hil.cli import main; main()"]
    command = [*main, "record", "PandaPickCube-v1", "--root", str(copy), "--repo-id", "me/picks"]
    command += ["--policy", "noisy-expert", "--episodes", "10000", "--resume"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    while "episode 4" not in program.stdout.readline():
        assert program.poll() is None
    time.sleep(0.3)
    program.kill()
    program.wait()
    finished = EpisodeStore(copy / "gym_hil").numbers()
    assert len(finished) >= 5
    assert record(copy, episodes=len(finished) + 1, resume=True) == 0
    assert len(require_equal(copy)) == len(finished) + 1


def test_a_failed_writer_marks_no_file_as_complete(copy, monkeypatch):
    from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(RecordingError, match="disk is full"):
        patch.setattr(LeRobotDatasetMetadata, "save_episode", full)
        record(copy, episodes=5, resume=True)
    assert EpisodeStore(copy / "gym_hil").numbers() == [0, 1, 2, 3], "it was safe before LeRobot failed"
    assert record(copy, episodes=5, resume=True) == 0
    assert len(require_equal(copy)) == 5


@pytest.mark.parametrize("name", ["picks", "me/", "/picks", "a/b/c"])
def test_a_name_without_user_is_refused(name, tmp_path, capsys):
    with pytest.raises(InvalidArgumentError, match="user/name"):
        record(tmp_path / "new", repo_id=name)
    assert not (tmp_path / "new").exists()


def test_the_documented_commands_run(lerobot, tmp_path, monkeypatch):
    doc = (Path(__file__).parent.parent.parent / "docs" / "recording.md").read_text()
    record_command = next(line for line in doc.splitlines() if line.endswith("--repo-id you/picks"))
    train_command = next(line for line in doc.splitlines() if line.startswith("lerobot-train"))
    recorded = commands.run(*record_command.split()[1:], "--episodes", "2", cwd=tmp_path)
    assert recorded.returncode == 0, recorded.stderr
    pytest.importorskip("accelerate", reason="lerobot-train needs lerobot[training]")
    small = "--steps=2 --batch_size=2 --num_workers=0 --policy.device=cpu --dataset.video_backend=pyav"
    offline = "--policy.pretrained_backbone_weights=null"
    monkeypatch.chdir(tmp_path)
    lerobot.run(("lerobot.scripts.lerobot_train", *train_command.split()[1:], *small.split(), offline))


def test_further_observation_terms_are_features(tmp_path):
    root, terms = tmp_path / "terms", ("tcp_wrench", "contact", "depth")
    assert record(root, episodes=1, image_size=64, observation_terms=terms) == 0
    episode, dataset = EpisodeStore(journal_folder(root)).read(0), load(root)
    for name, shape in (("tcp_wrench", (6,)), ("contact", (2,)), ("depth.wrist", (64, 64))):
        name = f"observation.{name}"
        assert dataset.features[name]["shape"] == shape and dataset.features[name]["dtype"] == "float32"
        rows = np.stack([np.asarray(dataset[step][name]) for step in range(episode.length)])
        np.testing.assert_array_equal(rows, episode.frames[name])
    assert Replay(root=root, verify=True).run() == 0
