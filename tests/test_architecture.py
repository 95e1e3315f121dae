"""Imports point down."""

from __future__ import annotations

import ast
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
