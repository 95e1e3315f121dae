"""A simulated human: the knowledge of an expert and the limits of a person. The same seed gives the same
takeovers.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from typing import Any

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.step_record import Action
from gym_hil.intervention.budget import AttentionBudget
from gym_hil.intervention.condition import Condition
from gym_hil.intervention.end_effector_operators import EndEffectorOperators
from gym_hil.intervention.limits import DEFAULT_PRESET, Limits, get_limits
from gym_hil.intervention.operator import POLICY_ACTS, Decision, Operator, View

STREAM = 10
"""Separates this human's random numbers from those of others with the same seed."""


def disagreement(view: View) -> float:
    """Return the difference between policy and expert: 0 if they are equal, 1 if the policy does not move although
    motion is needed, and 2 if it moves in the opposite direction.

    A gripper command that the expert would not give counts as 1.

    Args:
        view: the environment before the step, and the policy's action.
    """
    env, expert, policy = view.env, view.expert_action, view.policy_action
    size, still, full = _scale(env)
    motion = float(np.linalg.norm((expert[:size] - policy[:size]) / full))
    motion /= max(float(np.linalg.norm((expert[:size] - still) / full)), 0.3)
    commanded, expected = env.gripper_closes(policy), env.gripper_closes(expert)
    closing = env.gripper_closing if commanded is None else commanded
    return motion + float(expected is not None and closing != expected)


def _scale(env: EnvironmentInterface) -> tuple[int, Action, Action]:
    """Return the number of entries of an action that are motion, and their values for no motion and for full
    speed.
    """
    size = env.motion_size
    full = env.motion_scale if env.offers("motion_scale") else env.action_space.high[:size]
    return size, env.neutral_action()[:size], full


class SimulatedHuman(Operator):
    """Watches the policy and takes over like a person.

    Args:
        preset: a name in `gym_hil.intervention.limits.PRESETS`, or `Limits`.
        seed: seed of the noise and of the attention, used if `reset` gets none.
    """

    name = "simulated"
    _STATE_NAMES = (
        *("_rng", "_held_steps", "_reaction_steps", "_disagreements", "_conditions", "_budget"),
        *("_condition", "_trusting_s"),
    )

    def __init__(self, preset: str | Limits = DEFAULT_PRESET, seed: int | None = None) -> None:
        self.limits = get_limits(preset) if isinstance(preset, str) else preset
        self._rng = np.random.default_rng(seed)
        self._held_steps = 0
        self._reaction_steps: int | None = None
        self._disagreements: deque[float] = deque()
        self._conditions = [gate.start_episode() for gate in self.limits.gates]
        self._budget = AttentionBudget(self.limits.budget_s_per_hour)
        self._condition = Condition(self.limits)
        self._trusting_s = 0.0

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode. A `seed` determines everything that this human does in it, except that a budget
        used up in earlier episodes stays used up.
        """
        if seed is not None:
            self._rng = np.random.default_rng((seed, STREAM))
        self._conditions = [gate.start_episode() for gate in self.limits.gates]
        self._begin()
        self._condition.begin(self._rng)

    def for_end_effectors(self, count: int) -> Operator:
        """Return a human who watches and helps all end effectors, with one hand per end effector."""
        return EndEffectorOperators([self, *(type(self)(self.limits) for _ in range(count - 1))])

    def decide(self, view: View) -> Decision:
        """Assess the policy, and act while it is wrong and the attention budget is not used up."""
        return Decision(self._imprecise_expert_action(view)) if self.wants_control(view) else POLICY_ACTS

    def wants_control(self, view: View) -> bool:
        """Return whether this human wants to act in the step of `view`; call it once per step."""
        step_s = float(view.env.control_dt)
        self._budget.pass_time(step_s)
        self._condition.pass_time(step_s, self._rng)
        if not self._acts(view):
            return False
        if not self._budget.allows(step_s):
            self._begin()
            return False
        self._budget.spend(step_s)
        self._condition.acted = True
        return True

    def _acts(self, view: View) -> bool:
        limits, step_s = self.limits, float(view.env.control_dt)
        patience = max(1, round(limits.patience_s / step_s))
        self._disagreements.append(self._disagreement(view))
        while len(self._disagreements) > patience:
            self._disagreements.popleft()
        mean = sum(self._disagreements) / len(self._disagreements)
        open_gates = [
            condition(view, self._rng) for condition in self._conditions
        ]  # every gate is called in every step
        needed = any(open_gates)
        watching = self._rng.random() < limits.attention and not self._condition.lapse_s
        if self._held_steps == 0 and self._reaction_steps is None:
            full_window = len(self._disagreements) == patience
            if not (watching and (needed or (full_window and mean > limits.disagreement))):
                return False
            self._reaction_steps = round(self._reaction_s() / step_s)
        if self._reaction_steps:
            self._reaction_steps -= 1
            return False
        self._held_steps += 1
        held_s = (self._held_steps - 0.5) * step_s  # rounds the limits to whole steps
        held_s /= self._condition.caution
        trusts_again = mean < 0.5 * limits.disagreement and not needed
        self._trusting_s = self._trusting_s + step_s if trusts_again else 0.0
        releases = trusts_again and self._trusting_s > self._condition.caution * limits.release_delay_s
        if held_s > limits.max_hold_s or (held_s > limits.min_hold_s and releases):
            self._condition.hand_back()
            self._begin()
            return False
        return True

    def _disagreement(self, view: View) -> float:
        """Return the `disagreement`. If its value does not matter, it is not computed: a threshold of 0 is always
        exceeded, and an infinite one never.
        """
        threshold = self.limits.disagreement
        if threshold == 0.0:
            return math.inf
        return disagreement(view) if threshold < math.inf else 0.0

    def _reaction_s(self) -> float:
        """Sample a reaction time (s) from a log-normal distribution with the given mean and spread."""
        if not self.limits.reaction_s:
            return 0.0
        variance = math.log1p(self.limits.reaction_spread**2)
        return (
            self._condition.slowness
            * self.limits.reaction_s
            * self._rng.lognormal(-0.5 * variance, math.sqrt(variance))
        )

    def _begin(self) -> None:
        self._held_steps = 0
        self._reaction_steps = None
        self._trusting_s = 0.0
        self._disagreements.clear()

    def get_state(self) -> Any:
        """Return random numbers, memory and budget."""
        return copy.deepcopy({name: getattr(self, name) for name in self._STATE_NAMES})

    def set_state(self, state: Any) -> None:
        """Restore what `get_state` returned."""
        for name, value in copy.deepcopy(state).items():
            setattr(self, name, value)

    def _imprecise_expert_action(self, view: View) -> Action:
        limits = self.limits
        command = view.expert_action.astype(np.float64)
        size, still, full = _scale(view.env)
        motion = (command[:size] - still) / full
        if self._rng.random() < limits.mistakes:
            motion[:] = self._rng.uniform(-1.0, 1.0, size)
        spread = self._condition.slowness * limits.noise * float(np.linalg.norm(motion))
        bias = np.zeros(size)
        bias[:3] = limits.bias[:size]
        motion += bias + self._rng.normal(0.0, 1.0, size) * spread
        command[:size] = np.clip(motion, -1.0, 1.0) * full + still
        return view.env.clip_action(command)
