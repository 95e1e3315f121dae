"""Files that a crash cannot spoil, and folders that one process at a time writes into."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from gym_hil.core.errors import FolderInUseError, StorageError

TEMPORARY = ".writing-"
"""Begins the name of a file or folder that is not complete yet."""
LOCK = ".lock"
"""Name of the file whose lock the writing process of a folder holds."""
PRIVATE = 0o600
"""Mode of a file that only its owner may read."""
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF)

log = logging.getLogger(__name__)


def reason(error: OSError) -> str:
    """Return in words why a file could not be written."""
    return _FULL.get(error.errno or 0) or error.strerror or str(error)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Replace the file `path` by a new one, or create the folder `path`, as a whole or not at all.

    Yields a temporary path in the same folder. What the caller has written there is flushed to the disk and
    renamed to `path` at the end, and the folder that holds it is flushed, so that not even a power failure
    leaves a part of it. If anything fails, the temporary file or folder is removed.

    Args:
        path: the file or folder to write. A folder must not exist yet.

    Yields:
        The temporary path. It ends as `path` does, because some libraries choose the format by the ending.

    Raises:
        StorageError: the disk is full, or the file cannot be written for another reason, which is named.
    """
    temporary = path.with_name(TEMPORARY + path.name)
    try:
        remove(temporary)  # left by a crash
        yield temporary
        flush(temporary)
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            remove(temporary)
        if isinstance(error, OSError) and not isinstance(error, StorageError):
            raise StorageError(error.errno, f"{path} cannot be written: {reason(error)}") from error
        raise


def write_atomically(path: Path, content: bytes | str, *, mode: int = 0o666) -> None:
    """Replace the file `path` by `content`, as a whole or not at all.

    A symbolic link is followed. What is no regular file, such as a pipe or ``/dev/stdout``, is written to.

    Args:
        path: the file, in a folder that exists.
        content: bytes, or text that is written in UTF-8.
        mode: permissions of the file, before the process's mask; see `PRIVATE`.

    Raises:
        StorageError: the disk is full, or the file cannot be written for another reason, which is named.
    """
    content = content.encode() if isinstance(content, str) else content
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if path.exists() and not path.is_file():
        try:
            path.write_bytes(content)
        except OSError as error:
            raise StorageError(error.errno, f"{path} cannot be written: {reason(error)}") from error
        return
    with replacing(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(content)


def make_folder(path: Path) -> None:
    """Create the folder `path` and those above it, unless they exist.

    Raises:
        StorageError: it cannot be created; the message says why.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(error.errno, f"folder {path} cannot be created: {reason(error)}") from error


def flush(path: Path) -> None:
    """Wait until the file `path`, or every file below the folder `path`, is on the disk."""
    if not path.is_dir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        return
    for entry in path.iterdir():
        flush(entry)
    _flush_folder(path)


def remove(path: Path) -> None:
    """Remove the file or folder `path`, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what a crash left incomplete in `folder`. Only the process that holds its lock may do so."""
    for path in folder.glob(f"{TEMPORARY}*"):
        remove(path)


def is_unused(folder: Path, *, but: Collection[str] = ()) -> bool:
    """Return whether `folder` does not exist, or holds nothing but what an interrupted start leaves and what
    is named in `but`.
    """
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return False
    return all(entry.name in (LOCK, *but) or entry.name.startswith(TEMPORARY) for entry in entries)


class FolderLock:
    """Makes the calling process the only one that writes into `folder`, until `release` or its end.

    The operating system releases the lock of a process that crashes, so no lock is ever stale.

    Args:
        folder: an existing folder. The file `LOCK` in it stays when the lock is released.

    Raises:
        FolderInUseError: another process writes into the folder.
        StorageError: the lock's file cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK
        try:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StorageError(error.errno, f"{path} cannot be written: {reason(error)}") from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                self.release()
                raise FolderInUseError(
                    f"another process is writing into {folder}; stop it first, or choose another folder"
                ) from error
            log.warning("%s is on a file system without locks: let only one process write into it", folder)

    def release(self) -> None:
        """Let other processes write into the folder. Calling it twice is allowed."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        """Release the lock of an owner that was never closed."""
        if getattr(self, "_descriptor", None) is not None:
            self.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _flush_folder(path: Path) -> None:
    if os.name == "posix":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
