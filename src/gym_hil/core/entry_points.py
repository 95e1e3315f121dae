"""Entry points of installed packages, which add to the registries of this package.

Importing and using `importlib.metadata` takes longer than the rest of ``import gym_hil``. It is therefore used only if
a file of the installed packages mentions this package.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

PREFIX = "gym_hil."
"""Beginning of the names of all groups."""


def entry_points(group: str) -> Iterable[EntryPoint]:
    """Return the entry points of a group whose name begins with `PREFIX`."""
    if not any(map(_searches_elsewhere, sys.meta_path)) and not _may_exist(tuple(sys.path)):
        return ()
    from importlib import metadata

    return metadata.entry_points(group=group)


def _searches_elsewhere(finder: object) -> bool:
    """Return whether an import finder knows packages that are not on `sys.path`."""
    return finder is not PathFinder and hasattr(finder, "find_distributions")


@lru_cache(maxsize=1)
def _may_exist(search_path: tuple[str, ...]) -> bool:
    """Return whether a package on a search path may have entry points for this package."""
    for location in search_path:
        try:
            names = os.listdir(location or ".")
        except NotADirectoryError:
            return True  # an archive
        except OSError:
            continue
        for name in names:
            if name.lower().endswith("-info"):
                try:
                    with open(os.path.join(location, name, "entry_points.txt"), "rb") as file:
                        if f"[{PREFIX}".encode() in file.read():
                            return True
                except OSError:
                    pass  # a package without entry points
    return False
