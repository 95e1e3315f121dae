"""Run a recorded episode again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import GymHilError, InvalidDatasetError
from gym_hil.core.step_record import PHASES
from gym_hil.core.verdicts import Verdict, combine
from gym_hil.datasets.episode import Episode, model_hash
from gym_hil.stacks.build import make_env

TIME_LIMIT = "time_limit"
"""How an episode ended that was cut off by the time limit."""
_END = "end"
_EVENTS = {
    schema.TerminationReason.HUMAN_SUCCESS.value: schema.EpisodeEvent.SUCCESS,
    schema.TerminationReason.HUMAN_FAILURE.value: schema.EpisodeEvent.FAILURE,
    schema.TerminationReason.RERECORD.value: schema.EpisodeEvent.RERECORD,
    schema.TerminationReason.HUMAN_RESET.value: schema.EpisodeEvent.RESET,
}
_ANCHORED = {PHASES.index("takeover"), PHASES.index("release")}


@dataclass(frozen=True)
class Difference:
    """Where a replay first differs from what was recorded."""

    step: int
    """Counts from 0. States and observations are those before it; the episode's length stands for the end."""
    name: str
    index: int | None
    """Which entry of a state or an observation differs; None for a label, which belongs to the step."""
    recorded: Any
    replayed: Any

    def __str__(self) -> str:
        """Return the difference in words."""
        where = f"in step {self.step} in {self.name}"
        if self.index is not None:
            where = f"before step {self.step} in {self.name}[{self.index}]"
        return f"differs {where}: {self.recorded!r} recorded, {self.replayed!r} replayed"


def make_replay_env(env_id: str, **kwargs: Any) -> gym.Env:
    """Return the environment that recorded actions are executed in: nobody takes over."""
    return make_env(env_id, operator=None, **kwargs)


def require_fit(episode: Episode, env: EnvironmentInterface) -> None:
    """Raise `InvalidDatasetError` unless `env` can be put into the states of `episode`."""
    wanted, found = env.save_physics().shape, episode.frames["physics"].shape[1:]
    if wanted != found:
        versions = f"gym-hil {episode.meta['gym_hil']}, MuJoCo {episode.meta['mujoco']}"
        raise InvalidDatasetError(
            f"the episode was recorded with another model ({versions}): its states have {found[0]} numbers, "
            f"those of this version {wanted[0]}"
        )


@contextlib.contextmanager
def stored_states() -> Iterator[None]:
    """Turn MuJoCo's error about a state that cannot be one of its model into one about the dataset.

    Raises:
        InvalidDatasetError: MuJoCo refused a state.
    """
    try:
        yield
    except mujoco.FatalError as error:
        raise InvalidDatasetError(f"MuJoCo refuses a stored state: {error}") from error


def replayed(episode: Episode, env: gym.Env) -> Iterator[dict[str, Any]]:
    """Yield the observation before every step, and the last one, of running `episode` again in `env`.

    Raises:
        InvalidDatasetError: it does not fit `env`, or ends there before all of its steps.
    """
    for observation, _ in _run(episode, env):
        yield observation


def first_difference(episode: Episode, env: gym.Env) -> Difference | None:
    """Run `episode` again in `env`, and compare bit for bit.

    Compared are observations, the states of the simulation, rewards, and whether and why each step ends the
    episode. What a person decided by a button, or the time limit, is taken from how the episode ended.

    Returns:
        The first difference, or None.

    Raises:
        InvalidDatasetError: it does not fit `env`.
    """
    interface = EnvironmentInterface(env)
    for step, (_, outcome) in enumerate(_run(episode, env)):
        if outcome is not None:
            for name, expected in _labels(episode, step - 1, outcome).items():
                kept = episode.meta["end"] if name == _END else episode.frames[name][step - 1].item()
                if kept != expected:
                    return Difference(step - 1, name, None, kept, expected)
        state = interface.observe_state()
        found = {
            "observation.state": state[schema.AGENT_POS],
            "observation.environment_state": state[schema.ENVIRONMENT_STATE],
            "physics": interface.save_physics(),
        }
        for name, row in found.items():
            rows = episode.frames[name]
            kept = rows[step] if step < episode.length else episode.final[name]
            if kept.shape != row.shape:
                return Difference(step, f"the shape of {name}", None, kept.shape, row.shape)
            wrong = np.flatnonzero(kept != row)
            if wrong.size:
                index = int(wrong[0])
                return Difference(step, name, index, float(kept[index]), float(row[index]))
    return None


def why_not_the_same(episode: Episode, env: gym.Env) -> str | None:
    """Return in words where running `episode` again in `env` first differs, or why it cannot be run; None
    where everything is bit-identical.
    """
    try:
        difference = first_difference(episode, env)
    except GymHilError as error:
        return f"cannot be replayed: {error}"
    if difference is None:
        return None
    why = "" if same_model(episode, env) else ". The model is not the one it was recorded with"
    return f"{difference}{why}"


@dataclass(frozen=True)
class _Outcome:
    """What the environment said about a step, without a person and without a time limit."""

    reward: float
    terminated: bool
    success: bool
    reason: str


def _run(episode: Episode, env: gym.Env) -> Iterator[tuple[dict[str, Any], _Outcome | None]]:
    """Yield every observation, and what the step before it brought."""
    interface = EnvironmentInterface(env)
    require_fit(episode, interface)
    anchors = interface.offers("hand_over")
    with stored_states():
        observation, _ = env.reset(options={"state": episode.initial})
    yield observation, None
    for step in range(episode.length):
        if anchors and int(episode.frames["phase"][step]) in _ANCHORED:
            interface.hand_over()
        with stored_states():
            observation, reward, terminated, _, info = env.step(episode.frames["action"][step])
        reason = info[schema.TERMINATION_REASON]
        success = bool(info[schema.NEXT_SUCCESS])
        yield observation, _Outcome(float(reward), bool(terminated), success, str(reason or ""))
        if terminated and step + 1 < episode.length:
            raise InvalidDatasetError(f"the replay ends after {step + 1} of {episode.length} steps: {reason}")


def _labels(episode: Episode, step: int, outcome: _Outcome) -> dict[str, Any]:
    """Return what `step` must have been recorded with, if the environment said `outcome`."""
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
    """Return whether `env` has the model that the episode was recorded with."""
    return model_hash(EnvironmentInterface(env)) == episode.meta.get("model_sha256")
