"""Tables about the virtual arm, for the hook `benchmark_tables`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gym_hil.experiments.study_report import as_markdown

FOLDER = Path(__file__).parents[1] / "benchmarks"
ROLLOUTS = FOLDER / "arm_rollouts.json"
REAL_ARM, ARM_FAULTS = FOLDER / "real_arm.json", FOLDER / "virtual_arm_faults.json"
MOTION = {"outside_mm": 1, "joint_speed": 2, "joint_speed_p99": 2}
"""Extremes of a motion, with the number of their decimals."""


def real_arm() -> str:
    """The facts of the training run on the virtual arm, from the result of ``benchmarks/real_arm_training.py``."""
    run = json.loads(REAL_ARM.read_text(encoding="utf-8"))["training"]
    config, limits = run["config"], run["limits"]
    worst_ms = max(part["worst_late_ms"] for part in run["parts"])
    loads = [part["load"] for part in run["parts"]]
    facts = {
        "commit": f"`{run['commit']}`",
        "method, version of its configuration, seed": f"`{config['method']}`, {config['version']}, {config['seed']}",
        "limits of joint speed and current": f"{limits['joint_speed']} rad/s, {limits['current']} A",
        "timed steps, including the evaluation": f"{run['timed_steps']:,}",
        "of these, late": f"{run['late_steps']} ({run['late_share']:.2%}), by at most {worst_ms:.0f} ms",
        "training episodes finished, and stored": f"{run['finished_episodes']}, {run['stored_episodes']}",
        "failed steps, N stands for a number": _counted([part["failed_steps"] for part in run["parts"]]),
        "checks by a person": _counted([part["checks"] for part in run["parts"]]),
        "success without help": _success_in_words(run["evaluation"]),
        "seconds per success": f"{run['evaluation']['cycle_s']:.1f}",
        "load of the machine (5 min) at the end": ", ".join(f"{load[1]:.0f}" for load in loads),
        "LeRobot, MuJoCo, PyTorch": ", ".join(
            run["versions"][name] for name in ("lerobot", "mujoco", "torch")
        ),
    }
    return as_markdown(["property", "value"], [[name, text] for name, text in facts.items()])


def real_arm_motion() -> str:
    """A row per kind of time of the training run: the true motion of the virtual arm."""
    run = json.loads(REAL_ARM.read_text(encoding="utf-8"))["training"]
    names = {
        "episodes": "steps of episodes",
        "to_start": "on the way to a start",
        "waiting": "between two steps, and otherwise",
        "without_torque": "a joint without torque",
        "free": "in total, while no servo is blocked",
    }
    parts = [part["motion"] for part in run["parts"] if "motion" in part]
    rows = [
        [
            text,
            f"{sum(part[name]['seconds'] for part in parts):,.0f} s",
            *(f"{max(part[name][key] for part in parts):.{digits}f}" for key, digits in MOTION.items()),
        ]
        for name, text in names.items()
    ]
    header = [
        "",
        "duration",
        "TCP outside the box (mm)",
        "fastest joint (rad/s)",
        "in 99 % of the time (rad/s)",
    ]
    return as_markdown(header, rows)


def real_arm_faults() -> str:
    """A row per fault during training on the virtual arm, from the result of ``benchmarks/real_arm_training.py``."""
    header = [
        "fault",
        "episodes finished, stored",
        "steps failed, late, all",
        "checks, power cycles",
        "TCP outside the box (mm)",
        "fastest joint / limit, and while free",
        "seconds without torque",
        "success at the end",
    ]
    rows = []
    for run in json.loads(REAL_ARM.read_text(encoding="utf-8"))["faults"]:
        (part,) = run["parts"]
        motion, checks = part["motion"], sum(part["checks"].values())
        failed = sum(part["failed_steps"].values())
        moving = [motion[kind]["joint_speed"] for kind in ("episodes", "to_start", "waiting")]
        fastest, free = (
            speed / run["limits"]["joint_speed"] for speed in (max(moving), motion["free"]["joint_speed"])
        )
        outside = max(motion[kind]["outside_mm"] for kind in ("episodes", "to_start", "waiting"))
        evaluation = run.get("evaluation")
        at_the_end = "-" if evaluation is None else f"{evaluation['successes']} of {evaluation['episodes']}"
        rows.append(
            [
                f"`{' '.join(run['fault'])}`",
                f"{run['finished_episodes']}, {run['stored_episodes']}",
                f"{failed}, {run['late_steps']}, {run['timed_steps']}",
                f"{checks}, {part['power_cycles']}",
                f"{outside:.1f}",
                f"{fastest:.2f}, {free:.2f}",
                f"{motion['without_torque']['seconds']:.1f}",
                at_the_end,
            ]
        )
    return as_markdown(header, rows)


def virtual_arm_faults() -> str:
    """A row per fault: what LeRobot does with it, from the result of ``benchmarks/virtual_arm_faults.py``."""
    header = [
        "fault",
        "connecting",
        "rounds",
        "slowest round",
        "mean error",
        "disconnecting",
        "connecting again",
    ]
    rows = []
    for entry in json.loads(ARM_FAULTS.read_text(encoding="utf-8"))["outcomes"]:
        moved = not entry["connected"]
        rounds = f"{entry['rounds']}" + (
            f", then `{_in_short(entry['stopped'])}`" if entry["stopped"] else ""
        )
        rows.append(
            [
                entry["fault"] if entry["fault"] == "none" else f"`{entry['fault']}`",
                _works(entry["connected"]),
                rounds if moved else "",
                f"{entry['slowest_ms']:.0f} ms" if moved else "",
                f"{entry['mean_error_deg']:.1f}°" if moved and entry["mean_error_deg"] is not None else "",
                _works(entry["disconnected"]) if moved else "",
                _works(entry["again"]),
            ]
        )
    return as_markdown(header, rows)


def _works(error: str) -> str:
    return f"`{_in_short(error)}`" if error else "works"


def _in_short(error: str) -> str:
    """Return what failed and why, without addresses and numbers of attempts."""
    reason = re.search(r"\[\w+\] (.*)", error)
    return error.split(" on ")[0] + (f": {reason[1]}" if reason else "")


def _counted(counts: Sequence[dict[str, int]]) -> str:
    """Return the sum of the counts, and the texts that were counted."""
    total = sum(sum(each.values()) for each in counts)
    texts = sorted({text for each in counts for text in each})
    text = re.sub(r"N(?:[.N]*N)?", "N", "; ".join(texts))
    return f"{total}: {text}" if total else "none"


def success(result: dict[str, Any]) -> tuple[str, str]:
    """Return the successes of an evaluation, and their 95 % interval."""
    interval = f"{100 * result['low']:.0f} to {100 * result['high']:.0f} %"
    return f"{result['successes']} of {result['episodes']}", interval


def _success_in_words(result: dict[str, Any]) -> str:
    return ", 95 % interval ".join(success(result))


def arm_rollouts() -> str:
    """A row per policy and program: how often it picked up the cube of the virtual arm without help."""
    names = {
        "arm_play": ("on the virtual arm", "`gym-hil play`"),
        "arm": ("on the virtual arm", "`lerobot-rollout`"),
        "states": ("in simulation", "`lerobot-rollout`"),
    }
    rows = []
    found = json.loads(ROLLOUTS.read_text(encoding="utf-8"))
    for name, (trained, program) in names.items():
        run = found[name]
        commit = f"`{run['commit'][:10]}`" if "commit" in run else "not recorded"
        result = _success_in_words({**run, "episodes": len(run["rollouts"])})
        version = f"{run['config']['version']}, {run['config']['seed']}"
        rows.append([trained, version, program, commit, result])
    header = ["trained", "version of the configuration, seed", "program", "commit of the test", "success"]
    return as_markdown(header, rows)


TABLES = (arm_rollouts, real_arm, real_arm_motion, real_arm_faults, virtual_arm_faults)
"""The tables of this module."""
