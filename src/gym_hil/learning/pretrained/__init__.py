"""Policies that are shipped, each with a card that says how it was made."""

from __future__ import annotations

from pathlib import Path

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.stacks.ids import parse_id

PRETRAINED = "pretrained"
"""What stands for a shipped policy on the command line."""
FOLDER = Path(__file__).parent


def pretrained(env_id: str) -> Path:
    """Return the shipped policy for the task of `env_id`.

    Raises:
        InvalidArgumentError: none is shipped for it; the message names those that are.
    """
    shipped = {path.stem: path for path in sorted(FOLDER.glob("*.npz"))}
    parts = parse_id(env_id)
    name = f"{parts.robot}{parts.task}"
    if name not in shipped:
        raise InvalidArgumentError(
            f"no policy is shipped for {env_id}; there is one for {', '.join(shipped)}"
        )
    return shipped[name]
