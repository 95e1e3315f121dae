"""Differences between learning methods: whom they imitate, what they reward, and when a human acts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from gymnasium import spaces

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.intervention.gates import NoProgress
from gym_hil.intervention.limits import PRESETS
from gym_hil.intervention.on_request import OnRequest
from gym_hil.intervention.operator import POLICY_ACTS, Decision, Operator
from gym_hil.learning.async_learner import InProcessLearner
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.learning_curve import CURVE, read_curve
from gym_hil.learning.methods import METHODS
from gym_hil.learning.methods.ensemble_dagger import EnsemblePolicy
from gym_hil.learning.methods.iwr import IwrLearner
from gym_hil.learning.methods.sirius import SiriusLearner
from gym_hil.learning.methods.weighted_imitation import Kind
from gym_hil.learning.rollout import Rollouts
from gym_hil.learning.run import train

STATES = spaces.Box(-np.inf, np.inf, (2,), np.float32)
ACTIONS = spaces.Box(-1.0, 1.0, (4,), np.float32)
PICK = TrainConfig(
    env_id="gym_hil/PandaPickCubeStateBase-v1",
    demos=2,
    robot_minutes=0.15,
    width=16,
    batch_size=32,
    updates_per_step=1,
    eval_episodes=1,
    final_episodes=1,
)


def steps(human: str, *, ends: bool = False, demonstration: bool = False) -> Transitions:
    """Steps by the human where the letter is H, of one episode."""
    count, acts = len(human), np.array([letter == "H" for letter in human])
    rows = np.arange(count, dtype=np.float32)
    over = np.zeros(count, bool)
    over[-1] = ends
    states = np.stack([rows, rows], axis=1)
    actions = np.ones((count, 4), np.float32)
    return Transitions(states, states + 1, actions, rows, over, ~np.ones(count, bool), acts, demonstration)


class Sirius(SiriusLearner):
    """With a shorter time before takeovers, because its episodes are short."""

    before_s = 0.3


def test_steps_before_a_takeover_are_marked_within_their_episode():
    learner = Sirius(PICK, STATES, ACTIONS)
    learner.add(steps("HH", ends=True, demonstration=True))
    learner.add(steps("pp", ends=True))
    learner.add(steps("ppppp"))
    learner.add(steps("pHHpH"))
    letters = {
        Kind.DEMONSTRATION: "D",
        Kind.INTERVENTION: "I",
        Kind.POLICY: "p",
        Kind.BEFORE_INTERVENTION: "b",
    }
    assert "".join(letters[kind] for kind in learner.kinds) == "DD" + "pp" + "ppp" + "bb" + "bIIbI"
    learner.forget(5)
    assert len(learner.kinds) == len(learner.actions) == 9


def shares_drawn(learner, size=20_000):
    kinds = np.array(learner.kinds)[learner.draw(size)]
    return [float(np.mean(kinds == kind)) for kind in Kind]


def test_shares_of_a_batch_are_those_of_the_papers():
    for make, expected in ((IwrLearner, (0.2, 0.5, 0.3, 0.0)), (Sirius, (1 / 3, 0.5, 1 / 6, 0.0))):
        learner = make(PICK, STATES, ACTIONS)
        learner.add(steps("HHHH", ends=True, demonstration=True))
        assert shares_drawn(learner) == [1.0, 0.0, 0.0, 0.0], "nothing else is there yet"
        learner = make(PICK, STATES, ACTIONS)
        learner.add(steps("HHHH", ends=True, demonstration=True))
        learner.add(steps("ppppppHH", ends=True))
        assert shares_drawn(learner) == pytest.approx(expected, abs=0.02)


def test_only_the_policys_step_before_a_takeover_is_punished():
    learner = METHODS.get("rlif").make_learner(replace(PICK, method="rlif"), STATES, ACTIONS)
    learner.add(steps("HHH", ends=True, demonstration=True))
    learner.add(steps("pppHpp"))
    learner.add(steps("HHp", ends=True))
    learner.add(steps("Hpp", ends=True))
    count = learner.buffer.size()
    assert learner.buffer.rewards[:count, 0].tolist() == [0, 0, 0, *(0, 0, -1, 0, 0, -1), 0, 0, 0, 0, 0, 0]


def test_the_grasp_critic_penalizes_changes_of_the_gripper():
    learner = METHODS.get("hil-serl").make_learner(replace(PICK, method="hil-serl"), STATES, ACTIONS)
    commands = np.array([1.0, -1.0, -1.0, 1.0, -1.0], np.float32)
    one = steps("ppppp", ends=True)
    one.actions[:, -1] = commands
    learner.add(one)
    learner.add(one)
    stored = learner.buffer.actions[:10, 0, -1].tolist()
    assert stored == [1.0, -0.5, -1.0, 0.5, -0.5] * 2, "each episode begins with an open gripper"
    with pytest.raises(InvalidArgumentError, match="end with a gripper"):
        METHODS.get("hil-serl").check(replace(PICK, method="hil-serl", env_id="Pendulum-v1"))


class Willing(Operator):
    name = "willing"
    resets = 0

    def reset(self, env, seed):
        self.resets += 1

    def decide(self, view):
        return Decision(np.zeros(4, np.float32))


class NoView:
    env = None


def test_a_called_human_acts_and_is_reset_with_each_call():
    willing = Willing()
    operator = OnRequest(willing)
    operator.reset(None, 0)
    acted = []
    for called in (False, True, True, False, True):
        operator.called = called
        acted.append(operator.decide(NoView()) is not POLICY_ACTS)
    assert acted == [False, True, True, False, True] and willing.resets == 3
    state = operator.get_state()
    operator.reset(None, 0)
    operator.set_state(state)
    assert operator.called and operator.decide(NoView()) is not POLICY_ACTS and willing.resets == 4


def test_an_ensemble_calls_the_human_until_its_members_agree():
    policy = EnsemblePolicy()
    spread = np.array([-1.0, 1.0], np.float32).reshape(2, 1, 1)
    zeros = {name: np.zeros((2, 1, 1), np.float32) for name in ("b0", "b1", "b2")}
    ones = {name: np.ones((2, 1, 1), np.float32) for name in ("w0", "w1")}
    policy.load({**zeros, **ones, "w2": spread, "threshold": np.array(0.5)})
    # The members do tanh(-x) and tanh(x), so that their disagreement is tanh(x).
    states = [0.1, 0.6, 0.4, 0.2, 0.4]
    calls = [policy.asks_for_help(np.array([x], np.float32), n) for n, x in enumerate(states)]
    assert calls == [False, True, True, False, False]
    policy.asks_for_help(np.array([0.6], np.float32), 5)
    assert not policy.asks_for_help(np.array([0.4], np.float32), 0), "an episode begins without a call"


@pytest.mark.parametrize("name, watches", [("rlpd", False), ("ensemble-dagger", False), ("iwr", True)])
def test_a_human_watches_only_where_the_method_needs_it(tmp_path, name, watches):
    train(replace(PICK, method=name, preset="scripted"), tmp_path, learner=InProcessLearner, videos=False)
    last = read_curve(tmp_path / CURVE)[-1]
    assert (last.watched_s > 0) == watches
    assert last.takeovers == 0 if name == "rlpd" else last.takeovers > 0


def test_the_time_after_which_the_human_takes_over_can_be_set():
    rollouts = Rollouts(replace(PICK, preset="novice", takeover_after_s=3.0))
    try:
        limits = rollouts.env.get_wrapper_attr("operator").limits
    finally:
        rollouts.close()
    assert limits == replace(PRESETS["novice"], gates=(NoProgress(seconds=3.0),))
    with pytest.raises(
        InvalidArgumentError, match=r"takeover_after_s=3.0 needs a simulated human, not .*'none'"
    ):
        replace(PICK, operator="none", takeover_after_s=3.0)
    with pytest.raises(InvalidArgumentError, match="takeover_after_s=-1 must be at least 0"):
        replace(PICK, takeover_after_s=-1)
