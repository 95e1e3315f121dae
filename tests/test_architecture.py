"""Imports follow the layers without cycles, every name has one meaning, and files are short."""

from __future__ import annotations

import ast
import graphlib
import inspect
from collections import Counter
from pathlib import Path

import gym_hil
from gym_hil.tasks import TASKS

LAYERS = [
    {"core"},
    {"robots"},
    {"scenes"},
    {"simulation"},
    {"tasks"},
    {"envs"},
    {"devices"},
    {"intervention"},
    {"wrappers"},
    {"viewers"},
    {"stacks"},
    {"reports"},
    {"datasets", "learning"},
    {"experiments"},
    {"integrations"},
    {"testing", "cli", "examples"},
]
LAYER = {name: layer for layer, names in enumerate(LAYERS) for name in names}
ROOT = Path(gym_hil.__file__).parent


def test_no_package_imports_one_of_a_higher_layer():
    wrong = []
    for path in ROOT.rglob("*.py"):
        package = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if package not in LAYER:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gym_hil."):
                other = node.module.split(".")[1]
                if LAYER[other] > LAYER[package]:
                    wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert wrong == []


def test_every_package_has_a_layer():
    packages = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert packages - {"__pycache__"} <= set(LAYER)


def test_no_module_imports_itself_through_others():
    names = {module_of(path): path for path in ROOT.rglob("*.py")}
    imported = {}
    for name, path in names.items():
        modules = set()
        for node in ast.parse(path.read_text()).body:  # neither in functions nor for type checkers alone
            if isinstance(node, ast.ImportFrom) and node.module:
                modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
        imported[name] = (modules & names.keys()) - {name}
    graphlib.TopologicalSorter(imported).prepare()


def test_names_of_classes_are_unique():
    """The wrappers of gym-hil 0.1.14 keep their names beside those that replace them."""
    classes = Counter(
        node.name
        for path in ROOT.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in classes.items() if count > 1} == {
        "EEActionWrapper",
        "PassiveViewerWrapper",
    }


def test_no_file_is_long():
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    assert {path: size for path, size in sizes.items() if size > 400} == {}


def test_a_task_is_one_file_of_at_most_200_lines():
    for name in TASKS:
        path = Path(inspect.getfile(TASKS[name]))
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 200, path.name


def module_of(path: Path) -> str:
    """Return the name under which a file is imported."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
