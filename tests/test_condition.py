"""The condition of a simulated human: lapses, fatigue, practice, late releases, habits and wrong actions."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.controls import Control
from gym_hil.intervention import Limits, NoProgress, Schedule, SimulatedHuman
from gym_hil.intervention.button_presses import Aim
from gym_hil.intervention.condition import Condition, Route
from gym_hil.intervention.limits import get_limits
from gym_hil.intervention.simulated_human_with_device import SimulatedHumanWithDevice
from gym_hil.stacks.build import make_env

STAY = np.array([0, 0, 0, 1], np.float32)
DRIFT = np.array([-1, 0, 1, 1], np.float32)


def acted(operator: SimulatedHuman, steps: int, seed: int = 0) -> list[bool]:
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=operator)
    env.reset(seed=seed)
    who, ended = [], False
    while len(who) < steps and not ended:
        *_, terminated, truncated, info = env.step(STAY)
        who.append(info["is_intervention"])
        ended = terminated or truncated
    return who


def only(*gates, **limits) -> SimulatedHuman:
    return SimulatedHuman(Limits(disagreement=math.inf, gates=gates, **limits))


def test_lapses_have_the_configured_rate_and_duration():
    condition, rng = Condition(Limits(lapses_per_min=2.0, lapse_s=3.0)), np.random.default_rng(0)
    away = []
    for _ in range(60_000):
        condition.pass_time(0.1, rng)
        away.append(condition.lapse_s > 0.0)
    assert np.mean(away) == pytest.approx(2.0 * 3.0 / 60.0, rel=0.2)
    begins = sum(now and not before for before, now in itertools.pairwise(away))
    assert begins / 100 == pytest.approx(2.0, rel=0.2)


def test_a_distracted_human_takes_over_later():
    first = [
        acted(only(NoProgress(seconds=1.0), lapses_per_min=30.0, lapse_s=2.0), 60, seed) for seed in range(12)
    ]
    begins = [who.index(True) if any(who) else 60 for who in first]
    assert min(begins) == 10 and np.mean(begins) > 14


def test_a_human_with_late_releases_ends_interventions_later():
    def held(**limits) -> int:
        return sum(acted(only(Schedule(start=2, length=2, every=50), min_hold_s=0.1, **limits), 14))

    assert held(release_delay_s=0.4) == held() + 4


def takeovers(operator: SimulatedHuman, seed: int, steps: int = 250) -> tuple[list[int], bool]:
    """Return the numbers of steps of all takeovers from a policy that drifts backwards and upwards, and success."""
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=operator, max_episode_steps=steps)
    env.reset(seed=seed)
    who, ended = [], False
    while not ended:
        *_, terminated, truncated, info = env.step(DRIFT)
        who.append(bool(info["is_intervention"]))
        ended = terminated or truncated
    env.close()
    return [len(list(steps)) for human, steps in itertools.groupby(who) if human], info["is_success"]


def test_a_human_whose_correction_is_undone_keeps_control_longer_with_every_takeover():
    human = only(NoProgress(seconds=1.0), min_hold_s=0.2, max_hold_s=0.2, distrust=1.0)
    lengths, _ = takeovers(human, seed=0, steps=120)
    assert lengths[:3] == [2, 4, 8]
    assert takeovers(human, seed=0, steps=120)[0] == lengths, "a new episode begins with trust"


@pytest.mark.parametrize("make", [SimulatedHuman, SimulatedHumanWithDevice])
@pytest.mark.parametrize("preset", ["novice", "average", "experienced"])
def test_a_human_overcomes_a_policy_that_drifts_steadily(make, preset):
    assert all(takeovers(make(preset), seed)[1] for seed in range(2))
    trusting = replace(get_limits(preset), distrust=0.0)
    assert not any(takeovers(make(trusting), seed)[1] for seed in range(2))


def test_a_restored_human_has_the_same_distrust():
    human = SimulatedHuman("average", seed=0)
    takeovers(human, seed=0, steps=120)
    copy = SimulatedHuman("average", seed=1)
    copy.set_state(human.get_state())
    assert copy._condition.caution == human._condition.caution > 1.0


def test_distrust_stops_growing_at_a_limit():
    condition = Condition(Limits(distrust=1.0))
    for _ in range(5000):
        condition.hand_back()
    assert condition.caution == 1000.0


def test_fatigue_makes_a_human_slower_and_practice_faster():
    condition, rng = Condition(Limits(tiring_per_hour=0.3)), np.random.default_rng(0)
    condition.pass_time(1800.0, rng)
    assert condition.slowness == pytest.approx(1.15)
    condition = Condition(Limits(learning=0.2))
    for _ in range(31):
        condition.acted = True
        condition.begin(rng)
    assert condition.slowness == pytest.approx(32**-0.2)
    condition.begin(rng)
    assert condition.practice == 31, "watching is no practice"


def test_a_tired_human_reacts_later():
    human = only(NoProgress(seconds=1.0), reaction_s=0.5, reaction_spread=0.0, tiring_per_hour=1.0)
    fresh = acted(human, 60).index(True)
    human._condition.elapsed_s = 3600.0
    assert acted(human, 60).index(True) == fresh + 5


def test_the_preferred_route_is_mostly_taken_and_a_seed_decides():
    limits = Limits(route="height first", changes_route=0.25)

    def route(seed: int) -> Route:
        condition = Condition(limits)
        condition.begin(np.random.default_rng(seed))
        return condition.route

    routes = [route(seed) for seed in range(400)]
    assert routes == [route(seed) for seed in range(400)]
    assert routes.count(Route.HEIGHT_FIRST) / 400 == pytest.approx(0.75, abs=0.07)
    assert set(routes) == set(Route)


@pytest.mark.parametrize(
    ("route", "part"),
    [
        (Route.STRAIGHT, (0.2, -0.1, -0.05)),
        (Route.ACROSS_FIRST, (0.2, -0.1, 0.0)),
        (Route.HEIGHT_FIRST, (0.0, 0.0, -0.05)),
        (Route.ONE_AXIS, (0.2, 0.0, 0.0)),
    ],
)
def test_routes_lead_to_the_goal_by_different_paths(route, part):
    offset = np.array([0.2, -0.1, -0.05])
    np.testing.assert_array_equal(route.part(offset), part)
    near = np.array([0.02, -0.01, 0.005])
    np.testing.assert_array_equal(route.part(near), near)
    for _ in range(4):
        offset = offset - route.part(offset)
    np.testing.assert_array_equal(offset, np.zeros(3))


@pytest.mark.parametrize("route", Route)
def test_a_hand_rises_before_it_moves_sideways(route):
    offset = np.array([0.2, -0.1, 0.02])
    part = offset if route is Route.STRAIGHT else (0.0, 0.0, 0.02)
    np.testing.assert_array_equal(route.part(offset), part)


def test_gripper_slips_have_the_configured_rate():
    person = SimulatedHumanWithDevice(Limits(slips_per_min=6.0), seed=0)
    aim = Aim(np.zeros(3), np.zeros(3))
    grips = [person._slip(aim, True, 0.1).grip for _ in range(6000)]
    assert set(grips) == {None, Control.OPEN}
    assert grips.count(Control.OPEN) == pytest.approx(60, abs=25)
    wanted = Aim(np.zeros(3), np.zeros(3), Control.CLOSE)
    assert all(person._slip(wanted, True, 0.1) is wanted for _ in range(100))


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"route": "zigzag"}, "zigzag"),
        ({"changes_route": 1.2}, r"changes_route=1\.2"),
        ({"lapses_per_min": -1}, "lapses_per_min=-1"),
    ],
)
def test_invalid_limits_are_refused(limits, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        Limits(**limits)
