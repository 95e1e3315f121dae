"""Measure the size of the installation: ``python benchmarks/install_size.py [--json benchmarks/install_size.json]``.

A size includes the installed files of a package and of all its requirements in this environment. The size of an extra
does not include the requirements of the core.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

PACKAGE = "gym-hil"
DEVELOPER_EXTRAS = ("dev", "docs", "notebook")
"""Extras that users do not need."""


def required_packages(requirements: list[str], extras: tuple[str, ...] = ("",)) -> set[str]:
    """Return the names of all packages that requirements install, without this package.

    Raises:
        PackageNotFoundError: one of them is not installed.
    """
    found: set[str] = set()
    waiting = [(Requirement(text), extras) for text in requirements]
    seen = set()
    while waiting:
        requirement, chosen_extras = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if requirement.marker and not any(
            requirement.marker.evaluate({"extra": extra}) for extra in chosen_extras
        ):
            continue
        extras_of_package = ("", *sorted(requirement.extras))
        if (name, extras_of_package) in seen:
            continue
        seen.add((name, extras_of_package))
        if name != PACKAGE:
            found.add(name)
        requirements_of_package = metadata.requires(name) or []
        waiting += [(Requirement(text), extras_of_package) for text in requirements_of_package]
    return found


def megabytes(packages: set[str]) -> float:
    """Return the size of the installed files of packages (MB)."""
    files = [file for name in packages for file in metadata.files(name) or []]
    paths = {str(file.locate()) for file in files}
    return sum(os.path.getsize(path) for path in paths if os.path.isfile(path)) / 1e6


def sizes() -> list[dict]:
    """Return name, size (MB) and largest packages of the core, of parts of it, and of each installed extra."""
    required = metadata.requires(PACKAGE) or []
    core = required_packages(required)
    rows = [row("core", core)]
    for library in ("imageio", "tyro", "rich"):
        others = required_packages(
            [text for text in required if not text.startswith(library) and "extra ==" not in text]
        )
        rows.append(row(f"of which only `{library}` needs", core - others))
    for extra in metadata.metadata(PACKAGE).get_all("Provides-Extra") or []:
        if extra not in DEVELOPER_EXTRAS:
            try:
                packages = required_packages(required, (extra,)) - core
            except metadata.PackageNotFoundError as error:
                print(f"{extra} is left out, because {error.name} is not installed here", file=sys.stderr)
            else:
                rows += [row(f"`{extra}`", packages)] if packages else []
    return rows


def row(name: str, packages: set[str]) -> dict:
    """Return the size of some packages and the largest of them (MB)."""
    each = {package: round(megabytes({package}), 1) for package in packages}
    largest = sorted(each, key=lambda package: -each[package])[:3]
    return {
        "name": name,
        "mb": round(sum(each.values()), 1),
        "largest": {name: each[name] for name in largest},
    }


def main() -> None:
    """Print the sizes, and write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the result to this file")
    path = parser.parse_args().json
    result = {
        "python": platform.python_version(),
        "system": platform.system(),
        "versions": {name: metadata.version(name) for name in (PACKAGE, "mujoco", "torch")},
        "sizes": sizes(),
    }
    text = json.dumps(result, indent=1)
    print(text)
    if path is not None:
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
