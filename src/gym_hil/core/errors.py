"""The exceptions of this package, with a common base class."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from gym_hil.core.extras import command_for


class GymHilError(Exception):
    """Base class of all exceptions of this package."""


class InvalidArgumentError(GymHilError, ValueError):
    """An argument has an invalid value."""


class UnknownArgumentError(GymHilError, TypeError):
    """A keyword argument is unknown."""


class InvalidActionError(GymHilError, ValueError):
    """An action has the wrong shape, or a value that is not a finite number."""


class InvalidStateError(GymHilError, ValueError):
    """A saved state does not belong to the environment."""


class InvalidDatasetError(GymHilError, ValueError):
    """Recorded episodes cannot be read, or a folder contains something else."""


class RecordingError(GymHilError, RuntimeError):
    """An episode could not be written. Earlier episodes are stored."""


class StorageError(GymHilError, OSError):
    """A file could not be written, for instance because the disk is full. Its previous content is unchanged."""

    def __str__(self) -> str:
        """Return the message without the error number."""
        return str(self.strerror or self.args[-1])


class FolderInUseError(GymHilError, RuntimeError):
    """Another process writes into the same folder."""


class UnsupportedError(GymHilError, AttributeError):
    """An environment lacks an attribute that an operator, viewer or recorder needs."""


class EpisodeOrderError(GymHilError, RuntimeError):
    """`step`, `render` or `reset` was called at the wrong time, such as after `close`."""


class RenderingError(GymHilError, RuntimeError):
    """No OpenGL backend could be started."""


class MissingExtraError(GymHilError, ImportError):
    """An optional dependency is not installed.

    Args:
        package: name of the missing package.
        extra: extra that installs it.
        purpose: feature that needs it.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs the package "{package}": {command_for(package, extra)}')


class DeviceError(GymHilError, RuntimeError):
    """An input device cannot be used."""


MANY = 16
"""Largest number of valid names that an error message lists completely."""
NEAREST = 8
"""Number of nearest names that an error message lists otherwise."""


def suggestion(value: object, valid: Iterable[object], listing: str | None = None) -> str:
    """Return the end of an error message about an unknown name, such as ``'; did you mean "x"? Valid: x,
    y.'``.

    Args:
        value: the unknown name.
        valid: the known names. Up to `MANY` are listed, or else the `NEAREST` ones.
        listing: command that lists all names, which is mentioned if there are many names and none is similar.
    """
    names = [str(name) for name in valid]
    by_lower_case = {name.lower(): name for name in reversed(names)}
    found = difflib.get_close_matches(str(value).lower(), by_lower_case, n=NEAREST)
    close = [by_lower_case[name] for name in found]
    hint = f'; did you mean "{close[0]}"?' if close else "."
    if len(names) <= MANY or not (close or listing):
        return f"{hint} Valid: {', '.join(names)}."
    if not close:
        return f"{hint} `{listing}` lists all names."
    return f"{hint} The nearest of {len(names)}: {', '.join(close)}."


def require_one_of(name: str, value: object, valid: Iterable[object]) -> None:
    """Require a valid value of an argument.

    Args:
        name: name of the argument.
        value: its value.
        valid: the valid values.

    Raises:
        InvalidArgumentError: `value` is not one of `valid`.
    """
    options = list(valid)
    if value not in options:
        raise InvalidArgumentError(f"{name}={value!r} is not known{suggestion(value, options)}")
