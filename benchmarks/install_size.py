"""Measure the size of the installation and the duration of the import: ``python benchmarks/install_size.py``.

A size includes the installed files of a package and of all its requirements in this environment. The size of an extra
does not include the requirements of the core.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from statistics import median

from packaging.requirements import Requirement

PACKAGE = "gym-hil"
REPEATS = 7
LEFT_OUT = ("dev", "docs", "notebook")
"""Extras for developers."""
TIMED = """
import time
import gymnasium
start = time.process_time()
import gym_hil
print(time.process_time() - start)
"""


def needed(requirements: list[str], extras: tuple[str, ...] = ("",)) -> set[str]:
    """Return the names of all packages that requirements install, without this package.

    Raises:
        PackageNotFoundError: one of them is not installed.
    """
    found: set[str] = set()
    waiting = [(Requirement(text), extras) for text in requirements]
    seen = set()
    while waiting:
        requirement, asked = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in asked):
            continue
        wanted = ("", *sorted(requirement.extras))
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        if name != PACKAGE:
            found.add(name)
        inside = metadata.requires(name) or []
        waiting += [(Requirement(text), wanted) for text in inside]
    return found


def megabytes(packages: set[str]) -> float:
    """Return the size of the installed files of packages."""
    files = [file for name in packages for file in metadata.files(name) or []]
    paths = {str(file.locate()) for file in files}
    return sum(os.path.getsize(path) for path in paths if os.path.isfile(path)) / 1e6


def import_s() -> float:
    """Return the CPU seconds of ``import gym_hil`` beyond Gymnasium's, in a fresh process."""
    command = [sys.executable, "-c", TIMED]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(REPEATS)]
    return median(float(run.stdout) for run in runs)


def main() -> None:
    """Print a table in Markdown."""
    required = metadata.requires(PACKAGE) or []
    core = needed(required)
    print("| | Size (MB) | Largest packages (MB) |")
    print("|---|---:|---|")
    print(row("core", core))
    for library in ("imageio", "tyro", "rich"):
        others = needed(
            [text for text in required if not text.startswith(library) and "extra ==" not in text]
        )
        print(row(f"of which only `{library}` needs", core - others))
    for extra in metadata.metadata(PACKAGE).get_all("Provides-Extra") or []:
        if extra not in LEFT_OUT:
            try:
                packages = needed(required, (extra,)) - core
                print(row(f"`{extra}`", packages) if packages else f"| `{extra}` | not for this Python | |")
            except metadata.PackageNotFoundError as error:
                print(f"| `{extra}` | not installed here: {error.name} | |")
    print(f"\n`import gym_hil` takes {1000 * import_s():.0f} ms of CPU time beyond `import gymnasium`.")


def row(name: str, packages: set[str]) -> str:
    """Return a row of the table."""
    largest = sorted(packages, key=lambda package: -megabytes({package}))[:3]
    shown = ", ".join(f"{package} {megabytes({package}):.0f}" for package in largest)
    return f"| {name} | {megabytes(packages):.0f} | {shown} |"


if __name__ == "__main__":
    main()
