"""``gym-hil record``: records episodes of a person or a simulated human."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import tyro
from rich.console import Console

from gym_hil.cli.common import operator_named, policy_maker, write_json
from gym_hil.cli.option_types import FormatName, OperatorOrNobody, Preset, TermName
from gym_hil.cli.progress import progress_bar
from gym_hil.cli.real_arm import RealArmOptions
from gym_hil.core.delays import Delays
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.datasets.dataset import Dataset, DatasetSettings, default_root, read_settings
from gym_hil.datasets.formats.registry import DATASET_FORMATS, JOURNAL_ONLY
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.manifest import sha256
from gym_hil.datasets.recorder import EpisodeRecorder
from gym_hil.datasets.replay import DEFAULT_SIZE, recorded_arguments
from gym_hil.datasets.review import LETTERS, Answer, ask, can_type, question_about, verdict_for_end
from gym_hil.devices.page import PageAddress
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.intervention.named import PEOPLE, SIMULATED, make_demonstrator
from gym_hil.intervention.operator import Operator
from gym_hil.intervention.scripted_policies import Policy
from gym_hil.simulation.gl import has_display
from gym_hil.simulation.rendering import GymRenderingSpec
from gym_hil.stacks.build import make_env
from gym_hil.stacks.ids import full_id, is_external, recorded_id
from gym_hil.viewers.web.wait import await_person

COMPLETE_EVERY = 5
"""Number of episodes after which files are completed while missing episodes are exported, so that a later crash cannot
damage them."""
_ALWAYS_STORED = ("proprioception", "objects", "rgb")
"""Observation terms that are always recorded, as positions and images."""
_TERMINAL = ("terminal", "spacemouse", "leader")
"""Operators that read the keys of the terminal themselves."""


@dataclass(kw_only=True)
class Record:
    """Record episodes. A crash loses at most the current episode, and `--resume` continues.

    With `--repo-id`, the dataset is a LeRobotDataset v3 for `lerobot-train`.
    """

    task: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[TASK]")] = None
    """Environment id, with or without "gym_hil/": PandaPickCube-v1, ... By default SO101PickCube-v1 with
    `--robot`."""
    root: Path | None = None
    """Folder of the dataset; by default the one in which LeRobot or Minari look for `--repo-id`."""
    operator: OperatorOrNobody | None = None
    """Operator who may take over from the policy; by default that of the id, or else a simulated human. none: the
    policy alone acts."""
    preset: Preset = DEFAULT_PRESET
    """Preset of the simulated human."""
    policy: str = "zero"
    """Policy that acts while the operator does not: zero, random, noisy-expert, fumbling, pretrained, or a folder of
    `gym-hil train`."""
    episodes: int = 10
    """Number of episodes in the finished dataset."""
    observation_terms: tuple[TermName, ...] = ()
    """Observation terms to record in addition to positions and images, such as tcp_wrench or depth."""
    format: FormatName | None = None
    """episodes: this package's own format, the default. lerobot: LeRobotDataset v3, the default with
    `--repo-id`. minari: the Farama Foundation's format. Or a format of another package."""
    repo_id: str | None = None
    """Name of the dataset: user/name for LeRobot, user/name-v0 for Minari."""
    image_size: int | None = None
    """Height and width (pixels) of the images of the cameras front and wrist; 0 for no images. The default is
    128 for LeRobot and 0 for Minari. This package's own format needs no images, because they can be rendered
    from its states."""
    ask: bool = True
    """Ask a person after each episode whether to keep it, unless a button has answered this already."""
    real_time: bool = False
    """Keep the control rate even without a person, and report late steps."""
    seed: int = 0
    """Seed of episode 0, incremented by 1 for each further start."""
    resume: bool = False
    """Continue in a folder that contains episodes."""
    gamepad_name: str | None = None
    """Part of the name of the gamepad to use; by default any gamepad."""
    page: Annotated[PageAddress, tyro.conf.OmitArgPrefixes] = field(default_factory=PageAddress)
    """Address of the web page."""
    arm: Annotated[RealArmOptions, tyro.conf.OmitArgPrefixes] = field(default_factory=RealArmOptions)
    """The arm, if it is outside the simulation."""
    reward: Path | None = None
    """File of `gym-hil reward train` that decides about success; by default the task itself does."""
    delays: Annotated[Delays, tyro.conf.OmitArgPrefixes] = field(default_factory=Delays)
    """Delays of a simulated robot."""
    json: Path | None = None
    """Also write a summary to this file."""

    def run(self) -> int:
        """Record, and print one line per episode."""
        if self.episodes < 1:
            raise InvalidArgumentError(f"episodes={self.episodes} must be at least 1")
        console = Console()
        task, on_arm = self.arm.environment_id(self.task), self.arm.robot is not None
        self._built_id = recorded_id(task)
        env_id = self.arm.robot or self._built_id
        self._operator = operator_named(full_id(task), self.operator) or "simulated"
        new_policy = policy_maker(self.policy, task, on_arm=on_arm)
        with contextlib.ExitStack() as stack:
            dataset = self._dataset(env_id, console)
            stack.callback(dataset.close)
            env = self._make(dataset.journal)
            stack.callback(env.close)
            described = {"env_id": env_id, "operator": self._operator, "policy": self.policy}
            if self._operator in SIMULATED:
                described["preset"] = self.preset
            recorder = EpisodeRecorder(env, described, cameras=dataset.settings.image_size > 0)
            try:
                self._write_missing(dataset, env, console)
                self._record(dataset, env, recorder, new_policy, console)
                stopped = False
            except KeyboardInterrupt:
                stopped = True
        kept = len(dataset.numbers())
        stored = f"{kept} episodes in {dataset.root}"
        console.print(f"Stopped. {stored}; continue with --resume." if stopped else stored, soft_wrap=True)
        facts: dict[str, Any] = {
            "root": str(dataset.root), "env_id": dataset.journal.env_id, "episodes": kept
        }  # fmt: skip
        if env.has_wrapper_attr("overruns"):
            late, worst_s = env.get_wrapper_attr("overruns"), env.get_wrapper_attr("worst_overrun_s")
            facts |= {"steps": self._steps, "late": late, "worst_s": worst_s}
            by = f", by at most {1000 * worst_s:.0f} ms" if late else ""
            console.print(f"In real time, {late} of {self._steps} steps began late{by}.")
        write_json(self.json, facts)
        return 0 if kept >= self.episodes else 1

    def _dataset(self, env_id: str, console: Console) -> Dataset:
        format = self.format or (JOURNAL_ONLY if self.repo_id is None else "lerobot")
        if self.arm.robot is not None and format == "minari":
            raise InvalidArgumentError(
                "format='minari' is for simulated environments; an arm needs episodes or lerobot"
            )
        default_size = 0 if format == JOURNAL_ONLY else DATASET_FORMATS[format].image_size
        if self.arm.robot is not None:
            default_size = DEFAULT_SIZE if self.arm.robot_cameras else 0
        size = default_size if self.image_size is None else self.image_size
        further = [name for name in self.observation_terms if name not in _ALWAYS_STORED]
        settings = DatasetSettings(
            format,
            self.repo_id,
            size,
            further or None,
            self.delays.arguments() or None,
            None if self.reward is None else f"{self.reward.name} {sha256(self.reward)}",
        )
        root = self.root or default_root(settings)
        if self.resume and self.format is None and self.repo_id is None:
            stored_settings = read_settings(root) or settings
            settings = replace(stored_settings, delays=settings.delays, reward=settings.reward)
        with progress_bar(console) as progress:
            progress.add_task("opening the dataset", total=None)
            dataset = Dataset(root, env_id, settings, resume=self.resume)
        journal = dataset.journal
        notes = [
            f"Episode {number} is damaged: {damage}. It is kept but ignored."
            for number, damage in dataset.damage.items()
        ]
        notes += [
            f"{journal.root / name} is not an episode and is ignored." for name in journal.unexpected_names()
        ]
        notes += [
            f"{dataset.root / name} was changed after it was written; it is exported again from the episodes."
            for name in dataset.changed
        ]
        notes += [f"{name} was set aside under {journal.root / 'set-aside'}." for name in dataset.set_aside]
        for note in notes:
            console.print(note, markup=False, soft_wrap=True)
        return dataset

    def _make(self, journal: EpisodeStore) -> gym.Env:
        env_id = self._built_id
        person = self._operator in PEOPLE
        size = journal.settings["image_size"] or DEFAULT_SIZE
        external = is_external(env_id)
        observed = self.delays.arguments() if external else recorded_arguments(journal, _square(size))
        self._steps, self._stop = 0, False
        return make_env(
            env_id,
            operator=self._demonstrator() or (None if self._operator == "none" else self._operator),
            preset=self.preset,
            page=self.page,
            gamepad_name=self.gamepad_name,
            use_viewer=person and has_display() and self._operator != "browser",
            **{**observed, "reward": self.reward},
            real_time=person or self.real_time,
            build=self.arm.build,
        )

    def _demonstrator(self) -> Operator | None:
        """Return a simulated human that acts throughout an episode, if there is no policy."""
        if self._operator in SIMULATED and self.policy == "zero":
            return make_demonstrator(self._operator, self.preset)
        return None

    def _write_missing(self, dataset: Dataset, env: gym.Env, console: Console) -> None:
        missing = dataset.missing()
        with progress_bar(console) as progress:
            for number in progress.track(missing, description="exporting missing episodes"):
                dataset.write_missing(number, EnvironmentInterface(env))
                if number == missing[-1] or number % COMPLETE_EVERY == 0:
                    dataset.complete()
        if missing:
            console.print(f"{len(missing)} episodes were exported again from the journal.")

    def _record(
        self, dataset: Dataset, env: gym.Env, recorder: EpisodeRecorder, new_policy: Any, console: Console
    ) -> None:
        numbers = dataset.numbers()
        seed = max(self.seed, dataset.next_seed())
        if self._operator in PEOPLE:
            console.print(env.get_wrapper_attr("operator").help(), highlight=False)
        with progress_bar(console) as progress:
            bar = progress.add_task("recording", total=self.episodes, completed=len(numbers))
            while len(numbers) < self.episodes:
                await_person(env, console.print)
                end = self._episode(env, new_policy(), seed)
                if end is None:
                    console.print(
                        "The window was closed and the current episode discarded. Continue with --resume."
                    )
                    return
                verdict = self._verdict(env, end, console)
                if verdict is Answer.AGAIN:
                    console.print("recording again from the same start")
                    continue
                seed += 1
                if verdict is Answer.DISCARD:
                    console.print("discarded")
                    continue
                episode = recorder.episode(seed - 1)
                number = dataset.append(episode, recorder.images)
                numbers.append(number)
                progress.advance(bar)
                console.print(f"episode {number}: {episode.length} steps, {episode.meta['end']}")
                if self._stop:
                    raise KeyboardInterrupt

    def _episode(self, env: gym.Env, policy: Policy, seed: int) -> str | None:
        """Run an episode, and return the reason of its end, or None if the window was closed."""
        interface, rng = EnvironmentInterface(env), np.random.default_rng(seed)
        env.reset(seed=seed)
        while True:
            *_, terminated, truncated, info = env.step(policy(interface, rng))
            self._steps += 1
            if terminated or truncated:
                return str(info["termination_reason"])
            if any(observer.closed for observer in interface.observers):
                return None

    def _verdict(self, env: gym.Env, end: str, console: Console) -> Answer:
        verdict = verdict_for_end(end)
        operator = env.get_wrapper_attr("operator")
        person = operator is not None and operator.device is not None and not operator.simulated
        if verdict is None and self.ask and person:
            question = question_about(end)
            observers, typed = env.get_wrapper_attr("observers"), can_type(self._operator not in _TERMINAL)
            console.print(f"{question} {LETTERS}" if typed else question)
            try:
                verdict = ask(operator.device, observers, question, typed=typed)
            except KeyboardInterrupt:
                self._stop = True
        return verdict or Answer.KEEP


def _square(size: int) -> GymRenderingSpec:
    return GymRenderingSpec(height=size, width=size)
