"""Registries of named values, such as tasks, to which this package and other packages add values."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gym_hil.core.entry_points import entry_points
from gym_hil.core.errors import InvalidArgumentError, suggestion

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")
LISTING = "gym-hil list --names"
"""The command that lists the names of all registries."""


class Registry(Generic[T]):
    """Named values of one kind, such as tasks or devices, which are loaded on first access.

    Other packages add values by entry points, and programs by `register`.

    Args:
        kind: kind of the values for error messages, such as ``"task"``.
        group: group of the entry points, such as ``"gym_hil.tasks"``.
        builtin: the values of this package, each as ``"module:attribute"``.

    Attributes:
        builtin: the names of the values of this package.
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str]) -> None:
        self.kind = kind
        self.group = group
        self.builtin = tuple(builtin)
        self._references: dict[str, str | EntryPoint] = dict(builtin)
        self._values: dict[str, T] = {}
        self._searched = False

    def register(self, name: str, value: T | str) -> None:
        """Add a value.

        Args:
            name: a new name.
            value: the value, or its location as ``"module:attribute"``.

        Raises:
            InvalidArgumentError: the name is registered already.
        """
        if name in self:
            raise InvalidArgumentError(f"{self.kind} {name!r} is registered already")
        if isinstance(value, str):
            self._references[name] = value
        else:
            self._values[name] = value

    def names(self) -> tuple[str, ...]:
        """Return all names: those of this package first, then those of other packages."""
        self._search()
        return (*self._references, *(name for name in self._values if name not in self._references))

    def get(self, name: str) -> T:
        """Return the value with this name.

        Args:
            name: the name.

        Raises:
            InvalidArgumentError: the name is unknown.
        """
        if name not in self:
            raise InvalidArgumentError(
                f"{self.kind}={name!r} is not known{suggestion(name, self.names(), LISTING)}"
            )
        if name not in self._values:
            self._values[name] = _load(self._references[name])
        return self._values[name]

    def __getitem__(self, name: str) -> T:
        """Return the value with this name, like `get`."""
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        """Return whether a name is known."""
        return name in self._references or name in self._values or name in self.names()

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.names())

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self.names())

    def items(self) -> Iterator[tuple[str, T]]:
        """Iterate over names and values. Values of other packages that cannot be loaded are omitted with a warning."""
        for name in self.builtin:
            yield name, self.get(name)
        yield from self.added()

    def added(self) -> Iterator[tuple[str, T]]:
        """Iterate over the names and values that do not belong to this package, like `items`."""
        for name in self.names()[len(self.builtin) :]:
            try:
                yield name, self.get(name)
            except Exception as error:
                entry = self._references.get(name)
                if entry is None or isinstance(entry, str):
                    raise
                reason = f"{error!r}{_import_hint(entry)}"
                warnings.warn(f"{self.kind} {name!r} cannot be loaded: {reason}", stacklevel=2)

    def _search(self) -> None:
        if self._searched:
            return
        self._searched = True
        for entry in entry_points(self.group):
            if entry.name not in self._references and entry.name not in self._values:
                self._references[entry.name] = entry
            elif entry.value != getattr(known := self._references.get(entry.name), "value", known):
                message = f"{self.kind} {entry.name!r} of {entry.value} is ignored, because the name is already in use"
                warnings.warn(message, stacklevel=3)


def _import_hint(entry: EntryPoint) -> str:
    """Return advice for a module that is requested while it is being imported, or an empty string."""
    module = entry.value.partition(":")[0].strip()
    spec = getattr(sys.modules.get(module), "__spec__", None)
    if not getattr(spec, "_initializing", False):
        return ""
    return f"; {module} was imported before gym_hil, which the __init__.py of its package should import first"


def _load(reference: str | EntryPoint) -> Any:
    if isinstance(reference, str):
        module, attribute = reference.split(":")
        return getattr(import_module(module), attribute)
    if not reference.pattern.match(reference.value):
        raise ValueError(f"its entry point {reference.value!r} is not of the form 'module:attribute'")
    return reference.load()
