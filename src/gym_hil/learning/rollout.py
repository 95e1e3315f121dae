"""Collect episodes: demonstrations by the operator, and rollouts of the policy with the operator watching."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.page import PageAddress
from gym_hil.intervention.limits import get_limits
from gym_hil.intervention.named import OPERATORS, make_demonstrator, make_operator
from gym_hil.intervention.on_request import OnRequest
from gym_hil.intervention.operator import Expert, Operator
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import EpisodeInProgress, Kind, TrainingEpisode
from gym_hil.learning.evaluation import Act, Evaluation, evaluate
from gym_hil.learning.methods import METHODS
from gym_hil.learning.policy_env import PolicyEnv, make_policy_env, time_limit
from gym_hil.learning.seeds import training_start
from gym_hil.simulation.gl import has_display
from gym_hil.stacks.build import Build
from gym_hil.viewers.web.wait import await_person

log = logging.getLogger(__name__)

PERSON_DEMO_FACTOR = 6
"""Time limit of a person's demonstrations, as a multiple of the task's: people need time to look and to find keys."""
NO_LIMIT = 1_000_000
"""Time limit of an environment (steps), if `Rollouts` itself ends the episodes."""
FAST = ("none", "simulated")
"""Operators that demonstrate within the task's time limit."""

ChooseAction = Callable[[NDArray[Any], int], NDArray[np.float32]]
"""A function from an observation and the index of the step to an action."""
OnStep = Callable[[EpisodeInProgress], None]
"""Called after every step that does not end the episode."""


class Rollouts:
    """Environments and operators of a run. With a person, demonstrations and rollouts share one environment.

    Args:
        config: configuration of the run.
        page: address of the web page for a person in a browser.
        gamepad_name: part of the name of the gamepad that a person uses.
        build: builds the environment with a robot outside the simulation, in which everything happens: demonstrations,
            rollouts and evaluations. None for the simulation.

    Attributes:
        env: environment in which the policy acts and the operator watches.
        limit: time limit of an episode in steps.
        in_real_time: whether steps run in real time, and never wait for the learner.
        outside: whether the robot is outside the simulation.
    """

    def __init__(
        self,
        config: TrainConfig,
        page: PageAddress | None = None,
        gamepad_name: str | None = None,
        build: Build | None = None,
    ) -> None:
        self._config = config
        self._on_request: OnRequest | None = None
        self._demonstrator: Operator | None = None
        self.in_real_time, self.outside = config.real_time or build is not None, build is not None
        self.limit = time_limit(config.env_id)
        self._demo_limit = self.limit * (1 if config.operator in FAST else PERSON_DEMO_FACTOR)
        arguments = config.training_arguments()
        if build is not None:
            self._begin_outside(build, page, gamepad_name)
        elif config.real_time:
            self.env = make_policy_env(
                config.env_id,
                make_operator(config.operator, page=page, gamepad_name=gamepad_name),
                limit=PERSON_DEMO_FACTOR * self.limit,
                real_time=True,
                observation=config.observation,
                **arguments,
                use_viewer=config.operator != "browser" and has_display(),
            )
            self._demo_env = self.env
        else:
            self._on_request = _on_request(config)
            watcher = self._on_request or _watcher(config)
            self.env = make_policy_env(config.env_id, watcher, observation=config.observation, **arguments)
            self._demo_env = make_policy_env(
                config.env_id,
                _demonstrator(config),
                limit=self._demo_limit,
                observation=config.observation,
                **arguments,
            )

    def evaluation_env(self) -> PolicyEnv:
        """Return an environment in which the policy is evaluated: one of its own, unless there is only one robot."""
        if self.outside:
            return self.env
        config = self._config
        return make_policy_env(config.env_id, None, observation=config.observation, **config.env_arguments())

    def pacing_statistics(self) -> dict[str, float]:
        """Return the number of steps that missed their deadline in real time, and the largest delay (s)."""
        if not self.in_real_time:
            return {}
        return {
            "late_steps": self.env.get_wrapper_attr("overruns"),
            "worst_late_s": self.env.get_wrapper_attr("worst_overrun_s"),
        }

    def evaluate(
        self, act: Act, env: PolicyEnv, episodes: int, first_start: int, on_episode: Callable[[int], None]
    ) -> Evaluation:
        """Evaluate a policy, see `gym_hil.learning.evaluation.evaluate`.

        No simulated human helps. On a robot outside the simulation a person can, and the episode counts as failed.
        """
        simulated = self.outside and not self._config.real_time
        with self._watched_by(None) if simulated else contextlib.nullcontext():
            return evaluate(act, env, episodes, first_start, on_episode, self.limit)

    def demonstrate(self, number: int) -> TrainingEpisode | None:
        """Return an episode that the operator demonstrates, or None if it is to be recorded again."""
        idle = self._demo_env.idle_action
        operator = self._demonstrator
        with self._watched_by(operator) if operator is not None else contextlib.nullcontext():
            episode = self._episode(
                self._demo_env, number, "demonstration", lambda *_: idle, self._demo_limit, lambda _: None
            )
        if episode is None:
            return None
        episode = episode.from_first_intervention()
        return episode if episode.success else replace(episode, kind="failed demonstration")

    def online(
        self, number: int, choose_action: ChooseAction, limit: int, on_step: OnStep
    ) -> TrainingEpisode | None:
        """Run an episode in which the policy acts and the operator watches.

        Args:
            number: number of the episode.
            choose_action: the policy.
            limit: largest number of steps, in addition to the task's time limit.
            on_step: called after every step except the last.

        Returns:
            The episode, or None if it is to be recorded again.
        """
        return self._episode(self.env, number, "online", choose_action, min(limit, self.limit), on_step)

    def call_human(self, called: bool) -> None:
        """Set whether the human acts in the next step. A person gets a message."""
        if self._on_request is not None:
            self._on_request.called = called
        elif called:
            self.show_note("the policy asks for help")

    def show_note(self, note: str) -> None:
        """Show a line of text in the window or on the page."""
        self.env.get_wrapper_attr("note")(note)

    def close(self) -> None:
        """Close the environments."""
        self.env.close()
        self._demo_env.close()

    def _begin_outside(self, build: Build, page: PageAddress | None, gamepad_name: str | None) -> None:
        config = self._config
        if config.operator == "none":
            raise InvalidArgumentError(
                "operator='none' cannot demonstrate on a robot outside the simulation; name an operator"
            )
        if not config.real_time:
            self._on_request = _on_request(config)
            self._demonstrator = _demonstrator(config)
        self.env = self._demo_env = make_policy_env(
            config.env_id,
            config.operator,
            build=build,
            limit=NO_LIMIT,
            observation=config.observation,
            preset=config.preset,
            page=page,
            gamepad_name=gamepad_name,
            use_viewer=config.real_time and config.operator != "browser" and has_display(),
            **config.training_arguments(),
        )
        if self._on_request is not None or config.takeover_after_s:
            self.env.set_wrapper_attr("operator", self._on_request or _watcher(config))
        self.limit = EnvironmentInterface(self.env).task.max_episode_steps
        self._demo_limit = self.limit * (1 if config.operator in FAST else PERSON_DEMO_FACTOR)

    @contextlib.contextmanager
    def _watched_by(self, operator: Operator | None) -> Iterator[None]:
        before = self.env.get_wrapper_attr("operator")
        self.env.set_wrapper_attr("operator", operator)
        try:
            yield
        finally:
            self.env.set_wrapper_attr("operator", before)

    def _episode(
        self,
        env: PolicyEnv,
        number: int,
        kind: Kind,
        choose_action: ChooseAction,
        limit: int,
        on_step: OnStep,
    ) -> TrainingEpisode | None:
        save_physics = env.get_wrapper_attr("save_physics")
        await_person(env, log.info)
        seed = training_start(self._config.seed, number)
        observation, info = env.reset(seed=seed)
        episode = EpisodeInProgress(number, kind, seed, [observation], [save_physics()])
        terminated = truncated = False
        while not (terminated or truncated) and len(episode) < limit:
            action = choose_action(observation, len(episode))
            observation, reward, terminated, truncated, info = env.step(action)
            if info[schema.TERMINATION_REASON] == schema.TerminationReason.DEVICE_ERROR:
                break  # the executed motion of this step is unknown
            episode.observations.append(observation)
            episode.states.append(save_physics())
            episode.actions.append(info[schema.STEP].executed_action)
            episode.rewards.append(reward)
            episode.interventions.append(info[schema.IS_INTERVENTION])
            if not (terminated or truncated) and len(episode) < limit:
                on_step(episode)
        if info.get(schema.RERECORD_EPISODE) or not len(episode):
            return None
        return episode.so_far(success=info[schema.NEXT_SUCCESS], terminated=terminated)


def _on_request(config: TrainConfig) -> OnRequest | None:
    """Return a human who acts when called, for methods that call one."""
    asks = METHODS.get(config.method).help == "on request" and config.operator != "none"
    return OnRequest(make_demonstrator(config.operator, config.preset)) if asks else None


def _watcher(config: TrainConfig) -> Operator | None:
    nobody = config.operator == "none" or METHODS.get(config.method).help == "none"
    if nobody:
        return None
    if config.takeover_after_s:
        return OPERATORS[config.operator](
            get_limits(config.preset).taking_over_after(config.takeover_after_s)
        )
    return make_operator(config.operator, preset=config.preset)


def _demonstrator(config: TrainConfig) -> Operator:
    """Return an operator that acts throughout an episode, if it can."""
    if config.operator == "none":
        return Expert()
    return make_demonstrator(config.operator, config.preset)
