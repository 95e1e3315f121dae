"""Conformance tests for operators and takeovers, including those of other packages.

For an operator, subclass `OperatorBasics` and define a pytest fixture `operator`. For a device, subclass
`TakeoverConformance` and define a fixture `rig` that yields a `DeviceRig`::

    class TestTakingOverWithMyPad(TakeoverConformance):
        engage = Engage.HOLD

        @pytest.fixture
        def rig(self):
            yield MyPadRig()
"""

from __future__ import annotations

import itertools
import unittest
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.core import schema
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.controls import EVENTS, Control
from gym_hil.intervention.human import Engage, Human
from gym_hil.intervention.human_cost import HUMAN_COST, RecordHumanCost
from gym_hil.intervention.operator import Decision, Operator, View
from gym_hil.stacks.build import wrap_env
from gym_hil.testing.devices import DeviceRig, tap
from gym_hil.testing.fuzz import RandomHand, play_after_close, play_at_random
from gym_hil.testing.trace import WatchedEnv, peak_acceleration, tcp_positions

STAY = np.array([0, 0, 0, 1], np.float32)
FULL_SPEED = np.array([0, 1, 0, 1], np.float32)
MAX_ACCELERATION_RATIO = 1.05
"""Largest ratio of the accelerations of the TCP with a hand-over and without one, for the same actions."""
PHASES_AFTER = {
    "policy": {"policy", "takeover"},
    "takeover": {"human", "release"},
    "human": {"human", "release"},
    "release": {"policy", "takeover"},
}


def environment(operator: Operator | None, *, limit: int = 60) -> gym.Env:
    """Return PickCube with `operator`, a `WatchedEnv` inside and `RecordHumanCost` outside."""
    raw = gym.make("gym_hil/PandaPickCubeBase-v1").unwrapped
    env = wrap_env(WatchedEnv(raw), operator=operator)
    return RecordHumanCost(gym.wrappers.TimeLimit(env, limit))


def watched(env: gym.Env) -> WatchedEnv:
    """Return the inner `WatchedEnv`."""
    layer: Any = env
    while not isinstance(layer, WatchedEnv):
        layer = layer.env
    return layer


def episode(env: gym.Env, seed: int) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Run an episode of a random policy, and yield its actions (4) and the infos."""
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    terminated = truncated = False
    while not (terminated or truncated):
        action = rng.uniform([-1, -1, -1, 0], [1, 1, 1, 2]).astype(np.float32)
        *_, terminated, truncated, info = env.step(action)
        yield action, info


def assert_valid_step(env: gym.Env, policy_action: np.ndarray, info: dict[str, Any]) -> None:
    """Check the info of a step: its keys, types, who acted, and that its action is the executed one."""
    assert type(info[schema.IS_INTERVENTION]) is bool and type(info[schema.INTERVENTION_ID]) is int
    assert info[schema.PHASE] in PHASES_AFTER
    space = env.action_space
    names = (
        schema.TELEOP_ACTION,
        schema.ACTION_INTERVENTION,
        schema.POLICY_ACTION,
        schema.HUMAN_ACTION,
    )
    for name in names:
        assert info[name].dtype == np.float32 and space.contains(info[name]), (name, info[name])
    for name in (schema.RERECORD_EPISODE, schema.TERMINATE_EPISODE, schema.NEXT_SUCCESS):
        assert type(info[name]) is bool, name
    executed = info[schema.TELEOP_ACTION]
    np.testing.assert_array_equal(info[schema.POLICY_ACTION], policy_action)
    np.testing.assert_array_equal(info[schema.ACTION_INTERVENTION], executed)
    human = info[schema.IS_INTERVENTION]
    assert human == (info[schema.PHASE] in ("takeover", "human")) == (info[schema.INTERVENTION_ID] > 0)
    assert human == (schema.INTERVENE_ACTION in info)
    if human:
        np.testing.assert_array_equal(executed, info[schema.HUMAN_ACTION])
        np.testing.assert_array_equal(executed, info[schema.INTERVENE_ACTION])
    else:
        np.testing.assert_array_equal(executed, policy_action)
        np.testing.assert_array_equal(info[schema.HUMAN_ACTION], STAY)
    raw = watched(env).executed
    assert raw is not None
    np.testing.assert_allclose(raw[:3], executed[:3] * 0.025, atol=1e-7)
    np.testing.assert_allclose(raw[6], executed[3] - 1.0, atol=1e-7)


class OperatorBasics:
    """Tests for any operator. They need a fixture `operator`."""

    def test_every_step_records_who_acted(self, operator: Operator) -> None:
        env = environment(operator)
        for seed in range(3):
            before, takeovers = "policy", 0
            for action, info in episode(env, seed):
                assert_valid_step(env, action, info)
                assert info[schema.PHASE] in PHASES_AFTER[before], (before, info[schema.PHASE])
                before = info[schema.PHASE]
                takeovers += before == "takeover"
                if info[schema.IS_INTERVENTION]:
                    assert info[schema.INTERVENTION_ID] == takeovers
        env.close()

    def test_is_asked_once_per_step(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        env = environment(operator)
        asked: list[int] = []
        decide = operator.decide

        def counted(view: View) -> Decision:
            asked.append(1)
            return decide(view)

        monkeypatch.setattr(operator, "decide", counted)
        steps = len(list(episode(env, 0)))
        assert len(asked) == steps
        env.close()

    def test_the_metrics_add_up(self, operator: Operator) -> None:
        env = environment(operator)
        for seed in range(3):
            infos = [info for _, info in episode(env, seed)]
            cost = infos[-1][HUMAN_COST]
            acted = [info[schema.INTERVENTION_ID] for info in infos]
            assert cost["steps"] == len(infos)
            assert cost["intervened_steps"] == sum(who > 0 for who in acted)
            assert cost["interventions"] == len({who for who in acted if who})
            assert cost["rate"] == cost["intervened_steps"] / cost["steps"]
            assert cost["mean_length_s"] * cost["interventions"] == pytest.approx(cost["intervened_s"])
            assert cost["success_alone"] == (cost["success"] and not cost["interventions"])
        env.close()

    def test_the_same_seed_gives_the_same_takeovers(self, operator: Operator) -> None:
        env = environment(operator)

        def acted(seed: int) -> list[tuple[str, bytes]]:
            return [
                (info[schema.PHASE], info[schema.TELEOP_ACTION].tobytes()) for _, info in episode(env, seed)
            ]

        first = acted(5)
        acted(6)
        assert acted(5) == first
        env.close()

    def test_help_is_at_most_one_line(self, operator: Operator) -> None:
        assert len(operator.help().splitlines()) <= 1

    def test_closing_twice_is_allowed(self, operator: Operator) -> None:
        operator.close()
        operator.close()


class TakeoverConformance:
    """Tests of takeovers by a person with a device. They need a fixture `rig`; set `engage` to the way in which
    the person takes over.
    """

    engage: Engage = Engage.HOLD
    release_after_steps = 5
    """With `Engage.MOTION`, number of steps without motion after which control is released. Version 0.1.15 called it
    `hold_over_steps`, which subclasses can still set."""
    random_events = 10_000

    @pytest.fixture
    def env(self, rig: DeviceRig) -> Iterator[gym.Env]:
        if self.engage is not Engage.MOTION and Control.ENGAGE not in rig.controls:
            raise unittest.SkipTest("this device has no intervention button")
        env = environment(Human(rig.device, self.engage, self._release_steps), limit=10_000)
        env.reset(seed=0)
        yield env
        env.close()

    @property
    def _release_steps(self) -> int:
        return int(getattr(self, "hold_over_steps", self.release_after_steps))

    def take_over(self, rig: DeviceRig) -> None:
        """Take over."""
        if self.engage is Engage.HOLD:
            rig.press(Control.ENGAGE)
        elif self.engage is Engage.TOGGLE:
            tap(rig, Control.ENGAGE)
        else:
            rig.move(rig.axes[0], 1.0)
        rig.settle()

    def let_go(self, rig: DeviceRig, env: gym.Env) -> list[np.ndarray]:
        """Release control, which takes some steps with `Engage.MOTION`, and return the executed actions."""
        if self.engage is Engage.HOLD:
            rig.release(Control.ENGAGE)
        elif self.engage is Engage.TOGGLE:
            tap(rig, Control.ENGAGE)
        for axis in rig.axes:
            rig.move(axis, 0.0)
        rig.settle()
        executed = []
        for _ in range(self._release_steps if self.engage is Engage.MOTION else 0):
            info = env.step(FULL_SPEED)[4]
            assert info[schema.IS_INTERVENTION], "a short pause must not end the intervention"
            executed.append(info[schema.TELEOP_ACTION])
        return executed

    def test_takes_over_within_one_step_and_hands_back(self, rig: DeviceRig, env: gym.Env) -> None:
        for takeover in (1, 2, 3):
            info = env.step(FULL_SPEED)[4]
            assert_valid_step(env, FULL_SPEED, info)
            assert not info[schema.IS_INTERVENTION]
            self.take_over(rig)
            info = env.step(FULL_SPEED)[4]
            assert_valid_step(env, FULL_SPEED, info)
            assert (info[schema.PHASE], info[schema.INTERVENTION_ID]) == ("takeover", takeover)
            self.let_go(rig, env)
            info = env.step(FULL_SPEED)[4]
            assert_valid_step(env, FULL_SPEED, info)
            assert info[schema.PHASE] == "release"

    def test_each_command_is_executed_in_its_own_step(self, rig: DeviceRig, env: gym.Env) -> None:
        self.take_over(rig)
        env.step(FULL_SPEED)
        for axis, level in itertools.product((axis for axis in rig.axes if axis < 3), (1.0, -1.0)):
            rig.move(axis, level)
            rig.settle()
            info = env.step(FULL_SPEED)[4]
            assert_valid_step(env, FULL_SPEED, info)
            action = info[schema.TELEOP_ACTION]
            assert action[axis] * level > 0.0, (axis, level, action)
            assert np.count_nonzero(action[:3]) == 1, action
            rig.move(axis, 0.0)
            rig.settle()
            assert not env.step(FULL_SPEED)[4][schema.TELEOP_ACTION][:3].any()

    def test_the_gripper_follows_only_the_one_who_acts(self, rig: DeviceRig, env: gym.Env) -> None:
        if Control.CLOSE not in rig.controls:
            raise unittest.SkipTest("this device has no gripper buttons")
        tap(rig, Control.CLOSE)
        rig.settle()
        assert env.step(STAY)[4][schema.TELEOP_ACTION][3] == GripperCommand.STAY
        self.take_over(rig)
        tap(rig, Control.CLOSE)
        rig.settle()
        assert env.step(STAY)[4][schema.TELEOP_ACTION][3] == GripperCommand.CLOSE

    def test_an_episode_event_of_the_person_ends_one_episode(self, rig: DeviceRig, env: gym.Env) -> None:
        reasons = {
            EpisodeEvent.SUCCESS: "human_success",
            EpisodeEvent.FAILURE: "human_failure",
            EpisodeEvent.RERECORD: "rerecord_episode",
            EpisodeEvent.RESET: "human_reset",
        }
        for control in sorted(rig.controls & EVENTS.keys(), key=str):
            tap(rig, control)
            rig.settle()
            *_, terminated, truncated, info = env.step(STAY)
            event = EVENTS[control]
            assert truncated == (event is EpisodeEvent.RESET)
            assert (terminated or truncated) == (event in reasons)
            if terminated or truncated:
                assert info[schema.TERMINATION_REASON] == reasons[event]
                assert info[schema.NEXT_SUCCESS] == (event is EpisodeEvent.SUCCESS)
                assert info[schema.IS_SUCCESS] == (event is EpisodeEvent.SUCCESS)
                env.reset()
            assert not any(env.step(STAY)[2] for _ in range(3))

    def test_presses_during_a_reset_are_discarded(self, rig: DeviceRig, env: gym.Env) -> None:
        def press_everything() -> None:
            for control in sorted(rig.controls, key=str):
                tap(rig, control)
            rig.settle()

        watched(env).during_reset = press_everything
        env.reset()
        for _ in range(3):
            _, reward, terminated, _, info = env.step(STAY)
            assert (reward, terminated, info[schema.IS_INTERVENTION]) == (0.0, False, False)

    def test_an_unplugged_device_releases_control(self, rig: DeviceRig, env: gym.Env) -> None:
        self.take_over(rig)
        assert env.step(FULL_SPEED)[4][schema.IS_INTERVENTION]
        self._can(rig.disconnect)
        rig.settle()
        for phase in ("release", "policy", "policy"):
            info = env.step(FULL_SPEED)[4]
            assert_valid_step(env, FULL_SPEED, info)
            assert info[schema.PHASE] == phase
        for control in rig.controls:
            rig.release(control)
        self._can(rig.reconnect)
        for axis in rig.axes:
            rig.move(axis, 0.0)
        rig.settle()
        assert not env.step(FULL_SPEED)[4][schema.IS_INTERVENTION], "control is not taken back by itself"
        self.take_over(rig)
        assert env.step(FULL_SPEED)[4][schema.IS_INTERVENTION]

    def test_a_closed_device_leaves_the_policy_in_charge(self, rig: DeviceRig, env: gym.Env) -> None:
        self.take_over(rig)
        env.step(FULL_SPEED)
        rig.device.close()
        for _ in range(3):
            info = env.step(FULL_SPEED)[4]
            assert_valid_step(env, FULL_SPEED, info)
            assert not info[schema.IS_INTERVENTION]

    def test_takeovers_and_releases_do_not_jerk_the_arm(self, rig: DeviceRig, env: gym.Env) -> None:
        dt = env.unwrapped.simulation.model.opt.timestep  # type: ignore[attr-defined]
        executed = [env.step(FULL_SPEED)[4][schema.TELEOP_ACTION]]
        with tcp_positions(env) as handed_over:
            for takes_over in (False, True, False, True, False):
                if takes_over:
                    self.take_over(rig)
                    executed.append(env.step(FULL_SPEED)[4][schema.TELEOP_ACTION])
                elif len(executed) > 1:
                    executed += self.let_go(rig, env)
                executed.append(env.step(FULL_SPEED)[4][schema.TELEOP_ACTION])
        env.reset(seed=0)
        env.step(executed[0])
        with tcp_positions(env) as alone:
            for action in executed[1:]:
                assert not env.step(action)[4][schema.IS_INTERVENTION]
        bound = MAX_ACCELERATION_RATIO * peak_acceleration(alone, dt)
        assert peak_acceleration(handed_over, dt) <= bound

    def test_random_events_neither_raise_nor_hang_nor_move_the_robot(
        self, rig: DeviceRig, env: gym.Env
    ) -> None:
        hand = RandomHand(rig, seed=0)
        watched(env).during_reset = hand.act_repeatedly
        strict = self.engage is Engage.HOLD
        by_human, by_policy = play_at_random(env, hand, self.random_events, strict=strict)
        assert min(by_human, by_policy) > 0.02 * (by_human + by_policy), (by_human, by_policy)
        play_after_close(env, hand, self.random_events // 20)

    @staticmethod
    def _can(action: Any) -> None:
        try:
            action()
        except NotImplementedError:
            raise unittest.SkipTest("this device has no plug") from None
