"""LeRobot's learner and actor learn from this package and its simulated human. Runs where LeRobot is installed."""

from __future__ import annotations

import importlib.util
import json
import signal
import time

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.cli.common import policy_maker
from gym_hil.integrations.lerobot.configs import Plan, write_configs

pd = pytest.importorskip("pandas")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("lerobot"),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(importlib.util.find_spec("lerobot") is None, reason="needs lerobot[hilserl]"),
]


def shorten(path, *, updates: int) -> None:
    """Make the file's program learn and save early, and run the simulation faster than real time."""
    config = json.loads(path.read_text())
    config["env"]["fps"] = 50
    if "policy" in config:
        config["batch_size"] = 8
        config["save_freq"] = updates
        config["policy"]["online_step_before_learning"] = 50
        config["wandb"]["enable"] = False
    path.write_text(json.dumps(config))


def wait_for(text: str, log, *programs, seconds: float = 480) -> str:
    deadline = time.monotonic() + seconds
    while text not in (said := log.read_text()):
        assert time.monotonic() < deadline, f"{text!r} never came:\n{said[-3000:]}"
        for program in programs:
            assert program.poll() is None, said[-3000:]
        time.sleep(0.5)
    return said


@pytest.mark.parametrize("kind, updates", [pytest.param("State", 20, marks=pytest.mark.nightly), ("", 3)])
def test_learner_and_actor(kind, updates, lerobot, tmp_path):
    plan = Plan(task=f"PandaPickCube{kind}SimulatedHuman-v1", episodes=2)
    written = write_configs(plan, tmp_path)
    for path in written.values():
        shorten(path, updates=updates)
    lerobot.run(("lerobot.rl.gym_manipulator", "--config_path", written["record"]))
    demonstrated = json.loads((tmp_path / "dataset/meta/info.json").read_text())["total_frames"]

    logs = {name: tmp_path / f"{name}.log" for name in ("learner", "actor")}
    running = [
        lerobot.start(f"lerobot.rl.{name}", "--config_path", written[name], log=log)
        for name, log in logs.items()
    ]
    try:
        wait_for("Resume training", logs["learner"], *running)  # a checkpoint is complete
        before = logs["actor"].read_text().count("Load new parameters")
        deadline = time.monotonic() + 120
        while logs["actor"].read_text().count("Load new parameters") <= before:
            assert time.monotonic() < deadline, "the actor received no new weights"
            time.sleep(0.5)
        episodes = [json.loads(line) for line in (tmp_path / "actor.episodes.jsonl").read_text().splitlines()]
        assert max(episode["intervention_rate"] for episode in episodes) > 0
        for program in reversed(running):
            program.send_signal(signal.SIGTERM)
        assert [program.wait(timeout=60) for program in running] == [0, 0]
    finally:
        for program in running:
            program.kill()
    for log in logs.values():
        assert "Cleanup complete" in log.read_text() and "Unhandled exception" not in log.read_text()

    online = pd.read_parquet(tmp_path / "learner/dataset/data")
    offline = pd.read_parquet(tmp_path / "learner/dataset_offline/data")
    helped = np.concatenate(online["complementary_info.is_intervention"].map(np.atleast_1d).to_list())
    assert helped.sum() > 0 and len(offline) == demonstrated + int(helped.sum())

    env = gym.make(f"gym_hil/PandaPickCube{kind}-v1", image_obs=True)
    env.reset(seed=0)
    policy = policy_maker(str(tmp_path / "learner/checkpoints/last/pretrained_model"), plan.task)()
    action = policy(env.unwrapped, np.random.default_rng(0))
    assert action.shape == (4,) and action[3] in (0, 1, 2) and np.abs(action[:3]).max() <= 1
