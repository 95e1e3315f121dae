"""Texts are read and written as UTF-8, whatever the platform's own encoding is."""

from __future__ import annotations

import ast
from pathlib import Path

import gym_hil

ROOT = Path(gym_hil.__file__).parent
_OPEN_OPTIONS = {"mode", "buffering", "encoding", "errors", "newline"}


def _without_encoding(tree: ast.AST) -> list[int]:
    """Return the lines of calls that read or write text in the platform's encoding."""
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        if name == "open":
            if getattr(getattr(node.func, "value", None), "id", "") in ("os", "pyspacemouse", "mouse"):
                continue  # opens no text file
            position = 0 if isinstance(node.func, ast.Attribute) else 1
            mode = options.get("mode") or (node.args[position] if len(node.args) > position else None)
            if position == 0 and not (mode is None or isinstance(mode, ast.Constant)):
                continue  # a function of another module, such as os.open
            if not options.keys() <= _OPEN_OPTIONS:
                continue
            is_text = mode is None or (isinstance(mode, ast.Constant) and "b" not in str(mode.value))
        else:
            is_text = name in ("read_text", "write_text") or ("text" in options and name in ("run", "Popen"))
        if is_text and "encoding" not in options:
            lines.append(node.lineno)
    return lines


def test_the_check_finds_every_kind_of_call():
    code = "open(p)\np.open()\np.open('w')\np.read_text()\np.write_text(t)\nsubprocess.run(c, text=True)\n"
    assert _without_encoding(ast.parse(code)) == [1, 2, 3, 4, 5, 6]
    fine = "open(p, 'rb')\np.open('wb')\np.read_text(encoding='utf-8')\nos.open(p, os.O_RDONLY)\n"
    assert _without_encoding(ast.parse(fine)) == []


def test_every_text_has_an_encoding():
    missing = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        for line in _without_encoding(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert missing == []
