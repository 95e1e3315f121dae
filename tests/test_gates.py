"""Reasons for which a simulated human takes over, each alone, and the duration of its attention."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.intervention import (
    PRESETS,
    Chance,
    LeavingWorkspace,
    Limits,
    NoProgress,
    Schedule,
    SimulatedHuman,
)
from gym_hil.intervention.budget import AttentionBudget
from gym_hil.learning.config import TrainConfig
from gym_hil.stacks.build import make_env
from gym_hil.testing.operators import OperatorBasics, environment

STATE_ID = "gym_hil/PandaPickCubeStateBase-v1"
STAY = np.array([0, 0, 0, 1], np.float32)
OUT = np.array([-1, 0, 0, 1], np.float32)


def only(*gates, **limits) -> SimulatedHuman:
    return SimulatedHuman(Limits(disagreement=math.inf, gates=gates, **limits))


def acted(operator: SimulatedHuman, action: np.ndarray, steps: int, seed: int | None = 0) -> list[bool]:
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=operator)
    env.reset(seed=seed)
    result = []
    for _ in range(steps):
        *_, terminated, _, info = env.step(action)
        result.append(info["is_intervention"])
        if terminated:
            break
    return result


def test_without_an_open_gate_no_takeover_happens():
    assert not any(acted(only(), OUT, 60))


def test_a_scheduled_gate_opens_at_its_exact_step():
    who = acted(only(Schedule(start=7, length=6, every=20), min_hold_s=0.1), OUT, 50)
    assert [step for step, human in enumerate(who) if human] == [
        *range(7, 13),
        *range(27, 33),
        *range(47, 50),
    ]


def test_a_random_gate_opens_with_its_probability():
    who = [
        human
        for seed in range(20)
        for human in acted(only(Chance(probability=0.1), min_hold_s=0.1, max_hold_s=0.1), OUT, 60, seed)
    ]
    # A takeover of one step is followed by one without: a renewal of mean length 1 / 0.1 + 1.
    assert np.mean(who) == pytest.approx(1 / 11, abs=0.03)


def test_a_policy_without_motion_is_helped_after_some_time():
    who = acted(only(NoProgress(seconds=1.5)), STAY, 30)
    assert who.index(True) == 15


def test_a_policy_with_progress_is_not_interrupted():
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=only(NoProgress(seconds=1.0, metres=0.01)))
    env.reset(seed=0)
    terminated = False
    while not terminated:
        *_, terminated, _, info = env.step(env.unwrapped.expert_action())
        assert not info["is_intervention"]
    assert info["is_success"]


def test_a_policy_that_would_leave_the_workspace_is_interrupted():
    operator = only(LeavingWorkspace(lookahead=3))
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=operator)
    env.reset(seed=0)
    low = env.unwrapped.task.workspace.low
    for _ in range(60):
        x = env.unwrapped.simulation.tcp_pos_w[0]
        if env.step(OUT)[4]["is_intervention"]:
            break
    assert x - 3 * 0.025 < low[0] < x
    assert not any(acted(only(LeavingWorkspace()), STAY, 30))


def test_an_exhausted_budget_ends_a_takeover_and_prevents_the_next():
    operator = SimulatedHuman(Limits(budget_s_per_hour=1.5))
    env = environment(operator, limit=100)
    total = 0
    for episode in range(3):
        env.reset(seed=3 + episode)
        done = False
        while not done:
            *_, terminated, truncated, info = env.step(STAY)
            total += info["is_intervention"]
            done = terminated or truncated
    assert total == 15
    env.reset(seed=3)
    assert not any(env.step(STAY)[4]["is_intervention"] for _ in range(10)), "a seed begins no new hour"


def test_the_budget_is_available_again_after_an_hour():
    budget = AttentionBudget(1.0)
    for _ in range(10):
        budget.pass_time(0.1)
        assert budget.allows(0.1)
        budget.spend(0.1)
    assert not budget.allows(0.1)
    budget.pass_time(3598.9)
    assert not budget.allows(0.1)
    budget.pass_time(0.3)
    assert budget.allows(0.1) and not budget.allows(0.5)


def test_scripted_presets_act_as_in_earlier_versions():
    assert sum(acted(SimulatedHuman("scripted"), STAY, 100, 4)) == 9


@pytest.mark.parametrize("preset", ["scripted-coach", "experienced"])
def test_a_patient_human_helps_only_a_policy_without_progress(preset):
    who = acted(SimulatedHuman(preset), STAY, 100)
    assert not any(who[:20]) and sum(who) >= 9
    away_at_first = 0.2 * OUT + np.array([0, 0, 0, 0.8], np.float32)
    assert not any(acted(SimulatedHuman(preset), away_at_first, 20))


def first_takeover(preset: str, seed: int) -> int:
    return acted(SimulatedHuman(preset), STAY, 100, seed).index(True)


def test_novices_intervene_early_and_experienced_people_wait():
    mean = {
        name: np.mean([first_takeover(name, seed) for seed in range(10)])
        for name in ("novice", "average", "experienced")
    }
    assert mean["novice"] < mean["average"] < mean["experienced"]


def test_presets_without_limits_are_named_scripted():
    for name, limits in PRESETS.items():
        limited = limits.reaction_s > 0 and limits.noise > 0 and limits.attention < 1
        assert limited != name.startswith("scripted"), name
    default = make_env("gym_hil/PandaPickCubeBase-v1", operator="simulated").get_wrapper_attr("operator")
    for limits in (default.limits, SimulatedHuman().limits, PRESETS[TrainConfig(env_id=STATE_ID).preset]):
        assert limits is PRESETS["average"], "a human has limits unless a script is asked for"


def test_reaction_times_have_the_configured_mean():
    human = only(NoProgress(seconds=1.0), reaction_s=0.4, reaction_spread=0.25)
    delays = [0.1 * acted(human, STAY, 40, seed).index(True) - 1.0 for seed in range(40)]
    assert np.mean(delays) == pytest.approx(0.4, abs=0.06) and np.std(delays) > 0.05


def test_durations_in_seconds_do_not_depend_on_the_control_rate():
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=only(NoProgress(seconds=1.5)), control_dt=0.05)
    env.reset(seed=0)
    who = [env.step(STAY)[4]["is_intervention"] for _ in range(40)]
    assert who.index(True) == 30


def test_preset_names_of_earlier_versions_are_accepted():
    assert SimulatedHuman("expert").limits is PRESETS["scripted"]
    assert SimulatedHuman("coach").limits is PRESETS["scripted-coach"]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: NoProgress(seconds=0), "seconds=0"),
        (lambda: NoProgress(metres=0), "metres=0"),
        (lambda: LeavingWorkspace(lookahead=0), "lookahead=0"),
        (lambda: Schedule(length=9, every=8), "length=9"),
        (lambda: Chance(probability=1.5), "probability=1.5"),
        (lambda: Limits(budget_s_per_hour=-1), "budget_s_per_hour=-1"),
        (lambda: Limits(min_hold_s=3, max_hold_s=2), "min_hold_s=3"),
    ],
)
def test_invalid_gates_are_refused(make, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        make()


class TestGatedHuman(OperatorBasics):
    @pytest.fixture
    def operator(self):
        gates = (NoProgress(), LeavingWorkspace(), Schedule(), Chance())
        return SimulatedHuman(Limits(gates=gates, budget_s_per_hour=30.0))
