"""The state of a run, as numbers that anything can print or draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

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

    @classmethod
    def of(cls, episode: Episode, limit: int) -> Summary:
        """Return the numbers of `episode`; `limit` is the most steps of an episode."""
        return cls(
            kind=episode.kind,
            steps=len(episode),
            intervened=int(episode.interventions.sum()),
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
        human_s=sum(episode.intervened for episode in episodes) * config.control_dt,
        updates=updates,
        points=tuple(points),
    )
