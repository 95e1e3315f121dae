"""Training: stored actions are the executed ones, and a short run writes all documented files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch

from commands import run
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.intervention import SimulatedHuman
from gym_hil.learning.actor_critic_learner import FINAL_LEARNING_RATE, annealed
from gym_hil.learning.checkpoint import load
from gym_hil.learning.config import TrainConfig, defaults_for
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.evaluation import evaluate, wilson
from gym_hil.learning.learner_service import load_checkpoint, save_checkpoint
from gym_hil.learning.methods import METHODS
from gym_hil.learning.methods.hil import CLONING_STEPS, DECAY_STEPS, HilLearner
from gym_hil.learning.policy import GaussianPolicy
from gym_hil.learning.policy_env import make_policy_env
from gym_hil.learning.rollout import Rollouts
from gym_hil.learning.run_folder import open_folder
from gym_hil.learning.sac import HilPolicy, HilSAC

PICK = "gym_hil/PandaPickCubeStateBase-v1"


def model(env, **kwargs) -> HilSAC:
    return HilSAC(
        HilPolicy, env, buffer_size=2000, learning_starts=0,
        ent_coef="auto_0.01", policy_kwargs={"net_arch": [16, 16]}, batch_size=8, seed=0, **kwargs,
    )  # fmt: skip


def test_the_buffer_stores_executed_actions_and_interventions_twice():
    env = make_policy_env(PICK, SimulatedHuman("expert"), seed=0)
    agent = model(env)
    agent.learn(60)
    buffer = agent.replay_buffer
    assert buffer.size() == 60 and 0 < buffer.prior.size() < 60
    intervened = {tuple(action[0]) for action in buffer.prior.actions[: buffer.prior.size()]}
    assert intervened <= {tuple(action[0]) for action in buffer.actions[:60]}
    assert all(abs(action[3]) == 1.0 for action in intervened), (
        "the gripper command of a human is stored as open or closed"
    )


def test_half_of_a_batch_consists_of_human_steps():
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


def test_demonstrations_succeed_and_consist_of_human_steps():
    acting = Rollouts(TrainConfig(env_id=PICK, demos=4))
    for number in range(4):
        episode = acting.demonstrate(number)
        assert episode.kind == "demonstration" and episode.success and episode.terminated
        assert episode.interventions.all() and episode.rewards.sum() == episode.rewards[-1] == 1.0
        assert len(episode.observations) == len(episode.states) == len(episode) + 1
    acting.close()


def test_a_time_limit_is_stored_as_a_timeout_so_that_values_are_bootstrapped():
    env = make_policy_env(PICK, None)
    agent = model(env)
    agent.learn(101)
    assert agent.replay_buffer.dones[99] == 1.0 and agent.replay_buffer.timeouts[99] == 1.0


def test_imitation_moves_the_actor_towards_the_human():
    env = make_policy_env(PICK, SimulatedHuman("expert"), seed=0)
    distance = {}
    for imitation in (0.0, 10.0):
        agent = model(env, imitation=imitation)
        agent.learn(100)
        for _ in range(300):
            agent.train(1, 32)
        prior = agent.replay_buffer.prior
        with torch.no_grad():
            seen = torch.from_numpy(prior.observations[: prior.size(), 0])
            mean, _, _ = agent.actor.get_action_dist_params(seen)
        actions = prior.actions[: prior.size(), 0]
        distance[imitation] = float(np.mean((np.tanh(mean.numpy()) - actions) ** 2))
    assert distance[10.0] < 0.5 * distance[0.0], distance


def test_the_learning_rate_decreases_towards_the_end():
    schedule = annealed(1.0, 0.5)
    assert [schedule(left) for left in (1.0, 0.5, 0.25, 0.0)] == [1.0, 1.0, 0.5, 0.05]
    assert annealed(1.0, 0.0)(0.1) == 1.0
    env = make_policy_env(PICK, None)
    config = TrainConfig(env_id=PICK, robot_minutes=0.1, updates_per_step=1, batch_size=8, width=16, demos=0)
    learner = HilLearner(config, env.observation_space, env.action_space)
    learner.model.replay_buffer = model(env).learn(10).replay_buffer
    rates = []
    for _ in range(config.total_steps):
        learner.update()
        rates.append(learner.model.actor.optimizer.param_groups[0]["lr"])
    assert rates[:30] == [config.learning_rate] * 30
    assert rates[-1] == pytest.approx(config.learning_rate * FINAL_LEARNING_RATE) and rates == sorted(
        rates, reverse=True
    )


@pytest.mark.parametrize("successes, low, high", [(97, 0.9155, 0.9897), (0, 0.0, 0.0370), (100, 0.9630, 1.0)])
def test_wilson_interval(successes, low, high):
    # Values of statsmodels.stats.proportion.proportion_confint(k, 100, method="wilson").
    assert wilson(successes, 100) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.slow
def test_the_commands_write_their_files_and_eval_refuses_other_files(tmp_path):
    out, result = tmp_path / "run", tmp_path / "result.json"
    command = ["train", "PandaPickCube-v1", "--robot-minutes", "0.2", "--demos", "3", "--episodes", "2",
               "--out", str(out)]  # fmt: skip
    done = run(*command)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((out / "curve.csv").open()))
    assert rows and float(rows[0]["human_s"]) > 0 and int(rows[-1]["updates"]) > 0
    trained = load(out)
    again = evaluate(GaussianPolicy(trained.weights).act, make_policy_env(PICK, None), 3)
    for name in (".", "policy.npz", "checkpoint.npz"):
        done = run("eval", str(out / name), "--episodes", "3", "--json", str(result))
        assert done.returncode == 0, done.stderr
        assert json.loads(result.read_text())["successes"] == again.successes
    done = run("eval", str(out), "--task", "PandaArrangeBoxes-v1")
    assert done.returncode == 2 and "task PickCube, not ArrangeBoxes" in done.stderr
    assert "Traceback" not in done.stderr
    done = run(
        "play", "PandaPickCube-v1", "--policy", str(out), "--operator", "simulated", "--min-success", "0"
    )
    assert done.returncode == 0, done.stderr
    done = run(*command)
    assert done.returncode == 2 and "contains a run already" in done.stderr
    done = run(*command, "--resume", "--seed", "1")
    assert done.returncode == 2 and "seed=1 instead of 0" in done.stderr
    for name in ("checkpoint.npz", "policy.npz"):
        (out / name).write_bytes(b"nonsense")
        done = run("eval", str(out / name))
        assert done.returncode == 2 and "cannot be read" in done.stderr


def test_a_policy_of_another_action_space_is_refused(tmp_path):
    env = make_policy_env(PICK, None, ee_step_size={"x": 0.05, "y": 0.05, "z": 0.05}, control_dt=0.2)
    interface = make_policy_env(PICK, None).interface
    with pytest.raises(InvalidArgumentError, match=r"ee_step_m \(0.025.*not \(0.05.*control_dt 0.1, not 0.2"):
        interface.require_same(env.interface, "my-run")


def test_invalid_configurations_are_refused(tmp_path):
    with pytest.raises(InvalidArgumentError, match="robot_minutes=0"):
        TrainConfig(env_id=PICK, robot_minutes=0)
    with pytest.raises(InvalidArgumentError, match="imitation=-1"):
        TrainConfig(env_id=PICK, imitation=-1)
    with pytest.raises(InvalidArgumentError, match="annealing=2"):
        TrainConfig(env_id=PICK, annealing=2)
    with pytest.raises(InvalidArgumentError, match="operator='robot' is not known"):
        TrainConfig(env_id=PICK, operator="robot")
    with pytest.raises(InvalidArgumentError, match="is not the folder of a training run"):
        load(tmp_path)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(InvalidArgumentError, match="is not empty"):
        open_folder(TrainConfig(env_id=PICK), tmp_path, resume=True)


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_loading_a_policy_executes_no_code(tmp_path):
    """Neither a checkpoint of version 0.1.15 nor arrays of pickled objects in the present files are unpickled."""
    from stable_baselines3.common.save_util import save_to_zip_file

    ran, evil = tmp_path / "ran", tmp_path / "evil"
    evil.mkdir()
    save_to_zip_file(evil / "policy.zip", data={"evil": Malicious(ran)}, params={})
    with pytest.raises(
        InvalidArgumentError, match=r"policy\.zip cannot be read.*policy\.npz in the same folder"
    ):
        load(evil / "policy.zip")
    with pytest.raises(InvalidArgumentError, match="is not the folder of a training run"):
        load(evil)
    for name in ("policy.npz", "checkpoint.npz"):
        np.savez(evil / name, facts=np.array(Malicious(ran), dtype=object))
        with pytest.raises(InvalidArgumentError, match="cannot be read as a policy"):
            load(evil / name)
        with pytest.raises(InvalidArgumentError, match="cannot be read as a checkpoint"):
            load_checkpoint(evil / name, HilLearner(SMALL, *spaces_of(SMALL)))
    assert not ran.exists()


SMALL = TrainConfig(env_id=PICK, width=16, batch_size=16)


def spaces_of(config):
    env = make_policy_env(config.env_id, None)
    return env.observation_space, env.action_space


def learner_with_data(config, updates: int) -> HilLearner:
    learner = HilLearner(config, *spaces_of(config))
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((50, learner.model.observation_space.shape[0])).astype(np.float32)
    flags = np.zeros(49, bool)
    actions = rng.uniform(-1, 1, (49, 4)).astype(np.float32)
    nothing = np.zeros(49, np.float32)
    learner.add(Transitions(rows[:-1], rows[1:], actions, nothing, flags, flags, ~flags, success=True))
    for _ in range(updates):
        learner.update()
    return learner


def test_a_checkpoint_holds_everything_that_learning_depends_on(tmp_path):
    """It includes the state of the optimizers, so that all further updates are equal, bit for bit."""
    path = tmp_path / "checkpoint.npz"
    first = learner_with_data(SMALL, updates=3)
    save_checkpoint(path, first, {"interface": {}, "episodes": 7})
    for _ in range(3):
        first.update()
    second = learner_with_data(SMALL, updates=0)
    assert load_checkpoint(path, second)["episodes"] == 7 and second.updates == 3 * SMALL.updates_per_step
    for _ in range(3):
        second.update()
    second_weights, first_weights = second.policy_weights(), first.policy_weights()
    assert all((second_weights[name] == first_weights[name]).all() for name in first_weights)


def test_the_policy_begins_as_a_clone_of_the_demonstrations_and_then_learns_from_rewards():
    config = TrainConfig(env_id=PICK, width=32, batch_size=32, updates_per_step=1)
    learner, errors = learner_with_data(config, updates=0), []
    stored = learner.buffer.prior
    observations, actions = stored.observations[:49, 0], stored.actions[:49, 0]
    for updates in (0, CLONING_STEPS):
        for _ in range(updates):
            learner.update()
        acting = GaussianPolicy(learner.policy_weights())
        errors.append(float(np.mean((acting.act(observations) - actions) ** 2)))
    assert errors[1] < 0.5 * errors[0] and learner.model.cloning
    spread = np.abs(acting.explore(observations, np.random.default_rng(0)) - acting.act(observations)).mean()
    assert spread < 0.3, "the exploration of a clone is small"
    entropy = learner.model.log_ent_coef.item()
    learner.update()
    assert not learner.model.cloning and learner.model.log_ent_coef.item() != entropy
    assert {float(state["step"]) for state in learner.model.actor.optimizer.state.values()} == {1.0}


def test_the_weight_of_imitation_decreases_after_the_cloning():
    config = TrainConfig(env_id=PICK, width=32, batch_size=32, updates_per_step=2, imitation=2.0)
    model, weights = learner_with_data(config, updates=0).model, []
    for step in (0, DECAY_STEPS // 2, DECAY_STEPS, 2 * DECAY_STEPS):
        model.updates = (CLONING_STEPS + step) * config.updates_per_step
        model.train(config.updates_per_step, config.batch_size)
        weights.append(model.imitation)
    assert weights == [60.0, 31.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("task", "method", "gamma"),
    [
        ("PickCube", "hil", 0.95),
        ("InsertPeg", "hil", 0.9667),
        ("ArrangeBoxes", "hil", 0.9875),
        ("ArrangeBoxes", "bc", 0.95),
    ],
)
def test_the_discount_of_hil_is_larger_for_tasks_with_longer_episodes(task, method, gamma):
    env_id = f"gym_hil/Panda{task}StateBase-v1"
    assert TrainConfig(env_id=env_id, **defaults_for(env_id, "state", method)).gamma == gamma


@pytest.mark.parametrize("changes", [{"demos": 0}, {"imitation": 0.0}, {"obs": "pixels"}])
def test_nothing_is_cloned_where_nothing_is_imitated(changes):
    assert METHODS.get("hil").pretraining_steps_of(TrainConfig(env_id=PICK, **changes)) == 0


def test_a_checkpoint_of_other_networks_or_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    save_checkpoint(path, learner_with_data(SMALL, updates=1), {})
    other = TrainConfig(env_id=PICK, width=32)
    with pytest.raises(InvalidArgumentError, match="different architecture"):
        load_checkpoint(path, HilLearner(other, *spaces_of(other)))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidArgumentError, match=r"checkpoint\.npz cannot be read"):
        load_checkpoint(path, HilLearner(SMALL, *spaces_of(SMALL)))
