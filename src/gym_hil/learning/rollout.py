"""The acting side of a run: episodes of the operator alone, and of the policy with the operator watching."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.devices.page import PageAddress
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.intervention.named import make_operator
from gym_hil.intervention.operator import Operator
from gym_hil.intervention.scripted import Expert
from gym_hil.intervention.simulated_human import PRESETS, SimulatedHuman
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Episode, EpisodeInProgress, Kind
from gym_hil.learning.policy_env import EXECUTED, PolicyEnv, make_policy_env, time_limit
from gym_hil.simulation.gl import has_display
from gym_hil.viewers.web.wait import await_person

log = logging.getLogger(__name__)

IDLE = np.array([0.0, 0.0, 0.0, 1.0], np.float32)
TRAINING_SEED = 10_000_000
"""First seed of training episodes, far from those of evaluation."""
EPISODES_PER_SEED = 100_000
PERSON_DEMO_FACTOR = 6
"""How many times longer than an episode a person may take to demonstrate, with looking and finding keys."""

Choose = Callable[[NDArray[Any], int], NDArray[np.float32]]
"""From an observation and the number of the step to an action."""
Told = Callable[[EpisodeInProgress], None]


def episode_seed(config: TrainConfig, number: int) -> int:
    """Return the seed of a run's episode."""
    return TRAINING_SEED + EPISODES_PER_SEED * config.seed + number


class Acting:
    """Environments and operators of a run. A person has one environment for everything; one in a
    browser has its web page at `page`.
    """

    def __init__(self, config: TrainConfig, page: PageAddress | None = None) -> None:
        self._config = config
        self.limit = time_limit(config.env_id)
        if config.real_time:
            self.env = make_policy_env(
                config.env_id,
                make_operator(config.operator, page=page),
                limit=PERSON_DEMO_FACTOR * self.limit,
                real_time=True,
                pixels=config.pixels,
                use_viewer=config.operator != "browser" and has_display(),
            )
            self._demo_env = self.env
        else:
            self.env = make_policy_env(config.env_id, _watcher(config), pixels=config.pixels)
            self._demo_env = make_policy_env(config.env_id, _demonstrator(config), pixels=config.pixels)

    def lateness(self) -> dict[str, float]:
        """Return how many steps came too late in real time, and by how much the worst one (s)."""
        if not self._config.real_time:
            return {}
        return {
            "late_steps": self.env.get_wrapper_attr("overruns"),
            "worst_late_s": self.env.get_wrapper_attr("worst_overrun_s"),
        }

    def demonstrate(self, number: int) -> Episode | None:
        """Return an episode in which the operator does everything; None if it is to be recorded again."""
        limit = self.limit * (PERSON_DEMO_FACTOR if self._config.real_time else 1)
        episode = self._episode(
            self._demo_env, number, "demonstration", lambda *_: IDLE, limit, lambda _: None
        )
        if episode is None:
            return None
        episode = episode.without_wait()
        return episode if episode.success else replace(episode, kind="failed demonstration")

    def online(self, number: int, choose: Choose, limit: int, told: Told) -> Episode | None:
        """Return an episode of at most `limit` steps in which the policy acts and the operator watches; None
        if it is to be recorded again. `told` hears of every step.
        """
        return self._episode(self.env, number, "online", choose, min(limit, self.limit), told)

    def say(self, note: str) -> None:
        """Tell the person how the run is getting on."""
        self.env.get_wrapper_attr("note")(note)

    def close(self) -> None:
        """Release everything."""
        self.env.close()
        self._demo_env.close()

    def _episode(
        self, env: PolicyEnv, number: int, kind: Kind, choose: Choose, limit: int, told: Told
    ) -> Episode | None:
        raw = env.unwrapped
        assert isinstance(raw, ManipulationEnv)
        await_person(env, log.info)
        seed = episode_seed(self._config, number)
        observation, info = env.reset(seed=seed)
        episode = EpisodeInProgress(number, kind, seed, [observation], [raw.simulation.save()])
        terminated = truncated = False
        while not (terminated or truncated) and len(episode) < limit:
            action = choose(observation, len(episode))
            observation, reward, terminated, truncated, info = env.step(action)
            episode.observations.append(observation)
            episode.states.append(raw.simulation.save())
            episode.actions.append(info[EXECUTED])
            episode.rewards.append(reward)
            episode.interventions.append(info[schema.IS_INTERVENTION])
            if not (terminated or truncated) and len(episode) < limit:
                told(episode)
        if info.get(schema.RERECORD_EPISODE):
            return None
        return episode.so_far(success=info[schema.NEXT_SUCCESS], terminated=terminated)


def _watcher(config: TrainConfig) -> Operator | None:
    return None if config.operator == "none" else SimulatedHuman(config.preset)


def _demonstrator(config: TrainConfig) -> Operator:
    """An operator who never lets go."""
    if config.operator == "none":
        return Expert()
    return SimulatedHuman(replace(PRESETS[config.preset], patience=1, disagreement=0.0, max_hold=10**6))
