"""Validation of recorded episodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidDatasetError
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.replay import require_fit, translate_state_errors
from gym_hil.intervention.human_cost import switches

IDLE_SHARE = 0.5
"""Fraction of idle steps above which there is a warning."""
CLIPPED_SHARE = 0.8
"""Fraction of steps with full speed along an axis, which may be clipped, above which there is a warning."""
LATE_SHARE = 0.05
"""Fraction of late steps in real time above which there is a warning."""
HOLD_S = 0.5
"""Time for which a success must last without further actions (s)."""


@dataclass(frozen=True)
class EpisodeQuality:
    """Statistics and warnings of one episode. Shares are fractions of its steps."""

    length: int
    success: bool
    end: str
    interventions: int
    intervened_share: float
    intervened_s: float
    """Time in which a human acted (s)."""
    watched_s: float
    """Time in which the policy acted and a human had to watch (s); 0 without an operator."""
    switches: int
    """Number of changes of control, including a takeover in the first step."""
    idle_share: float
    """Steps without motion and without a gripper command."""
    clipped_share: float
    """Steps with full speed along an axis."""
    late_steps: int
    """Number of late steps in real time; 0 without real-time pacing."""
    warnings: tuple[str, ...]


def assess(episode: Episode, env: EnvironmentInterface) -> EpisodeQuality:
    """Return statistics of an episode, and warnings about properties that make it less useful for learning.

    Args:
        episode: the episode.
        env: an environment of the same task, which simulates whether a success lasts.
    """
    frames = episode.frames
    action = frames["action"]
    still = np.all(np.abs(action[:, :3]) < 1e-3, axis=1)
    idle = float(np.mean(still & (action[:, 3] == 1.0) if action.shape[1] > 3 else still))
    clipped = float(np.mean(np.any(np.abs(action[:, :3]) >= 1.0, axis=1)))
    warnings = []
    if idle == 1.0:
        warnings.append("the robot is idle in all steps: record the episode again")
    elif idle > IDLE_SHARE:
        warnings.append(
            f"the robot is idle in {idle:.0%} of the steps: take over earlier, or record the episode again"
        )
    if clipped > CLIPPED_SHARE:
        warnings.append(f"at full speed in {clipped:.0%} of its steps, so actions may be clipped")
    late = int(episode.meta.get("late_steps", 0))
    if late > LATE_SHARE * episode.length:
        warnings.append(f"{late} of {episode.length} steps began late")
    if frames["next.truncated"][-1]:
        warnings.append("ended by the time limit")
    if not frames["next.done"][-1]:
        warnings.append("has no last step")
    if not episode.success:
        warnings.append("ends without success")
    else:
        warnings += _doubts(episode, env)
    acted = frames["complementary_info.is_intervention"]
    period_s = 1.0 / float(episode.meta["fps"])
    watches = episode.meta.get("operator", "none") != "none"
    return EpisodeQuality(
        length=episode.length,
        success=episode.success,
        end=str(episode.meta["end"]),
        interventions=len(set(frames["intervention_id"].tolist()) - {0}),
        intervened_share=float(np.mean(acted)),
        intervened_s=int(acted.sum()) * period_s,
        watched_s=int((~acted).sum()) * period_s if watches else 0.0,
        switches=switches([False, *acted.tolist()]),
        idle_share=idle,
        clipped_share=clipped,
        late_steps=late,
        warnings=tuple(warnings),
    )


def _doubts(episode: Episode, env: EnvironmentInterface) -> list[str]:
    """Simulate further from the end without actions, and return why the success is doubtful."""
    try:
        require_fit(episode, env)
        if not env.offers("simulation"):
            return []
        with translate_state_errors():
            return _lost(episode, env)
    except InvalidDatasetError as error:
        return [str(error)]


def _lost(episode: Episode, env: EnvironmentInterface) -> list[str]:
    env.set_state(episode.initial)
    env.restore_physics(episode.final["physics"])
    if not env.task_success():
        return ["labelled as a success, but the task is not done"]
    for step in range(round(HOLD_S / env.control_dt)):
        env.simulation.step()
        if not env.task_success():
            lost_s = (step + 1) * env.control_dt
            return [f"ends without holding success: it is lost after {lost_s:.1f} s"]
    return []
