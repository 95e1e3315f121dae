"""The takeover: each step the operator is asked, and every step knows who acted."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from gym_hil.core import schema
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import EpisodeEvent, TerminationReason
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.intervention.human import Human
from gym_hil.intervention.operator import Operator, View
from gym_hil.wrappers.ee_action import EEActionWrapper

_ENDS = {
    EpisodeEvent.SUCCESS: TerminationReason.HUMAN_SUCCESS,
    EpisodeEvent.FAILURE: TerminationReason.HUMAN_FAILURE,
    EpisodeEvent.RERECORD: TerminationReason.RERECORD,
    EpisodeEvent.RESET: TerminationReason.HUMAN_RESET,
}

_VERDICTS = {
    EpisodeEvent.SUCCESS: True,
    EpisodeEvent.FAILURE: False,
    EpisodeEvent.RERECORD: None,
    EpisodeEvent.RESET: None,
}
_log = logging.getLogger(__name__)


class InterventionWrapper(gym.Wrapper):
    """Lets `operator` act instead of the policy. Goes around an `EEActionWrapper`.

    Adds to each step's info who acted and what each wanted: `policy_action`, `human_action` (idle while
    nobody intervenes), `is_intervention`, `intervention_id` (0 while the policy acts; 1, 2, ... counts
    takeovers in the episode), `phase` (``"policy"``, ``"takeover"``, ``"human"``, ``"release"``), and
    `intervene_action` while a human acts. Success, failure, re-record and reset that the human calls end the
    episode; a reset is a truncation.
    A policy action that repeats, to the bit, what the human did last is not executed in the step after a
    release: it is the echo of a loop that still hands on the human's action, and the robot idles instead.
    Every finished episode is one line of the log: its length, its success, how much the human did.
    """

    def __init__(self, env: gym.Env, operator: Operator) -> None:
        super().__init__(env)
        self.operator = operator
        self._ee = _find_ee_wrapper(env)
        raw = env.unwrapped
        assert isinstance(raw, ManipulationEnv)
        self._raw = raw
        self._scale = self._ee.scale
        self._idle = self._last_human_action = self._ee.executed(self._ee.idle)
        self._interventions = 0
        self._engaged = False
        self._tally = Tally()
        device: Any
        for device in operator.device.leaves() if isinstance(operator, Human) else ():
            if device.fed_by == "window":
                window = raw.open_window()
                device.connected = window is not None
                if window is not None:
                    window.feed(device)
            elif device.fed_by == "page":
                raw.open_page(device.address).feed(device)

    def reset(self, *, seed: int | None = None, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset; presses from before belong to nobody."""
        observation, info = self.env.reset(seed=seed, **kwargs)
        self.operator.reset(self._raw, seed)
        self._interventions = 0
        self._engaged = False
        self._tally = self._tally.next_episode()
        return observation, {**info, **self._who(self._idle.copy(), None, "policy")}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Ask the operator, act, and say who did."""
        policy_action = self._ee.executed(action)
        for screen in self._raw.screens:
            screen.pump()
        decision = self.operator.decide(View(self._raw, policy_action, self._scale))
        human_action = None
        if decision.action is not None:
            human_action = self._ee.executed(decision.action[: policy_action.size])
        phase = self._phase(decision.engaged)
        if phase in ("takeover", "release"):
            self._raw.simulation.anchor_target()
        for screen in self._raw.screens:
            screen.who = "POLICY" if human_action is None else "HUMAN"
        executed = policy_action if human_action is None else human_action
        if phase == "release" and np.array_equal(policy_action, self._last_human_action):
            executed = self._idle
        self._last_human_action = self._idle if human_action is None else human_action
        observation, reward, terminated, truncated, info = self.env.step(executed)
        info.update(self._who(policy_action, human_action, phase))
        called = next((event for event in decision.events if event in _ENDS), None)
        if called is not None:
            if called is EpisodeEvent.RESET:
                truncated = True
            else:
                terminated = True
            reward = 1.0 if called is EpisodeEvent.SUCCESS else reward
            info[schema.TERMINATION_REASON] = _ENDS[called].value
            info[schema.NEXT_SUCCESS] = called is EpisodeEvent.SUCCESS
            for screen in self._raw.screens:
                screen.judge(_VERDICTS[called])
        info[schema.RERECORD_EPISODE] = called is EpisodeEvent.RERECORD
        info[schema.TERMINATE_EPISODE] = called is not None
        self._tally.count(human_action is not None, success=bool(info[schema.NEXT_SUCCESS]))
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        """Release the operator's device, then the environment."""
        self._tally = self._tally.next_episode()
        self.operator.close()
        self.env.close()

    def _phase(self, engaged: bool) -> str:
        before, self._engaged = self._engaged, engaged
        if engaged and not before:
            self._interventions += 1
            return "takeover"
        if engaged:
            return "human"
        return "release" if before else "policy"

    def _who(self, policy_action: np.ndarray, human_action: np.ndarray | None, phase: str) -> dict[str, Any]:
        facts: dict[str, Any] = {
            schema.IS_INTERVENTION: human_action is not None,
            schema.POLICY_ACTION: policy_action,
            schema.HUMAN_ACTION: self._idle.copy() if human_action is None else human_action,
            schema.INTERVENTION_ID: self._interventions if human_action is not None else 0,
            schema.PHASE: phase,
        }
        if human_action is not None:
            facts[schema.INTERVENE_ACTION] = human_action
        return facts


@dataclass
class Tally:
    """What the running episode has been so far."""

    episode: int = 0
    steps: int = 0
    human_steps: int = 0
    success: bool = False

    def count(self, human: bool, *, success: bool) -> None:
        """Count a step."""
        self.steps += 1
        self.human_steps += human
        self.success = success

    def next_episode(self) -> Tally:
        """Log this one if anything happened, and return the next one's."""
        if self.steps == 0:
            return self
        _log.info(
            "episode %d: %s after %d steps, intervention rate %.2f",
            self.episode,
            "success" if self.success else "no success",
            self.steps,
            self.human_steps / self.steps,
        )
        return Tally(episode=self.episode + 1)


def _find_ee_wrapper(env: gym.Env) -> EEActionWrapper:
    layer: Any = env
    while isinstance(layer, gym.Wrapper):
        if isinstance(layer, EEActionWrapper):
            return layer
        layer = layer.env
    raise InvalidArgumentError(
        "InterventionWrapper goes around an EEActionWrapper; this environment has none"
    )
