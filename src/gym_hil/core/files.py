"""Atomic writing of files, and locks that let only one process write into a folder."""

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
"""Prefix of the names of incomplete files and folders."""
LOCK = ".lock"
"""Name of the lock file of a folder."""
PRIVATE = 0o600
"""Permissions of a file that only its owner can read."""
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF)

log = logging.getLogger(__name__)


def reason(error: OSError) -> str:
    """Return a description of why a file could not be written."""
    return _FULL.get(error.errno or 0) or error.strerror or str(error)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Replace a file, or create a folder, atomically.

    Yields a temporary path in the same folder. At the end, the data at this path is flushed to the disk and
    renamed to `path`, and the folder is flushed, so that not even a power failure leaves a part of it. If an
    error occurs, the temporary file or folder is removed.

    Args:
        path: the file or folder. A folder must not exist yet.

    Yields:
        The temporary path. It has the suffix of `path`, because some libraries choose the format by the suffix.

    Raises:
        StorageError: the file or folder cannot be written, for instance because the disk is full.
    """
    temporary = path.with_name(TEMPORARY + path.name)
    try:
        remove(temporary)  # a crash may have left it
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
    """Replace the content of a file atomically.

    Symbolic links are followed. Special files, such as pipes or ``/dev/stdout``, are written directly.

    Args:
        path: the file, in an existing folder.
        content: bytes, or text that is encoded as UTF-8.
        mode: permissions of the file, before the umask is applied; see `PRIVATE`.

    Raises:
        StorageError: the file cannot be written, for instance because the disk is full.
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
    """Create the folder `path` and its parents, unless they exist.

    Raises:
        StorageError: the folder cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(error.errno, f"folder {path} cannot be created: {reason(error)}") from error


def flush(path: Path) -> None:
    """Flush the file `path`, or all files in the folder `path`, to the disk."""
    if not path.is_dir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        return
    for entry in path.iterdir():
        flush(entry)
    _flush_folder(path)


def remove(path: Path) -> None:
    """Remove the file or folder `path` if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove incomplete files that a crash has left in `folder`. The caller must hold the folder's lock."""
    for path in folder.glob(f"{TEMPORARY}*"):
        remove(path)


def is_unused(folder: Path, *, but: Collection[str] = ()) -> bool:
    """Return whether a folder does not exist, or contains nothing except leftovers of an interrupted start.

    Args:
        folder: the folder.
        but: names of entries that are ignored.
    """
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return False
    return all(entry.name in (LOCK, *but) or entry.name.startswith(TEMPORARY) for entry in entries)


class FolderLock:
    """Allows only the calling process to write into a folder, until `release` is called or the process ends.

    The operating system releases the lock of a crashed process, so that there are no stale locks.

    Args:
        folder: an existing folder. The file `LOCK` remains in it when the lock is released.

    Raises:
        FolderInUseError: another process writes into the folder.
        StorageError: the lock file cannot be created.
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
        """Release the lock. It may be called more than once."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        """Release the lock if the owner has not done so."""
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
