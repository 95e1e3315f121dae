"""``gym-hil bench``: measures the speed of tasks on this machine."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gym_hil.cli.common import write_json
from gym_hil.cli.progress import progress_bar
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.experiments import latency
from gym_hil.experiments import throughput as measuring
from gym_hil.experiments.throughput import processor
from gym_hil.stacks.ids import full_id
from gym_hil.stacks.vector import cores

_ROWS = {
    "import_s": ("import gym_hil, after gymnasium", "s", 3),
    "make_s": ("first make in a process", "s", 3),
    "first_reset_s": ("first reset", "s", 4),
    "memory_mb": ("memory of the process", "MB", 0),
    "steps_per_s": ("steps", "/s", 0),
    "sim_s_per_s": ("simulated seconds per second", "", 1),
    "step_to_engine_ratio": ("env.step / mj_step alone, durations", "x", 2),
    "reset_ms": ("reset", "ms", 2),
    "latency_ms": ("latency of a key press, median", "ms", 1),
    "worst_latency_ms": ("latency of a key press, largest", "ms", 1),
}


@dataclass(kw_only=True)
class Bench:
    """Measure the speed of this machine: start, steps, resets, memory, vector environments and MuJoCo alone."""

    tasks: list[str] = field(default_factory=lambda: ["PandaPickCube-v1", "PandaArrangeBoxes-v1"])
    """Environment ids, with or without "gym_hil/"."""
    quick: bool = False
    """Measure only a few steps, to test the command."""
    images: bool = True
    """Also measure image observations (two cameras, 128x128)."""
    vector: bool = True
    """Also measure vector environments."""
    latency: bool = True
    """Measure the latency from a key press to the motion of the arm, in real time."""
    seed: int = 0
    """Seed of the random actions."""
    json: Path | None = None
    """Also write the results to this file."""

    def run(self) -> int:
        """Measure, and print the results."""
        if not self.tasks:
            raise InvalidArgumentError("tasks is empty; name at least one environment id")
        console = Console()
        with progress_bar(console) as progress:
            count = len(self._kinds) * (3 if self.latency else 2) + (2 if self.vector else 0)
            self._bar = progress.add_task("", total=count * len(self.tasks))
            tasks = {task: self._task(task, progress) for task in self.tasks}
        result = {"machine": machine(), "tasks": tasks}
        console.print(_facts(result["machine"]))
        for kind in self._kinds:
            console.print(_kind_table(kind, result["tasks"]))
        if self.vector:
            console.print(_vector_table(result["tasks"]))
            console.print(_scaling_table(result["tasks"]))
        write_json(self.json, result)
        return 0

    @property
    def _kinds(self) -> tuple[str, ...]:
        return ("state", "images") if self.images else ("state",)

    def _task(self, task: str, progress: Progress) -> dict[str, Any]:
        env_id = full_id(task)
        rounds = 1 if self.quick else 5
        figures: dict[str, Any] = {}
        for kind in self._kinds:
            image_obs = kind == "images"
            progress.update(self._bar, description=f"{task}: {kind}")
            steps = (10, 3) if self.quick else (400, 30)
            start = measuring.start_up(env_id, image_obs=image_obs, rounds=rounds)
            progress.advance(self._bar)
            speed = measuring.stepping(
                env_id, image_obs=image_obs, steps=steps[image_obs], rounds=rounds, seed=self.seed
            )
            progress.advance(self._bar)
            figures[kind] = {**asdict(start), **asdict(speed)}
            if self.latency:
                wait = latency.measure(
                    env_id, image_obs=image_obs, presses=2 if self.quick else 40, seed=self.seed
                )
                figures[kind] |= {"latency_ms": wait.median_ms, "worst_latency_ms": wait.worst_ms}
                progress.advance(self._bar)
        if self.vector:
            progress.update(self._bar, description=f"{task}: vector")
            figures["vector"] = self._vector(env_id, rounds)
            progress.advance(self._bar)
            if gym.spec(env_id).vector_entry_point is not None:
                size, total = (2, 4) if self.quick else (256, 1024)
                scaling = measuring.scaling(env_id, num_envs=size, steps=total, rounds=rounds, seed=self.seed)
                figures["scaling"] = asdict(scaling)
            progress.advance(self._bar)
        return figures

    def _vector(self, env_id: str, rounds: int) -> list[dict[str, Any]]:
        modes = ["sync", "async"]
        if gym.spec(env_id).vector_entry_point is not None:
            modes.append("vector_entry_point")
        rows = []
        for num_envs in (1, 2) if self.quick else (1, 8, 64):
            for mode in modes:
                if mode == "async" and num_envs > 8:
                    continue  # every environment needs its own process
                steps = 3 if self.quick else max(5, 800 // num_envs)
                rate = measuring.vector_steps_per_s(
                    env_id, num_envs=num_envs, mode=mode, steps=steps, rounds=rounds, seed=self.seed
                )
                rows.append({"num_envs": num_envs, "mode": mode, "steps_per_s": rate})
        return rows


def machine() -> dict[str, Any]:
    """Return the properties of the machine on which speed depends."""
    return {
        "cpu": processor(),
        "cores": cores(),
        "load_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "mujoco": mujoco.__version__,
    }


def _facts(found: dict[str, Any]) -> Table:
    table = Table("machine", "")
    for key, value in found.items():
        table.add_row(key, f"{value:.2f}" if isinstance(value, float) else str(value))
    return table


def _kind_table(kind: str, tasks: dict[str, Any]) -> Table:
    table = Table(kind, *tasks)
    for key, (label, unit, digits) in _ROWS.items():
        values = [figures[kind].get(key) for figures in tasks.values()]
        cells = ["-" if value is None else f"{value:,.{digits}f} {unit}".rstrip() for value in values]
        table.add_row(label, *cells)
    return table


def _scaling_table(tasks: dict[str, Any]) -> Table:
    rows = {
        "environments": ("num_envs", "{}"),
        "steps per s, relative to one environment": ("speedup", "{:.2f} x"),
        "the same for MuJoCo alone": ("engine_speedup", "{:.2f} x"),
        "memory per environment": ("memory_mb_per_env", "{:.2f} MB"),
    }
    table = Table("vector on all cores", *tasks)
    for label, (key, form) in rows.items():
        values = [figures.get("scaling", {}).get(key) for figures in tasks.values()]
        table.add_row(label, *("-" if value is None else form.format(value) for value in values))
    return table


def _vector_table(tasks: dict[str, Any]) -> Table:
    table = Table("vector, environment steps per s", "mode", *tasks)
    for rows in zip(*(figures["vector"] for figures in tasks.values()), strict=True):
        first = rows[0]
        table.add_row(f"{first['num_envs']}", first["mode"], *(f"{row['steps_per_s']:,.0f}" for row in rows))
    return table
