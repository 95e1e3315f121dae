"""Writing that a crash cannot spoil: a file is there whole, old or new, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

TEMPORARY = ".writing-"


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` under a temporary name, flush it to the disk, and rename it to `path`."""
    temporary = path.with_name(TEMPORARY + path.name)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove what a crash left half-written in `folder`."""
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink()
