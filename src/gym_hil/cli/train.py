"""``gym-hil train`` and ``gym-hil eval``: train a policy with a human in the loop, and evaluate it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import gymnasium as gym
import tyro
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gym_hil.cli.common import operator_named, require_libraries, state_base_id, write_json
from gym_hil.cli.option_types import Method, Preset, Teacher
from gym_hil.cli.progress import progress_bar
from gym_hil.cli.real_arm import RealArmOptions
from gym_hil.core.delays import Delays
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.page import PageAddress
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.learning.pretrained import PRETRAINED, pretrained
from gym_hil.stacks.ids import full_id

if TYPE_CHECKING:
    from gym_hil.learning.config import TrainConfig
    from gym_hil.learning.learning_curve import Point
    from gym_hil.learning.run_status import RunStatus


@dataclass(kw_only=True)
class Train:
    """Train a policy from demonstrations and from interventions of a human who watches.

    Writes a report, videos, checkpoint, policy, learning curve and configuration to `--out`. Ctrl-C stops the
    run; a crash loses at most the current episode. `--resume` continues.
    """

    task: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[TASK]")] = None
    """Environment id, with or without "gym_hil/": PandaPickCube-v1, ... By default SO101PickCube-v1 with
    `--robot`."""
    backend: Literal["gym-hil", "lerobot"] = "gym-hil"
    """Implementation of the training. lerobot: LeRobot's learner and actor, with results in LeRobot's formats.
    Of the options below, it supports `--obs`, `--operator`, `--robot-minutes` (without demonstrations), `--demos`,
    `--device` and `--out`."""
    obs: Literal["state", "positions", "pixels"] = "state"
    """Observation of the policy. state: positions of the objects, also relative to the end effector and the goal;
    positions: only in the world frame; pixels: images of two cameras and the state of the end effector."""
    image_size: int = 64
    """Height and width of an image in pixels."""
    device: str = "auto"
    """Torch device of the networks; auto: a GPU for pixels, if there is one."""
    method: Method = "hil"
    """hil: reinforcement learning with a human in the loop; hg-dagger: imitation of demonstrations and
    interventions; bc: imitation of demonstrations alone; others: see docs/learning.md; or a method of another
    package."""
    operator: Teacher | None = None
    """Operator who demonstrates and takes over; a person does so in real time. Default: the operator in the id,
    otherwise a simulated human. none: scripted demonstrations without takeovers."""
    preset: Preset = DEFAULT_PRESET
    """Preset of the simulated human."""
    robot_minutes: float = 10.0
    """Simulated minutes, including demonstrations."""
    demos: int = 20
    """Number of demonstrations before training."""
    seed: int = 0
    """Seed of the run. Use seeds 0 to 9 for development and others for reported results; the two groups are
    evaluated from different start states."""
    episodes: int | None = None
    """Number of episodes of the last evaluation; by default 100, or 10 with `--robot`."""
    out: Path = Path("hil-run")
    """Folder of the results: a new one, or with `--resume` that of a run to continue."""
    resume: bool = False
    """Continue the run in `--out`."""
    track: tuple[Literal["wandb", "trackio"], ...] = ()
    """Also log losses and results to these services. TensorBoard's files are always written to `--out`."""
    gamepad_name: str | None = None
    """Part of the name of the gamepad to use; by default any gamepad."""
    page: Annotated[PageAddress, tyro.conf.OmitArgPrefixes] = field(default_factory=PageAddress)
    """Address of the web page."""
    arm: Annotated[RealArmOptions, tyro.conf.OmitArgPrefixes] = field(default_factory=RealArmOptions)
    """The arm, if it is outside the simulation."""
    reward: Path | None = None
    """File of `gym-hil reward train` that decides about success in training; by default the task itself does. In
    evaluations, the task itself always does."""
    delays: Annotated[Delays, tyro.conf.OmitArgPrefixes] = field(default_factory=Delays)
    """Delays of a simulated robot."""
    json: Path | None = None
    """Also write the result to this file."""
    min_success: float = 0.0
    """Share of evaluation episodes, in [0, 1], that must succeed for exit status 0."""

    def run(self) -> int:
        """Train, and print the result."""
        console = Console(highlight=False)
        if self.backend == "lerobot":
            if self.arm.robot is not None:
                raise InvalidArgumentError("--robot needs the backend gym-hil")
            from gym_hil.cli.lerobot_backend import train_with_lerobot

            return train_with_lerobot(self, console)
        require_libraries()
        from gym_hil.learning.report import operator_phrase
        from gym_hil.learning.run import train

        config, arm = self._config(), self.arm.arm()
        self.arm.require_same(self.out)

        def ready(env: gym.Env) -> None:
            self.arm.write_description(self.out)
            _welcome(env, console)

        console.print(
            f"{config.demos} demonstrations, then training: {config.robot_minutes:g} robot minutes in total. "
            f"Operator: {operator_phrase(config)}."
        )
        try:
            with progress_bar(console) as progress:
                evaluation = train(
                    config,
                    self.out,
                    Printer(console, progress, every_episode=config.real_time or arm is not None),
                    resume=self.resume,
                    page=self.page,
                    gamepad_name=self.gamepad_name,
                    track=self.track,
                    ready=ready,
                    build=None if arm is None else arm.build,
                )
        except KeyboardInterrupt:
            message = f"Stopped. The same command with --resume continues the run in {self.out}."
            console.print(message, soft_wrap=True)
            return 130
        console.print(
            f"Success without help: {evaluation.successes} of {evaluation.episodes} episodes "
            f"(95% interval {evaluation.low:.0%} to {evaluation.high:.0%}). "
            f"Operator in training: {operator_phrase(config)}. "
            f"Results: {self.out}"
        )
        write_json(self.json, asdict(evaluation))
        return 0 if evaluation.successes >= self.min_success * evaluation.episodes else 1

    def operator_name(self) -> str:
        """Return the operator who demonstrates and takes over."""
        return operator_named(full_id(self.env_id), self.operator) or "simulated"

    @property
    def env_id(self) -> str:
        """The environment id on the command line, or that of an arm."""
        return self.arm.environment_id(self.task)

    def _config(self) -> TrainConfig:
        from gym_hil.learning.config import TrainConfig, defaults_for

        env_id = state_base_id(self.env_id)
        default_episodes = 100 if self.arm.robot is None else 10
        return TrainConfig(
            env_id=env_id,
            obs=self.obs,
            image_size=self.image_size,
            device=self.device,
            **defaults_for(env_id, self.obs, self.method),
            method=self.method,
            operator=self.operator_name(),
            preset=self.preset,
            robot_minutes=self.robot_minutes,
            demos=self.demos,
            seed=self.seed,
            final_episodes=default_episodes if self.episodes is None else self.episodes,
            **asdict(self.delays),
            reward=str(self.reward or ""),
        )


def _welcome(env: gym.Env, console: Console) -> None:
    """Print how to drive, for a person."""
    if env.has_wrapper_attr("operator"):
        console.print(env.get_wrapper_attr("operator").help())


class Printer:
    """Prints each new point of the learning curve and, with a person, each episode.

    Args:
        console: prints the lines.
        progress: shows the progress of the run.
        every_episode: whether to print a line after every episode, for a person.
    """

    def __init__(self, console: Console, progress: Progress, *, every_episode: bool) -> None:
        self._console, self._every_episode = console, every_episode
        self._points = self._episodes = 0
        self._progress = progress
        self._run = progress.add_task("training", total=None)
        self._evaluation = progress.add_task("evaluation", total=1.0, visible=False)

    def __call__(self, status: RunStatus) -> None:
        """Print what has changed."""
        self._show(status)
        if self._every_episode and status.episodes != self._episodes:
            self._console.print(episode_line(status))
        self._episodes = status.episodes
        if len(status.points) > self._points:
            if not self._points:
                self._console.print(POINT_HEADER)
            self._points = len(status.points)
            point = status.points[-1]
            self._console.print(point_line(point, online=point.episodes > status.demos))

    def _show(self, status: RunStatus) -> None:
        bars, evaluates = self._progress, status.evaluated is not None
        bars.update(self._run, completed=status.robot_minutes, total=status.total_robot_minutes)
        if evaluates and not bars.tasks[self._evaluation].visible:
            bars.reset(self._evaluation, visible=True)
        bars.update(self._evaluation, completed=status.evaluated, visible=evaluates)
        if status.phase == "done":
            bars.reset(self._run, total=None, description="writing videos and report")
        else:
            bars.update(self._run, description="training" if evaluates else status.phase)


POINT_HEADER = "robot time   elapsed   success alone   with help   steps by human   human time"
"""Headings of `point_line`."""


def point_line(point: Point, *, online: bool = True) -> str:
    """Return a point of the learning curve as a line of at most 79 characters.

    Args:
        point: the point.
        online: whether the policy has already acted in training, not only the human in demonstrations.
    """
    bar = "█" * round(8 * point.success_alone)
    helped = f"{point.success_with_help:.0%}" if online else "-"
    by_human = f"{point.intervention_rate:.0%}" if online else "-"
    return (
        f"{point.robot_minutes:6.1f} min{point.wall_s:8.0f} s   {point.success_alone:4.0%} {bar:8}"
        f"{helped:>12}{by_human:>17}{point.human_s:11.0f} s"
    )


def episode_line(status: RunStatus) -> str:
    """Return a line for the person after an episode."""
    if status.success_with_help is None:
        return f"demonstration {status.demonstrated} of {status.demos}"
    return (
        f"episode {status.episodes}: {status.updates} updates, "
        f"{status.success_with_help:.0%} of the latest episodes succeeded with help"
    )


@dataclass(kw_only=True)
class Eval:
    """Evaluate a trained policy without a human."""

    policy: Annotated[Path, tyro.conf.Positional]
    """Folder of `gym-hil train`, a policy or checkpoint (.npz) in it, or pretrained."""
    task: str | None = None
    """Environment id; must have the task for which the policy was trained."""
    episodes: int = 100
    """Number of episodes."""
    seed: int = 1_000_000
    """Seed of the first episode, incremented by 1 for each further one. Seeds below 2,000,000,000 are for
    development, and others for reports."""
    json: Path | None = None
    """Also write the result to this file."""
    min_success: float = 0.0
    """Share of episodes, in [0, 1], that must succeed for exit status 0."""

    def run(self) -> int:
        """Evaluate the policy, and print the result."""
        from gym_hil.learning.checkpoint import load, make_env_for
        from gym_hil.learning.evaluation import evaluate
        from gym_hil.learning.seeds import purpose_of_result

        if self.episodes < 1:
            raise InvalidArgumentError(f"episodes={self.episodes} must be at least 1")
        path = self.policy
        if str(path) == PRETRAINED:
            path = pretrained(self.task or "PandaPickCube-v1")
        trained = load(path)
        env_id = trained.config.env_id if self.task is None else state_base_id(self.task)
        env, console = make_env_for(trained, path, env_id), Console()
        with progress_bar(console) as progress:
            bar = progress.add_task("evaluating", total=self.episodes)
            evaluation = evaluate(
                trained.make_policy().act, env, self.episodes, self.seed, lambda _: progress.advance(bar)
            )
        env.close()
        table = Table("task", "success", "95% interval", "seconds per success")
        cycle = "-" if evaluation.cycle_s is None else f"{evaluation.cycle_s:.1f}"
        rate = f"{evaluation.successes}/{evaluation.episodes}"
        table.add_row(env_id, rate, f"{evaluation.low:.1%} to {evaluation.high:.1%}", cycle)
        console.print(table)
        purpose = purpose_of_result(trained.config.seed, evaluation.first_start)
        write_json(self.json, {"env_id": env_id, "purpose": purpose, **asdict(evaluation)})
        return 0 if evaluation.successes >= self.min_success * evaluation.episodes else 1
