"""``gym-hil train`` and ``gym-hil eval``: learn with a human in the loop, and say how well it went."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table

from gym_hil.cli.common import full_id, write_json
from gym_hil.errors import InvalidArgumentError, MissingExtraError
from gym_hil.registry import SUFFIXES

if TYPE_CHECKING:
    from gym_hil.training.run import Point


@dataclass(kw_only=True)
class Train:
    """Learn a task from demonstrations, and from a human who watches and takes over.

    Writes checkpoint, configuration, learning curve and result into `--out`.
    """

    task: Annotated[str, tyro.conf.Positional]
    """Environment id, with or without "gym_hil/": PandaPickCube-v1, ..."""
    operator: Literal["simulated", "gamepad", "keyboard", "browser", "none"] = "simulated"
    """Who demonstrates and takes over; none: scripted demonstrations, and nobody afterwards."""
    preset: Literal["coach", "expert", "novice", "keyboard", "inattentive"] = "coach"
    """Limits of the simulated human."""
    robot_minutes: float = 10.0
    """Simulated minutes at 10 Hz, demonstrations included."""
    demos: int = 20
    """Demonstrated episodes before learning starts."""
    seed: int = 0
    """Seed of everything."""
    out: Path = Path("hil-run")
    """Folder for the results."""
    json: Path | None = None
    """Write the result to this file as well."""
    min_success: float = 0.0
    """Share of evaluation episodes, in [0, 1], that must succeed for exit status 0."""

    def run(self) -> int:
        """Train and report."""
        require_libraries()
        from gym_hil.training.config import TrainConfig
        from gym_hil.training.run import train

        config = TrainConfig(
            env_id=state_base_id(self.task),
            operator=self.operator,
            preset=self.preset,
            robot_minutes=self.robot_minutes,
            demos=self.demos,
            seed=self.seed,
        )
        console = Console()
        console.print(
            f"{config.demos} demonstrations, then learning: {config.robot_minutes:g} robot minutes in all."
        )

        def report(point: Point) -> None:
            console.print(
                f"{point.robot_minutes:5.1f} min {point.wall_s:5.0f} s  alone {point.success_alone:4.0%}"
                f"  with help {point.success_with_help:4.0%}  takeover rate {point.intervention_rate:4.0%}"
                f"  human {point.human_s:5.1f} s"
            )

        found = train(config, self.out, report)
        console.print(
            f"{found.successes} of {found.episodes} without help "
            f"(95 % interval {found.low:.0%} to {found.high:.0%}). Results: {self.out}"
        )
        write_json(self.json, asdict(found))
        return 0 if found.successes >= self.min_success * found.episodes else 1


@dataclass(kw_only=True)
class Eval:
    """Say how well a trained policy does without a human."""

    run_dir: Annotated[Path, tyro.conf.Positional]
    """Folder that `gym-hil train` wrote."""
    task: str | None = None
    """Environment id to evaluate on; must be the task that the policy was trained on."""
    episodes: int = 100
    """How many episodes."""
    seed: int = 1_000_000
    """Seed of the first episode; each further one adds 1."""
    json: Path | None = None
    """Write the result to this file as well."""
    min_success: float = 0.0
    """Share of episodes, in [0, 1], that must succeed for exit status 0."""

    def run(self) -> int:
        """Evaluate and report."""
        require_libraries()
        from gym_hil.training.checkpoint import load, require_task
        from gym_hil.training.evaluation import evaluate
        from gym_hil.training.policy_env import make_policy_env

        if self.episodes < 1:
            raise InvalidArgumentError(f"episodes={self.episodes} must be at least 1")
        config, act = load(self.run_dir)
        if self.task is not None:
            require_task(self.run_dir, config, state_base_id(self.task))
        env = make_policy_env(config.env_id, None)
        found = evaluate(act, env, self.episodes, self.seed)
        env.close()
        table = Table("task", "success", "95 % interval", "cycle")
        cycle = "-" if found.cycle_s is None else f"{found.cycle_s:.1f} s"
        rate = f"{found.successes}/{found.episodes}"
        table.add_row(config.env_id, rate, f"{found.low:.1%} to {found.high:.1%}", cycle)
        Console().print(table)
        write_json(self.json, {"env_id": config.env_id, **asdict(found)})
        return 0 if found.successes >= self.min_success * found.episodes else 1


def state_base_id(task: str) -> str:
    """Return the base id with state observations of any id of the same task and version."""
    env_id = full_id(task)
    name, version = env_id.rsplit("-v", 1)
    for suffix in (*SUFFIXES, "Base"):
        name = name.removesuffix(suffix)
    return f"{name.removesuffix('State')}StateBase-v{version}"


def require_libraries() -> None:
    """Raise `MissingExtraError` unless training can be imported."""
    for package in ("torch", "stable_baselines3"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError(package.replace("_", "-"), "train", "Training") from error
