"""Learning: what is stored is what was done, and a short run writes everything it promises."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from gym_hil.errors import InvalidArgumentError
from gym_hil.operators import SimulatedHuman
from gym_hil.training.agent import HilPolicy, HilReplayBuffer, HilSAC, LayerNormCritic
from gym_hil.training.checkpoint import load
from gym_hil.training.config import TrainConfig
from gym_hil.training.evaluation import evaluate, wilson
from gym_hil.training.policy_env import make_policy_env
from gym_hil.training.run import demonstrate

PICK = "gym_hil/PandaPickCubeStateBase-v1"


def model(env, **kwargs) -> HilSAC:
    return HilSAC(
        HilPolicy, env, replay_buffer_class=HilReplayBuffer, buffer_size=2000, learning_starts=0,
        ent_coef="auto_0.01", policy_kwargs={"net_arch": [16, 16]}, batch_size=8, seed=0, **kwargs,
    )  # fmt: skip


def test_the_buffer_holds_executed_actions_and_interventions_twice():
    env = make_policy_env(PICK, SimulatedHuman("expert"), seed=0)
    agent = model(env)
    agent.learn(60)
    buffer = agent.replay_buffer
    assert buffer.size() == 60 and 0 < buffer.prior.size() < 60
    intervened = {tuple(action[0]) for action in buffer.prior.actions[: buffer.prior.size()]}
    assert intervened <= {tuple(action[0]) for action in buffer.actions[:60]}
    assert all(abs(action[3]) == 1.0 for action in intervened), "a person's gripper command is a state"


def test_half_of_a_batch_is_what_humans_did():
    env = make_policy_env(PICK, None)
    buffer = model(env).replay_buffer
    space = env.observation_space.shape
    for number in range(100):
        human = number < 5
        info = {"is_intervention": human, "TimeLimit.truncated": False}
        step = np.full((1, *space), float(human), np.float32)
        buffer.add(step, step, np.zeros((1, 4)), np.zeros(1), np.zeros(1), [info])
    share = np.mean([buffer.sample(64).observations.mean().item() for _ in range(50)])
    assert share == pytest.approx(0.5 + 0.5 * 0.05, abs=0.03)


def test_demonstrations_succeed_end_and_are_all_the_humans():
    env = make_policy_env(PICK, None)
    buffer = model(env).replay_buffer
    steps = demonstrate(TrainConfig(env_id=PICK, demos=4), buffer)
    assert steps == buffer.size() == buffer.prior.size()
    assert buffer.rewards[:steps].sum() == buffer.dones[:steps].sum() == 4


def test_time_limits_bootstrap():
    env = make_policy_env(PICK, None)
    agent = model(env)
    agent.learn(101)
    assert agent.replay_buffer.dones[99] == 1.0 and agent.replay_buffer.timeouts[99] == 1.0


def test_critics_have_layer_norm():
    critic = model(make_policy_env(PICK, None)).critic
    assert isinstance(critic, LayerNormCritic)
    assert sum("LayerNorm" in str(layer) for layer in critic.q_networks[0]) == 2
    assert len(list(critic.parameters())) == 2 * (3 * 2 + 2 * 2)


@pytest.mark.parametrize("successes, low, high", [(97, 0.9155, 0.9897), (0, 0.0, 0.0370), (100, 0.9630, 1.0)])
def test_wilson_interval(successes, low, high):
    # Values of statsmodels.stats.proportion.proportion_confint(k, 100, method="wilson").
    assert wilson(successes, 100) == pytest.approx((low, high), abs=1e-4)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from gym_hil.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


def test_the_commands_write_what_they_promise_and_eval_refuses_another_task(tmp_path):
    out, result = tmp_path / "run", tmp_path / "result.json"
    done = run(
        "train", "PandaPickCube-v1", "--robot-minutes", "0.2", "--demos", "3", "--out", str(out)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((out / "curve.csv").open()))
    assert len(rows) >= 1 and float(rows[0]["human_s"]) > 0
    config, act = load(out)
    again = evaluate(act, make_policy_env(config.env_id, None), 3)
    done = run("eval", str(out), "--episodes", "3", "--json", str(result))
    assert done.returncode == 0 and json.loads(result.read_text())["successes"] == again.successes
    done = run("eval", str(out), "--task", "PandaArrangeBoxes-v1")
    assert done.returncode == 2 and "was trained on" in done.stderr and "Traceback" not in done.stderr
    done = run(
        "play", "PandaPickCube-v1", "--policy", str(out), "--operator", "simulated", "--min-success", "0"
    )
    assert done.returncode == 0, done.stderr
    (out / "policy.zip").write_bytes(b"nonsense")
    done = run("eval", str(out))
    assert done.returncode == 2 and "cannot be read" in done.stderr


def test_impossible_runs_are_refused(tmp_path):
    with pytest.raises(InvalidArgumentError, match="robot_minutes=0"):
        TrainConfig(env_id=PICK, robot_minutes=0)
    with pytest.raises(InvalidArgumentError, match="no training configuration"):
        load(tmp_path)


@pytest.mark.slow
def test_five_robot_minutes_teach_picking(tmp_path):
    out, result = tmp_path / "run", tmp_path / "result.json"
    done = run("train", "PandaPickCube-v1", "--robot-minutes", "5", "--out", str(out), "--json", str(result))
    assert done.returncode == 0, done.stderr
    assert json.loads(result.read_text())["successes"] >= 90
