"""Configurations have versions, results have a purpose, and statistics are the same when they are repeated."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("stable_baselines3")

from gym_hil.cli.train import episode_line, point_line
from gym_hil.core.archives import pack
from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.learning import tracking
from gym_hil.learning.async_learner import InProcessLearner
from gym_hil.learning.checkpoint import load, make_env_for
from gym_hil.learning.config import CONFIG, OPTIONAL_FIELDS, VERSION, TrainConfig, read_config, version_of
from gym_hil.learning.image_observation import ImageLayout
from gym_hil.learning.learning_curve import Point
from gym_hil.learning.methods import METHODS
from gym_hil.learning.policy_env import make_policy_env
from gym_hil.learning.policy_interface import PolicyInterface
from gym_hil.learning.pretrained import pretrained
from gym_hil.learning.run import train
from gym_hil.learning.run_status import Summary, status
from gym_hil.learning.seeds import (
    DEVELOPMENT_SEEDS,
    REPORT_STARTS,
    evaluation_start,
    purpose_of_result,
    training_start,
)

PICK = "gym_hil/PandaPickCubeStateBase-v1"
SHORT = TrainConfig(
    env_id=PICK, robot_minutes=0.1, demos=1, updates_per_step=1, batch_size=16, width=16,
    eval_episodes=1, final_episodes=1,
)  # fmt: skip
NAMES = [field.name for field in fields(TrainConfig)]
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.integers())
)


@given(
    version=st.one_of(st.sampled_from([VERSION, version_of("hil")]), st.integers(-2, 9), st.text(max_size=3)),
    dropped=st.sets(st.sampled_from(NAMES), max_size=3),
    changed=st.dictionaries(st.sampled_from([*NAMES, "momentum"]), ANYTHING, max_size=2),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_configuration_is_read_as_it_was_saved_or_refused(version, dropped, changed):
    saved = {**SHORT.to_json(), "version": version, **changed}
    saved = json.loads(json.dumps({name: value for name, value in saved.items() if name not in dropped}))
    try:
        read = read_config(saved, "config.json")
    except InvalidArgumentError as error:
        assert "config.json" in str(error) or "=" in str(error)
        return
    assert saved["version"] == version_of(read.method) and dropped <= OPTIONAL_FIELDS
    assert read.as_dict() == {**SHORT.as_dict(), **{name: saved[name] for name in NAMES if name in saved}}


def test_a_revision_of_a_method_changes_the_version_of_its_configurations_only(monkeypatch):
    saved = {method: TrainConfig(env_id=PICK, method=method).to_json() for method in ("bc", "hg-dagger")}
    monkeypatch.setattr(METHODS.get("bc"), "revision", 2)
    assert version_of("bc") == VERSION + 2 and version_of("of a missing package") == VERSION
    with pytest.raises(InvalidArgumentError, match=f"has version {VERSION}, .* uses version {VERSION + 2}"):
        read_config(saved["bc"], "config.json")
    assert read_config(saved["hg-dagger"], "config.json").method == "hg-dagger"


def test_a_configuration_of_another_version_is_neither_compared_nor_continued(tmp_path):
    old = {**SHORT.as_dict()}
    del old["imitation"], old["annealing"]
    (tmp_path / CONFIG).write_text(json.dumps(old))
    with pytest.raises(InvalidArgumentError, match=r"version 1, written by gym-hil 0\.1\.15 or earlier"):
        train(SHORT, tmp_path, resume=True, videos=False)
    assert read_config(old, tmp_path, for_policy=True).env_id == PICK


def test_a_configuration_of_0_1_15_serves_its_policy_only(tmp_path):
    """The file was written by `gym-hil train PandaPickCube-v0 --robot-minutes 0.05 --demos 1` of that version."""
    path = Path(__file__).parents[1] / "data" / "config_0.1.15.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    with pytest.raises(InvalidArgumentError, match=r"has version 1, written by gym-hil 0\.1\.15 or earlier"):
        TrainConfig.load(path)
    (tmp_path / CONFIG).write_bytes(path.read_bytes())
    with pytest.raises(InvalidArgumentError, match="has version 1"):
        train(SHORT, tmp_path, resume=True, videos=False)
    read = read_config(saved, path, for_policy=True)
    default = TrainConfig(env_id="gym_hil/PandaPickCubeStateBase-v0").as_dict()
    assert read.as_dict() == {**default, **saved}


def of_0_1_15(task: str, size: int) -> dict:
    """The interface in a policy file of version 0.1.15 for observations of `size` numbers, or of that many bytes."""
    return {
        "task": task,
        "observation_size": size,
        "action_size": 4,
        "ee_step_m": [0.025, 0.025, 0.025],
        "control_dt": 0.1,
    }


def test_a_policy_of_0_1_15_acts_in_the_environment_for_which_it_was_trained(tmp_path):
    path = Path(__file__).parents[1] / "data" / "config_0.1.15.json"
    trained = load(pretrained("PandaPickCube-v1"))
    facts = {"interface": of_0_1_15("PickCube", 13), "config": json.loads(path.read_text(encoding="utf-8"))}
    old = tmp_path / "policy.npz"
    old.write_bytes(pack(facts, trained.weights))
    assert load(old).interface == trained.interface
    env = make_env_for(load(old), old, PICK)
    observation, _ = env.reset(seed=0)
    today = trained.make_policy().act(observation)
    np.testing.assert_array_equal(load(old).make_policy().act(observation), today)
    env.close()
    with pytest.raises(InvalidArgumentError, match="task PickCube, not InsertPeg"):
        make_env_for(load(old), old, "gym_hil/PandaInsertPegStateBase-v1")


def test_an_interface_of_0_1_15_has_the_terms_of_today():
    env = make_policy_env("gym_hil/PandaInsertPegStateBase-v1", None)
    assert PolicyInterface.of(of_0_1_15("InsertPeg", 4 + 3 * 9 + 9)) == env.interface
    env.close()
    pixels = PolicyInterface.of(of_0_1_15("PickCube", ImageLayout(64).total_bytes))
    assert pixels.observation == ("front[64x64x3]", "wrist[64x64x3]", "proprioception[4]")


def test_robot_minutes_are_those_of_the_control_rate():
    assert TrainConfig(env_id=PICK, robot_minutes=2.0, control_dt=0.05).total_steps == 2400
    assert TrainConfig(env_id=PICK, robot_minutes=2.0).total_steps == 1200


def test_reports_share_no_start_with_development_or_training():
    for seed in (*DEVELOPMENT_SEEDS, 10, 101, 9999):
        assert training_start(seed, 99_999) < REPORT_STARTS
    development = {evaluation_start(seed, final=final) for seed in DEVELOPMENT_SEEDS for final in (0, 1)}
    assert max(development) < REPORT_STARTS
    starts = [evaluation_start(seed, final=final) for seed in (10, 11, 101) for final in (False, True)]
    assert len(set(starts)) == 6 and min(starts) >= REPORT_STARTS
    assert all(abs(one - two) >= 10_000 for one in starts for two in starts if one != two)
    assert purpose_of_result(101, evaluation_start(101, final=True)) == "report"
    assert purpose_of_result(101, 1_000_000) == purpose_of_result(3, REPORT_STARTS) == "development"


def test_a_run_records_its_purpose_and_losses_in_its_own_folder_only(tmp_path, monkeypatch):
    elsewhere, out = tmp_path / "temporary", tmp_path / "run"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    monkeypatch.setattr("tempfile.tempdir", None)
    train(SHORT, out, learner=InProcessLearner, videos=False)
    result = json.loads((out / "result.json").read_text())
    assert (result["purpose"], result["seed"], result["first_start"]) == ("development", 0, 1_000_000)
    assert result["config_version"] == version_of("hil") and result["gym_hil"]
    left = [path.name for path in elsewhere.iterdir() if not path.name.startswith("torchinductor")]
    assert left == [], "PyTorch keeps a cache of its own there"
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(out / tracking.TENSORBOARD))
    events.Reload()
    logged = set(events.Tags()["scalars"])
    assert {"train/critic_loss", "train/actor_loss", "train/ent_coef", "rollout/success_alone"} <= logged
    assert all(np.isfinite(event.value) for event in events.Scalars("train/critic_loss"))


@pytest.mark.parametrize("tracker", tracking.TRACKERS)
def test_a_tracking_service_gets_configuration_and_losses(tmp_path, monkeypatch, tracker):
    calls = []
    fake = types.ModuleType(tracker)
    fake.init = lambda **facts: calls.append(("init", facts["name"], facts["config"]["env_id"]))
    fake.log = lambda values, step: calls.append(("log", values, step))
    fake.finish = lambda: calls.append(("finish",))
    monkeypatch.setitem(sys.modules, tracker, fake)
    train(SHORT, tmp_path / "my-run", learner=InProcessLearner, videos=False, track=(tracker,))
    assert calls[0] == ("init", "my-run", PICK) and calls[-1] == ("finish",)
    rows = [call for call in calls if call[0] == "log"]
    assert any("train/critic_loss" in values for _, values, _ in rows)
    assert [step for *_, step in rows] == sorted(step for *_, step in rows)
    monkeypatch.setitem(sys.modules, tracker, None)
    with pytest.raises(MissingExtraError, match=f'pip install "{tracker}>='):
        tracking.open_logger(tmp_path, {}, (tracker,))


def test_progress_lines_are_complete_and_fit_a_terminal():
    long = Point(60_000, 2000, 999.9, 86_400.0, 1.0, 1.0, 1.0, 9999.0, 240_000, 999.0, 50_000.0, 900, 1800)
    assert len(point_line(long)) <= 79
    demonstration = Summary("demonstration", 20, 20, success=True, whole=True)
    online = Summary("online", 30, 3, success=True, whole=True)
    third = status("learning", TrainConfig(env_id=PICK, demos=3), [demonstration] * 3, [], 0)
    assert episode_line(third) == "demonstration 3 of 3"
    later = status("learning", TrainConfig(env_id=PICK, demos=3), [demonstration] * 3 + [online], [], 44)
    assert episode_line(later) == "episode 4: 44 updates, 100% of the latest episodes succeeded with help"


def test_every_demonstration_is_announced(tmp_path):
    lines = []
    train(
        TrainConfig(**{**SHORT.as_dict(), "demos": 3, "robot_minutes": 0.2}),
        tmp_path,
        lambda status: lines.append((status.episodes, status.demonstrated, status.success_with_help)),
        learner=InProcessLearner,
        videos=False,
    )
    assert {(1, 1, None), (2, 2, None), (3, 3, None)} <= set(lines)
