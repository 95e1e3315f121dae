"""`gym-hil record --format minari`: Gymnasium users read it with the Farama Foundation's own library."""

from __future__ import annotations

import shutil
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import commands
from gym_hil.cli.inspect_command import Inspect
from gym_hil.cli.record import Record
from gym_hil.cli.replay import Replay
from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError
from gym_hil.datasets.dataset import journal_folder
from gym_hil.datasets.journal import EpisodeStore

minari = pytest.importorskip("minari")
STAY = np.array([0, 0, 0, 1], np.float32)


def record(root: Path | None, **more) -> int:
    options = {"repo_id": "me/picks-v0", "format": "minari", "episodes": 2, "policy": "noisy-expert"}
    return Record(task="PandaPickCube-v1", root=root, **{**options, **more}).run()


def require_equal(root: Path) -> None:
    """Require that the Minari dataset has all numbers of the journal's episodes."""
    store = EpisodeStore(journal_folder(root))
    dataset = minari.MinariDataset(root / "data")
    assert dataset.total_episodes == len(store.numbers())
    for number, read in zip(store.numbers(), dataset, strict=True):
        episode = store.read(number)
        frames, final = episode.frames, episode.final
        np.testing.assert_array_equal(read.observations["agent_pos"][:-1], frames["observation.state"])
        np.testing.assert_array_equal(read.observations["agent_pos"][-1], final["observation.state"])
        np.testing.assert_array_equal(read.actions, frames["action"])
        np.testing.assert_array_equal(read.rewards, frames["next.reward"])
        np.testing.assert_array_equal(read.truncations, frames["next.truncated"])
        np.testing.assert_array_equal(read.terminations | read.truncations, frames["next.done"])
        np.testing.assert_array_equal(read.infos["policy_action"][1:], frames["policy_action"])
        np.testing.assert_array_equal(read.infos["intervention_id"][1:], frames["intervention_id"])
        assert read.infos["human_action"][0].tolist() == [0, 0, 0, 1]
        facts = next(iter(dataset.storage.get_episode_metadata([read.id])))
        assert facts["seed"] == episode.meta["seed"] and facts["end"] == episode.meta["end"]


def test_minari_reads_every_number_by_path_and_by_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert record(None) == 0
    root = tmp_path / "me" / "picks-v0"
    require_equal(root)
    dataset = minari.load_dataset("me/picks-v0")
    env = dataset.recover_environment()
    assert env.observation_space == dataset.observation_space and env.action_space == dataset.action_space
    assert all(
        dataset.observation_space["agent_pos"].contains(row) for row in dataset[0].observations["agent_pos"]
    )
    env.close()
    assert Replay(root=root, verify=True).run() == 0
    assert capsys.readouterr().out.count("bit-identical") == 2


def test_pictures_are_in_the_observations(tmp_path):
    assert record(tmp_path / "images", episodes=1, image_size=64) == 0
    episode = minari.MinariDataset(tmp_path / "images" / "data")[0]
    assert episode.observations["pixels"]["wrist"].shape == (len(episode) + 1, 64, 64, 3)
    front = episode.observations["pixels"]["front"]
    assert front.std() > 10 and (front[0] != front[-1]).any()


def test_resume_appends_and_rewrites_files_that_were_not_closed(tmp_path):
    root = tmp_path / "picks"
    assert record(root) == 0
    assert record(root, format=None, repo_id=None, episodes=3, resume=True) == 0
    require_equal(root)
    (root / ".new-data").mkdir()
    (root / ".new-data" / "main_data.hdf5").write_bytes(b"half")
    main = root / "data" / "main_data.hdf5"
    main.write_bytes(main.read_bytes()[:-100])
    assert record(root, episodes=3, resume=True) == 0
    require_equal(root)
    assert not (root / ".new-data").exists()
    assert (root / "gym_hil" / "set-aside" / "minari" / "data" / "main_data.hdf5").exists()


def test_inspect_names_episodes_that_only_the_journal_contains(tmp_path, capsys):
    root = tmp_path / "picks"
    assert record(root) == 0
    assert Inspect(root=root, page=False).run() == 0
    assert "Warning" not in capsys.readouterr().out
    manifest = root / "gym_hil" / "minari.json"
    manifest.write_text(manifest.read_text().replace("[0, 1]", "[0]"))
    assert Inspect(root=root, page=False).run() == 0
    assert "Warning: 1 episodes in" in capsys.readouterr().out
    manifest.write_text("half")
    with pytest.raises(InvalidDatasetError, match=r"minari\.json cannot be read"):
        Inspect(root=root, page=False).run()


@pytest.mark.parametrize("name", [None, "picks", "me/picks", "me/picks-v", "-v0/"])
def test_a_name_that_is_invalid_in_minari_is_refused(name, tmp_path):
    with pytest.raises(InvalidArgumentError, match="user/name-v0"):
        record(tmp_path / "new", repo_id=name)
    assert not (tmp_path / "new").exists()


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InvalidDatasetError, match="not empty"):
        record(tmp_path)
    with pytest.raises(InvalidArgumentError, match="root is missing"):
        record(None, format="episodes")


def test_a_changed_byte_is_detected_and_the_file_named(tmp_path, capsys):
    root = tmp_path / "picks"
    assert record(root, episodes=1) == 0
    main = root / "data" / "main_data.hdf5"
    content = bytearray(main.read_bytes())
    content[len(content) // 2] ^= 1
    main.write_bytes(content)
    assert Inspect(root=root, page=False).run() == 1
    assert "main_data.hdf5 was changed after it was written" in " ".join(capsys.readouterr().out.split())
    assert record(root, episodes=1, resume=True) == 0
    assert "main_data.hdf5 was changed after it was written" in " ".join(capsys.readouterr().out.split())
    require_equal(root)
    assert Inspect(root=root, page=False).run() == 0


def test_relative_folders_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert record(Path("near"), episodes=1) == 0
    assert record(Path("near"), episodes=2, resume=True) == 0
    require_equal(tmp_path / "near")
    monkeypatch.setenv("MINARI_DATASETS_PATH", "sets")
    assert record(None, episodes=1) == 0
    assert minari.load_dataset("me/picks-v0").total_episodes == 1


def test_a_damaged_episode_is_omitted_and_the_others_are_kept(tmp_path):
    root = tmp_path / "picks"
    assert record(root, episodes=2) == 0
    frames = root / "gym_hil" / "episode_000000" / "frames.npz"
    frames.write_bytes(frames.read_bytes()[:-1])
    assert record(root, episodes=2, resume=True) == 0
    assert minari.MinariDataset(root / "data").total_episodes == 3, (
        "the episodes that Minari has already are complete"
    )
    shutil.rmtree(root / "data")
    assert record(root, episodes=2, resume=True) == 0
    assert minari.MinariDataset(root / "data").total_episodes == 2


@pytest.mark.parametrize("image_size", [0, 16])
def test_further_observation_terms_are_minaris_observations(image_size, tmp_path):
    root, terms = tmp_path / "terms", ("tcp_wrench", "depth")
    assert record(root, episodes=1, image_size=image_size, observation_terms=terms) == 0
    dataset = minari.MinariDataset(root / "data")
    episode, read = EpisodeStore(journal_folder(root)).read(0), dataset[0].observations
    standard = "pixels" if image_size else "environment_state"
    assert set(read) == set(dataset.observation_space) == {"agent_pos", standard, "tcp_wrench", "depth"}
    np.testing.assert_array_equal(read["tcp_wrench"][:-1], episode.frames["observation.tcp_wrench"])
    for camera in ("front", "wrist"):
        frames = episode.frames[f"observation.depth.{camera}"]
        assert frames.shape[1:] == dataset.observation_space["depth"][camera].shape
        np.testing.assert_array_equal(read["depth"][camera][:-1], frames)
    env = dataset.recover_environment()
    assert set(env.observation_space) == set(read)
    env.close()


def documented_program() -> str:
    page = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")
    return page.partition('```python title="collect.py"\n')[2].partition("```")[0]


def test_minaris_own_collector_takes_the_infos_of_a_reset_and_a_step():
    pytest.importorskip("jax", reason="Minari's collector needs it")
    env = minari.DataCollector(gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1"), record_infos=True)
    env.reset(seed=0)
    env.step(STAY)
    env.close()


def test_minaris_own_collector_writes_takeovers_as_documented(tmp_path, monkeypatch):
    pytest.importorskip("jax", reason="Minari's collector needs it")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    done = commands.run_program(documented_program(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (read,) = minari.load_dataset("me/takeovers-v0")

    env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1")
    observation, _ = env.reset(seed=0)
    executed, acted, ended = [], [], False
    while not ended:
        np.testing.assert_array_equal(read.observations["agent_pos"][len(acted)], observation["agent_pos"])
        observation, reward, terminated, truncated, info = env.step(STAY)
        executed.append(info["teleop_action"])
        acted.append(info["is_intervention"])
        ended = terminated or truncated
    env.close()
    assert not acted[0] and any(acted), "the human takes over after the first step"
    np.testing.assert_array_equal(read.actions, executed)
    np.testing.assert_array_equal(read.infos["is_intervention"][1:], acted)
    np.testing.assert_array_equal(read.infos["human_action"][1:][acted], np.array(executed)[acted])
    assert read.rewards[-1] == reward and bool(read.terminations[-1]) == terminated
    assert "step" not in read.infos and "intervene_action" not in read.infos
