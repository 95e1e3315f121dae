"""A dataset as one HTML page that needs nothing else: plots, key frames, videos, warnings."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gym_hil.datasets.episode import Episode
from gym_hil.datasets.film import Film
from gym_hil.datasets.plots import HUMAN, POLICY, histogram, length_bars, timeline
from gym_hil.datasets.validation import Quality

_UNITS = {-1.0: "-1", 0.0: "0", 1.0: "1"}
AXES = (
    ("x", (-1.0, 1.0), 21, _UNITS),
    ("y", (-1.0, 1.0), 21, _UNITS),
    ("z", (-1.0, 1.0), 21, _UNITS),
    ("gripper", (-0.5, 2.5), 3, {0.0: "close", 1.0: "stay", 2.0: "open"}),
)
"""Entries of an action: name, range, number of bins and ticks of the histogram."""
_STYLE = """
:root { color-scheme: light dark; --soft: #8883; --warn: #b62324; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1040px; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
svg { max-width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
.facts { display: flex; flex-wrap: wrap; gap: .6rem 2rem; } .facts b { display: block; font-size: 1.3rem; }
.episode { border-top: 1px solid var(--soft); padding: 1rem 0; } .episode h3 { margin: 0 0 .4rem; }
.sheet { display: flex; flex-wrap: wrap; gap: 6px; } figure { margin: 0; font-size: 12px; }
figure img { display: block; width: 160px; border-radius: 4px; }
.both { display: flex; flex-wrap: wrap; gap: 1rem; align-items: start; margin-top: .6rem; }
video { width: 320px; border-radius: 4px; } .warn { color: var(--warn); }
@media (prefers-color-scheme: dark) { :root { --warn: #ff7b72; } }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .3em 0 .8em; }
"""


@dataclass(frozen=True)
class Entry:
    """What the page says about one episode."""

    episode: Episode
    quality: Quality
    film: Film | None
    """None for an episode without pictures."""
    replays: bool | None = None
    """Whether it replays bit for bit; None where that was not tried."""


def page(title: str, entries: Mapping[int, Entry], notes: tuple[str, ...] = ()) -> str:
    """Return the page of the episodes `entries`, by number; `notes` are warnings about the whole."""
    parts = [_summary(title, entries, notes)]
    if entries:
        parts += [_lengths(entries), _actions(entries), "<h2>Episodes</h2>"]
        parts += [_episode(number, entry) for number, entry in entries.items()]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>"
    )


def _summary(title: str, entries: Mapping[int, Entry], notes: tuple[str, ...]) -> str:
    found = [entry.quality for entry in entries.values()]
    steps = sum(quality.length for quality in found)
    human = sum(quality.intervened_share * quality.length for quality in found)
    seconds = sum(entry.episode.length / entry.episode.meta["fps"] for entry in entries.values())
    facts = {
        "episodes": f"{len(found)}",
        "succeed": f"{sum(quality.success for quality in found)}",
        "steps": f"{steps}",
        "of robot time": f"{seconds:.0f} s",
        "takeovers": f"{sum(quality.interventions for quality in found)}",
        "of the steps by a human": f"{human / max(steps, 1):.0%}",
    }
    if any(entry.replays is not None for entry in entries.values()):
        facts["replay bit for bit"] = f"{sum(bool(entry.replays) for entry in entries.values())}"
    warned = [
        f'<li class="warn"><a href="#e{number}">episode {number}</a>: '
        f"{html.escape('; '.join(entry.quality.warnings))}</li>"
        for number, entry in entries.items()
        if entry.quality.warnings
    ]
    shown = "".join(f"<div><b>{value}</b>{name}</div>" for name, value in facts.items())
    warned = [f'<li class="warn">{html.escape(note)}</li>' for note in notes] + warned
    return (
        f"<h1>{html.escape(title)}</h1><p>{html.escape(_origin(entries))}</p>"
        f'<div class="facts">{shown}</div>'
        + (f"<h2>Warnings</h2><ul>{''.join(warned)}</ul>" if warned else "<p>Nothing to warn of.</p>")
    )


def _origin(entries: Mapping[int, Entry]) -> str:
    metas = [entry.episode.meta for entry in entries.values()]
    told = [
        f"{label} {', '.join(sorted({str(meta[key]) for meta in metas}))}"
        for label, key in (
            ("", "task"),
            ("operator:", "operator"),
            ("policy:", "policy"),
            ("gym-hil", "gym_hil"),
            ("MuJoCo", "mujoco"),
        )
    ]
    return " · ".join(line.strip() for line in told) if metas else "no episodes"


def _legend() -> str:
    marks = ((POLICY, "policy"), (HUMAN, "human"))
    return "".join(f'<span class="key" style="background:{colour}"></span>{name}' for colour, name in marks)


def _lengths(entries: Mapping[int, Entry]) -> str:
    found = [entry.quality for entry in entries.values()]
    human = [round(quality.intervened_share * quality.length) for quality in found]
    bars = length_bars([q.length for q in found], human, [q.success for q in found])
    return f"<h2>Steps per episode{_legend()}</h2>{bars}"


def _actions(entries: Mapping[int, Entry]) -> str:
    actions = np.concatenate([entry.episode.frames["action"] for entry in entries.values()])
    by_human = np.concatenate(
        [entry.episode.frames["complementary_info.is_intervention"] for entry in entries.values()]
    )
    plots = (
        histogram(actions[:, column], by_human, span, bins, name, ticks)
        for column, (name, span, bins, ticks) in enumerate(AXES[: actions.shape[1]])
    )
    return (
        f'<h2>Actions{_legend()}</h2><div class="sheet">{"".join(plots)}</div>'
        "<p>x, y and z in units of the largest step.</p>"
    )


def _episode(number: int, entry: Entry) -> str:
    quality, frames = entry.quality, entry.episode.frames
    said = [
        "success" if quality.success else "no success",
        f"{quality.length} steps",
        f"takeovers: {quality.interventions}",
        f"seed {entry.episode.meta['seed']}",
        quality.end.replace("_", " "),
    ]
    if entry.replays is not None:
        said.append("replays bit for bit" if entry.replays else "does not replay")
    warned = "".join(f'<div class="warn">{html.escape(warning)}</div>' for warning in quality.warnings)
    state = frames["observation.state"]
    curves = {"x (m)": state[:, 15], "y (m)": state[:, 16], "z (m)": state[:, 17], "fingers": state[:, 14]}
    plot = timeline(
        curves, frames["complementary_info.is_intervention"], 1.0 / float(entry.episode.meta["fps"])
    )
    sheet = video = ""
    if entry.film is not None:
        figures = (
            f'<figure><img src="{url}" alt="{html.escape(name)}" loading="lazy">{html.escape(name)}</figure>'
            for name, url in entry.film.key_frames.items()
        )
        sheet = f'<div class="sheet">{"".join(figures)}</div>'
        poster = next(iter(entry.film.key_frames.values()))
        video = (
            f'<video controls loop muted preload="none" poster="{poster}" src="{entry.film.video}"></video>'
        )
    return (
        f'<div class="episode" id="e{number}"><h3>Episode {number}</h3><div>{" · ".join(said)}</div>{warned}'
        f'{sheet}<div class="both">{video}{plot}</div></div>'
    )
