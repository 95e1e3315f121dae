"""Replay of recorded episodes, and exact comparison with the recording."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import GymHilError, InvalidArgumentError, InvalidDatasetError
from gym_hil.core.step_record import PHASES
from gym_hil.core.success import NeverDone
from gym_hil.core.verdicts import Verdict, combine
from gym_hil.datasets.episode import Episode, extra_observations, model_hash
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.simulation.rendering import GymRenderingSpec
from gym_hil.stacks.build import make_env

DEFAULT_SIZE = 128
"""Height and width of images (pixels) in replays of datasets without images."""
ARM_ID_PREFIX = "lerobot:"
"""First part of the ids of arms outside the simulation."""
TIME_LIMIT = "time_limit"
"""Reason of the end of an episode at the time limit."""
_END = "end"
_EVENTS = {
    schema.TerminationReason.LEARNED_SUCCESS.value: schema.EpisodeEvent.SUCCESS,
    schema.TerminationReason.HUMAN_SUCCESS.value: schema.EpisodeEvent.SUCCESS,
    schema.TerminationReason.HUMAN_FAILURE.value: schema.EpisodeEvent.FAILURE,
    schema.TerminationReason.RERECORD.value: schema.EpisodeEvent.RERECORD,
    schema.TerminationReason.HUMAN_RESET.value: schema.EpisodeEvent.RESET,
}
_HAND_OVER_PHASES = {PHASES.index("takeover"), PHASES.index("release")}


@dataclass(frozen=True)
class Difference:
    """The first difference between a replay and the recording."""

    step: int
    """Index of the step from 0. States and observations are those before the step; an index equal to the length of
    the episode means the state at its end."""
    name: str
    """Name of the array."""
    index: int | None
    """Index of the entry of a state or observation; None for other arrays."""
    recorded: Any
    """Recorded value."""
    replayed: Any
    """Value of the replay."""

    def __str__(self) -> str:
        """Return a description of the difference."""
        where = f"in step {self.step} in {self.name}"
        if self.index is not None:
            where = f"before step {self.step} in {self.name}[{self.index}]"
        return f"differs {where}: {self.recorded!r} recorded, {self.replayed!r} replayed"


def recorded_arguments(store: EpisodeStore, spec: GymRenderingSpec | None = None) -> dict[str, Any]:
    """Return the arguments of an environment that has the recorded observations.

    Args:
        store: the episodes.
        spec: rendering options for images that are not recorded; None for the default ones.
    """
    settings = store.settings
    terms, arguments = settings.get("observation_terms"), dict(settings.get("delays") or {})
    if settings.get("reward"):
        arguments["reward"] = NeverDone()  # the recorded end of the episode is used instead
    if not terms:
        return {**arguments, "render_spec": spec}
    size = settings.get("image_size") or DEFAULT_SIZE
    spec = replace(spec or GymRenderingSpec(), height=size, width=size)
    return {**arguments, "render_spec": spec, "observation_terms": ("proprioception", "objects", *terms)}


def make_replay_env(env_id: str, **kwargs: Any) -> gym.Env:
    """Return an environment without an operator, in which recorded actions are executed.

    Args:
        env_id: id of the recorded environment.
        kwargs: further arguments of `gym_hil.make_env`.

    Raises:
        InvalidArgumentError: the episodes were recorded on an arm.
    """
    if env_id.startswith(ARM_ID_PREFIX):
        raise InvalidArgumentError(
            f"these episodes were recorded on an arm, {env_id}, and cannot be replayed: an arm does not repeat motions "
            "exactly, and the objects are at other places. LeRobot's programs show and replay datasets in its format"
        )
    return make_env(env_id, operator=None, **kwargs)


def require_fit(episode: Episode, env: EnvironmentInterface) -> None:
    """Require that the states of `episode` fit the model of `env`.

    Raises:
        InvalidDatasetError: the states have another size.
    """
    expected, recorded = env.save_physics().shape, episode.frames["physics"].shape[1:]
    if expected != recorded:
        versions = f"gym-hil {episode.meta['gym_hil']}, MuJoCo {episode.meta['mujoco']}"
        raise InvalidDatasetError(
            f"the episode was recorded with another model ({versions}): its states have {recorded[0]} entries instead "
            f"of {expected[0]}"
        )


@contextlib.contextmanager
def translate_state_errors() -> Iterator[None]:
    """Convert MuJoCo's error about an invalid state into an error about the dataset.

    Raises:
        InvalidDatasetError: MuJoCo refused a state.
    """
    try:
        yield
    except mujoco.FatalError as error:
        raise InvalidDatasetError(f"MuJoCo refuses a stored state: {error}") from error


def replayed(episode: Episode, env: gym.Env) -> Iterator[dict[str, Any]]:
    """Replay an episode.

    Args:
        episode: the episode.
        env: the result of `make_replay_env`.

    Yields:
        The observations before every step and after the last one.

    Raises:
        InvalidDatasetError: the episode does not fit `env`, or the replay ends too early.
    """
    for observation, _ in _run(episode, env):
        yield observation


def first_difference(episode: Episode, env: gym.Env) -> Difference | None:
    """Replay an episode and compare it with the recording bit for bit.

    Observations, states of the simulation, rewards, and the end of the episode with its reason are compared. Human
    decisions and the time limit are not simulated again, but taken from the recorded end.

    Args:
        episode: the episode.
        env: the result of `make_replay_env`.

    Returns:
        The first difference, or None if everything is identical.

    Raises:
        InvalidDatasetError: the episode does not fit `env`.
    """
    interface = EnvironmentInterface(env)
    for step, (_, outcome) in enumerate(_run(episode, env)):
        if outcome is not None:
            for name, expected in _labels(episode, step - 1, outcome).items():
                recorded = episode.meta["end"] if name == _END else episode.frames[name][step - 1].item()
                if recorded != expected:
                    return Difference(step - 1, name, None, recorded, expected)
        state = interface.observe_state()
        actual = {
            "observation.state": state[schema.AGENT_POS],
            "observation.environment_state": state[schema.ENVIRONMENT_STATE],
            "physics": interface.save_physics(),
            **extra_observations(interface),
        }
        if missing := sorted(episode.final.keys() - actual.keys()):
            return Difference(step, "the observation terms", None, missing, "missing in the replay")
        for name, last in episode.final.items():
            recorded, row = episode.frames[name][step] if step < episode.length else last, actual[name]
            if recorded.shape != row.shape:
                return Difference(step, f"the shape of {name}", None, recorded.shape, row.shape)
            wrong = np.flatnonzero(recorded != row)
            if wrong.size:
                index = int(wrong[0])
                return Difference(step, name, index, float(recorded.flat[index]), float(row.flat[index]))
    return None


def describe_difference(episode: Episode, env: gym.Env) -> str | None:
    """Return a description of the first difference in a replay, or why the episode cannot be replayed; None if
    everything is identical.

    Args:
        episode: the episode.
        env: the result of `make_replay_env`.
    """
    try:
        difference = first_difference(episode, env)
    except GymHilError as error:
        return f"cannot be replayed: {error}"
    if difference is None:
        return None
    note = "" if same_model(episode, env) else ". It was recorded with another version of the model"
    return f"{difference}{note}"


@dataclass(frozen=True)
class _Outcome:
    """The environment's result of a step, without human events and time limit."""

    reward: float
    terminated: bool
    success: bool
    reason: str


def _run(episode: Episode, env: gym.Env) -> Iterator[tuple[dict[str, Any], _Outcome | None]]:
    """Yield every observation, and the result of the step before it."""
    interface = EnvironmentInterface(env)
    require_fit(episode, interface)
    can_hand_over = interface.offers("hand_over")
    with translate_state_errors():
        observation, _ = env.reset(options={"state": episode.initial})
    yield observation, None
    for step in range(episode.length):
        if can_hand_over and int(episode.frames["phase"][step]) in _HAND_OVER_PHASES:
            interface.hand_over()
        with translate_state_errors():
            observation, reward, terminated, _, info = env.step(episode.frames["action"][step])
        reason = info[schema.TERMINATION_REASON]
        success = bool(info[schema.NEXT_SUCCESS])
        yield observation, _Outcome(float(reward), bool(terminated), success, str(reason or ""))
        if terminated and step + 1 < episode.length:
            raise InvalidDatasetError(f"the replay ends after {step + 1} of {episode.length} steps: {reason}")


def _labels(episode: Episode, step: int, outcome: _Outcome) -> dict[str, Any]:
    """Return the values that should be recorded for `step`, given the environment's result."""
    end = str(episode.meta["end"]) if step + 1 == episode.length else ""
    task = Verdict(outcome.reward, outcome.terminated, end == TIME_LIMIT, outcome.success)
    verdict = combine(task, [_EVENTS[end]] if end in _EVENTS else [])
    labels: dict[str, Any] = {
        "next.reward": float(np.float32(verdict.reward)),
        "next.done": verdict.terminated or verdict.truncated,
        "next.truncated": verdict.truncated,
        "next.success": verdict.success,
    }
    if end and end not in (*_EVENTS, TIME_LIMIT):
        labels[_END] = outcome.reason
    return labels


def same_model(episode: Episode, env: gym.Env) -> bool:
    """Return whether the episode was recorded with the model of `env`."""
    return model_hash(EnvironmentInterface(env)) == episode.meta.get("model_sha256")
