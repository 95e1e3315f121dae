"""Every error that gym-hil raises on purpose, under one base class."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GymHilError(Exception):
    """Base of all errors of this package; catching it catches nothing else."""


class InvalidArgumentError(GymHilError, ValueError):
    """An argument has a value that cannot be used."""


class UnknownArgumentError(GymHilError, TypeError):
    """A keyword argument that nothing accepts."""


class InvalidActionError(GymHilError, ValueError):
    """An action of the wrong shape, or with a value that is not a finite number."""


class InvalidStateError(GymHilError, ValueError):
    """A saved state that does not belong to this environment."""


class InvalidDatasetError(GymHilError, ValueError):
    """Recorded episodes that cannot be read, or a folder that holds something else."""


class RecordingError(GymHilError, RuntimeError):
    """An episode could not be written. Those before it are safe."""


class StorageError(GymHilError, OSError):
    """A file could not be written, for instance because the disk is full. Its former content is safe."""

    def __str__(self) -> str:
        """Return the message alone, without the error number."""
        return str(self.strerror or self.args[-1])


class FolderInUseError(GymHilError, RuntimeError):
    """Another process is writing into the same folder."""


class UnsupportedError(GymHilError, AttributeError):
    """An environment lacks what an operator, a viewer or a recorder needs of it."""


class EpisodeOrderError(GymHilError, RuntimeError):
    """`step`, `render` or `reset` called at a moment that has no meaning, such as after `close`."""


class RenderingError(GymHilError, RuntimeError):
    """No OpenGL backend could be started."""


class MissingExtraError(GymHilError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs the package "{package}": pip install "gym-hil[{extra}]"')


class DeviceError(GymHilError, RuntimeError):
    """An input device cannot be used."""


MANY = 16
"""An error message lists at most so many valid names, or else the nearest ones alone."""
NEAREST = 8


def did_you_mean(value: object, valid: Iterable[object], listing: str | None = None) -> str:
    """Return the end of an error message that names `value`, such as ``'; did you mean "x"? Valid: x, y.'``.

    Args:
        value: what was asked for.
        valid: the names that are known. Up to `MANY` are all listed, else the `NEAREST` ones.
        listing: the command that lists all names; said where there are many, and no name is near.
    """
    names = [str(name) for name in valid]
    by_lower_case = {name.lower(): name for name in reversed(names)}
    found = difflib.get_close_matches(str(value).lower(), by_lower_case, n=NEAREST)
    close = [by_lower_case[name] for name in found]
    hint = f'; did you mean "{close[0]}"?' if close else "."
    if len(names) <= MANY or not (close or listing):
        return f"{hint} Valid: {', '.join(names)}."
    if not close:
        return f"{hint} `{listing}` lists what there is."
    return f"{hint} The nearest of {len(names)}: {', '.join(close)}."


def require_one_of(name: str, value: object, valid: Iterable[object]) -> None:
    """Raise `InvalidArgumentError` unless `value` is one of `valid`."""
    options = list(valid)
    if value not in options:
        raise InvalidArgumentError(f"{name}={value!r} is not known{did_you_mean(value, options)}")
