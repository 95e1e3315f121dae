"""A training run: demonstrations, online training with interventions, and evaluations."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, cast

import gymnasium as gym
import numpy as np

from gym_hil.core.errors import GymHilError, InvalidArgumentError
from gym_hil.core.files import write_atomically
from gym_hil.devices.page import PageAddress
from gym_hil.learning.async_learner import ConnectLearner, SeparateProcessLearner
from gym_hil.learning.config import TrainConfig, package_version, version_of
from gym_hil.learning.episode_store import EpisodeInProgress, TrainingEpisode, TrainingEpisodeStore
from gym_hil.learning.evaluation import Evaluation
from gym_hil.learning.learner_service import LearnerMessage, LearnerProgress
from gym_hil.learning.learning_curve import CURVE, Curve, Point
from gym_hil.learning.methods import METHODS
from gym_hil.learning.methods.base import AskingPolicy
from gym_hil.learning.policy_file import POLICY, TrainedPolicy
from gym_hil.learning.report import RESULT, write_report
from gym_hil.learning.rollout import Rollouts
from gym_hil.learning.run_folder import open_folder
from gym_hil.learning.run_status import (
    RECENT,
    RunStatus,
    Summary,
    human_time,
    share_of_interventions,
    status,
    success_rate,
)
from gym_hil.learning.seeds import evaluation_start, purpose_of_result
from gym_hil.learning.videos import VideoWriter, write_videos
from gym_hil.stacks.build import Build

EPISODES = "episodes"
log = logging.getLogger(__name__)

ATTEMPTS = 5
"""Attempts per demonstration after which the run is aborted, because the simulated human fails too often."""
REPORT_EVERY_S = 60.0
"""Shortest time between two reports of an unfinished run (s), because drawing the charts takes a few seconds."""

Report = Callable[[RunStatus], None]
"""A callback that receives the status of the run."""


def train(
    config: TrainConfig,
    out: Path,
    report: Report = lambda status: None,
    *,
    resume: bool = False,
    learner: ConnectLearner = SeparateProcessLearner,
    page: PageAddress | None = None,
    gamepad_name: str | None = None,
    videos: bool = True,
    track: Sequence[str] = (),
    ready: Callable[[gym.Env], None] = lambda env: None,
    build: Build | None = None,
) -> Evaluation:
    """Train a policy, and write checkpoints, the learning curve, the result and the report into a folder.

    Args:
        config: configuration of the run.
        out: folder of the results. It must be new or empty, unless the run is resumed.
        report: called with the status after each episode, including those of evaluations, and at every change of phase.
        resume: whether to continue the run in `out`, if there is one.
        learner: starts the learner, by default in a separate process. A script that calls this function then
            needs ``if __name__ == "__main__":``.
        page: address of the web page for a person in a browser.
        gamepad_name: part of the name of the gamepad that a person uses.
        videos: whether to write videos of the first and the last episode at the end.
        track: services to which losses and results are logged in addition to TensorBoard, names from
            `gym_hil.learning.tracking.TRACKERS`.
        ready: called with the environment before its first episode.
        build: builds the environment with a robot outside the simulation, see `Rollouts`; None for the simulation.

    Returns:
        The last evaluation.

    Raises:
        InvalidArgumentError: `out` contains a run, and `resume` is false or its configuration differs.
        FolderInUseError: another process trains into `out`.
        StorageError: the disk is full. The run can be resumed when there is space.
    """
    lock = open_folder(config, out, resume=resume)
    writer = (
        VideoWriter(out, config)
        if videos and build is None and learner is SeparateProcessLearner and not config.real_time
        else None
    )
    try:
        rollouts = Rollouts(config, page, gamepad_name, build)
        run = TrainingRun(config, out, report, learner, rollouts, track, writer)
        try:
            ready(run.env)
            evaluation = run.finish()
        finally:
            run.close()
        if videos and build is None:
            write_run_videos(config, out, writer)
        write_report(out)
    finally:
        lock.release()
    return evaluation


def write_run_videos(config: TrainConfig, out: Path, writer: VideoWriter | None = None) -> None:
    """Write videos of the run in `out`, or wait until `writer` has written them. Log failures."""
    try:
        if writer is not None:
            writer.finish()
        else:
            write_videos(out, TrainingEpisodeStore(out / EPISODES), config)
    except (GymHilError, OSError) as error:
        log.warning("Videos are not written: %s", error)


class TrainingRun:
    """A training run, which starts from the beginning or continues an interrupted run.

    Args:
        config: configuration of the run.
        out: folder of the results.
        report: called with the status, see `train`.
        learner: starts the learner.
        rollouts: environments and operators; None creates them.
        track: names of services to which results are logged.
        videos: writes videos during the run; None to write none.

    Attributes:
        env: environment in which the policy acts and the operator watches.
    """

    def __init__(
        self,
        config: TrainConfig,
        out: Path,
        report: Report,
        learner: ConnectLearner,
        rollouts: Rollouts | None = None,
        track: Sequence[str] = (),
        videos: VideoWriter | None = None,
    ) -> None:
        self._config, self._out, self._report = config, out, report
        self._method = METHODS.get(config.method)
        self._method.check(config)
        self._pretraining_steps = self._method.pretraining_steps_of(config)
        self._rollouts = rollouts or Rollouts(config)
        self._eval_env = self._rollouts.evaluation_env()
        if self._eval_env.interface.control_dt != config.control_dt:
            raise InvalidArgumentError(
                f"control_dt={config.control_dt!r} must be that of {config.env_id!r}, "
                f"{self._eval_env.interface.control_dt!r}"
            )
        observations: Any = self._eval_env.observation_space
        actions: Any = self._eval_env.action_space
        about = {"interface": asdict(self._eval_env.interface), "config": config.to_json()}
        self._learner = learner(config, out, observations, actions, about)
        self._policy = self._method.make_policy()
        self._store = TrainingEpisodeStore(out / EPISODES)
        self._curve = Curve(out / CURVE)
        self._episodes: list[Summary] = []
        self._progress: LearnerProgress | None = None
        # This imports PyTorch, which takes a few seconds, while the process of the learner imports it as well.
        from gym_hil.learning.tracking import open_logger

        self._logger = open_logger(out, config.to_json(), track)
        self._videos = videos
        self._start_s = self._report_s = time.perf_counter()
        self.env: gym.Env = self._rollouts.env

    def finish(self) -> Evaluation:
        """Execute the rest of the run, and return the last evaluation."""
        self._replay_stored_episodes()
        while sum(episode.kind == "demonstration" for episode in self._episodes) < self._config.demos:
            self._demonstrate()
        if not self._method.acts_online:
            self._pretrain(self._config.total_steps)
            return self._finish()
        self._pretrain()
        while self._steps < self._config.total_steps:
            self._evaluate_if_due()
            self._online()
        return self._finish()

    def close(self) -> None:
        """Stop the learner and close the environments, even if the run is not finished."""
        self._learner.close()
        self._rollouts.close()
        self._eval_env.close()
        self._logger.close()

    @property
    def _steps(self) -> int:
        return sum(episode.steps for episode in self._episodes)

    def _replay_stored_episodes(self) -> None:
        """Send the stored episodes to the learner after a restart. It learns from those that are not part of its
        checkpoint.
        """
        stored = len(self._store)
        learned = self._learner.wait_for(0).episodes if stored else 0
        if learned > stored:
            raise InvalidArgumentError(
                f"{self._out}: the checkpoint contains {learned} episodes, but only {stored} are stored"
            )
        for number in range(stored):
            episode = self._store.read(number)
            if episode.kind == "online" and number >= learned:
                self._pretrain()
            self._add_episode(episode, learned=number < learned)
        self._curve.keep_until(self._steps)
        if self._curve.points:
            self._start_s -= self._curve.points[-1].wall_s

    def _pretrain(self, steps: int | None = None) -> None:
        """Pretrain once with the demonstrations, for `steps` control steps (by default those of the method)."""
        steps = self._pretraining_steps if steps is None else steps
        if steps and self._learner.wait_for(self._learner.sent).updates == 0:
            self._report_status("learning")
            self._learner.send(LearnerMessage(pretraining_steps=steps))

    def _add_summary(self, episode: TrainingEpisode) -> None:
        summary = Summary.of(episode, self._rollouts.limit)
        self._episodes.append(summary)
        if self._videos is not None and summary.kind == "online" and summary.whole:
            self._videos.add(episode)

    def _add_episode(self, episode: TrainingEpisode, *, learned: bool) -> None:
        self._add_summary(episode)
        if episode.kind == "failed demonstration":
            self._send(episode, 0, 0, learn=False, ends=not learned)
            return
        for start, stop in episode.blocks(self._config.block_steps):
            ends = stop == len(episode) and not learned
            self._send(episode, start, stop, learn=episode.kind == "online" and not learned, ends=ends)

    def _send(self, episode: TrainingEpisode, start: int, stop: int, *, learn: bool, ends: bool) -> None:
        number = episode.number if ends else None
        self._learner.send(
            LearnerMessage(
                transitions=episode.transitions(start, stop), learn=learn, completed_episode=number
            )
        )

    def _demonstrate(self) -> None:
        config, number = self._config, len(self._episodes)
        if not config.real_time and number >= ATTEMPTS * config.demos:
            raise GymHilError(f"the operator failed in most of {number} demonstrations")
        self._report_status("demonstrations")
        episode = self._rollouts.demonstrate(number)
        if episode is not None:
            self._store.append(episode)
            self._add_episode(episode, learned=False)
        if sum(episode.kind == "demonstration" for episode in self._episodes) == config.demos:
            self._report_status("learning")

    def _online(self) -> None:
        """Run one episode of the policy, and send it to the learner in blocks."""
        config, learner, policy = self._config, self._learner, self._policy
        number = len(self._episodes)
        rng = np.random.default_rng((config.seed, number))
        first = learner.sent

        def choose_action(observation: Any, step: int) -> Any:
            if self._rollouts.in_real_time:
                self._progress = learner.newest()
            elif step % config.block_steps == 0:
                self._progress = learner.wait_for(max(first, learner.sent - 1))
            assert self._progress is not None
            policy.load(self._progress.weights)
            if self._method.help == "on request":
                self._rollouts.call_human(cast(AskingPolicy, policy).asks_for_help(observation, step))
            return policy.explore(observation, rng)

        def on_step(episode: EpisodeInProgress) -> None:
            if len(episode) % config.block_steps == 0:
                start, stop = len(episode) - config.block_steps, len(episode)
                transitions = episode.so_far().transitions(start, stop, ended=False)
                learner.send(LearnerMessage(transitions=transitions, learn=True))

        remaining = config.total_steps - self._steps
        episode = self._rollouts.online(number, choose_action, remaining, on_step)
        sent = (learner.sent - first) * config.block_steps
        if episode is None:
            learner.send(LearnerMessage(forget=sent))
            return
        self._store.append(episode)
        self._add_summary(episode)
        self._send(episode, sent, len(episode), learn=True, ends=True)
        self._log()
        self._report_status("learning")

    def _evaluate_if_due(self) -> None:
        every, points = self._config.eval_every_steps, self._curve.points
        demonstrated = sum(episode.steps for episode in self._episodes if episode.kind != "online")
        # Without pretraining, the policy has learned nothing directly after the demonstrations.
        start = -every if self._pretraining_steps else demonstrated
        due = self._steps // every > (points[-1].steps if points else start) // every
        if due and not self._rollouts.outside:  # a person would have to watch a real robot
            self._report_status("evaluation")
            self._measure(self._config.eval_episodes, final=False)
            if time.perf_counter() - self._report_s > REPORT_EVERY_S:
                write_report(self._out)
                self._report_s = time.perf_counter()
            self._report_status("learning")

    def _measure(self, episodes: int, *, final: bool) -> Evaluation:
        """Evaluate the current policy, save it, and add a point to the learning curve."""
        config, learner = self._config, self._learner
        progress = learner.newest() if self._rollouts.in_real_time else learner.wait_for(learner.sent)
        self._progress = progress
        TrainedPolicy(self._eval_env.interface, config, progress.weights).save(self._out / POLICY)
        self._policy.load(progress.weights)
        first = evaluation_start(config.seed, final=final)
        evaluation = self._rollouts.evaluate(
            self._policy.act, self._eval_env, episodes, first,
            lambda ended: self._report_status("evaluation", ended / episodes),
        )  # fmt: skip
        previous = self._curve.points[-1] if self._curve.points else None
        new_episodes = self._episodes[previous.episodes if previous else 0 :]
        success, rate = success_rate(new_episodes), share_of_interventions(new_episodes)
        success = (previous.success_with_help if previous else 0.0) if success is None else success
        rate = (previous.intervention_rate if previous else 0.0) if rate is None else rate
        self._curve.add(
            Point(
                steps=self._steps,
                episodes=len(self._episodes),
                robot_minutes=self._steps / config.steps_per_minute,
                wall_s=time.perf_counter() - self._start_s,
                success_alone=evaluation.successes / evaluation.episodes,
                success_with_help=success,
                intervention_rate=rate,
                **human_time(config, self._episodes)._asdict(),
                updates=progress.updates,
                updates_per_s=progress.updates_per_s,
            )
        )
        self._log(evaluation.successes / evaluation.episodes)
        return evaluation

    def _finish(self) -> Evaluation:
        if self._videos is not None:
            self._videos.begin_last()
        self._learner.wait_for(self._learner.sent)
        self._curve.keep_until(self._steps - 1)
        evaluation = self._measure(self._config.final_episodes, final=True)
        self._learner.close()
        last = self._curve.points[-1]
        result = {"steps": self._steps, "wall_s": last.wall_s, "updates": last.updates, **asdict(evaluation)}
        result |= human_time(self._config, self._episodes)._asdict()
        result |= self._rollouts.pacing_statistics()
        result |= {
            "seed": self._config.seed,
            "purpose": purpose_of_result(self._config.seed, evaluation.first_start),
            "config_version": version_of(self._config.method),
            "gym_hil": package_version(),
        }
        write_atomically(self._out / RESULT, json.dumps(result, indent=2).encode() + b"\n")
        self._report_status("done")
        return evaluation

    def _report_status(
        self,
        phase: Literal["demonstrations", "learning", "evaluation", "done"],
        evaluated: float | None = None,
    ) -> None:
        updates = self._progress.updates if self._progress else 0
        now = status(phase, self._config, self._episodes, self._curve.points, updates)
        now = replace(now, evaluated=evaluated)
        count = f" {now.demonstrated + 1} of {now.demos}" if phase == "demonstrations" else ""
        self._rollouts.show_note(f"{phase}{count}, {updates} updates")
        self._report(now)

    def _log(self, success_alone: float | None = None) -> None:
        """Log the metrics of the learner and of the run at the current step."""
        logger = self._logger
        for name, value in (self._progress.metrics if self._progress else {}).items():
            logger.record(f"train/{name}", value)
        online = [episode for episode in self._episodes if episode.kind == "online"][-RECENT:]
        figures: dict[str, float | None] = {
            "success_alone": success_alone,
            "success_with_help": success_rate(online),
            "intervention_rate": share_of_interventions(online),
            **human_time(self._config, self._episodes)._asdict(),
        }
        for name, figure in figures.items():
            if figure is not None:
                logger.record(f"rollout/{name}", figure)
        logger.dump(self._steps)
