"""One training run: demonstrations, learning beside acting while the operator watches, evaluation."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from gym_hil.core.errors import GymHilError, InvalidArgumentError
from gym_hil.core.files import FolderLock, is_unused, make_folder, remove_leftovers, write_atomically
from gym_hil.devices.page import PageAddress
from gym_hil.learning.async_learner import Beside, OpenLink
from gym_hil.learning.checkpoint import POLICY
from gym_hil.learning.config import CONFIG, STEPS_PER_MINUTE, TrainConfig
from gym_hil.learning.episode_store import Episode, EpisodeInProgress, ExperienceStore
from gym_hil.learning.evaluation import Evaluation, evaluate
from gym_hil.learning.learner import Experience, Progress
from gym_hil.learning.learning_curve import CURVE, Curve, Point
from gym_hil.learning.policy import GaussianPolicy, TrainedPolicy
from gym_hil.learning.policy_env import interface, make_policy_env
from gym_hil.learning.report import RESULT, write_report
from gym_hil.learning.rollout import Acting
from gym_hil.learning.run_status import RunStatus, Summary, share_of_interventions, share_of_successes, status
from gym_hil.learning.videos import write_videos

EPISODES = "episodes"
log = logging.getLogger(__name__)

ATTEMPTS = 5
"""Attempts per demonstration before a simulated human is given up."""

Report = Callable[[RunStatus], None]


def train(
    config: TrainConfig,
    out: Path,
    report: Report = lambda status: None,
    *,
    resume: bool = False,
    learner: OpenLink = Beside,
    page: PageAddress | None = None,
    films: bool = True,
    ready: Callable[[gym.Env], None] = lambda env: None,
) -> Evaluation:
    """Train, write everything into the folder `out`, and return the last evaluation.

    Args:
        config: what to do.
        out: new or empty, unless the run goes on.
        report: hears of every episode and every evaluation.
        resume: go on with the run in `out`, if there is one.
        learner: where learning happens. Beside, it starts a process, so a script that calls this needs
            ``if __name__ == "__main__":``.
        films: whether to film the first and the last episode at the end.
        ready: called with the environment before its first episode.
        page: where the web page of a person in a browser is served.

    Raises:
        InvalidArgumentError: `out` has a run, and `resume` is off or the run is another.
        FolderInUseError: another process trains into `out`.
        StorageError: the disk is full; `resume` goes on once there is room.
    """
    lock = open_folder(config, out, resume=resume)
    try:
        run = Run(config, out, report, learner, page)
        try:
            ready(run.env)
            found = run.finish()
        finally:
            run.close()
        if films:
            write_films(config, out)
        write_report(out)
    finally:
        lock.release()
    return found


def write_films(config: TrainConfig, out: Path) -> None:
    """Film the run in `out`, or say why that cannot be done."""
    try:
        write_videos(out, ExperienceStore(out / EPISODES), config)
    except (GymHilError, OSError) as error:
        log.warning("No videos: %s", error)


class Run:
    """A run, from wherever it was.

    Attributes:
        env: where the policy acts and the operator watches.
    """

    def __init__(
        self,
        config: TrainConfig,
        out: Path,
        report: Report,
        learner: OpenLink,
        page: PageAddress | None = None,
    ) -> None:
        self._config, self._out, self._report = config, out, report
        self._acting = Acting(config, page)
        self._eval_env = make_policy_env(config.env_id, None, pixels=config.pixels)
        self._dt = self._eval_env.unwrapped.control_dt  # type: ignore[attr-defined]
        observations: Any = self._eval_env.observation_space
        actions: Any = self._eval_env.action_space
        about = {"interface": asdict(interface(self._eval_env)), "config": config.as_dict()}
        self._link = learner(config, out, observations, actions, about)
        self._policy = GaussianPolicy()
        self._store = ExperienceStore(out / EPISODES)
        self._curve = Curve(out / CURVE)
        self._episodes: list[Summary] = []
        self._progress: Progress | None = None
        self._began = time.perf_counter()
        self.env: gym.Env = self._acting.env

    def finish(self) -> Evaluation:
        """Do what is left to do, and return the last evaluation."""
        self._relive()
        while sum(episode.kind == "demonstration" for episode in self._episodes) < self._config.demos:
            self._demonstrate()
        if self._config.method == "bc":
            self._tell("learning")
            if self._link.wait_for(self._link.sent).updates == 0:
                self._link.send(Experience(rehearse=self._config.total_steps))
            return self._end()
        while self._steps < self._config.total_steps:
            self._evaluate_if_due()
            self._online()
        return self._end()

    def close(self) -> None:
        """Release everything, whatever is unfinished."""
        self._link.close()
        self._acting.close()
        self._eval_env.close()

    @property
    def _steps(self) -> int:
        return sum(episode.steps for episode in self._episodes)

    def _relive(self) -> None:
        """Take in the episodes that are there, and learn what the checkpoint does not know."""
        stored = len(self._store)
        learned = self._link.wait_for(0).episodes if stored else 0
        if learned > stored:
            raise InvalidArgumentError(f"{self._out}: the checkpoint knows {learned} episodes of {stored}")
        for number in range(stored):
            self._take_in(self._store.read(number), learned=number < learned)
        self._curve.keep_until(self._steps)
        if self._curve.points:
            self._began -= self._curve.points[-1].wall_s

    def _take_in(self, episode: Episode, *, learned: bool) -> None:
        self._episodes.append(Summary.of(episode, self._acting.limit))
        if episode.kind == "failed demonstration":
            self._send(episode, 0, 0, learn=False, ends=not learned)
            return
        for start, stop in episode.blocks(self._config.block_steps):
            ends = stop == len(episode) and not learned
            self._send(episode, start, stop, learn=episode.kind == "online" and not learned, ends=ends)

    def _send(self, episode: Episode, start: int, stop: int, *, learn: bool, ends: bool) -> None:
        number = episode.number if ends else None
        self._link.send(Experience(episode.steps(start, stop), learn, ends_episode=number))

    def _demonstrate(self) -> None:
        config, number = self._config, len(self._episodes)
        if not config.real_time and number >= ATTEMPTS * config.demos:
            raise GymHilError(f"the operator failed in most of {number} demonstrations")
        self._tell("demonstrations")
        episode = self._acting.demonstrate(number)
        if episode is not None:
            self._store.append(episode)
            self._take_in(episode, learned=False)

    def _online(self) -> None:
        """Act for one episode; the learner hears of it block by block."""
        config, link, policy = self._config, self._link, self._policy
        number = len(self._episodes)
        rng = np.random.default_rng((config.seed, number))
        first = link.sent

        def choose(observation: Any, step: int) -> Any:
            if config.real_time:
                self._progress = link.newest()
            elif step % config.block_steps == 0:
                self._progress = link.wait_for(max(first, link.sent - 1))
            assert self._progress is not None
            policy.load(self._progress.weights)
            return policy.explore(observation, rng)

        def told(episode: EpisodeInProgress) -> None:
            if len(episode) % config.block_steps == 0:
                steps = episode.so_far().steps(len(episode) - config.block_steps, len(episode), over=False)
                link.send(Experience(steps, learn=True))

        left = config.total_steps - self._steps
        episode = self._acting.online(number, choose, left, told)
        told_of = (link.sent - first) * config.block_steps
        if episode is None:
            link.send(Experience(forget=told_of))
            return
        self._store.append(episode)
        self._episodes.append(Summary.of(episode, self._acting.limit))
        self._send(episode, told_of, len(episode), learn=True, ends=True)
        self._tell("learning")

    def _evaluate_if_due(self) -> None:
        done = self._curve.points[-1].steps if self._curve.points else -self._config.eval_every_steps
        if self._steps // self._config.eval_every_steps > done // self._config.eval_every_steps:
            self._tell("evaluation")
            self._measure(self._config.eval_episodes)
            self._tell("learning")

    def _measure(self, episodes: int) -> Evaluation:
        """Evaluate what was learned so far, keep it, and add a point to the curve."""
        link = self._link
        progress = link.newest() if self._config.real_time else link.wait_for(link.sent)
        self._progress = progress
        TrainedPolicy(interface(self._eval_env), self._config.as_dict(), progress.weights).save(
            self._out / POLICY
        )
        self._policy.load(progress.weights)
        found = evaluate(self._policy.act, self._eval_env, episodes)
        before = self._curve.points[-1] if self._curve.points else None
        since = self._episodes[before.episodes if before else 0 :]
        success, rate = share_of_successes(since), share_of_interventions(since)
        if success is None:
            success = before.success_with_help if before else 0.0
        if rate is None:
            rate = before.intervention_rate if before else 0.0
        self._curve.add(
            Point(
                steps=self._steps,
                episodes=len(self._episodes),
                robot_minutes=self._steps / STEPS_PER_MINUTE,
                wall_s=time.perf_counter() - self._began,
                success_alone=found.successes / found.episodes,
                success_with_help=success,
                intervention_rate=rate,
                human_s=sum(episode.intervened for episode in self._episodes) * self._dt,
                updates=progress.updates,
                updates_per_s=progress.updates_per_s,
            )
        )
        write_report(self._out)
        return found

    def _end(self) -> Evaluation:
        self._link.wait_for(self._link.sent)
        self._curve.keep_until(self._steps - 1)
        found = self._measure(self._config.final_episodes)
        self._link.close()
        last = self._curve.points[-1]
        result = {"steps": self._steps, "wall_s": last.wall_s, "updates": last.updates, **asdict(found)}
        result |= self._acting.lateness()
        write_atomically(self._out / RESULT, json.dumps(result, indent=2).encode() + b"\n")
        self._tell("done")
        return found

    def _tell(self, phase: Literal["demonstrations", "learning", "evaluation", "done"]) -> None:
        updates = self._progress.updates if self._progress else 0
        now = status(phase, self._config, self._episodes, self._curve.points, updates, self._dt)
        count = f" {now.demonstrated + 1} of {now.demos}" if phase == "demonstrations" else ""
        self._acting.say(f"{phase}{count}, {updates} updates")
        self._report(now)


def open_folder(config: TrainConfig, out: Path, *, resume: bool) -> FolderLock:
    """Make `out` ready for a run of `config`, and return the lock that keeps other processes out of it.

    Raises:
        InvalidArgumentError: it has a run, and `resume` is off or the run is another; or it holds something
            else.
        FolderInUseError: another process writes into it.
    """
    if not (out / CONFIG).is_file() and not is_unused(out):
        raise InvalidArgumentError(f"{out} is not empty, and has no training run")
    make_folder(out)
    lock = FolderLock(out)
    try:
        _prepare(config, out, resume=resume)
    except BaseException:
        lock.release()
        raise
    return lock


def _prepare(config: TrainConfig, out: Path, *, resume: bool) -> None:
    remove_leftovers(out)
    if (out / CONFIG).is_file():
        if not resume:
            raise InvalidArgumentError(
                f"{out} has a run already; --resume goes on with it, or choose another"
            )
        there = TrainConfig.load(out / CONFIG)
        wrong = [
            f"{field.name}={getattr(config, field.name)!r}, there {getattr(there, field.name)!r}"
            for field in fields(TrainConfig)
            if field.name != "robot_minutes" and getattr(config, field.name) != getattr(there, field.name)
        ]
        if wrong:
            raise InvalidArgumentError(f"{out} has another run: {'; '.join(wrong)}")
    config.save(out / CONFIG)
