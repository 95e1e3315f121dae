"""Pretrained policies of the package, each with a card that documents its training."""

from __future__ import annotations

from pathlib import Path

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.stacks.ids import parse_id

PRETRAINED = "pretrained"
"""Value of ``--policy`` on the command line that selects the pretrained policy of the task."""
FOLDER = Path(__file__).parent


def pretrained(env_id: str) -> Path:
    """Return the file of the pretrained policy for the task and robot of `env_id`.

    Raises:
        InvalidArgumentError: there is none.
    """
    shipped = {path.stem: path for path in sorted(FOLDER.glob("*.npz"))}
    parts = parse_id(env_id)
    name = f"{parts.robot}{parts.task}"
    if name not in shipped:
        raise InvalidArgumentError(
            f"there is no pretrained policy for {env_id}, only for {', '.join(shipped)}"
        )
    return shipped[name]
