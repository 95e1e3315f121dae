"""Compares a learned reward with the success in the simulator, or with the labels of recorded episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.success import NeverDone
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.intervention.named import make_demonstrator
from gym_hil.intervention.scripted_policies import make_policy
from gym_hil.learning.reward import LearnedReward, LearnedSuccess
from gym_hil.learning.reward_data import LabelledEpisode
from gym_hil.learning.reward_labels import NO_SUCCESS, SUCCESS
from gym_hil.learning.torch_setup import one_thread
from gym_hil.stacks.build import make_env

BEHAVIOURS = ("human", "noisy-expert", "fumbling", "random")
"""Who acts in the episodes, in turn: the simulated human, or a scripted policy."""
AFTER_S = 1.0
"""Time after the first success during which the episode continues and a success may be found (s)."""
JUST_BEFORE_S = 0.3
"""False positives at most this long before a success are counted separately (s): they end an episode too early, but
not wrongly."""


@dataclass
class RewardFigures:
    """The result of an evaluation. Observations are those after each step.

    Attributes:
        observations: number of observations without success.
        false_positives: number of these that count as success.
        just_before: number of false positives that are at most `JUST_BEFORE_S` before a success.
        successes: number of episodes with a success.
        found: number of these in which it is found within `AFTER_S`.
        delays_s: time from the success until it is found, for each of them (s).
    """

    observations: int = 0
    false_positives: int = 0
    just_before: int = 0
    successes: int = 0
    found: int = 0
    delays_s: list[float] = field(default_factory=list)

    @property
    def per_thousand(self) -> float:
        """False positives per 1,000 observations without success."""
        return 1000.0 * self.false_positives / max(1, self.observations)

    @property
    def recall(self) -> float | None:
        """Share of the successes that are found, or None if there are none."""
        return self.found / self.successes if self.successes else None

    def add(self, truth: NDArray[np.bool_], called: NDArray[np.bool_], dt: float) -> None:
        """Add an episode.

        Args:
            truth: whether each observation shows a success (n).
            called: whether each counts as success (n).
            dt: time between observations (s).
        """
        wrong = called & ~truth
        self.observations += int((~truth).sum())
        self.false_positives += int(wrong.sum())
        if not truth.any():
            return
        first = int(np.argmax(truth))
        self.just_before += int(wrong[max(0, first - round(JUST_BEFORE_S / dt)) : first].sum())
        self.successes += 1
        after = np.flatnonzero((called & truth)[first : first + 1 + round(AFTER_S / dt)])
        if after.size:
            self.found += 1
            self.delays_s.append(float(after[0]) * dt)


def measure_on_episodes(reward: LearnedReward, episodes: Iterable[LabelledEpisode]) -> RewardFigures:
    """Compare a reward with the labels of recorded episodes. Observations without a label are left out."""
    figures = RewardFigures()
    for episode in episodes:
        known = (episode.labels == SUCCESS) | (episode.labels == NO_SUCCESS)
        rows, labels = episode.rows[known], episode.labels[known]
        figures.add(labels == SUCCESS, reward.classify(rows), episode.dt)
    return figures


def measure_in_task(
    detector: LearnedSuccess,
    env_id: str,
    episodes: int,
    first_start: int,
    *,
    behaviours: Sequence[str] = BEHAVIOURS,
    preset: str = DEFAULT_PRESET,
    on_episode: Callable[[], None] = lambda: None,
) -> dict[str, RewardFigures]:
    """Compare a reward with the success in the simulator after every step.

    Args:
        detector: the reward.
        env_id: a base id of this package.
        episodes: number of episodes, which the behaviours take in turn.
        first_start: environment seed of the first episode, incremented by 1 for each further one.
        behaviours: names from `BEHAVIOURS`, or other scripted policies.
        preset: preset of the simulated human.
        on_episode: called after each episode.

    Returns:
        The result for each behaviour.

    Raises:
        InvalidArgumentError: the reward was learned for another task, robot or observation.
    """
    by_behaviour = {}
    for number, behaviour in enumerate(behaviours):
        human = behaviour == "human"
        env = make_env(
            env_id, operator=make_demonstrator("simulated", preset) if human else None, reward=NeverDone()
        )
        interface = EnvironmentInterface(env)
        detector.attach(EnvironmentInterface(env.unwrapped))
        by_behaviour[behaviour] = figures = RewardFigures()
        for seed in range(first_start + number, first_start + episodes, len(behaviours)):
            policy, rng = make_policy("zero" if human else behaviour), np.random.default_rng(seed)
            env.reset(seed=seed)
            truth: list[bool] = []
            called: list[bool] = []
            done, remaining_steps = False, round(AFTER_S / interface.control_dt)
            with one_thread():
                while not done and remaining_steps:
                    *_, terminated, truncated, _ = env.step(policy(interface, rng))
                    truth.append(interface.task_success())
                    called.append(detector.detects())
                    done = terminated or truncated
                    remaining_steps -= any(truth)
            figures.add(np.array(truth), np.array(called), interface.control_dt)
            on_episode()
        detector.close()
        env.close()
    return by_behaviour


def total(figures: Iterable[RewardFigures]) -> RewardFigures:
    """Return the sum of several results."""
    summed = RewardFigures()
    for figure in figures:
        for name in ("observations", "false_positives", "just_before", "successes", "found"):
            setattr(summed, name, getattr(summed, name) + getattr(figure, name))
        summed.delays_s += figure.delays_s
    return summed
