"""Measures the speed of environments for ``gym-hil bench``.

Times are wall-clock times. Measurements of MuJoCo alone alternate with those of the environment, so that other load on
the machine affects both equally.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import GymHilError
from gym_hil.simulation.simulation import Simulation
from gym_hil.stacks.vector import cores

_FRESH = """
import json, sys
from time import perf_counter as now
import gymnasium as gym
start = now()
import gym_hil
imported = now()
env = gym.make(sys.argv[1], image_obs=sys.argv[2] == "True", disable_env_checker=True)
made = now()
env.reset(seed=0)
reset = now()
try:
    with open("/proc/self/status") as status:
        memory = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
except OSError:
    memory = None
print(json.dumps({"import_s": imported - start, "make_s": made - imported, "first_reset_s": reset - made,
                  "memory_mb": memory}))
"""


@dataclass(frozen=True)
class Start:
    """Start of the first environment in a new process: times (s) and memory (MB)."""

    import_s: float
    """Time of ``import gym_hil`` in addition to Gymnasium (s)."""
    make_s: float
    """Time of `gym.make`, including the import of MuJoCo (s)."""
    first_reset_s: float
    """Duration of the first reset (s)."""
    memory_mb: float | None
    """Largest resident size (MB); None if the system does not report it."""


@dataclass(frozen=True)
class Stepping:
    """Speed of steps, as medians over rounds."""

    steps_per_s: float
    sim_s_per_s: float
    """Simulated seconds per second."""
    step_to_engine_ratio: float
    """Duration of `env.step`, divided by that of ``mj_step(nstep=...)`` from the same states."""
    reset_ms: float
    """Duration of a reset (ms)."""


def start_up(env_id: str, *, image_obs: bool, rounds: int) -> Start:
    """Start an environment in several new processes, and return the medians.

    Args:
        env_id: id of the environment.
        image_obs: whether it observes images.
        rounds: number of processes.

    Raises:
        GymHilError: a process failed.
    """
    starts = []
    for _ in range(rounds):
        command = [sys.executable, "-c", _FRESH, env_id, str(image_obs)]
        process = subprocess.run(command, capture_output=True, encoding="utf-8")
        if process.returncode:
            raise GymHilError(f"{env_id} does not start: {process.stderr.strip().splitlines()[-1]}")
        starts.append(json.loads(process.stdout.splitlines()[-1]))
    medians = {
        key: median(measured[key] for measured in starts) for key in starts[0] if starts[0][key] is not None
    }
    return Start(**{"memory_mb": None, **medians})


def stepping(env_id: str, *, image_obs: bool, steps: int, rounds: int, seed: int) -> Stepping:
    """Return the speed of an environment with random actions.

    Args:
        env_id: id of the environment.
        image_obs: whether it observes images.
        steps: number of steps per round.
        rounds: number of rounds.
        seed: seed of the actions.
    """
    env = gym.make(env_id, image_obs=image_obs)
    raw = EnvironmentInterface(env)
    simulation, nstep = raw.simulation, round(raw.control_dt / raw.physics_dt)
    twin = Simulation(
        raw.simulation.robot, raw.task.scene, control_dt=raw.control_dt, physics_dt=raw.physics_dt
    )
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    resets, step_times, ratios = [], [], []
    for number in range(rounds + 1):
        env_s = engine_s = 0.0
        for _ in range(steps):
            action = _random_action(env.action_space, rng)
            twin.restore(simulation.save())
            before = perf_counter()
            _, _, terminated, truncated, _ = env.step(action)
            between = perf_counter()
            mujoco.mj_step(twin.model, twin.data, nstep)
            after = perf_counter()
            env_s += between - before
            engine_s += after - between
            if terminated or truncated:
                before = perf_counter()
                env.reset()
                resets.append(perf_counter() - before)
        if number:  # the first round warms up
            step_times.append(env_s / steps)
            ratios.append(env_s / engine_s)
    for _ in range(10):
        before = perf_counter()
        env.reset()
        resets.append(perf_counter() - before)
    env.close()
    step_s = median(step_times)
    return Stepping(1.0 / step_s, raw.control_dt / step_s, median(ratios), median(resets) * 1e3)


def vector_steps_per_s(env_id: str, *, num_envs: int, mode: str, steps: int, rounds: int, seed: int) -> float:
    """Return the environment steps per second of a vector of `num_envs` environments with random actions."""
    envs = gym.make_vec(env_id, num_envs=num_envs, vectorization_mode=mode)
    try:
        rng = np.random.default_rng(seed)
        envs.reset(seed=seed)
        rates = []
        for _ in range(rounds + 1):
            before = perf_counter()
            for _ in range(steps):
                envs.step(_random_action(envs.action_space, rng))
            rates.append(num_envs * steps / (perf_counter() - before))
    finally:
        envs.close()
    return median(rates[1:])


@dataclass(frozen=True)
class Scaling:
    """Speed of a vector on all cores relative to a single environment, as medians over rounds."""

    num_envs: int
    speedup: float
    """Environment steps per second of the vector, divided by those of a single environment."""
    engine_speedup: float
    """The same ratio for MuJoCo alone on as many threads."""
    memory_mb_per_env: float | None
    """Additional resident memory per environment (MB); None if the system does not report it."""


def scaling(env_id: str, *, num_envs: int, steps: int, rounds: int, seed: int) -> Scaling:
    """Measure how a vector scales. Each round runs a single environment, the vector, and MuJoCo alone.

    Args:
        env_id: id of the environment.
        num_envs: number of environments in the vector.
        steps: approximate number of environment steps per measurement.
        rounds: number of rounds.
        seed: seed of the actions.
    """
    single = gym.make(env_id)
    single.reset(seed=seed)
    before = _resident_mb()
    many = gym.make_vec(env_id, num_envs=num_envs, vectorization_mode="vector_entry_point")
    many.reset(seed=seed)
    rng = np.random.default_rng(seed)
    ratios: list[tuple[float, float]] = []
    memory = None
    for number in range(rounds + 1):
        vector_steps = max(1, steps // num_envs)
        actions = [_random_action(many.action_space, rng) for _ in range(vector_steps)]
        start = perf_counter()
        for action in np.concatenate(actions):
            _, _, terminated, truncated, _ = single.step(action)
            if terminated or truncated:
                single.reset()
        one_s = perf_counter() - start
        start = perf_counter()
        for action in actions:
            many.step(action)
        many_s = perf_counter() - start
        if number == 0:  # warms up
            after = _resident_mb()
            memory = None if before is None or after is None else (after - before) / num_envs
        else:
            ratios.append((one_s / many_s, _engine_scaling(EnvironmentInterface(single), steps)))
    single.close()
    many.close()
    vector, engine = (median(column) for column in zip(*ratios, strict=True))
    return Scaling(num_envs, vector, engine, memory)


def _engine_scaling(env: EnvironmentInterface, steps: int) -> float:
    """Return the speedup of MuJoCo alone by threads, measured over about `steps` control periods."""
    model, nstep = env.model, round(env.control_dt / env.physics_dt)
    periods_per_core = max(1, steps // cores())

    def work(count: int) -> float:
        data = mujoco.MjData(model)
        mujoco.mj_copyState(model, env.data, data, int(mujoco.mjtState.mjSTATE_INTEGRATION))
        start = perf_counter()
        for _ in range(count):
            mujoco.mj_step(model, data, nstep)
        return perf_counter() - start

    alone_s = work(periods_per_core)
    with ThreadPoolExecutor(cores()) as pool:
        start = perf_counter()
        list(pool.map(work, [periods_per_core] * cores()))
        return cores() * alone_s / (perf_counter() - start)


def _resident_mb() -> float | None:
    try:
        with open("/proc/self/statm", encoding="utf-8") as sizes:
            return int(sizes.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return None


def _random_action(space: Any, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(space.low, space.high).astype(space.dtype)


def processor() -> str:
    """Return the name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    names = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    named = next((line.split(":", 1)[1].strip() for line in names if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()
