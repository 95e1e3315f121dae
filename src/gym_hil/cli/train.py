"""``gym-hil train`` and ``gym-hil eval``: learn with a human in the loop, and say how well it went."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import gymnasium as gym
import tyro
from rich.console import Console
from rich.table import Table

from gym_hil.cli.common import require_libraries, state_base_id, write_json
from gym_hil.cli.option_types import Preset, Teacher
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.page import PageAddress
from gym_hil.learning.pretrained import PRETRAINED, pretrained

if TYPE_CHECKING:
    from gym_hil.learning.config import TrainConfig
    from gym_hil.learning.run_status import RunStatus


@dataclass(kw_only=True)
class Train:
    """Learn a task from demonstrations, and from a human who watches and takes over.

    Writes a report, videos, checkpoint, policy, learning curve and configuration into `--out`. Killing it at
    any instant costs at most the running episode; `--resume` goes on. Ctrl-C stops it.
    """

    task: Annotated[str, tyro.conf.Positional]
    """Environment id, with or without "gym_hil/": PandaPickCube-v1, ..."""
    backend: Literal["gym-hil", "lerobot"] = "gym-hil"
    """Who learns; lerobot: LeRobot's learner and actor, started and followed, with results of their kind.
    They take obs, operator, robot-minutes (of the actor alone), demos, device and out."""
    obs: Literal["state", "pixels"] = "state"
    """What the policy sees: where things are, or the two cameras and its hand."""
    image_size: int = 64
    """Pixels along a side of an image."""
    device: str = "auto"
    """Of the networks, as PyTorch names it; auto: a GPU for pixels, if there is one."""
    method: Literal["hil", "hg-dagger", "bc"] = "hil"
    """hil: reinforcement learning with a human in the loop; hg-dagger: imitation of demonstrations and
    interventions; bc: imitation of demonstrations alone."""
    operator: Teacher = "simulated"
    """Who demonstrates and takes over, a person in real time; none: scripted demonstrations, and nobody
    afterwards."""
    preset: Preset = "coach"
    """Limits of the simulated human."""
    robot_minutes: float = 10.0
    """Simulated minutes at 10 Hz, demonstrations included."""
    demos: int = 20
    """Demonstrated episodes before learning starts."""
    seed: int = 0
    """Seed of everything."""
    episodes: int = 100
    """Episodes of the last evaluation."""
    out: Path = Path("hil-run")
    """Folder for the results; new, or with `--resume` that of a run to go on with."""
    resume: bool = False
    """Go on from the last episode in `--out`."""
    page: Annotated[PageAddress, tyro.conf.OmitArgPrefixes] = field(default_factory=PageAddress)
    """Where the web page is."""
    json: Path | None = None
    """Write the result to this file as well."""
    min_success: float = 0.0
    """Share of evaluation episodes, in [0, 1], that must succeed for exit status 0."""

    def run(self) -> int:
        """Train and report."""
        console = Console(highlight=False)
        if self.backend == "lerobot":
            from gym_hil.cli.lerobot_backend import train_with_lerobot

            return train_with_lerobot(self, console)
        require_libraries()
        from gym_hil.learning.run import train

        config = self._config()
        console.print(
            f"{config.demos} demonstrations, then learning: {config.robot_minutes:g} robot minutes in all."
        )
        try:
            found = train(
                config,
                self.out,
                Printer(console, config),
                resume=self.resume,
                page=self.page,
                ready=lambda env: _welcome(env, console),
            )
        except KeyboardInterrupt:
            console.print(f"Stopped. The same command with --resume goes on with {self.out}.")
            return 130
        console.print(
            f"{found.successes} of {found.episodes} without help "
            f"(95 % interval {found.low:.0%} to {found.high:.0%}). Results: {self.out}"
        )
        write_json(self.json, asdict(found))
        return 0 if found.successes >= self.min_success * found.episodes else 1

    def _config(self) -> TrainConfig:
        from gym_hil.learning.config import TrainConfig
        from gym_hil.learning.presets import usual_pace

        return TrainConfig(
            env_id=state_base_id(self.task),
            obs=self.obs,
            image_size=self.image_size,
            device=self.device,
            **usual_pace(self.obs),
            method=self.method,
            operator=self.operator,
            preset=self.preset,
            robot_minutes=self.robot_minutes,
            demos=self.demos,
            seed=self.seed,
            final_episodes=self.episodes,
        )


def _welcome(env: gym.Env, console: Console) -> None:
    """Say to a person how to drive."""
    if env.has_wrapper_attr("operator"):
        console.print(env.get_wrapper_attr("operator").help())


class Printer:
    """Prints each new point of the learning curve; where a person drives, each episode as well."""

    def __init__(self, console: Console, config: TrainConfig) -> None:
        self._console, self._every_episode = console, config.real_time
        self._points = self._episodes = 0

    def __call__(self, status: RunStatus) -> None:
        """Print what is new."""
        if self._every_episode and status.episodes != self._episodes:
            self._print_episode(status)
        self._episodes = status.episodes
        if len(status.points) > self._points:
            self._points = len(status.points)
            point = status.points[-1]
            bar = "█" * round(10 * point.success_alone)
            self._console.print(
                f"{point.robot_minutes:5.1f} min {point.wall_s:5.0f} s"
                f"  alone {point.success_alone:4.0%} {bar:10}"
                f"  helped {point.success_with_help:4.0%}  takeovers {point.intervention_rate:4.0%}"
                f"  human {point.human_s:4.0f} s"
            )

    def _print_episode(self, status: RunStatus) -> None:
        if status.demonstrated < status.demos:
            self._console.print(f"demonstration {status.demonstrated} of {status.demos}")
            return
        recent = "" if status.success_with_help is None else f"{status.success_with_help:.0%} with help"
        self._console.print(f"episode {status.episodes}: {status.updates} updates, lately {recent}")


@dataclass(kw_only=True)
class Eval:
    """Say how well a trained policy does without a human."""

    policy: Annotated[Path, tyro.conf.Positional]
    """Folder that `gym-hil train` wrote, a policy (.npz) or checkpoint (.zip) in it, or pretrained."""
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
        from gym_hil.learning.checkpoint import env_of, load, pixels_of, require_env
        from gym_hil.learning.evaluation import evaluate
        from gym_hil.learning.policy import GaussianPolicy
        from gym_hil.learning.policy_env import make_policy_env

        if self.episodes < 1:
            raise InvalidArgumentError(f"episodes={self.episodes} must be at least 1")
        path = self.policy
        if str(path) == PRETRAINED:
            path = pretrained(self.task or "PandaPickCube-v1")
        trained = load(path)
        env_id = env_of(trained) if self.task is None else state_base_id(self.task)
        require_env(trained, path, env_id)
        env = make_policy_env(env_id, None, pixels=pixels_of(trained))
        found = evaluate(GaussianPolicy(trained.weights).act, env, self.episodes, self.seed)
        env.close()
        table = Table("task", "success", "95 % interval", "cycle")
        cycle = "-" if found.cycle_s is None else f"{found.cycle_s:.1f} s"
        rate = f"{found.successes}/{found.episodes}"
        table.add_row(env_id, rate, f"{found.low:.1%} to {found.high:.1%}", cycle)
        Console().print(table)
        write_json(self.json, {"env_id": env_id, **asdict(found)})
        return 0 if found.successes >= self.min_success * found.episodes else 1
