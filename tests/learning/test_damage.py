"""Random damage to the files of a training run is reported or harmless."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError
from gym_hil.learning.checkpoint import load
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import TrainingEpisode, TrainingEpisodeStore
from gym_hil.learning.learning_curve import Curve, Point, read_curve
from gym_hil.learning.pretrained import pretrained

PICK = "gym_hil/PandaPickCubeStateBase-v1"
TRIES = settings(max_examples=150, deadline=None, derandomize=True)
DAMAGE = st.one_of(
    st.tuples(st.just("flip"), st.floats(0, 1), st.integers(1, 255)),
    st.tuples(st.just("cut"), st.floats(0, 1), st.just(0)),
    st.tuples(st.just("insert"), st.floats(0, 1), st.binary(min_size=1, max_size=20)),
    st.tuples(st.just("replace"), st.just(0.0), st.binary(max_size=60)),
)


def damaged(content: bytes, damage) -> bytes:
    kind, share, extra = damage
    place = round(share * max(0, len(content) - 1))
    if kind == "flip":
        return content[:place] + bytes([content[place] ^ extra]) + content[place + 1 :]
    if kind == "cut":
        return content[:place]
    return content[:place] + extra + content[place:] if kind == "insert" else extra


@given(damage=DAMAGE)
@TRIES
def test_damage_to_a_policy_is_reported_or_harmless(damage):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(pretrained(PICK), folder))
        whole = load(path)
        path.write_bytes(damaged(path.read_bytes(), damage))
        try:
            found = load(path)
        except InvalidArgumentError as error:
            assert path.name in str(error)
            return
        assert found.config == whole.config and set(found.weights) == set(whole.weights)
        assert all((found.weights[name] == rows).all() for name, rows in whole.weights.items())


@given(damage=DAMAGE)
@TRIES
def test_damage_to_an_episode_is_reported_or_harmless(damage):
    rows = np.arange(12.0).reshape(4, 3)
    flags = np.array([True, False, False])
    whole = TrainingEpisode(0, "online", 5, True, rows.astype(np.float32), rows[:3].astype(np.float32),
                    rows[:3, 0].astype(np.float32), flags, True, rows)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        store = TrainingEpisodeStore(Path(folder))
        store.append(whole)
        path = next(p for p in sorted(Path(folder).rglob("*")) if p.is_file())
        path.write_bytes(damaged(path.read_bytes(), damage))
        try:
            found = store.read(0)
        except InvalidDatasetError as error:
            assert "00000" in str(error)
            return
        assert (found.number, found.kind, found.seed, found.success) == (0, "online", 5, True)
        assert (found.states == whole.states).all() and (found.actions == whole.actions).all()


@given(damage=DAMAGE)
@TRIES
def test_a_damaged_curve_or_configuration_causes_no_traceback(damage):
    with tempfile.TemporaryDirectory() as folder:
        curve, config = Path(folder) / "curve.csv", Path(folder) / "config.json"
        for steps in (1, 2):
            Curve(curve).add(Point(steps, 1, 0.1, 1.0, 0.5, 0.5, 0.1, 2.0, 4, 100.0, 3.0, 1, 2))
        TrainConfig(env_id=PICK).save(config)
        for path in (curve, config):
            path.write_bytes(damaged(path.read_bytes(), damage))
        for path, read, error in (
            (curve, read_curve, InvalidDatasetError),
            (config, TrainConfig.load, InvalidArgumentError),
        ):
            try:
                read(path)
            except error as said:
                assert str(said)
