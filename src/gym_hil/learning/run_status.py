"""The status of a training run, for progress output and viewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gym_hil.intervention.human_cost import switches, takeovers
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import TrainingEpisode
from gym_hil.learning.learning_curve import Point
from gym_hil.learning.methods import METHODS

RECENT = 20
"""Number of latest episodes over which rates are computed."""


@dataclass(frozen=True)
class Summary:
    """Key figures of an episode."""

    kind: str
    steps: int
    intervened: int
    """Number of steps in which the human acted."""
    success: bool
    whole: bool
    """Whether the episode ended by itself or by the task's time limit, and not because the run ended."""
    takeovers: int = 0
    """Number of takeovers by the human."""
    switches: int = 0
    """Number of changes of control between policy and human."""

    @classmethod
    def of(cls, episode: TrainingEpisode, limit: int) -> Summary:
        """Return the summary of `episode`, whose time limit is `limit` steps."""
        return cls(
            kind=episode.kind,
            steps=len(episode),
            intervened=int(episode.interventions.sum()),
            takeovers=takeovers(episode.interventions.tolist()),
            switches=switches([False, *episode.interventions.tolist()]),
            success=episode.success,
            whole=episode.terminated or len(episode) >= limit,
        )


def success_rate(episodes: Sequence[Summary]) -> float | None:
    """Return the success rate of the whole online episodes, or None if there are none."""
    counted = [episode.success for episode in episodes if episode.kind == "online" and episode.whole]
    return sum(counted) / len(counted) if counted else None


def share_of_interventions(episodes: Sequence[Summary]) -> float | None:
    """Return the fraction of the online steps in which the human acted, or None if there are none."""
    online = [episode for episode in episodes if episode.kind == "online"]
    steps = sum(episode.steps for episode in online)
    return sum(episode.intervened for episode in online) / steps if steps else None


def human_time(config: TrainConfig, episodes: Sequence[Summary]) -> HumanTime:
    """Return the human's time in `episodes` of a run. An operator who may take over watches while the policy
    acts; one who is called by the policy does not.
    """
    acted = sum(episode.intervened for episode in episodes)
    watches = config.operator != "none" and METHODS.get(config.method).help == "watching"
    watched = sum(episode.steps for episode in episodes) - acted if watches else 0
    return HumanTime(
        human_s=acted * config.control_dt,
        watched_s=watched * config.control_dt,
        takeovers=sum(episode.takeovers for episode in episodes if episode.kind == "online"),
        switches=sum(episode.switches for episode in episodes if episode.kind == "online"),
    )


class HumanTime(NamedTuple):
    """The human's time in a run so far, including demonstrations."""

    human_s: float
    """Time of acting (s)."""
    watched_s: float
    """Time of watching the policy (s)."""
    takeovers: int
    """Number of takeovers from a policy."""
    switches: int
    """Number of changes of control between policy and human."""


@dataclass(frozen=True)
class RunStatus:
    """Status of a run at one moment. Rates are in [0, 1], or None while they are unknown."""

    phase: Literal["demonstrations", "learning", "evaluation", "done"]
    demos: int
    """Number of demonstrations to record."""
    demonstrated: int
    """Number of successful demonstrations so far."""
    steps: int
    """Number of control steps so far, including demonstrations."""
    robot_minutes: float
    """Simulated time so far (min)."""
    total_robot_minutes: float
    """Simulated time of the whole run (min)."""
    episodes: int
    """Number of episodes so far, including demonstrations."""
    success_alone: float | None
    """Success rate of the latest evaluation, without a human."""
    success_with_help: float | None
    """Success rate of the latest `RECENT` online episodes."""
    intervention_rate: float | None
    """Fraction of steps in the latest `RECENT` online episodes in which the human acted."""
    human_s: float
    """Time in which the human acted so far (s)."""
    watched_s: float
    """Time in which the human watched so far (s)."""
    updates: int
    """Number of gradient steps of the critic so far."""
    points: tuple[Point, ...]
    """The learning curve."""
    evaluated: float | None = None
    """Share of episodes of the evaluation in progress that have ended; None outside of one."""


def status(
    phase: Literal["demonstrations", "learning", "evaluation", "done"],
    config: TrainConfig,
    episodes: Sequence[Summary],
    points: Sequence[Point],
    updates: int,
) -> RunStatus:
    """Return the status of a run.

    Args:
        phase: current phase.
        config: configuration of the run.
        episodes: all episodes so far.
        points: the learning curve so far.
        updates: number of gradient steps so far.
    """
    recent = [episode for episode in episodes if episode.kind == "online"][-RECENT:]
    steps = sum(episode.steps for episode in episodes)
    spent = human_time(config, episodes)
    return RunStatus(
        phase=phase,
        demos=config.demos,
        demonstrated=sum(episode.kind == "demonstration" for episode in episodes),
        steps=steps,
        robot_minutes=steps / config.steps_per_minute,
        total_robot_minutes=config.robot_minutes,
        episodes=len(episodes),
        success_alone=points[-1].success_alone if points else None,
        success_with_help=success_rate(recent),
        intervention_rate=share_of_interventions(recent),
        human_s=spent.human_s,
        watched_s=spent.watched_s,
        updates=updates,
        points=tuple(points),
    )
