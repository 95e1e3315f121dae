"""The report of a run: one HTML file that loads nothing."""

from __future__ import annotations

import base64
import json
import platform
from collections.abc import Sequence
from html import escape
from importlib import metadata
from pathlib import Path
from typing import Any

from gym_hil.core.files import write_atomically
from gym_hil.learning.charts import Line, chart, legend
from gym_hil.learning.config import CONFIG, TrainConfig
from gym_hil.learning.learning_curve import CURVE, Point, read_curve
from gym_hil.learning.videos import FIRST, LAST

REPORT = "report.html"
RESULT = "result.json"
PACKAGES = ("gym-hil", "mujoco", "gymnasium", "numpy", "torch", "stable-baselines3")
X_AXES = {"robot_minutes": "robot minutes", "wall_s": "wall-clock (s)"}


def write_report(out: Path) -> None:
    """Write the report of the run in `out`, finished or not."""
    config, points = TrainConfig.load(out / CONFIG), read_curve(out / CURVE)
    result = json.loads((out / RESULT).read_text(encoding="utf-8")) if (out / RESULT).is_file() else None
    late = {name: result[name] for name in ("late_steps", "worst_late_s") if result and name in result}
    made_with = {f"version of {name}": version for name, version in versions().items()}
    facts = {**config.as_dict(), **late, **made_with}
    parts = [
        f"<h1>{escape(config.env_id)}</h1>",
        f"<p class=headline>{escape(headline(points, result))}</p>",
        "<h2>Learning curves</h2>",
        legend(["alone", "with help"]),
        _charts(points),
        _films(out),
        _table(facts, "Configuration"),
    ]
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(config.env_id)}</title>"
        f"<style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )
    write_atomically(out / REPORT, page.encode())


def headline(points: Sequence[Point], result: dict[str, Any] | None) -> str:
    """Return what came out, in a sentence."""
    if not points:
        return "Nothing was learned yet."
    last = points[-1]
    cost = f"{last.robot_minutes:.1f} robot minutes, {last.human_s:.0f} s of a human and {last.wall_s:.0f} s"
    if result is None:
        return f"So far {last.success_alone:.0%} without help after {cost} of wall-clock."
    cycle = f" A success takes {result['cycle_s']:.1f} s." if result["cycle_s"] is not None else ""
    return (
        f"{result['successes']} of {result['episodes']} without help (95 % interval {result['low']:.0%} to "
        f"{result['high']:.0%}) after {cost} of wall-clock.{cycle}"
    )


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _charts(points: Sequence[Point]) -> str:
    svgs = []
    for axis, label in X_AXES.items():
        x = [getattr(point, axis) for point in points]
        # The first point has no training episodes behind it, only demonstrations.
        helped = [p.success_with_help if number else float("nan") for number, p in enumerate(points)]
        took_over = [p.intervention_rate if number else float("nan") for number, p in enumerate(points)]
        success = [Line("alone", x, [p.success_alone for p in points]), Line("with help", x, helped)]
        svgs.append(chart(success, title="success", x_label=label, percent=True))
        svgs.append(
            chart([Line("rate", x, took_over)], title="intervention rate", x_label=label, percent=True)
        )
        seconds = [Line("human", x, [p.human_s for p in points])]
        svgs.append(chart(seconds, title="human seconds", x_label=label))
    return f"<div class=charts>{''.join(f'<figure>{svg}</figure>' for svg in svgs)}</div>"


def _films(out: Path) -> str:
    figures = []
    for name, caption in ((FIRST, "First episode"), (LAST, "Last episode")):
        if (out / name).is_file():
            data = base64.b64encode((out / name).read_bytes()).decode()
            figures.append(
                f'<figure><video controls loop muted playsinline src="data:video/mp4;base64,{data}"></video>'
                f"<figcaption>{caption} in which the policy acted</figcaption></figure>"
            )
    return f"<h2>Episodes</h2><div class=charts>{''.join(figures)}</div>" if figures else ""


def _table(facts: dict[str, Any], title: str) -> str:
    if not facts:
        return ""
    rows = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{escape(_number(value))}</td></tr>"
        for name, value in facts.items()
    )
    return f"<h2>{title}</h2><table>{rows}</table>"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:1120px;margin:2em auto;padding:0 1em;color-scheme:light dark}"
    ".headline{font-size:20px}table{border-collapse:collapse;font-size:13px}td,th{text-align:left;"
    "padding:3px 14px 3px 0;border-bottom:1px solid #8886;font-weight:normal}td{font-weight:bold}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:16px}figure{margin:0}"
    "video{width:100%}"
)
