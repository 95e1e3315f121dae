"""Datasets stay readable after two recorders, unknown files, a full disk, changed bytes and changed labels."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from commands import run
from gym_hil.cli.inspect_command import Inspect
from gym_hil.cli.lerobot_config import LerobotConfig
from gym_hil.cli.record import Record
from gym_hil.cli.replay import Replay
from gym_hil.core import files
from gym_hil.core.errors import (
    FolderInUseError,
    InvalidArgumentError,
    InvalidDatasetError,
    RecordingError,
    StorageError,
)
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.manifest import Manifest, files_below, flush_files, restore_to_manifest
from gym_hil.datasets.replay import first_difference, make_replay_env

TASK = "PandaPickCube-v1"


def record(root: Path, episodes: int, **options) -> int:
    return Record(task=TASK, root=root, policy="noisy-expert", **{"episodes": episodes, **options}).run()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "picks"
    assert record(root, 3) == 0
    return root


@pytest.fixture
def copy(recorded, tmp_path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "copy"))


def change_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_second_recorder_is_refused_and_changes_no_file(copy):
    first = EpisodeStore(copy, "gym_hil/PandaPickCubeBase-v1", resume=True)
    unfinished = copy / ".writing-episode_000003"
    unfinished.mkdir()
    for resume in (True, False):
        with pytest.raises((FolderInUseError, InvalidDatasetError)):
            record(copy, 4, resume=resume)
        done = run("record", TASK, "--root", copy, "--episodes", 4, "--resume")
        assert done.returncode == 2 and "another process is writing into" in done.stderr
    assert unfinished.is_dir() and EpisodeStore(copy).numbers() == [0, 1, 2], "reading is still possible"
    first.close()
    assert record(copy, 4, resume=True) == 0
    assert EpisodeStore(copy).numbers() == [0, 1, 2, 3]


def test_unexpected_files_are_named_and_not_changed(copy, capsys):
    for name in ("episode_000001_old", "episode_7", "episode_notes"):
        (copy / name).mkdir()
    (copy / "episode_000003").write_text("a file")
    names = ["episode_000001_old", "episode_000003", "episode_7", "episode_notes"]
    assert EpisodeStore(copy).unexpected_names() == names and EpisodeStore(copy).numbers() == [0, 1, 2]
    assert Inspect(root=copy, page=False).run() == 0
    assert record(copy, 4, resume=True) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert all(said.count(name) >= 2 for name in names)
    assert EpisodeStore(copy).numbers() == [0, 1, 2, 4], "the number of an unexpected file is not used"
    assert (copy / "episode_000003").read_text() == "a file"


def test_a_changed_byte_is_reported_and_the_other_episodes_are_kept(copy, capsys):
    change_a_bit(copy / "episode_000001" / "frames.npz")
    assert record(copy, 3, resume=True) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Episode 1 is damaged" in said and "frames.npz was changed after it was written" in said
    assert (copy / "episode_000001").is_dir() and EpisodeStore(copy).numbers() == [0, 1, 2, 3]
    seeds = [EpisodeStore(copy).read(number).meta["seed"] for number in (0, 2, 3)]
    assert seeds == [0, 2, 3]
    facts = copy / "facts.json"
    assert Inspect(root=copy, json=facts).run() == 1
    found = json.loads(facts.read_text())
    assert list(found["episodes"]) == ["0", "2", "3"] and "episode 1 is damaged" in found["warnings"][0]
    assert "episode 1 is damaged" in (copy / "inspect.html").read_text()
    capsys.readouterr()
    assert Replay(root=copy, verify=True).run() == 1
    assert capsys.readouterr().out.count("bit-identical") == 3
    with pytest.raises(InvalidDatasetError, match="was changed after it was written"):
        Replay(root=copy, verify=True, episode=1).run()


def with_changed_column(episode, name, change):
    rows = episode.frames[name].copy()
    episode.frames[name] = change(rows).astype(rows.dtype)
    return episode


def invert_last(rows):
    rows[-1] = ~rows[-1]
    return rows


@pytest.mark.parametrize(
    "name, change, step",
    [
        ("physics", lambda rows: rows + 1e-9, 0),
        ("next.reward", lambda rows: rows * 0 + 7, 0),
        ("next.done", lambda rows: ~rows, 0),
        ("next.truncated", invert_last, -1),
        ("next.success", lambda rows: ~rows, 0),
        ("next.success", invert_last, -1),
    ],
)
def test_verify_compares_states_and_labels(recorded, name, change, step):
    store = EpisodeStore(recorded)
    episode = with_changed_column(store.read(0), name, change)
    difference = first_difference(episode, make_replay_env(store.env_id))
    assert difference is not None
    assert (difference.name, difference.step) == (name, step % episode.length)
    assert name in str(difference) and str(difference).startswith("differs ")


def test_both_commands_name_the_first_difference(copy, capsys):
    path = copy / "episode_000002"
    with np.load(path / "frames.npz") as arrays:
        frames = dict(arrays)
    frames["next.reward"][4] = 0.5
    np.savez_compressed(path / "frames.npz", **frames)
    rewrite_checksums(path)
    expected = "episode 2: differs in step 4 in next.reward: 0.5 recorded, 0.0 replayed"
    assert Replay(root=copy, verify=True).run() == 1
    assert expected in " ".join(capsys.readouterr().out.split())
    assert Inspect(root=copy, verify=True, page=False).run() == 1
    assert expected.replace("2:", "2") in " ".join(capsys.readouterr().out.split())


def rewrite_checksums(path: Path) -> None:
    """Write the checksums of changed files, so that the change cannot be seen from them."""
    names = json.loads((path / "sha256.json").read_text())
    sums = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in names}
    (path / "sha256.json").write_text(json.dumps(sums))


@pytest.mark.parametrize(
    "end", ["human_success", "human_failure", "human_reset", "time_limit", "rerecord_episode"]
)
def test_events_of_a_person_and_the_clock_are_replayed(recorded, end):
    store = EpisodeStore(recorded)
    episode = store.read(0)
    length = episode.length - 3
    final = {name: episode.frames[name][length] for name in episode.final}
    frames = {name: rows[:length].copy() for name, rows in episode.frames.items()}
    frames["next.done"][-1] = True
    frames["next.truncated"][-1] = end in ("human_reset", "time_limit")
    frames["next.success"][-1] = end == "human_success"
    frames["next.reward"][-1] = float(end == "human_success")
    cut = type(episode)(frames, final, episode.initial, {**episode.meta, "end": end})
    env = make_replay_env(store.env_id)
    assert first_difference(cut, env) is None
    wrong = with_changed_column(cut, "next.success", invert_last)
    assert first_difference(wrong, env).name == "next.success"


def test_text_of_a_dataset_is_escaped_on_the_page(copy):
    path = copy / "episode_000000"
    meta = json.loads((path / "meta.json").read_text())
    tagged = {name: f"<b>{name}</b>" for name in ("seed", "end", "task", "operator", "policy", "mujoco")}
    (path / "meta.json").write_text(json.dumps({**meta, **tagged}))
    rewrite_checksums(path)
    assert Inspect(root=copy, pictures=1).run() == 0
    page = (copy / "inspect.html").read_text()
    for name in tagged:
        assert f"<b>{name}</b>" not in page and f"&lt;b&gt;{name}&lt;/b&gt;" in page


def raise_disk_full(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("resume", [False, True])
def test_after_a_full_disk_at_the_start_the_folder_can_be_used(tmp_path, monkeypatch, resume):
    root = tmp_path / "new"
    with monkeypatch.context() as patch, pytest.raises(StorageError, match="the disk is full"):
        patch.setattr(files.os, "replace", raise_disk_full)
        record(root, 1)
    (root / ".writing-dataset.json").write_text("killed at this instant")
    assert record(root, 1, resume=resume) == 0
    assert EpisodeStore(root).numbers() == [0]


def test_a_disk_that_becomes_full_is_reported(copy, monkeypatch):
    with (
        monkeypatch.context() as patch,
        pytest.raises(RecordingError, match=r"disk is full.*3 episodes before it"),
    ):
        patch.setattr(files, "flush", raise_disk_full)
        record(copy, 4, resume=True)
    assert record(copy, 4, resume=True) == 0
    assert EpisodeStore(copy).numbers() == [0, 1, 2, 3]


def test_configurations_are_not_written_into_a_dataset(copy):
    for out in (copy, copy / "episode_000000"):
        before = sorted(out.iterdir())
        with pytest.raises(InvalidArgumentError, match="contains a dataset"):
            LerobotConfig(task=TASK, out=out).run()
        assert sorted(out.iterdir()) == before


@pytest.fixture
def with_manifest(tmp_path) -> tuple[Path, EpisodeStore]:
    journal = EpisodeStore(tmp_path / "gym_hil", "gym_hil/PandaPickCubeBase-v1")
    (tmp_path / "data").mkdir()
    for name in "ab":
        (tmp_path / "data" / name).write_text(name * 100)
    names = files_below(tmp_path, ["data"])
    manifest = Manifest([], flush_files(tmp_path, names, {}), {"data/info": "{}"})
    manifest.write(journal.root / "x.json")
    return tmp_path, journal


def test_a_changed_byte_in_another_format_is_found(with_manifest):
    root, journal = with_manifest
    assert restore_to_manifest(root, journal, journal.root / "x.json", ["data"])[1:] == ([], [])
    assert (root / "data" / "info").read_text() == "{}"
    change_a_bit(root / "data" / "b")
    manifest, changed, moved = restore_to_manifest(root, journal, journal.root / "x.json", ["data"])
    assert changed == ["data/b"] and manifest == Manifest()
    assert moved == ["x/data/a", "x/data/b", "x/data/info"]


def test_a_manifest_of_the_previous_version_is_accepted(with_manifest):
    root, journal = with_manifest
    Manifest([], {"data/a": 100, "data/b": 100}).write(journal.root / "x.json")
    assert restore_to_manifest(root, journal, journal.root / "x.json", ["data"])[1:] == ([], [])
    (root / "data" / "a").write_text("short")
    assert restore_to_manifest(root, journal, journal.root / "x.json", ["data"])[1] == ["data/a"]


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "data/../../outside", "gym_hil/x", ""])
def test_a_manifest_with_a_path_outside_the_dataset_is_refused(with_manifest, name):
    root, journal = with_manifest
    Manifest([], {}, {name: "mine"}).write(journal.root / "x.json")
    with pytest.raises(InvalidDatasetError, match="outside the dataset"):
        restore_to_manifest(root, journal, journal.root / "x.json", ["data"])
