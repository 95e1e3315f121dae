"""Random damage to the files of a dataset is reported or harmless, and undamaged episodes can still be read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from gym_hil.cli.record import Record
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import GymHilError, InvalidDatasetError, StorageError
from gym_hil.datasets.dataset import dataset_condition
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.manifest import Manifest, files_below, flush_files, restore_to_manifest
from gym_hil.datasets.replay import describe_difference, make_replay_env
from gym_hil.datasets.validation import assess

ENV_ID = "gym_hil/PandaPickCubeBase-v1"
EPISODES = 3
SHARES = st.floats(0, 1)
BLOCKS = st.binary(max_size=40)
BYTES = st.one_of(
    st.tuples(st.just("flip"), SHARES, st.integers(1, 255)),
    st.tuples(st.just("cut"), SHARES, st.just(0)),
    st.tuples(st.just("overwrite"), SHARES, BLOCKS),
    st.tuples(st.just("insert"), SHARES, BLOCKS),
    st.tuples(st.just("replace"), SHARES, BLOCKS),
    st.tuples(st.sampled_from(["delete", "folder", "link to nothing", "swap", "rename"]), SHARES, st.just(0)),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TRIES = settings(max_examples=30, deadline=None, derandomize=True)


def spoil(root: Path, path: Path, damage) -> None:
    kind, share, extra = damage
    content = path.read_bytes()
    place = round(share * max(0, len(content) - 1))
    if kind == "flip" and content:
        path.write_bytes(content[:place] + bytes([content[place] ^ extra]) + content[place + 1 :])
    elif kind == "cut":
        path.write_bytes(content[:place])
    elif kind == "overwrite":
        path.write_bytes(content[:place] + extra + content[place + len(extra) :])
    elif kind == "insert":
        path.write_bytes(content[:place] + extra + content[place:])
    elif kind == "replace":
        path.write_bytes(extra)
    elif kind == "swap":
        others = sorted(other for other in root.rglob("*") if other.is_file())
        other = others[round(share * (len(others) - 1))]
        path.write_bytes(other.read_bytes())
        other.write_bytes(content)
    elif kind in ("delete", "folder", "link to nothing", "rename"):
        if kind == "rename":
            path.rename(path.with_name(path.name + "~"))
        else:
            path.unlink()
        if kind == "folder":
            path.mkdir()
        if kind == "link to nothing":
            path.symlink_to("nothing")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "picks"
    assert Record(task="PandaPickCube-v1", root=root, policy="noisy-expert", episodes=EPISODES).run() == 0
    return root


@pytest.fixture(scope="module")
def env():
    env = make_replay_env(ENV_ID)
    yield env
    env.close()


@contextlib.contextmanager
def copied(root: Path):
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(root, Path(folder) / "copy"))


def same(one, two) -> bool:
    return (
        all(np.array_equal(one.frames[name], two.frames[name]) for name in two.frames)
        and all(np.array_equal(one.final[name], two.final[name]) for name in two.final)
        and one.meta == two.meta
        and one.device_log == two.device_log
    )


def look(root: Path, env) -> dict[int, object]:
    """Do what `inspect --verify` and `record --resume` do with the files, and return what can be read."""
    try:
        store = EpisodeStore(root)
    except InvalidDatasetError as error:
        assert str(root) in str(error)
        with pytest.raises(InvalidDatasetError):
            EpisodeStore(root, ENV_ID, resume=True)
        return {}
    with contextlib.suppress(InvalidDatasetError):
        dataset_condition(root)
    found = {}
    for number in store.numbers():
        try:
            found[number] = store.read(number)
            assess(found[number], EnvironmentInterface(env))
        except GymHilError as error:
            assert str(error)
        else:
            describe_difference(found[number], env)
    try:
        again = EpisodeStore(root, ENV_ID, resume=True)
    except InvalidDatasetError:
        return found
    try:
        unreadable = set(store.numbers()) - set(found)
        assert set(again.damage()) <= unreadable, "what can be read is not called damaged"
    finally:
        again.close()
    return found


@given(data=st.data())
@TRIES
def test_every_changed_byte_is_reported_or_harmless(recorded, env, data):
    whole = EpisodeStore(recorded)
    with copied(recorded) as root:
        paths = sorted(path for path in root.rglob("*") if path.is_file() and path.name != ".lock")
        path = data.draw(st.sampled_from(paths))
        damage = data.draw(BYTES)
        before = {p: p.read_bytes() for p in paths}
        spoil(root, path, damage)
        touched = {p.parent.name for p in paths if not p.is_file() or p.read_bytes() != before[p]}
        found = look(root, env)
        for number, episode in found.items():
            assert same(episode, whole.read(number)), "what is read is what was written"
        if (root / "dataset.json").is_file() and (root / "dataset.json").read_bytes() == before[
            root / "dataset.json"
        ]:
            sound = {n for n in range(EPISODES) if f"episode_{n:06d}" not in touched}
            assert sound <= set(found)


def renew(path: Path) -> None:
    names = json.loads((path / "sha256.json").read_text())
    sums = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in names}
    (path / "sha256.json").write_text(json.dumps(sums))


def replace_somewhere(facts, data, value) -> None:
    """Put `value` in the place of something in `facts`, however deep."""
    while True:
        keys = list(facts) if isinstance(facts, dict) else list(range(len(facts)))
        key = data.draw(st.sampled_from(keys))
        inner = facts[key]
        if isinstance(inner, (dict, list)) and inner and data.draw(st.booleans()):
            facts = inner
            continue
        if isinstance(facts, dict) and data.draw(st.booleans()):
            del facts[key]
        else:
            facts[key] = value
        return


@given(data=st.data(), value=JSON)
@TRIES
def test_metadata_of_other_types_cause_no_traceback(recorded, env, data, value):
    """Checksums fit, so that only their meaning is wrong."""
    with copied(recorded) as root:
        path = data.draw(st.sampled_from([root / "dataset.json", root / "episode_000001" / "meta.json"]))
        facts = json.loads(path.read_text())
        replace_somewhere(facts, data, value)
        path.write_text(json.dumps(facts))
        renew(root / "episode_000001")
        found = look(root, env)
        if path.name == "meta.json":
            assert {0, 2} <= set(found)


@given(data=st.data())
@TRIES
def test_arrays_of_other_shapes_cause_no_traceback(recorded, env, data):
    with copied(recorded) as root:
        path = root / "episode_000001"
        with np.load(path / "frames.npz") as archive:
            arrays = dict(archive)
        name = data.draw(st.sampled_from(sorted(arrays)))
        rows = arrays[name]
        changes = {
            "gone": lambda: arrays.pop(name),
            "shorter": lambda: arrays.update({name: rows[:-1]}),
            "narrower": lambda: arrays.update({name: rows[..., :-1]}),
            "wider": lambda: arrays.update({name: np.concatenate([rows, rows], axis=-1)}),
            "text": lambda: arrays.update({name: rows.astype(str)}),
            "of another kind": lambda: arrays.update({name: rows.astype(np.float16)}),
            "one number": lambda: arrays.update({name: np.array(3)}),
            "not finite": lambda: arrays.update({name: (rows * np.nan).astype(rows.dtype)}),
            "extreme": lambda: arrays.update({name: (rows * 0 + 250).astype(rows.dtype)}),
            "objects": lambda: arrays.update({name: np.array([{"a": 1}], dtype=object)}),
        }
        with np.errstate(invalid="ignore"):
            changes[data.draw(st.sampled_from(sorted(changes)))]()
        np.savez_compressed(path / "frames.npz", **arrays)
        renew(path)
        assert {0, 2} <= set(look(root, env))


@given(data=st.data(), damage=BYTES)
@TRIES
def test_damaged_exported_files_are_moved_aside(data, damage):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        journal = EpisodeStore(root / "gym_hil", ENV_ID)
        (root / "data" / "deep").mkdir(parents=True)
        texts = {"data/info": '{"a": 1}'}
        written = {"data/a": b"a" * 50, "data/deep/b": bytes(range(200)), "data/info": b'{"a": 1}'}
        for name, content in written.items():
            (root / name).write_bytes(content)
        names = [name for name in files_below(root, ["data"]) if name not in texts]
        manifest_path = journal.root / "x.json"
        Manifest([], flush_files(root, names, {}), texts).write(manifest_path)
        path = data.draw(st.sampled_from([*(root / name for name in written), manifest_path]))
        spoil(root, path, damage)
        there = {p.read_bytes() for p in root.rglob("*") if p.is_file()}
        try:
            manifest, changed, aside = restore_to_manifest(root, journal, manifest_path, ["data"])
        except (InvalidDatasetError, StorageError) as error:
            assert "x.json" in str(error) or str(path) in str(error)
            return
        finally:
            journal.close()
        for name in manifest.files:
            if name in written:
                assert (root / name).read_bytes() == written[name]
        assert bool(changed) <= bool(aside) or not any((root / name).exists() for name in changed)
        kept = {p.read_bytes() for p in root.rglob("*") if p.is_file()}
        assert there - kept <= {content for content in there if content not in written.values()}
