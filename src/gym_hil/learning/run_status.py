"""The state of a run, as numbers that anything can print or draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from gym_hil.intervention.human_cost import switches, takeovers
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Episode
from gym_hil.learning.learning_curve import Point

RECENT = 20
"""Episodes that count as recent."""


@dataclass(frozen=True)
class Summary:
    """An episode in a few numbers."""

    kind: str
    steps: int
    intervened: int
    """Steps in which the human acted."""
    success: bool
    whole: bool
    """Whether the policy had all the time it should have had."""
    takeovers: int = 0
    """How often the human took over."""
    switches: int = 0
    """How often control changed hands."""

    @classmethod
    def of(cls, episode: Episode, limit: int) -> Summary:
        """Return the numbers of `episode`; `limit` is the most steps of an episode."""
        return cls(
            kind=episode.kind,
            steps=len(episode),
            intervened=int(episode.interventions.sum()),
            takeovers=takeovers(episode.interventions.tolist()),
            switches=switches([False, *episode.interventions.tolist()]),
            success=episode.success,
            whole=episode.terminated or len(episode) >= limit,
        )


def share_of_successes(episodes: Sequence[Summary]) -> float | None:
    """Return how many of the whole online episodes succeeded; None without any."""
    counted = [episode.success for episode in episodes if episode.kind == "online" and episode.whole]
    return sum(counted) / len(counted) if counted else None


def share_of_interventions(episodes: Sequence[Summary]) -> float | None:
    """Return in how many of the online steps the human acted; None without any."""
    online = [episode for episode in episodes if episode.kind == "online"]
    steps = sum(episode.steps for episode in online)
    return sum(episode.intervened for episode in online) / steps if steps else None


def spent_by_human(config: TrainConfig, episodes: Sequence[Summary]) -> HumanTime:
    """Return what `episodes` of a run of `config` cost the human. Whoever may take over has to watch whenever the
    policy acts.
    """
    acted = sum(episode.intervened for episode in episodes)
    watched = sum(episode.steps for episode in episodes) - acted if config.operator != "none" else 0
    return HumanTime(
        human_s=acted * config.control_dt,
        watched_s=watched * config.control_dt,
        takeovers=sum(episode.takeovers for episode in episodes if episode.kind == "online"),
        switches=sum(episode.switches for episode in episodes if episode.kind == "online"),
    )


class HumanTime(NamedTuple):
    """What a run has cost the human so far, demonstrations included."""

    human_s: float
    """Seconds of acting."""
    watched_s: float
    """Seconds of watching, ready to take over."""
    takeovers: int
    """How often the human took over from a policy."""
    switches: int
    """How often control changed hands between policy and human."""


@dataclass(frozen=True)
class RunStatus:
    """A run at one moment. Shares are in [0, 1]; None: not known yet."""

    phase: Literal["demonstrations", "learning", "evaluation", "done"]
    demos: int
    """Demonstrations that are wanted."""
    demonstrated: int
    """Demonstrations that succeeded."""
    steps: int
    """Control steps so far, demonstrations included."""
    robot_minutes: float
    total_robot_minutes: float
    episodes: int
    success_alone: float | None
    """Share of the last evaluation's episodes, without a human."""
    success_with_help: float | None
    """Share of the last `RECENT` online episodes."""
    intervention_rate: float | None
    """Share of steps of the last `RECENT` online episodes in which the human acted."""
    human_s: float
    """Seconds in which the human acted so far."""
    watched_s: float
    """Seconds in which the human watched so far."""
    updates: int
    """Gradient steps of the critic so far."""
    points: tuple[Point, ...]
    """The learning curve."""

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers and lists."""
        return asdict(self)


def status(
    phase: Literal["demonstrations", "learning", "evaluation", "done"],
    config: TrainConfig,
    episodes: Sequence[Summary],
    points: Sequence[Point],
    updates: int,
) -> RunStatus:
    """Return the status of a run of `config` after these episodes, points of the learning curve and
    updates.
    """
    recent = [episode for episode in episodes if episode.kind == "online"][-RECENT:]
    steps = sum(episode.steps for episode in episodes)
    spent = spent_by_human(config, episodes)
    return RunStatus(
        phase=phase,
        demos=config.demos,
        demonstrated=sum(episode.kind == "demonstration" for episode in episodes),
        steps=steps,
        robot_minutes=steps / config.steps_per_minute,
        total_robot_minutes=config.robot_minutes,
        episodes=len(episodes),
        success_alone=points[-1].success_alone if points else None,
        success_with_help=share_of_successes(recent),
        intervention_rate=share_of_interventions(recent),
        human_s=spent.human_s,
        watched_s=spent.watched_s,
        updates=updates,
        points=tuple(points),
    )
