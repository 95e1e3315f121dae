"""Files are written as a whole or not at all, folders have one writer, and reading a file never runs code."""

from __future__ import annotations

import ast
import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gym_hil
from gym_hil.core import files
from gym_hil.core.archives import pack, unpack
from gym_hil.core.errors import FolderInUseError, StorageError
from gym_hil.core.files import FolderLock, is_unused, remove_leftovers, replacing, write_atomically

HOLD = """
import sys, time
from pathlib import Path
from gym_hil.core.files import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def full(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_is_replaced_as_a_whole_and_its_folder_is_flushed(tmp_path, monkeypatch):
    flushed = []
    real = os.fsync

    def watched(descriptor):
        flushed.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        real(descriptor)

    if sys.platform == "linux":
        monkeypatch.setattr(os, "fsync", watched)
    path = tmp_path / "a.txt"
    write_atomically(path, "grün")
    assert path.read_bytes() == "grün".encode()
    if sys.platform == "linux":
        assert flushed == [tmp_path / ".writing-a.txt", tmp_path]
        flushed.clear()
        with replacing(tmp_path / "folder") as temporary:
            temporary.mkdir()
            (temporary / "b").write_bytes(b"1")
        temporary = tmp_path / ".writing-folder"
        assert flushed == [temporary / "b", temporary, tmp_path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_is_reported_and_keeps_the_old_content(tmp_path, monkeypatch, step):
    path = tmp_path / "a.txt"
    write_atomically(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, step, full)
        with pytest.raises(StorageError, match=r"a\.txt cannot be written: the disk is full") as found:
            write_atomically(path, b"new")
    assert found.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.txt"]


def test_links_are_followed_and_device_files_are_written_in_place(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
    write_atomically(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "a").read_bytes() == b"x"
    if os.name == "posix":
        write_atomically(Path(os.devnull), b"x")
        assert not Path(os.devnull).is_file()


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_private_file_has_owner_permissions_even_after_a_crash(tmp_path):
    (tmp_path / ".writing-a").write_text("left by a crash, for everybody to read")
    write_atomically(tmp_path / "a", b"x", mode=files.PRIVATE)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_folder_is_locked_by_one_process_and_unlocked_by_a_crash(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(FolderInUseError, match="another process"):
        FolderLock(tmp_path)
    holder.kill()
    holder.wait()
    lock = FolderLock(tmp_path)
    with pytest.raises(FolderInUseError):
        FolderLock(tmp_path)
    lock.release()
    lock.release()
    FolderLock(tmp_path).release()


def test_a_file_system_without_locks_gives_a_warning(tmp_path, monkeypatch, caplog):
    def unsupported(_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files, "_lock", unsupported)
    FolderLock(tmp_path).release()
    assert "without locks" in caplog.text


def test_files_of_an_interrupted_start_are_ignored(tmp_path):
    assert is_unused(tmp_path / "none") and is_unused(tmp_path)
    FolderLock(tmp_path).release()
    (tmp_path / ".writing-a").touch()
    (tmp_path / ".writing-b").mkdir()
    assert is_unused(tmp_path)
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == [files.LOCK]
    (tmp_path / "mine").touch()
    assert not is_unused(tmp_path) and not is_unused(tmp_path / "mine")


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_an_archive_restores_arrays_exactly_and_executes_no_code(tmp_path):
    facts, arrays = unpack(pack({"a": [1, "ü"]}, {"x": np.arange(3.0), "y/z": np.ones((2, 2), np.uint8)}))
    assert facts == {"a": [1, "ü"]}
    assert arrays["x"].tolist() == [0, 1, 2] and arrays["y/z"].dtype == np.uint8
    np.savez(tmp_path / "evil.npz", x=np.array(Malicious(tmp_path / "ran"), dtype=object))
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Malicious(tmp_path / "ran")))
    for name in ("evil.npz", "evil.pkl"):
        with pytest.raises(ValueError, match="damaged or not an archive"):
            unpack((tmp_path / name).read_bytes())
    assert not (tmp_path / "ran").exists()


def test_every_changed_byte_of_an_archive_is_detected_or_harmless():
    content = pack({"a": 1}, {"x": np.arange(5.0)})
    facts, arrays = unpack(content)
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        try:
            found, rows = unpack(bytes(damaged))
        except ValueError:
            continue
        assert found == facts and (rows["x"] == arrays["x"]).all()


def test_nothing_in_the_package_unpickles_a_file():
    wrong = []
    for path in Path(gym_hil.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(alias.name for alias in node.names)]
            if isinstance(node, ast.Call):
                call = ast.unparse(node.func)
                allowed = [k for k in node.keywords if k.arg == "allow_pickle"]
                if any(ast.unparse(k.value) != "False" for k in allowed) or call in ("torch.load", "th.load"):
                    names.append(call)
            risky = {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve", "load_from_zip_file"}
            wrong += [f"{path}: {name}" for name in names if name in {*risky, "torch.load", "th.load"}]
    assert wrong == []


WRITERS = {"journal.py", "files.py", "launch.py"}
"""Files of the package that write otherwise: into a temporary folder of `replacing`, or a log."""


def test_every_file_is_written_by_core_files():
    wrong = []
    for path in Path(gym_hil.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            written = isinstance(node, ast.Attribute) and node.attr in ("write_text", "write_bytes")
            if written and path.name not in WRITERS:
                wrong.append(f"{path.name}:{node.lineno}")
    assert wrong == []
