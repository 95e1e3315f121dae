"""A simulated human at a keyboard: its presses are a person's, late, imprecise, and the same for the same seed."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.base import Engage
from gym_hil.devices.keyboard import Keyboard
from gym_hil.devices.recorded import RecordedDevice, RecordingDevice
from gym_hil.devices.speed import Speed
from gym_hil.intervention import Human, Limits
from gym_hil.intervention.key_presses import HandClock, KeyPresses
from gym_hil.intervention.limits import PRESETS
from gym_hil.intervention.named import make_demonstrator, make_operator
from gym_hil.intervention.operator import Operator
from gym_hil.intervention.sight import Glimpse, Sight
from gym_hil.intervention.simulated_keyboard import SimulatedKeyboard
from gym_hil.stacks.build import make_env

STAY = np.array([0, 0, 0, 1], np.float32)


def at_keyboard(preset: str | Limits = "average", *, drives: bool = True) -> SimulatedKeyboard:
    limits = PRESETS[preset] if isinstance(preset, str) else preset
    return SimulatedKeyboard(limits.driving() if drives else limits)


def make(operator: Operator, **arguments) -> gym.Env:
    return make_env("gym_hil/PandaPickCubeBase-v1", operator=operator, max_episode_steps=300, **arguments)


def steps(env: gym.Env, seed: int | None, count: int = 300) -> list[tuple]:
    """Return what was read and executed, and where the TCP was, step by step."""
    if seed is not None:
        env.reset(seed=seed)
    result, ended = [], False
    while not ended and len(result) < count:
        *_, terminated, truncated, info = env.step(STAY)
        step = info["step"]
        place = env.get_wrapper_attr("tcp_pos_w").tobytes()
        result.append((step.reading, step.executed_action.tobytes(), step.phase, place, step.success))
        ended = terminated or truncated
    return result


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_everybody_can_drive_alone_and_scripts_are_faster_than_humans(preset):
    env = make(at_keyboard(preset))
    lengths = [len(steps(env, seed)) for seed in range(5)]
    assert max(lengths) < 300
    assert (np.median(lengths) < 25) == preset.startswith("scripted")


def test_the_same_seed_gives_the_same_presses_and_another_one_others():
    env = make(at_keyboard())
    first = steps(env, 5)
    assert steps(env, 6) != first
    assert steps(env, 5) == first == steps(make(at_keyboard()), 5)


def test_a_device_log_replays_bit_for_bit(tmp_path):
    person = at_keyboard("novice")
    person.human.device = RecordingDevice(person.human.device, tmp_path / "log.jsonl", period_s=0.1)
    env = make(person)
    driven = steps(env, 3)
    env.close()
    assert driven[-1][4] and len({reading.motion for reading, *_ in driven}) > 5
    log = RecordedDevice(tmp_path / "log.jsonl", period_s=0.1)
    assert steps(make(Human(log, Engage.TOGGLE)), 3) == driven


@pytest.mark.parametrize("before", range(3, 40, 6))
def test_a_saved_state_goes_on_with_the_same_presses(before):
    env = make(at_keyboard("novice"))
    steps(env, 2, before)
    state = env.get_wrapper_attr("get_state")()
    rest = steps(env, None)
    steps(env, 9)
    env.reset(options={"state": state})
    assert steps(env, None) == rest
    other = make(at_keyboard("novice"))
    other.reset(seed=0, options={"state": state})
    assert steps(other, None) == rest


def test_it_takes_over_from_a_policy_without_progress_and_lets_go():
    env = make(at_keyboard("experienced", drives=False))
    phases = [phase for _, _, phase, *_ in steps(env, 0)]
    assert phases[:20] == ["policy"] * 20 and "takeover" in phases and "release" in phases
    readings = [reading for reading, *_ in steps(env, 0)]
    assert sum(reading.engage_presses for reading in readings) >= 2


def test_the_budget_binds_over_episodes():
    env = make(SimulatedKeyboard(Limits(budget_s_per_hour=1.5)))
    acted = sum(
        phase in ("takeover", "human") for seed in range(3) for _, _, phase, *_ in steps(env, seed, 60)
    )
    assert 0 < acted <= 15


def test_it_sees_what_was_there_a_moment_ago():
    env = make(at_keyboard())
    env.reset(seed=0)
    sight, rng = Sight(Limits(sight_delay_s=0.2)), np.random.default_rng(0)
    places, seen = [], []
    for _ in range(12):
        places.append(env.get_wrapper_attr("tcp_pos_w").copy())
        seen.append(sight.look(EnvironmentInterface(env), rng).tcp_pos_w)
        env.step(STAY)
    np.testing.assert_array_equal(seen[2:], places[:-2])
    assert not np.array_equal(places[-1], places[0])


def test_the_eye_errs_in_proportion_to_the_distance():
    sight, rng = Sight(Limits(sight_error_m=0.001, sight_error_share=0.05)), np.random.default_rng(0)

    def error(distance: float) -> float:
        seen = Glimpse(np.zeros(3), np.array([distance, 0.0, 0.0]), False, None)
        errors = []
        for _ in range(2000):
            sight.begin(rng)
            errors.append(sight.way(seen)[1])
        return float(np.std(errors))

    assert error(0.0) == pytest.approx(0.001, rel=0.1)
    assert error(0.2) == pytest.approx(0.011, rel=0.1)


def pressed(limits: Limits, way: tuple[float, float, float], speed: Speed, seed: int) -> tuple[float, ...]:
    """Return the motion of one press, in seconds at full level along each axis."""
    clock = HandClock()
    keyboard = Keyboard(clock=clock)
    hands, rng = KeyPresses(keyboard, clock, limits), np.random.default_rng(seed)
    seen = Glimpse(np.zeros(3), np.array(way), False, None)
    hands.steer(seen, np.array(way), 0.25, speed, rng)
    moved = np.zeros(3)
    for step in range(1, 40):
        hands.carry_out(0.1 * step)
        moved += 0.1 * np.array(keyboard.poll().motion[:3])
    return tuple(moved.tolist())


def test_a_press_lasts_as_long_as_the_way_needs_and_never_shorter_than_a_tap():
    exact = Limits(press_s=0.1)
    assert pressed(exact, (0.15, 0.0, -0.05), Speed.COARSE, 0) == pytest.approx((0.6, 0.0, -0.2))
    assert pressed(exact, (0.03, 0.0, 0.014), Speed.COARSE, 0) == pytest.approx((0.12, 0.0, 0.1))


def test_a_long_press_is_less_exact_than_a_short_one():
    limits = Limits(press_spread=0.1)

    def spread(metres: float) -> float:
        return float(
            np.std([pressed(limits, (metres, 0.0, 0.0), Speed.COARSE, seed)[0] for seed in range(200)])
        )

    assert spread(0.4) == pytest.approx(2 * spread(0.2), rel=0.3)
    assert spread(0.4) == pytest.approx(0.16, rel=0.2)


def test_some_presses_meet_a_wrong_key():
    limits = Limits(wrong_key=0.3)
    wrong = [not pressed(limits, (0.2, 0.0, 0.0), Speed.COARSE, seed)[0] > 0.3 for seed in range(300)]
    assert np.mean(wrong) == pytest.approx(0.3, abs=0.08)


def test_it_has_a_name_for_commands_and_training():
    assert isinstance(make_operator("simulated-keyboard", preset="novice"), SimulatedKeyboard)
    assert make_demonstrator("simulated-keyboard", "novice").limits == PRESETS["novice"].driving()
    with pytest.raises(InvalidArgumentError, match='did you mean "novice"'):
        make_operator("simulated-keyboard", preset="novise")
    with pytest.raises(InvalidArgumentError, match=r"press_s=0\.001"):
        Limits(press_s=0.001)
