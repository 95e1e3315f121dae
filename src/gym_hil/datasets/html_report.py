"""The report of a dataset: one self-contained HTML page with charts, key frames, videos and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gym_hil.datasets.episode import Episode
from gym_hil.datasets.episode_video import EpisodeVideo
from gym_hil.datasets.validation import EpisodeQuality
from gym_hil.reports.charts import Histogram, histograms, length_chart, timeline
from gym_hil.reports.page import write_page

_MOTION = np.linspace(-1.0, 1.0, 22), {-1.0: "-1", 0.0: "0", 1.0: "1"}
AXES = {
    "x": _MOTION,
    "y": _MOTION,
    "z": _MOTION,
    "gripper": (np.linspace(-0.5, 2.5, 4), {0.0: "close", 1.0: "stay", 2.0: "open"}),
}
"""Entries of an action by name, with the bin edges and ticks of their histograms."""
ORIGIN = {
    "task": "",
    "operator": "operator: ",
    "policy": "policy: ",
    "gym_hil": "gym-hil ",
    "mujoco": "MuJoCo ",
}
"""Keys of an episode's meta that are shown at the top of the page, and their labels."""


@dataclass(frozen=True)
class Entry:
    """One episode on the page.

    Attributes:
        episode: the episode; it may lack the array `physics`.
        quality: statistics and warnings of the episode.
        film: video and key frames, or None.
        replays: whether its replay is exact, or None if it was not replayed.
    """

    episode: Episode
    quality: EpisodeQuality
    film: EpisodeVideo | None
    replays: bool | None = None


def write_dataset_report(
    path: Path,
    title: str,
    entries: Mapping[int, Entry],
    notes: tuple[str, ...] = (),
    *,
    layout: Mapping[str, slice] | None = None,
) -> None:
    """Write the page.

    Args:
        path: file of the page.
        title: heading of the page.
        entries: the episodes by number.
        notes: warnings about the dataset as a whole.
        layout: slices of the parts of ``observation.state``; None to show the first entries of this vector.

    Raises:
        MissingExtraError: Jinja2 or Matplotlib is not installed.
    """
    qualities = [entry.quality for entry in entries.values()]
    human = [round(quality.intervened_share * quality.length) for quality in qualities]
    episodes = [_episode(number, entry, layout or {}) for number, entry in entries.items()]
    write_page(
        path,
        "dataset.html",
        title=title,
        origin=_origin(entries),
        summary=_summary(entries),
        notes=notes,
        warned=[episode for episode in episodes if episode["warnings"]],
        lengths=length_chart([q.length for q in qualities], human, [q.success for q in qualities]),
        actions=_actions(entries) if entries else "",
        episodes=episodes,
    )


def _summary(entries: Mapping[int, Entry]) -> dict[str, str]:
    qualities = [entry.quality for entry in entries.values()]
    steps = sum(quality.length for quality in qualities)
    human = sum(quality.intervened_share * quality.length for quality in qualities)
    seconds = sum(entry.episode.length / entry.episode.meta["fps"] for entry in entries.values())
    facts = {
        "episodes": f"{len(qualities)}",
        "successes": f"{sum(quality.success for quality in qualities)}",
        "steps": f"{steps}",
        "robot time": f"{seconds:.0f} s",
        "a human acted": f"{sum(quality.intervened_s for quality in qualities):.0f} s",
        "a human watched": f"{sum(quality.watched_s for quality in qualities):.0f} s",
        "takeovers": f"{sum(quality.interventions for quality in qualities)}",
        "changes of control": f"{sum(quality.switches for quality in qualities)}",
        "steps by a human": f"{human / max(steps, 1):.0%}",
    }
    if any(entry.replays is not None for entry in entries.values()):
        facts["identical replays"] = f"{sum(bool(entry.replays) for entry in entries.values())}"
    return facts


def _origin(entries: Mapping[int, Entry]) -> str:
    metas = [entry.episode.meta for entry in entries.values()]
    origins = (
        label + ", ".join(sorted({str(meta[name]) for meta in metas})) for name, label in ORIGIN.items()
    )
    return " · ".join(origins) if metas else "The dataset has no episodes."


def _actions(entries: Mapping[int, Entry]) -> str:
    frames = [entry.episode.frames for entry in entries.values()]
    actions = np.concatenate([columns["action"] for columns in frames])
    by_human = np.concatenate([columns["complementary_info.is_intervention"] for columns in frames])
    shown = [
        Histogram(name, values, edges, ticks)
        for (name, (edges, ticks)), values in zip(AXES.items(), actions.T, strict=False)
    ]
    return histograms(shown, by_human)


def _episode(number: int, entry: Entry, layout: Mapping[str, slice]) -> dict[str, Any]:
    quality, frames, meta = entry.quality, entry.episode.frames, entry.episode.meta
    facts = [
        "success" if quality.success else "no success",
        f"{quality.length} steps",
        f"takeovers: {quality.interventions}",
        f"changes of control: {quality.switches}",
        f"a human acted for {quality.intervened_s:.1f} s and watched for {quality.watched_s:.1f} s",
        f"seed {meta['seed']}",
        f"end: {quality.end.replace('_', ' ')}",
    ]
    if entry.replays is not None:
        facts.append("identical replay" if entry.replays else "replay differs")
    state = frames["observation.state"]
    if "tcp_pos" in layout:
        position = dict(zip("xyz", state[:, layout["tcp_pos"]].T, strict=True))
        gripper = {"gripper": state[:, layout["gripper"].start]}
        panels = {"position (m)": position, "gripper (0 to 255)": gripper}
    else:
        panels = {"state": {str(index): column for index, column in enumerate(state.T[:6])}}
    return {
        "number": number,
        "facts": facts,
        "warnings": quality.warnings,
        "film": entry.film,
        "timeline": timeline(panels, frames["complementary_info.is_intervention"], 1.0 / float(meta["fps"])),
    }
