"""``gym-hil play``: runs episodes of a task and shows them."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import gymnasium as gym
import numpy as np
import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gym_hil.cli import STOPPED
from gym_hil.cli.common import operator_named, plain_table, policy_maker, write_json
from gym_hil.cli.option_types import OperatorOrNobody, Preset, TermName
from gym_hil.cli.progress import progress_bar
from gym_hil.cli.real_arm import RealArmOptions
from gym_hil.core import schema
from gym_hil.core.delays import Delays
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import PRIVATE
from gym_hil.devices.page import PageAddress
from gym_hil.intervention.human_cost import HUMAN_COST, HumanCost, RecordHumanCost
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.intervention.named import PEOPLE
from gym_hil.intervention.scripted_policies import Policy
from gym_hil.reports.video import open_video, render_image, with_banner
from gym_hil.simulation.gl import has_display
from gym_hil.simulation.rendering import Image
from gym_hil.stacks.config import EnvConfig
from gym_hil.stacks.ids import full_id
from gym_hil.viewers.attach import find_page, needs_viewer, open_page
from gym_hil.viewers.web.wait import await_person


@dataclass(frozen=True)
class PlayedEpisode:
    """Result of one episode."""

    seed: int
    success: bool
    steps: int
    reward: float
    end: str
    human: HumanCost


@dataclass(kw_only=True)
class Play:
    """Run episodes of a task. Fails unless all episodes succeed, or the share `--min-success` of them."""

    task: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[TASK]")] = None
    """Environment id, with or without "gym_hil/": PandaPickCube-v0, PandaArrangeBoxes-v1, ... By default
    PandaPickCube-v1, or SO101PickCube-v1 with `--robot`."""
    operator: OperatorOrNobody | None = None
    """Operator who may take over from the policy; by default the expert, or none if `--policy` is given."""
    preset: Preset = DEFAULT_PRESET
    """Preset of the simulated human."""
    policy: str = "zero"
    """Policy that acts while the operator does not: zero, random, noisy-expert, fumbling, pretrained, or a folder of
    `gym-hil train`."""
    observation_terms: tuple[TermName, ...] = ()
    """Terms of the observation instead of those of the id, such as proprioception tcp_wrench."""
    episodes: int | None = None
    """Number of episodes; by default one, or on a web page until Ctrl-C."""
    seed: int = 0
    """Seed of the first episode, incremented by 1 for each further one."""
    video: Path | None = None
    """Write a video (.mp4) of all episodes, with a banner that shows who acts."""
    json: Path | None = None
    """Also write the table to this file."""
    window: bool = True
    """Show the episodes in real time, unless `--video` is given: in a window if there is a display, or else
    on a web page if the output is a terminal."""
    web: bool = False
    """Show the episodes on a web page of this machine, and print its address on a line of its own. You drive
    from there, unless `--operator` names an operator other than the expert."""
    gamepad_name: str | None = None
    """Part of the name of the gamepad to use; by default any gamepad."""
    page: Annotated[PageAddress, tyro.conf.OmitArgPrefixes] = field(default_factory=PageAddress)
    """Address of the web page."""
    reward: Path | None = None
    """File of `gym-hil reward train` that decides about success; by default the task itself does."""
    delays: Annotated[Delays, tyro.conf.OmitArgPrefixes] = field(default_factory=Delays)
    """Delays of a simulated robot."""
    arm: Annotated[RealArmOptions, tyro.conf.OmitArgPrefixes] = field(default_factory=RealArmOptions)
    """The arm, if it is outside the simulation."""
    min_success: float = 1.0
    """Share of episodes, in [0, 1], that must succeed for exit status 0."""

    def run(self) -> int:
        """Run the episodes, and print the table."""
        if self.episodes is not None and self.episodes < 1:
            raise InvalidArgumentError(f"episodes={self.episodes} must be at least 1")
        console = Console()
        env = self._make()
        page = find_page(env)
        url = page.url if page is not None else None
        facts = {"task": self._id, "url": url}
        if url is not None:
            write_json(self.json, {**facts, "episodes": []}, mode=PRIVATE)
        operator = env.get_wrapper_attr("operator")
        if operator is not None and operator.help():
            console.print(operator.help(), highlight=False)
        count = self.episodes or (None if needs_viewer(env, "page") else 1)
        episodes: list[PlayedEpisode] = []
        stopped = False
        try:
            await_person(env, console.print)
            self._play(env, count, episodes, console)
        except KeyboardInterrupt:
            stopped = True
            console.print("Stopped.")
        finally:
            env.close()
        console.print(_table(episodes))
        rate = sum(episode.success for episode in episodes) / max(1, len(episodes))
        console.print(f"{sum(e.success for e in episodes)} of {len(episodes)} episodes succeeded.")
        if self.video is not None:
            console.print(f"Video: {self.video}")
        result = {**facts, "episodes": [asdict(e) for e in episodes], "success": rate}
        mode = 0o666 if url is None else PRIVATE  # the address contains the token
        write_json(self.json, result, mode=mode)
        if count is None:
            return 0
        return STOPPED if stopped else int(rate < self.min_success)

    def _play(self, env: gym.Env, count: int | None, episodes: list[PlayedEpisode], console: Console) -> None:
        """Run `count` episodes, or an unlimited number if it is None, and append the results to `episodes`."""
        new_policy = policy_maker(self.policy, self._id, on_arm=self.arm.robot is not None)
        seeds = itertools.count(self.seed) if count is None else range(self.seed, self.seed + count)
        with contextlib.ExitStack() as stack:
            add = None
            if self.video is not None:
                add = stack.enter_context(open_video(self.video, env.metadata["render_fps"]))
            progress = stack.enter_context(progress_bar(console))
            for seed in progress.track(seeds, total=count, description="playing"):
                episodes.append(self._episode(env, new_policy, seed, add))

    @property
    def _id(self) -> str:
        return self.arm.environment_id(self.task or (None if self.arm.robot else "PandaPickCube-v1"))

    def _make(self) -> gym.Env:
        env_id = full_id(self._id)
        named = operator_named(env_id, self.operator)
        on_page = self.web or named == "browser" or self._needs_page()
        if on_page and named in (None, "expert"):
            named = "browser"
        elif named is None and self.policy == "zero" and self.arm.robot is None:
            named = "expert"
        in_window = self.window and self.video is None and has_display()
        config = EnvConfig.of(
            env_id,
            operator=None if named == "none" else named,
            preset=self.preset,
            page=self.page,
            gamepad_name=self.gamepad_name,
            **({"observation_terms": self.observation_terms} if self.observation_terms else {}),
            **self.delays.arguments(),
            reward=self.reward,
            use_viewer=in_window and not on_page,
            render_mode="rgb_array" if self.video is not None else None,
            real_time=on_page or in_window or named in PEOPLE,
        )
        env = self.arm.build(config)
        if on_page and find_page(env) is None:
            print(open_page(env, self.page).url, flush=True)
        return RecordHumanCost(env)

    def _needs_page(self) -> bool:
        """Return whether a person at a terminal wants to watch, but there is no display."""
        at_terminal = sys.stdout is not None and sys.stdout.isatty()
        return self.window and self.video is None and at_terminal and not has_display()

    def _episode(
        self, env: gym.Env, new_policy: Callable[[], Policy], seed: int, add: Callable[[Image], None] | None
    ) -> PlayedEpisode:
        policy, rng, interface = new_policy(), np.random.default_rng(seed), EnvironmentInterface(env)
        _, info = env.reset(seed=seed)
        steps, total = 0, 0.0
        terminated = truncated = False
        while not (terminated or truncated):
            _, reward, terminated, truncated, info = env.step(policy(interface, rng))
            steps += 1
            total += float(reward)
            if add is not None:
                frame = with_banner(
                    render_image(env),
                    human=bool(info[schema.IS_INTERVENTION]),
                    success=bool(info[schema.NEXT_SUCCESS]),
                    seconds=steps * interface.control_dt,
                )
                add(frame)
        human = HumanCost(**info[HUMAN_COST])
        end = info["termination_reason"] or "time_limit"
        return PlayedEpisode(seed, human.success, steps, total, end, human)


def _table(episodes: list[PlayedEpisode]) -> Table:
    with_human = any(episode.human.watched_s or episode.human.intervened_s for episode in episodes)
    columns = ("takeovers", "changes of\ncontrol", "acting\n(s)", "watching\n(s)", "by\nhuman")
    table = plain_table("seed", "success", "steps", "reward", "end", *(columns if with_human else ()))
    for episode in episodes:
        human = episode.human
        cost = (
            str(human.interventions),
            str(human.switches),
            f"{human.intervened_s:.1f}",
            f"{human.watched_s:.1f}",
            f"{human.rate:.0%}",
        )
        table.add_row(
            str(episode.seed),
            "[green]yes[/]" if episode.success else "[red]no[/]",
            str(episode.steps),
            f"{episode.reward:.2f}",
            escape(episode.end.replace("_", " ")),
            *(cost if with_human else ()),
        )
    return table
