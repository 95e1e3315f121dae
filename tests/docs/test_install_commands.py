"""Every `pip install` that is printed installs this package, and not the one of the same name on PyPI."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
EXTRAS = set(
    re.findall(
        r"^([\w-]+) = \[",
        PROJECT.partition("[project.optional-dependencies]")[2].partition("\n[")[0],
        re.MULTILINE,
    )
)
FILES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "examples/**/*",
        ".github/**/*.md",
        "plugins/**/*.toml",
        "src/**/*.py",
    )
    for path in ROOT.glob(pattern)
    if path.suffix in (".md", ".py", ".ipynb", ".toml") and path.name != "CHANGELOG.md"
)
INSTALL = re.compile(r"pip install ([^`\n#]+)")
WARNING = "`pip install gym-hil` downloads from PyPI"


def installs() -> list[tuple[str, str]]:
    return [
        (path.relative_to(ROOT).as_posix(), arguments.strip())
        for path in FILES
        for arguments in INSTALL.findall(path.read_text(encoding="utf-8").replace(WARNING, ""))
    ]


def test_the_readme_has_install_commands():
    assert len(installs()) > 10 and {"train", "browser", "dev", "docs"} <= EXTRAS


@pytest.mark.parametrize(("file", "arguments"), installs())
def test_the_install_commands_install_this_package(file, arguments):
    words = shlex.split(arguments.rstrip('.,;:)"\\n') if arguments.count('"') % 2 else arguments)
    for word in words:
        if word.startswith("-") or "=" in word[:1]:
            continue
        path, _, extras = word.rstrip("]").partition("[")
        name = re.match(r"[\w.-]*", path)[0]
        assert re.sub(r"[-_.]+", "-", name).lower() != "gym-hil", f"{file}: from PyPI that is another package"
        if path == ".":
            assert set(filter(None, extras.split(","))) <= EXTRAS, f"{file}: {word}"
        elif path.startswith("./"):
            assert (ROOT / path).is_dir(), f"{file}: {word}"


def test_the_installation_page_has_every_extra():
    page = (ROOT / "docs/installation.md").read_text(encoding="utf-8")
    assert not {extra for extra in EXTRAS if f"`{extra}`" not in page}
