"""All outputs of a step agree with each other after any sequence of random calls by people, policies and wrappers."""

from __future__ import annotations

from typing import Any
from unittest import mock

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers

import gym_hil  # noqa: F401
from gym_hil.core import schema
from gym_hil.core.errors import EpisodeOrderError
from gym_hil.core.schema import EpisodeEvent, TerminationReason
from gym_hil.core.step_record import StepRecord
from gym_hil.devices import Keyboard
from gym_hil.devices.controls import Control
from gym_hil.intervention import Human
from gym_hil.intervention.simulated_human import SimulatedHuman
from gym_hil.testing.clock import ManualClock
from gym_hil.testing.rigs import GamepadRig, KeyboardRig, PagePadRig, PageRig
from gym_hil.wrappers.real_time import RealTimeWrapper

hypothesis = pytest.importorskip("hypothesis")

from hypothesis import strategies as st  # noqa: E402
from hypothesis.stateful import (  # noqa: E402
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

KEYS = frozenset(
    {
        schema.STEP,
        schema.IS_INTERVENTION,
        schema.TELEOP_ACTION,
        schema.ACTION_INTERVENTION,
        schema.POLICY_ACTION,
        schema.HUMAN_ACTION,
        schema.INTERVENTION_ID,
        schema.PHASE,
        schema.SUCCEED,
        schema.IS_SUCCESS,
        schema.NEXT_SUCCESS,
        schema.DISCRETE_PENALTY,
        schema.TERMINATION_REASON,
        schema.RERECORD_EPISODE,
        schema.TERMINATE_EPISODE,
    }
)
VERDICTS = {
    EpisodeEvent.SUCCESS: (TerminationReason.HUMAN_SUCCESS, True, False, True),
    EpisodeEvent.FAILURE: (TerminationReason.HUMAN_FAILURE, True, False, False),
    EpisodeEvent.RERECORD: (TerminationReason.RERECORD, True, False, False),
    EpisodeEvent.RESET: (TerminationReason.HUMAN_RESET, False, True, False),
}
"""Reason, terminated, truncated and success of the first event in a step that ends an episode."""
USES = {
    "keyboard": ("Keyboard", lambda: KeyboardRig(Keyboard())),
    "gamepad": ("Gamepad", GamepadRig),
    "page": ("Base", PageRig),
    "gamepad of the page": ("Base", PagePadRig),
    "simulated human": ("SimulatedHuman", lambda: KeyboardRig(Keyboard())),
}
"""Suffix of the id, and the device that a person uses. The page is not served: while nobody opens it, a server would
disconnect its device."""
HELD = (Control.ENGAGE, Control.CLOSE, Control.OPEN, Control.TURN)
TAPPED = (Control.SUCCESS, Control.FAILURE, Control.RERECORD, Control.SPEED, Control.ENGAGE)
WRAPPERS = {
    "statistics": wrappers.RecordEpisodeStatistics,
    "flat": wrappers.FlattenObservation,
    "stacked": lambda env: wrappers.FrameStackObservation(env, 2),
    "doubled reward": lambda env: wrappers.TransformReward(env, lambda reward: 2.0 * reward),
    "rescaled": lambda env: wrappers.RescaleAction(env, np.float32(-1.0), np.float32(1.0)),
    "autoreset": wrappers.Autoreset,
}


class ImpatientClock(ManualClock):
    """A clock on which a person who has paused presses a key, or pulls the plug, after some waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0
        self.ends_pause: Any = None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.waits += 1
        assert self.waits < 10_000, "it waits forever"
        if self.ends_pause is not None and self.waits > 3:
            self.ends_pause()


class Use(RuleBasedStateMachine):
    """Random use of an environment as ids build it, and of Gymnasium's wrappers around it."""

    used: str
    env: gym.Env | None = None

    @initialize(
        task=st.sampled_from(["PandaPickCube", "PandaInsertPeg", "PandaArrangeBoxes"]),
        engage=st.sampled_from(["hold", "toggle", "motion"]),
        limit=st.integers(2, 12),
        auto_reset=st.booleans(),
        around=st.lists(st.sampled_from(sorted(WRAPPERS)), max_size=3, unique=True),
        seed=st.integers(0, 2**31 - 1),
    )
    def make(self, **drawn):
        self.build(**drawn)

    def build(self, task, engage, limit, auto_reset, around, seed):
        self.built = {
            "task": task,
            "engage": engage,
            "limit": limit,
            "auto_reset": auto_reset,
            "around": around,
        }
        suffix, plug_in = USES[self.used]
        self.rig = plug_in()
        operator = SimulatedHuman("novice") if suffix == "SimulatedHuman" else Human(self.rig.device, engage)
        self.engage = None if suffix == "SimulatedHuman" else engage
        self.clock = ImpatientClock()
        with mock.patch("gym_hil.stacks.build.needs_viewer", return_value=False):
            env = gym.make(
                f"gym_hil/{task}{suffix}-v1",
                max_episode_steps=limit,
                operator=operator,
                auto_reset=auto_reset,
                real_time=False,
            )
        self.operator, self.limit, self.auto_reset = operator, limit, auto_reset
        self.applied: list[np.ndarray] = []
        raw = env.unwrapped
        step = raw.step
        raw.step = lambda action: (self.applied.append(np.array(action)), step(action))[1]
        env = RealTimeWrapper(env, clock=self.clock)
        for name in around:
            if not (name == "autoreset" and auto_reset):
                env = WRAPPERS[name](env)
        self.around = [name for name in around if not (name == "autoreset" and auto_reset)]
        self.env = env
        self.engaged_before = self.over = False
        self.steps = self.interventions = 0
        self.held: set[Control] = set()
        self.plugged = True
        self.reset(seed)

    @rule(seed=st.one_of(st.none(), st.integers(0, 2**31 - 1)))
    def reset(self, seed):
        observation, info = self.env.reset(seed=seed)
        assert self.env.observation_space.contains(observation)
        self.check_reset(info)

    @rule(control=st.sampled_from(HELD))
    def press(self, control):
        self.rig.press(control)
        if self.plugged:
            self.held.add(control)

    @rule(control=st.sampled_from(HELD))
    def release(self, control):
        self.rig.release(control)
        self.held.discard(control)

    @rule(axis=st.integers(0, 2), level=st.sampled_from([-1.0, -0.3, 0.0, 0.7, 1.0]))
    def move(self, axis, level):
        self.rig.move(axis, level)

    @rule(controls=st.lists(st.sampled_from(TAPPED), min_size=1, max_size=3), data=st.data())
    def tap(self, controls, data):
        for control in controls:
            if control not in self.held:
                self.rig.press(control)
                self.rig.release(control)
        self.step(data, 1)

    @precondition(lambda self: self.plugged)
    @rule(really=st.integers(0, 3))
    def unplug(self, really=0):
        if really:
            return
        self.rig.disconnect()
        self.plugged = False
        self.held.clear()

    @precondition(lambda self: not self.plugged)
    @rule()
    def plug_in(self):
        self.rig.reconnect()
        self.plugged = True

    @precondition(lambda self: not self.operator.paused)
    @rule(ends=st.sampled_from(["key", "plug"]))
    def pause(self, ends):
        if not self.plugged or self.engage is None:
            return

        def end():
            if not self.operator.paused:
                return
            self.clock.ends_pause = None
            if ends == "key":
                self.rig.press(Control.PAUSE)
                self.rig.release(Control.PAUSE)
            else:
                self.unplug()

        self.clock.waits = 0
        self.clock.ends_pause = end
        self.rig.press(Control.PAUSE)
        self.rig.release(Control.PAUSE)

    @rule(data=st.data(), count=st.integers(1, 3))
    def step(self, data, count):
        low = data.draw(st.floats(-2.0, 2.0))
        for index in range(count):
            if self.over and not self.auto_reset and "autoreset" not in self.around:
                self.reset(None)
            action = np.full(self.env.action_space.shape, low * (-1) ** index, self.env.action_space.dtype)
            if "rescaled" in self.around:
                action = np.clip(action, -1.0, 1.0)
            before = len(self.applied)
            was_over = self.over
            self.clock.waits = 0
            result = self.env.step(action)
            if was_over and "autoreset" in self.around:
                assert len(self.applied) == before, "the next episode begins in this step"
                self.check_reset(result[4])
            else:
                self.check_step(*result, self.applied[before:])

    @precondition(lambda self: self.engage is None and not self.around and not self.over)
    @rule(data=st.data(), count=st.integers(1, 4))
    def step_again_from_a_saved_state(self, data, count):
        """A restored state gives the same steps again: it includes the operator and the time limit."""
        state = self.env.unwrapped.get_state()
        counted = (self.steps, self.interventions, self.engaged_before, self.over)
        action = np.full(self.env.action_space.shape, data.draw(st.floats(-1.0, 1.0)), np.float32)
        action = np.clip(action, self.env.action_space.low, self.env.action_space.high)
        runs = []
        for _ in range(2):
            self.env.unwrapped.set_state(state)
            self.steps, self.interventions, self.engaged_before, self.over = counted
            runs.append([])
            for _ in range(count):
                before = len(self.applied)
                result = self.env.step(action)
                self.check_step(*result, self.applied[before:])
                runs[-1].append((result[0], repr(result[4][schema.STEP])))
                if self.over or self.steps == 0:
                    break
        for (first, said), (second, repeated) in zip(*runs, strict=True):
            assert said == repeated
            for name, value in first.items():
                np.testing.assert_array_equal(value, second[name])

    @precondition(lambda self: self.env is not None)
    @invariant()
    def everything_stays_in_reach(self):
        assert np.isfinite(self.env.unwrapped.data.qpos).all()

    @rule(really=st.integers(0, 3), seed=st.integers(0, 2**31 - 1))
    def close(self, really, seed):
        """Close the environment, call it afterwards, and continue with a new one."""
        if really:
            return
        self.clock.waits = 0
        self.clock.ends_pause = None
        self.teardown()
        applied = len(self.applied)
        for call in (
            self.env.reset,
            lambda: self.env.step(self.env.action_space.sample()),
            self.env.unwrapped.get_state,
        ):
            with pytest.raises(EpisodeOrderError, match="was called after close"):
                call()
        assert len(self.applied) == applied + 1, "the step reached the environment, which refused it"
        self.build(**self.built, seed=seed)

    def teardown(self):
        if self.env is not None:
            self.env.close()
            self.env.close()
            assert self.engage is None or not self.rig.device.poll().connected, (
                "it is closed with the environment"
            )
        if isinstance(getattr(self, "rig", None), GamepadRig):
            self.rig.close()

    def check_reset(self, info):
        self.check_info(info)
        record = info[schema.STEP]
        assert record.step == 0 and not record.done and record.phase == "policy" and record.events == ()
        self.steps = self.interventions = 0
        self.engaged_before = self.over = False

    def check_step(self, observation, reward, terminated, truncated, info, applied):
        assert self.env.observation_space.contains(observation)
        self.check_info(info)
        record: StepRecord = info[schema.STEP]
        self.steps += 1
        assert record.step == self.steps <= self.limit

        (executed,) = applied
        np.testing.assert_array_equal(record.executed_action, executed)
        acts = record.human_action if record.is_intervention else record.policy_action
        np.testing.assert_array_equal(record.executed_action, acts)
        assert self.env.unwrapped.action_space.contains(record.executed_action)

        acting = record.is_intervention
        phases = {(0, 0): "policy", (0, 1): "takeover", (1, 1): "human", (1, 0): "release"}
        assert record.phase == phases[self.engaged_before, acting]
        self.interventions += record.phase == "takeover"
        assert record.intervention_id == (self.interventions if acting else 0)
        self.engaged_before = acting
        if self.engage is not None and not self.plugged:
            assert not acting, "nobody acts through a device that is unplugged"
        elif self.engage == "hold" and Control.ENGAGE in self.held:
            assert acting

        ending_event = next((event for event in record.events if event in VERDICTS), None)
        if ending_event is not None:
            reason, *rest = VERDICTS[ending_event]
            assert [record.reason, record.terminated, record.truncated, record.success] == [reason, *rest]
            assert record.reward == float(ending_event is EpisodeEvent.SUCCESS)
        else:
            assert record.terminated == (record.reason is not None)
            assert record.truncated == (self.steps == self.limit and not record.terminated)
            assert record.success == (record.reason is TerminationReason.SUCCESS)
            assert record.reward == float(record.success)
        assert (bool(terminated), bool(truncated)) == (record.terminated, record.truncated)
        assert not (terminated and truncated)
        assert reward == record.reward * (2.0 if "doubled reward" in self.around else 1.0)
        if record.done and "statistics" in self.around and not self.auto_reset:
            assert info["episode"]["l"] == self.steps

        self.over = record.done
        if self.over and self.auto_reset:
            assert self.env.unwrapped.observation_space.contains(info["final_obs"])
            self.check_reset(info["reset_info"])

    def check_info(self, info):
        assert info.keys() >= KEYS
        record = info[schema.STEP]
        assert (schema.INTERVENE_ACTION in info) == record.is_intervention
        for name, value in record.to_info().items():
            assert type(info[name]) is type(value), name
            assert (
                np.array_equal(info[name], value) if isinstance(value, np.ndarray) else info[name] == value
            ), name
        assert info[schema.SUCCEED] == info[schema.IS_SUCCESS] == info[schema.NEXT_SUCCESS] == record.success
        assert info[schema.TERMINATION_REASON] == (record.reason.value if record.reason else "")


@pytest.mark.filterwarnings("ignore::UserWarning:gymnasium")
@pytest.mark.parametrize(
    "examples", [pytest.param(8, id="few"), pytest.param(100, id="many", marks=pytest.mark.nightly)]
)
@pytest.mark.parametrize("used", USES)
def test_all_outputs_of_a_step_agree(used, examples):
    if used == "gamepad":
        pytest.importorskip("pygame")
    run_state_machine_as_test(
        type("Use", (Use,), {"used": used}),
        settings=hypothesis.settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
