"""The takeover wrapper asks the operator in every step, executes the action of the human or the policy, and
publishes the record of the step to observers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.observer import Observer
from gym_hil.core.schema import TerminationReason
from gym_hil.core.step_record import Phase, StepRecord
from gym_hil.core.verdicts import Verdict, combine
from gym_hil.intervention.operator import POLICY_ACTS, Operator, View


class InterventionWrapper(gym.Wrapper):
    """Lets an operator act instead of the policy.

    It must wrap the time limit, so that the record of a step contains the reason of an episode's end. Each info
    contains the record and the keys derived from it, see `StepRecord.to_info`.

    Args:
        env: an environment with the attributes listed in `gym_hil.core.environment`.
        operator: the operator who may take over; None if the policy always acts.

    Attributes:
        operator: the operator who may take over, or None.
        observers: the observers in the order of subscription.
    """

    def __init__(self, env: gym.Env, operator: Operator | None = None) -> None:
        super().__init__(env)
        self._inside = EnvironmentInterface(env)
        count = len(self._inside.end_effectors)
        self.operator = operator.for_end_effectors(count) if operator is not None and count > 1 else operator
        self._all_end_effectors = tuple(range(count))
        self.observers: list[Observer] = []
        self._interface = EnvironmentInterface(self)
        self._watches = self._inside.offers("watch_substeps")
        self._hands_over = self._inside.offers("hand_over")
        self._has_record = _passes_through(env) and self._inside.offers("action_term")
        self._identity = object()
        self._step = 0
        self._interventions = 0
        self._driven: tuple[int, ...] = ()
        self._seeded = False
        self._restored = False
        self._closed = False
        if self._inside.offers("add_state_part"):
            self._inside.add_state_part(self)

    def subscribe(self, observer: Observer) -> None:
        """Notify an observer of all further resets and steps. If an episode is running, the observer is first
        notified as if the episode had begun in the current state.

        Args:
            observer: the observer.
        """
        self.observers.append(observer)
        if self._seeded:
            observer.on_reset(self._interface)

    def unsubscribe(self, observer: Observer) -> None:
        """Stop notifying an observer."""
        self.observers.remove(observer)
        if self._watches:
            self._inside.watch_substeps(())

    def note(self, text: str) -> None:
        """Show a line of text to the person in all viewers.

        Args:
            text: the text.
        """
        for observer in self.observers:
            observer.on_note(text)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and discard earlier presses.

        Args:
            seed: seed of the episode and of the operator.
            options: options of the environment.

        Returns:
            The observation, and an info with the keys of a step.
        """
        self._restored = False
        observation, info = self.env.reset(seed=seed, options=options)
        if not self._restored:
            self._step = self._interventions = 0
            self._driven = ()
            if self.operator is not None:
                if seed is None and not self._seeded:
                    seed = _initial_seed(self.env)
                self.operator.reset(self._interface, seed)
                self.operator.used_in = self._identity
        self._seeded = True
        neutral = self._inside.neutral_action()
        record = StepRecord(
            executed_action=neutral.copy(),
            policy_action=neutral.copy(),
            neutral_action=neutral,
            step=self._step,
        )
        for observer in self.observers:
            observer.on_reset(self._interface)
        return observation, {**info, **record.to_info()}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Ask the operator, execute an action, and publish the record of the step.

        Args:
            action: the policy's action, which is executed unless the operator takes over.

        Returns:
            Observation, reward, terminated, truncated (never both) and info, see `StepRecord.to_info`.

        Raises:
            InvalidArgumentError: the operator has begun an episode of another environment in the meantime.
        """
        # Without an operator, the environment clips the action, and its record contains the result.
        passes_on = self.operator is None and self._has_record
        policy_action = action if passes_on else self._inside.clip_action(action)
        for observer in self.observers:
            observer.on_poll()
        decision = POLICY_ACTS
        if self.operator is not None:
            if self.operator.used_in not in (None, self._identity):
                raise InvalidArgumentError(
                    f"operator {self.operator.name!r} watches an episode of another environment; give each "
                    "environment an operator of its own, or a name, such as operator='simulated'"
                )
            self.operator.time_scale = max((each.time_scale for each in self.observers), default=1.0)
            decision = self.operator.decide(View(self._interface, policy_action))
        human_action = None if decision.action is None else self._inside.clip_action(decision.action)
        driven = decision.driven or self._all_end_effectors if decision.engaged else ()
        phase = self._next_phase(driven)
        if self._hands_over and phase in ("takeover", "release"):
            self._inside.hand_over()
        if self._watches and self.observers:
            watchers = (observer.watch_step() for observer in self.observers)
            self._inside.watch_substeps(tuple(watcher for watcher in watchers if watcher is not None))
        executed = policy_action if human_action is None else human_action
        neutral = None if self._has_record else self._inside.neutral_action()
        observation, reward, terminated, truncated, info = self.env.step(executed)
        self._step += 1
        record: StepRecord | None = info.get(schema.STEP)
        only_policy = decision is POLICY_ACTS and phase == "policy" and self._has_record
        if record is None or not only_policy or record.step != self._step or record.truncated != truncated:
            if neutral is None:
                assert record is not None
                neutral = record.neutral_action
            if passes_on:
                assert record is not None
                policy_action = executed = record.policy_action
            verdict = combine(_task_verdict(reward, terminated, truncated, info), decision.events)
            record = StepRecord(
                step=self._step,
                policy_action=policy_action,
                human_action=human_action,
                executed_action=executed,
                neutral_action=neutral,
                phase=phase,
                intervention_id=self._interventions if human_action is not None else 0,
                events=decision.events,
                reading=decision.reading,
                reward=verdict.reward,
                terminated=verdict.terminated,
                truncated=verdict.truncated,
                reason=verdict.reason,
                success=verdict.success,
                discrete_penalty=record.discrete_penalty if record is not None else 0.0,
            )
            info = {**info, **record.to_info()}
        for observer in self.observers:
            observer.on_step(self._interface, record)
        return observation, record.reward, record.terminated, record.truncated, info

    def close(self) -> None:
        """Close the observers, the operator's device and the environment. It may be called more than once."""
        if not self._closed:
            self._closed = True
            for observer in self.observers:
                observer.on_close()
            if self.operator is not None:
                self.operator.close()
        self.env.close()

    # The saved state of the environment contains the state of this wrapper.

    def get_state(self) -> Any:
        """Return the state of the whole environment for ``reset(options={"state": ...})``."""
        return self._inside.get_state()

    def save_part(self) -> dict[str, Any]:
        """Return the state of this wrapper, of the operator and of the time limit."""
        return {
            "step": self._step,
            "interventions": self._interventions,
            "driven": self._driven,
            "operator": None if self.operator is None else self.operator.get_state(),
        }

    def restore_part(self, state: dict[str, Any]) -> None:
        """Restore the result of `save_part`."""
        self._step, self._interventions = state["step"], state["interventions"]
        self._driven, self._restored = tuple(state["driven"]), True
        if self.operator is not None:
            self.operator.set_state(state["operator"])
            self.operator.used_in = self._identity
        for limit in _time_limits(self.env):
            limit._elapsed_steps = self._step  # type: ignore[assignment]

    def _next_phase(self, driven: tuple[int, ...]) -> Phase:
        before, self._driven = self._driven, driven
        if driven and driven != before:  # also if the human changes between end effectors
            self._interventions += 1
            return "takeover"
        if driven:
            return "human"
        return "release" if before else "policy"


def _task_verdict(reward: Any, terminated: bool, truncated: bool, info: dict[str, Any]) -> Verdict:
    """Return the environment's verdict on a step. Environments of other packages report success in their
    info.
    """
    inner = info.get(schema.STEP)
    if inner is not None:
        return Verdict(float(reward), bool(terminated), bool(truncated), inner.success, inner.reason)
    success = bool(np.any(info.get(schema.IS_SUCCESS, info.get("success", False))))
    reason = TerminationReason.SUCCESS if terminated and success else None
    return Verdict(float(reward), bool(terminated), bool(truncated), success, reason)


def _initial_seed(env: gym.Env) -> int | None:
    """Return the seed of the environment's first episode: the one it was created with, or a random one."""
    seed = env.np_random_seed
    return seed if seed is not None and seed >= 0 else None


def _passes_through(env: gym.Env) -> bool:
    """Return whether the wrappers of an environment change neither actions nor rewards nor infos."""
    while isinstance(env, TimeLimit | OrderEnforcing | PassiveEnvChecker):
        env = env.env
    return not isinstance(env, gym.Wrapper)


def _time_limits(env: gym.Env) -> Iterator[TimeLimit]:
    layer: Any = env
    while isinstance(layer, gym.Wrapper) and not isinstance(layer, InterventionWrapper):
        if isinstance(layer, TimeLimit):
            yield layer
        layer = layer.env
