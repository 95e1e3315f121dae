"""The report of a training run: one self-contained HTML file."""

from __future__ import annotations

import json
import logging
import platform
import shlex
from collections.abc import Sequence
from importlib import metadata
from math import nan
from pathlib import Path
from typing import Any

from gym_hil.core.errors import MissingExtraError
from gym_hil.core.schema import ID_NAMESPACE
from gym_hil.intervention.limits import SCRIPT
from gym_hil.intervention.named import SIMULATED
from gym_hil.learning.config import CONFIG, TrainConfig
from gym_hil.learning.learning_curve import CURVE, Point, read_curve
from gym_hil.learning.videos import FIRST, LAST
from gym_hil.reports.charts import Line, line_chart
from gym_hil.reports.page import data_url, picture_url, require_libraries, write_page
from gym_hil.reports.video import last_frame

REPORT = "report.html"
RESULT = "result.json"
PACKAGES = ("gym-hil", "mujoco", "gymnasium", "numpy", "torch", "stable-baselines3")
ROBOT_MINUTES, WALL_CLOCK = "robot minutes", "wall-clock time (s)"
log = logging.getLogger(__name__)


def write_report(out: Path) -> None:
    """Write the report of the run in the folder `out`, finished or not. If the packages for reports are not
    installed, a warning is logged instead.
    """
    try:
        require_libraries()
    except MissingExtraError as error:
        log.warning("The report is not written: %s", error)
        return
    config, points = TrainConfig.load(out / CONFIG), read_curve(out / CURVE)
    result = json.loads((out / RESULT).read_text(encoding="utf-8")) if (out / RESULT).is_file() else None
    timing = {name: result[name] for name in ("late_steps", "worst_late_s") if result and name in result}
    facts = {
        **config.as_dict(),
        **timing,
        **{f"version of {name}": version for name, version in versions().items()},
    }
    write_page(
        out / REPORT,
        "training.html",
        title=f"Training run: {_command_id(config.env_id)}",
        headline=headline(task_name(config.env_id), points, result),
        curve=_success(
            points, config.demos, [point.robot_minutes for point in points], ROBOT_MINUTES, (1000, 340)
        ),
        videos=_videos(out),
        cost=_human_cost(points),
        cost_note=_cost_note(config),
        commands=_commands(config, out, finished=result is not None),
        charts=_more_charts(points, config.demos),
        configuration=[(name.replace("_", " "), _number(value)) for name, value in facts.items()],
    )


def task_name(env_id: str) -> str:
    """Return the name of the task in a base id: ``"PickCube"`` for ``"gym_hil/PandaPickCubeStateBase-v1"``."""
    name = env_id.rpartition("/")[2].rpartition("-v")[0]
    return name.removesuffix("Base").removesuffix("State").removeprefix("Panda")


def headline(task: str, points: Sequence[Point], result: dict[str, Any] | None) -> str:
    """Return a sentence that summarizes the result of a run.

    Args:
        task: name of the task.
        points: the learning curve so far.
        result: the last evaluation, or None if the run is not finished.
    """
    if not points:
        return f"The policy for {task} has not been evaluated yet."
    last = points[-1]
    cost = (
        f"{last.robot_minutes:.1f} robot minutes, {last.human_s:.0f} s in which a human acted "
        f"and {last.watched_s:.0f} s in which one watched"
    )
    if result is None:
        return f"So far the policy solves {task} alone in {last.success_alone:.0%} of episodes, after {cost}."
    cycle = f" and needs {result['cycle_s']:.1f} s per success" if result["cycle_s"] is not None else ""
    return (
        f"The policy solves {task} alone in {result['successes']} of {result['episodes']} episodes (95% "
        f"interval {result['low']:.0%} to {result['high']:.0%}){cycle}; it learned from {cost}."
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages on which results depend."""
    by_package = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            by_package[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            by_package[name] = "not installed"
    return by_package


def _online(points: Sequence[Point], demos: int, name: str) -> list[float]:
    """Return the field `name` of all points, or NaN where there have been only demonstrations."""
    return [getattr(point, name) if point.episodes > demos else nan for point in points]


def _success(
    points: Sequence[Point],
    demos: int,
    x: Sequence[float],
    x_label: str,
    size: tuple[float, float] = (500, 300),
) -> str:
    lines = [
        Line("without help", x, [point.success_alone for point in points]),
        Line("in training, with help", x, _online(points, demos, "success_with_help"), dashed=True),
    ]
    return line_chart(lines, title="success", x_label=x_label, percent=True, size=size)


def _more_charts(points: Sequence[Point], demos: int) -> list[str]:
    minutes, seconds = [p.robot_minutes for p in points], [p.wall_s for p in points]
    acting = [Line("by the human", minutes, _online(points, demos, "intervention_rate"))]
    human = [
        Line("acting", minutes, [point.human_s for point in points]),
        Line("watching", minutes, [point.watched_s for point in points]),
    ]
    return [
        line_chart(acting, title="steps by the human", x_label=ROBOT_MINUTES, percent=True),
        line_chart(human, title="seconds of the human", x_label=ROBOT_MINUTES),
        _success(points, demos, seconds, WALL_CLOCK),
    ]


def _videos(out: Path) -> list[tuple[str, str, str]]:
    """Return caption, content and last frame of each video."""
    captions = {FIRST: "The first episode in which the policy acted", LAST: "The last one"}
    return [
        (caption, data_url((out / name).read_bytes(), ".mp4"), picture_url(last_frame(out / name)))
        for name, caption in captions.items()
        if (out / name).is_file()
    ]


def _human_cost(points: Sequence[Point]) -> dict[str, str]:
    """Return the human cost of the run as labelled values."""
    if not points:
        return {}
    last = points[-1]
    return {
        "acting": f"{last.human_s:.0f} s",
        "watching": f"{last.watched_s:.0f} s",
        "takeovers": str(last.takeovers),
        "changes of control": str(last.switches),
        "steps by the human at the end": f"{last.intervention_rate:.0%}",
    }


def _cost_note(config: TrainConfig) -> str:
    if config.operator == "none":
        return "The human acted in demonstrations only. There were no takeovers, so nobody had to watch."
    who = operator_phrase(config)
    return f"{who[0].upper()}{who[1:]} acted in demonstrations and takeovers, and watched while the policy acted."


def operator_phrase(config: TrainConfig) -> str:
    """Return a phrase for the middle of a sentence that names who demonstrated and took over in a run."""
    if config.operator == "none":
        return "scripted demonstrations without takeovers"
    if config.real_time:
        return f"a person ({config.operator})"
    if config.operator not in SIMULATED:
        return f"the operator {config.operator!r}"
    kind = "a script without a human's limits" if config.preset.startswith(SCRIPT) else "a simulated human"
    return f"{kind} ({config.preset})"


def _commands(config: TrainConfig, out: Path, *, finished: bool) -> list[tuple[str, str]]:
    """Return commands that use the policy, each with a caption."""
    task = _command_id(config.env_id)
    folder = shlex.quote(str(out))
    commands = [
        ("Watch the policy:", f"gym-hil play {task} --policy {folder} --episodes 5"),
        ("Take over from it in a browser:", f"gym-hil play {task} --policy {folder} --operator browser"),
        ("Evaluate it from other start states:", f"gym-hil eval {folder} --episodes 300 --seed 2000000"),
    ]
    if not finished:
        again = f"gym-hil train {task} --out {folder} --resume"
        commands.append(("Continue the run, with the options with which it was started:", again))
    return commands


def _command_id(env_id: str) -> str:
    """Return the id of the task on the command line: ``"PandaPickCube-v1"``."""
    if not env_id.startswith(f"{ID_NAMESPACE}/"):
        return env_id
    return env_id.rpartition("/")[2].replace("StateBase-", "-")


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
