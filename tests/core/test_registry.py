"""Registries, to which plugins add by name."""

from __future__ import annotations

import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

from gym_hil.core.entry_points import entry_points
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.registry import Registry


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a package that declares one sound entry point and one that cannot be loaded."""
    (tmp_path / "kitchen_plugin.py").write_text("KETTLE = 'a kettle'\n", encoding="utf-8")
    info = tmp_path / "kitchen_plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: kitchen-plugin\nVersion: 1\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(
        "[gym_hil.testing_things]\nkettle = kitchen_plugin:KETTLE\nbroken = kitchen_plugin:MISSING\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("kitchen_plugin", None)


def make_registry():
    return Registry("thing", "gym_hil.testing_things", {"pi": "math:pi"})


def test_built_in_values_are_loaded_on_first_use():
    registry = make_registry()
    assert registry["pi"] == pytest.approx(3.14159, abs=1e-4)
    assert list(registry) == ["pi"] and len(registry) == 1


def test_other_packages_add_values_by_an_entry_point(plugin):
    registry = make_registry()
    assert registry.names() == ("pi", "kettle", "broken")
    assert registry["kettle"] == "a kettle"


def test_an_import_error_of_a_package_names_it_and_keeps_the_others(plugin):
    with pytest.warns(UserWarning, match="thing 'broken' cannot be loaded"):
        assert dict(make_registry().items()).keys() == {"pi", "kettle"}


def test_an_invalid_entry_point_is_named(plugin, tmp_path):
    declared = tmp_path / "kitchen_plugin-1.dist-info" / "entry_points.txt"
    declared.write_text('[gym_hil.testing_things]\nkettle = "kitchen_plugin:KETTLE"\n', encoding="utf-8")
    with pytest.warns(UserWarning, match="'kettle' cannot be loaded.*not of the form .*module:attribute"):
        assert dict(make_registry().items()).keys() == {"pi"}


def test_of_two_packages_with_the_same_name_the_first_is_used(plugin):
    registry = Registry("thing", "gym_hil.testing_things", {"kettle": "math:pi"})
    with pytest.warns(
        UserWarning, match="'kettle' of kitchen_plugin:KETTLE is ignored.*name is already in use"
    ):
        assert registry.names() == ("kettle", "broken")


def test_programs_register_values():
    registry = make_registry()
    registry.register("two", 2)
    registry.register("tau", "math:tau")
    assert registry["two"] == 2 and registry["tau"] > 6 and "two" in registry


def test_a_name_that_is_registered_already_is_refused(plugin):
    registry = make_registry()
    for taken in ("pi", "kettle"):
        with pytest.raises(InvalidArgumentError, match=f"thing '{taken}' is registered already"):
            registry.register(taken, 3)


def test_an_error_about_an_unknown_name_suggests_the_nearest_one():
    with pytest.raises(InvalidArgumentError, match=r"thing='pie' is not known; did you mean \"pi\"\?"):
        make_registry()["pie"]


def test_an_error_lists_only_the_nearest_of_many_names():
    registry = Registry("thing", "gym_hil.testing_things", {f"colour_{n}": "math:pi" for n in range(40)})
    with pytest.raises(InvalidArgumentError, match=r"did you mean .*The nearest of 40: ") as error:
        registry["Colour_7x"]
    assert str(error.value).count("colour_") == 9, "the nearest one, and the eight nearest ones"
    with pytest.raises(
        InvalidArgumentError, match=r"'zzz' is not known\. `gym-hil list --names` lists all names\.$"
    ):
        registry["zzz"]


def test_importing_a_module_too_early_explains_the_remedy(plugin, tmp_path):
    (tmp_path / "kitchen_plugin.py").write_text(
        "from gym_hil.core.registry import Registry\n"
        "found = dict(Registry('thing', 'gym_hil.testing_things', {}).items())\n"
        "KETTLE = 'a kettle'\n",
        encoding="utf-8",
    )
    with pytest.warns(
        UserWarning, match="'kettle' cannot be loaded.*kitchen_plugin was imported before gym_hil"
    ):
        import kitchen_plugin
    assert kitchen_plugin.found == {}


def test_installed_packages_are_searched_only_when_needed(monkeypatch):
    monkeypatch.setattr(metadata, "entry_points", None)
    assert entry_points("gym_hil.testing_things") == ()


@pytest.mark.parametrize("folder", ["kitchen_plugin-1.egg-info", "kitchen_plugin-1.egg/EGG-INFO"])
def test_packages_of_older_installers_are_found(plugin, tmp_path, monkeypatch, folder):
    (tmp_path / folder).parent.mkdir(exist_ok=True)
    shutil.move(tmp_path / "kitchen_plugin-1.dist-info", tmp_path / folder)
    monkeypatch.syspath_prepend(str((tmp_path / folder).parent))
    assert {entry.name for entry in entry_points("gym_hil.testing_things")} == {"kettle", "broken"}


def test_packages_in_an_archive_are_found(plugin, tmp_path, monkeypatch):
    archive = shutil.make_archive(str(tmp_path / "packages"), "zip", tmp_path)
    monkeypatch.setattr(sys, "path", [archive, *(path for path in sys.path if path != str(tmp_path))])
    assert {entry.name for entry in entry_points("gym_hil.testing_things")} == {"kettle", "broken"}


def test_packages_of_another_import_finder_are_found(plugin, tmp_path, monkeypatch):
    class Finder(metadata.DistributionFinder):
        def find_spec(self, name, path, target=None):
            return None

        def find_distributions(self, context):
            return [metadata.PathDistribution(Path(tmp_path, "kitchen_plugin-1.dist-info"))]

    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    assert entry_points("gym_hil.testing_things") == ()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert {entry.name for entry in entry_points("gym_hil.testing_things")} == {"kettle", "broken"}
