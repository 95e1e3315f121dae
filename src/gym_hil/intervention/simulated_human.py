"""A simulated human: an expert's knowledge behind a person's limits. Same seed, same takeovers."""

from __future__ import annotations

import copy
import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.core.step_record import Action
from gym_hil.intervention.budget import AttentionBudget
from gym_hil.intervention.gates import Gate, NoProgress
from gym_hil.intervention.operator import LET_GO, Decision, Operator, View

STREAM = 10
"""Sets this human's random numbers apart from those of others with the same seed."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a person cannot do. Counts are control steps (0.1 s at 10 Hz)."""

    disagreement: float = 0.7
    """Takes over when the policy's `disagreement` with the expert is larger than this on average over
    `patience` steps, and lets go when it is less than half of it. Infinite: never for this reason."""
    patience: int = 5
    """Steps over which disagreement is judged."""
    gates: tuple[Gate, ...] = ()
    """Further reasons to take over, any of which is enough; it does not let go while one persists."""
    reaction_delay: int = 0
    """Steps between deciding to take over and acting."""
    min_hold: int = 5
    """Shortest takeover."""
    max_hold: int = 60
    """Longest takeover before trusting the policy again."""
    noise: float = 0.0
    """Standard deviation of the command on each axis, as a share of its length: large moves are imprecise."""
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Constant error of the command, in units of action."""
    quantised: bool = False
    """Axes are 0, fine or full speed, as from keys."""
    attention: float = 1.0
    """Probability, per step, of watching at all while the policy acts."""
    budget_s_per_hour: float = math.inf
    """Seconds of acting within any hour of the robot's time; beyond it the policy is left alone. The hour
    goes on from episode to episode."""
    mistakes: float = 0.0
    """Probability, per step while acting, of a command in a random direction."""

    def __post_init__(self) -> None:
        """Refuse what no human can be."""
        for name in ("attention", "mistakes"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} is no probability in [0, 1]")
        for name in ("disagreement", "noise", "reaction_delay", "budget_s_per_hour"):
            if not getattr(self, name) >= 0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be at least 0")
        if self.patience < 1 or not 1 <= self.min_hold <= self.max_hold:
            raise InvalidArgumentError(
                f"patience={self.patience} must be at least 1, and 1 <= min_hold={self.min_hold} "
                f"<= max_hold={self.max_hold}"
            )


PRESETS = {
    "expert": Limits(),
    "novice": Limits(patience=8, reaction_delay=2, noise=0.15, mistakes=0.02),
    "keyboard": Limits(patience=6, reaction_delay=1, quantised=True),
    "coach": Limits(disagreement=math.inf, gates=(NoProgress(steps=20, metres=0.02),), max_hold=20),
    "inattentive": Limits(patience=10, reaction_delay=2, noise=0.1, attention=0.15),
}


FINE_SPEED = 0.25
"""Level of a key held together with the fine-speed key."""


def disagreement(view: View) -> float:
    """Return how far the policy is from the expert: 0 alike, 1 idle where motion is needed, 2 opposite.

    A gripper command that the expert would not give counts 1.
    """
    env, expert, policy = view.env, view.expert_action, view.policy_action
    size, still, full = _scale(env)
    motion = float(np.linalg.norm((expert[:size] - policy[:size]) / full))
    motion /= max(float(np.linalg.norm((expert[:size] - still) / full)), 0.3)
    told, wanted = env.gripper_closes(policy), env.gripper_closes(expert)
    closing = env.gripper_closing if told is None else told
    return motion + float(wanted is not None and closing != wanted)


def _scale(env: EnvironmentInterface) -> tuple[int, Action, Action]:
    """Return how many entries of an action are motion, and their values for no motion and for full speed."""
    size = env.motion_size
    full = env.motion_scale if env.offers("motion_scale") else env.action_space.high[:size]
    return size, env.neutral_action()[:size], full


class SimulatedHuman(Operator):
    """Watches the policy and takes over as a person would.

    Args:
        preset: a name in `PRESETS`, or `Limits` of your own.
        seed: of its noise and attention, used where `reset` is given none.
    """

    name = "simulated"
    _MEMORY = ("_rng", "_holding", "_reacting_in", "_disagreements", "_judges", "_budget")

    def __init__(self, preset: str | Limits = "expert", seed: int | None = None) -> None:
        if isinstance(preset, str):
            require_one_of("preset", preset, PRESETS)
            preset = PRESETS[preset]
        self.limits = preset
        self._rng = np.random.default_rng(seed)
        self._holding = 0
        self._reacting_in: int | None = None
        self._disagreements: deque[float] = deque(maxlen=preset.patience)
        self._judges = [gate.judge() for gate in preset.gates]
        self._budget = AttentionBudget(preset.budget_s_per_hour)

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode; a `seed` fixes everything this human will do in it, except that a budget that earlier
        episodes have used up stays used up.
        """
        if seed is not None:
            self._rng = np.random.default_rng((seed, STREAM))
        self._judges = [gate.judge() for gate in self.limits.gates]
        self._begin()

    def decide(self, view: View) -> Decision:
        """Judge the policy; act while it is wrong, and there is attention left."""
        step_s = float(view.env.control_dt)
        self._budget.pass_time(step_s)
        if not self._acts(view):
            return LET_GO
        if not self._budget.allows(step_s):
            self._begin()
            return LET_GO
        self._budget.spend(step_s)
        return Decision(self._as_commanded(view))

    def _acts(self, view: View) -> bool:
        limits = self.limits
        self._disagreements.append(disagreement(view))
        mean = float(np.mean(self._disagreements))
        opinions = [judge(view, self._rng) for judge in self._judges]  # each hears of every step
        asked = any(opinions)
        watching = self._rng.random() < limits.attention
        if self._holding == 0 and self._reacting_in is None:
            judged = len(self._disagreements) == limits.patience
            if not (watching and (asked or (judged and mean > limits.disagreement))):
                return False
            self._reacting_in = limits.reaction_delay
        if self._reacting_in:
            self._reacting_in -= 1
            return False
        self._holding += 1
        trusts_again = mean < 0.5 * limits.disagreement and not asked
        if self._holding > limits.max_hold or (self._holding > limits.min_hold and trusts_again):
            self._begin()
            return False
        return True

    def _begin(self) -> None:
        self._holding = 0
        self._reacting_in = None
        self._disagreements.clear()

    def get_state(self) -> Any:
        """Return random numbers, memory and budget."""
        return copy.deepcopy({name: getattr(self, name) for name in self._MEMORY})

    def set_state(self, state: Any) -> None:
        """Continue from what `get_state` returned."""
        for name, value in copy.deepcopy(state).items():
            setattr(self, name, value)

    def _as_commanded(self, view: View) -> Action:
        limits = self.limits
        command = view.expert_action.astype(np.float64)
        size, still, full = _scale(view.env)
        motion = (command[:size] - still) / full
        if self._rng.random() < limits.mistakes:
            motion[:] = self._rng.uniform(-1.0, 1.0, size)
        spread = limits.noise * float(np.linalg.norm(motion))
        bias = np.zeros(size)
        bias[:3] = limits.bias
        motion += bias + self._rng.normal(0.0, 1.0, size) * spread
        if limits.quantised:
            size_of = np.abs(motion)
            steps = np.where(size_of > 0.6, 1.0, np.where(size_of > 0.5 * FINE_SPEED, FINE_SPEED, 0.0))
            motion[:] = np.sign(motion) * steps
        command[:size] = np.clip(motion, -1.0, 1.0) * full + still
        return view.env.clip_action(command)
