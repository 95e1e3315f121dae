"""The workloads of this package that `benchmarks/compare.py` measures."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import gym_hil  # noqa: F401  registers the ids

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def workloads(monkeypatch):
    """Return the workloads of this package, by contender and name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    contenders = importlib.import_module("contenders")
    yield {
        (contender.name, name): workload
        for contender in contenders.CONTENDERS
        if contender.ours or "engine alone" in contender.name
        for name, workload in contender.workloads.items()
    }
    for module in ("contenders", "adapters"):
        sys.modules.pop(module, None)


@pytest.mark.rendering
def test_all_workloads_of_this_package_run(workloads):
    assert {name for _, name in workloads} >= {"state", "images", "so101", "so101-joints", "so101-batch"}
    for key, workload in workloads.items():
        module, function = workload.make.split(":")
        env = getattr(importlib.import_module(module), function)(**workload.kwargs)
        env.reset(seed=0)
        rng, space = np.random.default_rng(0), env.action_space
        time = env.unwrapped.data.time if hasattr(env.unwrapped, "data") else None
        for _ in range(3):
            env.step(rng.uniform(space.low, space.high).astype(space.dtype))
        if time is not None and "batch" not in key[1]:
            assert env.unwrapped.data.time == pytest.approx(time + 0.3), key


@pytest.mark.parametrize("workload", ["so101", "so101-joints"])
def test_the_engine_alone_repeats_the_episode(workloads, workload):
    module, function = workloads["our SO-101, engine alone", workload].make.split(":")
    kwargs = workloads["our SO-101, engine alone", workload].kwargs
    engine = getattr(importlib.import_module(module), function)(**kwargs)
    engine.reset(seed=3)
    end = engine.data.qpos.copy()
    ended, steps = False, 0
    while not ended:
        *_, ended, _ = engine.step(None)
        steps += 1
    assert steps > 10 and np.abs(engine.data.qpos - end).max() > 0.1, "the arm moves"

    env = engine.env
    _, rng, space = env.reset(seed=3), np.random.default_rng(3), env.action_space
    for _ in range(steps):
        env.step(rng.uniform(space.low, space.high).astype(space.dtype))
    np.testing.assert_allclose(engine.data.qpos, env.unwrapped.simulation.data.qpos, atol=1e-9)


@pytest.mark.parametrize("name", ["so101", "so101-joints"])
def test_the_engine_alone_has_the_episodes_of_the_environment(workloads, name):
    env, engine = (
        getattr(importlib.import_module(module), function)(**workload.kwargs)
        for workload in (
            workloads[contender, name] for contender in ("gym-hil (ours)", "our SO-101, engine alone")
        )
        for module, function in [workload.make.split(":")]
    )
    rng, space, episodes = np.random.default_rng(0), env.action_space, 0
    env.reset(seed=0)
    engine.reset(seed=0)
    while episodes < 2:
        *_, terminated, truncated, _ = env.step(rng.uniform(space.low, space.high).astype(space.dtype))
        *_, ended, _ = engine.step(None)
        assert engine.data.qpos == pytest.approx(env.unwrapped.data.qpos, abs=1e-6)
        assert ended == (terminated or truncated)
        if ended:
            episodes += 1
            env.reset()
            engine.reset()
