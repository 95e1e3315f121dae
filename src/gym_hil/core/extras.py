"""The packages that the extras of this package install.

Printed commands name these packages and not the extra, such as ``gym-hil[train]``. With the name of this package, pip
may download the package of the same name from PyPI, which is a different one, and replace this one: for instance, if
it runs in another environment, or if it cannot install a package of the extra.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

_REQUIREMENT = re.compile(r"([\w.-]+)\s*(\[[^\]]*\])?\s*([^;]*)(.*)")
_EXTRA = re.compile(r"""extra *== *['"]([\w-]+)['"]""")
_OLDER_PYTHON = re.compile(r"""python_version *< *['"](\d+)\.(\d+)['"]""")


@dataclass(frozen=True)
class Requirement:
    """A package that an extra installs.

    Attributes:
        name: name of the package.
        options: extras of that package, such as ``"[hdf5]"``, or an empty string.
        versions: its valid versions, such as ``">=3.9"``, or an empty string.
    """

    name: str
    options: str
    versions: str

    def __str__(self) -> str:
        """Return the requirement as pip takes it."""
        return f"{self.name}{self.options}{self.versions}"

    @property
    def is_installed(self) -> bool:
        """Whether any version of the package is installed."""
        from importlib import metadata

        try:
            return bool(metadata.version(self.name))
        except metadata.PackageNotFoundError:
            return False


def requirements_by_extra() -> dict[str, list[Requirement]]:
    """Return what each extra installs, except packages that only older versions of Python need.

    Returns:
        Requirements by the name of the extra; an empty dictionary if this package is used without being installed.
    """
    from importlib import metadata  # which takes longer than all other imports of the core

    try:
        lines = metadata.requires("gym-hil") or []
    except metadata.PackageNotFoundError:
        return {}
    found: dict[str, list[Requirement]] = {}
    for line in lines:
        name, options, versions, marker = _parts(line)
        extra, older = _EXTRA.search(marker), _OLDER_PYTHON.search(marker)
        if extra and not (older and sys.version_info[:2] >= (int(older[1]), int(older[2]))):
            found.setdefault(extra[1], []).append(Requirement(name, options, versions))
    return found


def install_command(*requirements: Requirement | str) -> str:
    """Return the command that installs packages."""
    return " ".join(["pip", "install", *(f'"{requirement}"' for requirement in requirements)])


def command_for(package: str, extra: str) -> str:
    """Return the command that installs a missing package, and what else is missing of its extra.

    Args:
        package: name of the package, which may contain extras of its own.
        extra: the extra of this package.
    """
    name, options, _, _ = _parts(package)
    others = {_canonical(other.name): other for other in requirements_by_extra().get(extra, [])}
    known = others.pop(_canonical(name), Requirement(name, "", ""))
    wanted = Requirement(known.name, options or known.options, known.versions)
    return install_command(wanted, *(other for other in others.values() if not other.is_installed))


def _parts(line: str) -> tuple[str, str, str, str]:
    """Return name, extras, versions and marker of a requirement."""
    match = _REQUIREMENT.match(line)
    assert match is not None, line
    return match[1], match[2] or "", match[3].strip(), match[4]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
