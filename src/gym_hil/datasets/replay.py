"""Run a recorded episode again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from gym_hil.core import schema
from gym_hil.core.errors import InvalidDatasetError
from gym_hil.datasets.episode import PHASES, Episode, model_hash
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.stacks.build import make_env

_ANCHORED = {PHASES.index("takeover"), PHASES.index("release")}


@dataclass(frozen=True)
class Difference:
    """Where a replay first differs from what was recorded."""

    step: int
    """Observations before this step differ; the episode's length stands for the last observation."""
    name: str
    index: int
    recorded: float
    replayed: float


def make_replay_env(env_id: str, **kwargs: Any) -> gym.Env:
    """Return the environment that recorded actions are executed in: nobody takes over."""
    return make_env(env_id, operator=None, **kwargs)


def require_fit(episode: Episode, raw: ManipulationEnv) -> None:
    """Raise `InvalidDatasetError` unless `raw` can be put into the states of `episode`."""
    wanted, found = raw.simulation.save().shape, episode.frames["physics"].shape[1:]
    if wanted != found:
        versions = f"gym-hil {episode.meta['gym_hil']}, MuJoCo {episode.meta['mujoco']}"
        raise InvalidDatasetError(
            f"the episode was recorded with another model ({versions}): its states have {found[0]} numbers, "
            f"those of this version {wanted[0]}"
        )


def replayed(episode: Episode, env: gym.Env) -> Iterator[dict[str, Any]]:
    """Yield the observation before every step, and the last one, of running `episode` again in `env`."""
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    require_fit(episode, raw)
    observation, _ = env.reset(options={"state": episode.initial})
    yield observation
    for action, phase in zip(episode.frames["action"], episode.frames["phase"], strict=True):
        if int(phase) in _ANCHORED:
            raw.simulation.anchor_target()
        observation, *_ = env.step(action)
        yield observation


def first_difference(episode: Episode, env: gym.Env) -> Difference | None:
    """Return where running `episode` again first differs, bit for bit, or None."""
    names = {
        "observation.state": schema.AGENT_POS,
        "observation.environment_state": schema.ENVIRONMENT_STATE,
    }
    for step, observation in enumerate(replayed(episode, env)):
        for name, key in names.items():
            row = episode.frames[name][step] if step < episode.length else episode.final[name]
            wrong = np.flatnonzero(row != observation[key])
            if wrong.size:
                index = int(wrong[0])
                return Difference(step, name, index, float(row[index]), float(observation[key][index]))
    return None


def same_model(episode: Episode, env: gym.Env) -> bool:
    """Return whether `env` has the model that the episode was recorded with."""
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    return model_hash(raw.model) == episode.meta["model_sha256"]
