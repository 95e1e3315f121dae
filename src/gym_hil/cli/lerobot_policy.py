"""``gym-hil lerobot-policy``: a trained policy for `lerobot-rollout`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from gym_hil.cli.common import write_json
from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.core.files import make_folder


@dataclass(kw_only=True)
class LerobotPolicy:
    """Write a trained policy of the SO-101 into a folder with which lerobot-rollout drives an arm."""

    policy: Annotated[Path, tyro.conf.Positional]
    """Folder of `gym-hil train`, or a policy or checkpoint (.npz) in it."""
    out: Path = Path("lerobot-policy")
    """Folder of the result: a new or empty one."""
    json: Path | None = None
    """Also write the policy's interface to this file."""

    def run(self) -> int:
        """Write the folder, and print the option that takes it."""
        from gym_hil.integrations.lerobot.real_arm.stepped import ROBOT
        from gym_hil.learning.checkpoint import load

        trained = load(self.policy)
        if trained.interface.robot != ROBOT:
            raise InvalidArgumentError(
                f"{self.policy} was trained for robot {trained.interface.robot!r}; only policies of {ROBOT!r} can "
                "drive an arm"
            )
        if find_spec("lerobot") is None:
            raise MissingExtraError("lerobot", "lerobot", "A policy for LeRobot")
        make_folder(self.out)
        if any(self.out.iterdir()):
            raise InvalidArgumentError(f"{self.out} is not empty; choose another folder with --out")
        from gym_hil.integrations.lerobot.modeling_trained import export

        export(trained, self.out)
        Console(highlight=False).print(f"--policy.path={shlex.quote(str(self.out))}", soft_wrap=True)
        facts = {"out": str(self.out), "task": trained.interface.task, "obs": trained.config.obs}
        write_json(self.json, facts)
        return 0
