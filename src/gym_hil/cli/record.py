"""``gym-hil record``, ``replay`` and ``inspect``: episodes on disk."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from gym_hil.cli.common import full_id, write_json
from gym_hil.errors import InvalidArgumentError
from gym_hil.operators.named import PEOPLE
from gym_hil.operators.policies import make_policy
from gym_hil.recording.quality import Quality, judge
from gym_hil.recording.recorder import EpisodeRecorder
from gym_hil.recording.replay import first_difference, make_replay_env, replayed, same_model
from gym_hil.recording.store import EpisodeStore
from gym_hil.schema import TerminationReason
from gym_hil.sim.gl import has_display
from gym_hil.wrappers.factory import make_env
from gym_hil.wrappers.pacing import RealTimeWrapper


@dataclass(kw_only=True)
class Record:
    """Record episodes. Killing it at any instant costs at most the running episode; `--resume` goes on."""

    task: Annotated[str, tyro.conf.Positional]
    """Environment id, with or without "gym_hil/": PandaPickCube-v1, ..."""
    root: Path
    """Folder for the episodes."""
    operator: Literal[
        "simulated",
        "expert",
        "gamepad",
        "keyboard",
        "browser",
        "spacemouse",
        "terminal",
    ] = "simulated"
    """Who may take over from the policy."""
    preset: Literal["expert", "novice", "keyboard", "coach", "inattentive"] = "expert"
    """Limits of the simulated human."""
    policy: Literal["zero", "random", "noisy-expert"] = "zero"
    """What acts while nobody takes over."""
    episodes: int = 10
    """How many episodes the folder shall have in the end."""
    seed: int = 0
    """Seed of episode 0; each further one adds 1."""
    resume: bool = False
    """Continue in a folder that has episodes."""
    json: Path | None = None
    """Write what was recorded to this file as well."""

    def run(self) -> int:
        """Record, and print one line per episode."""
        if self.episodes < 1:
            raise InvalidArgumentError(f"episodes={self.episodes} must be at least 1")
        console = Console()
        spec = gym.spec(full_id(self.task))
        if "env_id" not in spec.kwargs:
            raise InvalidArgumentError(f"task {self.task!r} has raw actions; record takes those without Base")
        store = EpisodeStore(self.root, spec.kwargs["env_id"], resume=self.resume)
        for name in store.set_aside:
            console.print(f"Half-written {name} was set aside under {self.root / 'set-aside'}.")
        env = self._make(spec)
        tries = 0
        try:
            while len(store.numbers()) < self.episodes:
                number = max(store.numbers(), default=-1) + 1
                end = self._episode(env, self.seed + number + 100_000 * tries)
                if end == TerminationReason.RERECORD:
                    tries += 1
                    console.print(f"episode {number}: once more")
                    continue
                tries = 0
                episode = env.episode()
                store.append(episode)
                console.print(f"episode {number}: {episode.length} steps, {episode.meta['end']}")
        except KeyboardInterrupt:
            console.print("Stopped; the running episode was dropped. Go on with --resume.")
        finally:
            env.close()
        kept = len(store.numbers())
        console.print(f"{kept} episodes in {self.root}")
        write_json(self.json, {"root": str(self.root), "env_id": store.env_id, "episodes": kept})
        return 0 if kept >= self.episodes else 1

    def _make(self, spec: Any) -> EpisodeRecorder:
        person = self.operator in PEOPLE
        env = make_env(
            spec.kwargs["env_id"],
            operator=self.operator,
            preset=self.preset,
            use_viewer=person and has_display(),
        )
        env = gym.wrappers.TimeLimit(env, spec.max_episode_steps)
        if person:
            env = RealTimeWrapper(env)
        described = {"env_id": spec.kwargs["env_id"], "operator": self.operator, "policy": self.policy}
        return EpisodeRecorder(env, described)

    def _episode(self, env: EpisodeRecorder, seed: int) -> str:
        policy, rng = make_policy(self.policy), np.random.default_rng(seed)
        env.reset(seed=seed)
        while True:
            *_, terminated, truncated, info = env.step(policy(env.unwrapped, rng))  # type: ignore[arg-type]
            if terminated or truncated:
                return str(info["termination_reason"])


@dataclass(kw_only=True)
class Replay:
    """Run recorded episodes again, from their stored initial state and executed actions."""

    root: Annotated[Path, tyro.conf.Positional]
    """Folder that `gym-hil record` wrote."""
    episode: int | None = None
    """Number of the episode; all of them without it."""
    verify: bool = False
    """Fail unless every observation is bit-identical, and say where it first differs."""
    video: Path | None = None
    """Write a video (.mp4) in high quality."""
    seed: int = 0
    """Changes nothing here; every command takes it."""
    json: Path | None = None
    """Write the differences to this file as well."""

    def run(self) -> int:
        """Replay."""
        console = Console()
        store = EpisodeStore(self.root)
        numbers = store.numbers() if self.episode is None else [self.episode]
        if not numbers:
            raise InvalidArgumentError(f"{self.root} has no episodes")
        env = make_replay_env(store.env_id, render_mode="rgb_array" if self.video else None)
        found: dict[int, Any] = {}
        for number in numbers:
            episode = store.read(number)
            if self.verify:
                difference = first_difference(episode, env)
                found[number] = None if difference is None else asdict(difference)
                if difference is None:
                    console.print(f"episode {number}: {episode.length} steps, bit-identical")
                    continue
                why = "" if same_model(episode, env) else " The model is not the one it was recorded with."
                console.print(
                    f"episode {number}: differs before step {difference.step} in {difference.name}"
                    f"[{difference.index}]: {difference.recorded!r} recorded, {difference.replayed!r} "
                    f"replayed.{why}",
                    markup=False,
                )
        if self.video is not None:
            import imageio

            self.video.parent.mkdir(parents=True, exist_ok=True)
            with imageio.get_writer(
                self.video, fps=env.metadata["render_fps"], macro_block_size=None
            ) as video:
                for number in numbers:
                    for _ in replayed(store.read(number), env):
                        video.append_data(env.render())
            console.print(f"Video: {self.video}")
        env.close()
        write_json(self.json, {"episodes": found})
        return 0 if all(difference is None for difference in found.values()) else 1


@dataclass(kw_only=True)
class Inspect:
    """Say what is in a folder of episodes, and warn of demonstrations that would mislead a learner."""

    root: Annotated[Path, tyro.conf.Positional]
    """Folder that `gym-hil record` wrote."""
    seed: int = 0
    """Changes nothing here; every command takes it."""
    json: Path | None = None
    """Write the facts to this file as well."""

    def run(self) -> int:
        """Print the table."""
        store = EpisodeStore(self.root)
        facts = {number: judge(store.read(number)) for number in store.numbers()}
        Console().print(_table(facts))
        Console().print(f"{len(facts)} episodes of {store.env_id}")
        write_json(self.json, {"env_id": store.env_id, "episodes": {n: asdict(q) for n, q in facts.items()}})
        return 0


def _table(facts: dict[int, Quality]) -> Table:
    table = Table("episode", "steps", "success", "end", "takeovers", "by a human", "warnings")
    for number, quality in facts.items():
        table.add_row(
            str(number),
            str(quality.length),
            "[green]yes[/]" if quality.success else "[red]no[/]",
            quality.end,
            str(quality.interventions),
            f"{quality.intervened_share:.0%}",
            "; ".join(quality.warnings),
        )
    return table
