"""Packages whose names are imported on access."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, modules: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions `__getattr__` and `__dir__` of a package that imports modules when a name is accessed.

    Args:
        package: `__name__` of the package.
        modules: names by the module that defines them, which is relative to the package if it begins with a dot.
    """
    module_of_name = {name: module for module, names in modules.items() for name in names}

    def find(name: str) -> Any:
        if name not in module_of_name:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module_of_name[name], package), name)

    return find, lambda: sorted({*vars(import_module(package)), *module_of_name})
