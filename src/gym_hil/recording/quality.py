"""What is wrong with a demonstration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gym_hil.recording.episode import Episode

IDLE_SHARE = 0.5
"""More idle steps than this share are worth a warning."""
CLIPPED_SHARE = 0.8
"""The same for steps at full speed on some axis."""


@dataclass(frozen=True)
class Quality:
    """Facts about one episode."""

    length: int
    success: bool
    end: str
    interventions: int
    intervened_share: float
    idle_share: float
    """Share of steps without motion and with the gripper left alone."""
    clipped_share: float
    """Share of steps at full speed on some axis."""
    warnings: tuple[str, ...]


def judge(episode: Episode) -> Quality:
    """Return the facts, and a warning for everything that a learner would stumble over."""
    frames = episode.frames
    action = frames["action"]
    still = np.all(np.abs(action[:, :3]) < 1e-3, axis=1)
    idle = float(np.mean(still & (action[:, 3] == 1.0) if action.shape[1] > 3 else still))
    clipped = float(np.mean(np.any(np.abs(action[:, :3]) >= 1.0, axis=1)))
    warnings = []
    if idle == 1.0:
        warnings.append("nothing was done")
    elif idle > IDLE_SHARE:
        warnings.append(f"idle in {idle:.0%} of its steps")
    if clipped > CLIPPED_SHARE:
        warnings.append(f"full speed in {clipped:.0%} of its steps")
    if frames["next.truncated"][-1]:
        warnings.append("cut off by the time limit")
    if not frames["next.done"][-1]:
        warnings.append("does not end")
    if not episode.success:
        warnings.append("ends without success")
    return Quality(
        length=episode.length,
        success=episode.success,
        end=str(episode.meta["end"]),
        interventions=len(set(frames["intervention_id"].tolist()) - {0}),
        intervened_share=float(np.mean(frames["complementary_info.is_intervention"])),
        idle_share=idle,
        clipped_share=clipped,
        warnings=tuple(warnings),
    )
