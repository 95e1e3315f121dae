"""Messages about missing packages print a command that installs them, and never the other package `gym-hil` of PyPI."""

from __future__ import annotations

import shlex
from importlib import metadata

import pytest

from gym_hil.core import extras
from gym_hil.core.errors import MissingExtraError

REQUIRES = [
    "numpy>=1.26",
    "aiohttp>=3.9; extra == 'browser'",
    "arm[dataset]<0.7,>=0.6; (python_version >= '3.12') and extra == 'arm'",
    "report-kit>=2; extra == 'train'",
    'numpy>=1.26; extra == "train"',
    "backport>=1; (python_version < '3.5') and extra == 'train'",
    "plotter; extra == 'train'",
]


@pytest.fixture
def requires(monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda name: REQUIRES)


@pytest.mark.parametrize(
    ("package", "extra", "command"),
    [
        ("aiohttp", "browser", 'pip install "aiohttp>=3.9"'),
        ("Report_Kit", "train", 'pip install "report-kit>=2" "plotter"'),
        ("plotter", "train", 'pip install "plotter" "report-kit>=2"'),
        ("arm", "arm", 'pip install "arm[dataset]<0.7,>=0.6"'),
        ("arm[motors]", "arm", 'pip install "arm[motors]<0.7,>=0.6"'),
        ("part-of-it", "browser", 'pip install "part-of-it" "aiohttp>=3.9"'),
        ("mine", "of another package", 'pip install "mine"'),
    ],
)
def test_the_command_installs_the_package_and_what_its_extra_lacks(
    requires, monkeypatch, package, extra, command
):
    monkeypatch.setattr(extras.Requirement, "is_installed", property(lambda self: self.name == "numpy"))
    assert extras.command_for(package, extra) == command
    assert str(MissingExtraError(package, extra, "This")) == f'This needs the package "{package}": {command}'


def test_requirements_of_older_versions_of_python_are_left_out(requires):
    found = extras.requirements_by_extra()
    assert [str(one) for one in found["train"]] == ["report-kit>=2", "numpy>=1.26", "plotter"]
    assert set(found) == {"browser", "arm", "train"}
    assert [one.is_installed for one in found["train"]] == [False, True, False]


def test_without_metadata_the_package_is_named_alone(monkeypatch):
    def requires(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    assert extras.requirements_by_extra() == {}
    assert extras.command_for("aiohttp", "browser") == 'pip install "aiohttp"'


def test_no_command_names_this_package_itself():
    """On PyPI, another package has its name. Pip may choose that one, for instance if an extra cannot be installed."""
    for extra, requirements in extras.requirements_by_extra().items():
        words = shlex.split(extras.install_command(*requirements))
        assert words[:2] == ["pip", "install"] and len(words) > 2, extra
        assert not any(word.startswith("gym") and "hil" in word for word in words), extra
