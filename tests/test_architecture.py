"""Imports point down and never in a circle, a name means one thing, and a file is one idea."""

from __future__ import annotations

import ast
import graphlib
from collections import Counter
from pathlib import Path

import gym_hil

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
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
ROOT = Path(gym_hil.__file__).parent


def test_no_room_imports_one_above_it():
    wrong = []
    for path in ROOT.rglob("*.py"):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if room not in LEVEL:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gym_hil."):
                other = node.module.split(".")[1]
                if LEVEL[other] > LEVEL[room]:
                    wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert wrong == []


def test_every_room_has_a_level():
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert rooms - {"__pycache__"} <= set(LEVEL)


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


def test_a_name_of_a_class_means_one_thing():
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


def module_of(path: Path) -> str:
    """Return the name under which a file is imported."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
