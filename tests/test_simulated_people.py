"""Simulated humans with devices act through the device, late and imprecisely, and the same for the same seed."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.recorded import RecordedDevice, RecordingDevice
from gym_hil.devices.speed import Speed
from gym_hil.intervention import Human, Limits
from gym_hil.intervention.axis_motion import AxisMotion
from gym_hil.intervention.button_presses import Aim, Rates, main_part
from gym_hil.intervention.held_devices import GAMEPAD_PAGE, KEYBOARD, LEADER, SPACEMOUSE, HeldDevice
from gym_hil.intervention.key_presses import KeyPresses
from gym_hil.intervention.limits import PRESETS
from gym_hil.intervention.named import SIMULATED_DEVICES, make_demonstrator, make_operator
from gym_hil.intervention.operator import Operator
from gym_hil.intervention.simulated_human_with_device import SimulatedHumanWithDevice
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.rollout import Rollouts
from gym_hil.stacks.build import make_env

STAY = np.array([0, 0, 0, 1], np.float32)


HELD = (KEYBOARD, GAMEPAD_PAGE, SPACEMOUSE, LEADER)
every_device = pytest.mark.parametrize("held", HELD, ids=lambda held: held.name)


def person(
    preset: str | Limits = "average", *, drives: bool = True, held: HeldDevice = KEYBOARD
) -> SimulatedHumanWithDevice:
    limits = PRESETS[preset] if isinstance(preset, str) else preset
    return SimulatedHumanWithDevice(limits.driving() if drives else limits, held=held)


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


@every_device
@pytest.mark.parametrize("preset", ["novice", "experienced", "scripted"])
def test_every_simulated_human_succeeds_alone(preset, held):
    env = make(person(preset, held=held))
    lengths = [len(steps(env, seed)) for seed in range(3)]
    assert max(lengths) < 300


@every_device
def test_the_seed_determines_the_presses(held):
    env = make(person(held=held))
    first = steps(env, 5)
    assert steps(env, 6) != first
    assert steps(env, 5) == first == steps(make(person(held=held)), 5)


@every_device
def test_a_device_log_replays_bit_for_bit(held, tmp_path):
    novice = person("novice", held=held)
    novice.human.device = RecordingDevice(novice.human.device, tmp_path / "log.jsonl", period_s=0.1)
    env = make(novice)
    driven = steps(env, 1)
    env.close()
    assert driven[-1][4] and len({reading.motion for reading, *_ in driven}) > 5
    log = RecordedDevice(tmp_path / "log.jsonl", period_s=0.1)
    assert steps(make(Human(log, held.engage)), 1) == driven


@every_device
@pytest.mark.parametrize("before", [3, 15, 27])
def test_a_restored_state_continues_with_the_same_presses(before, held):
    env = make(person("novice", held=held))
    steps(env, 2, before)
    state = env.get_wrapper_attr("get_state")()
    rest = steps(env, None)
    steps(env, 9)
    env.reset(options={"state": state})
    assert steps(env, None) == rest
    other = make(person("novice", held=held))
    other.reset(seed=0, options={"state": state})
    assert steps(other, None) == rest


@every_device
def test_it_takes_over_from_a_policy_without_progress_and_hands_back(held):
    env = make(person("experienced", drives=False, held=held))
    phases = [phase for _, _, phase, *_ in steps(env, 0)]
    assert phases[:20] == ["policy"] * 20 and "takeover" in phases and "release" in phases


def test_at_the_keyboard_the_same_key_takes_over_and_hands_back():
    readings = [reading for reading, *_ in steps(make(person("experienced", drives=False)), 0)]
    assert sum(reading.engage_presses for reading in readings) >= 2


def test_at_the_keyboard_the_first_motion_comes_a_pause_after_the_takeover():
    readings = [reading for reading, *_ in steps(make(person(Limits(pause_s=0.4))), 0)]
    engaged = next(number for number, reading in enumerate(readings) if reading.engage_presses)
    moved = next(number for number, reading in enumerate(readings) if any(reading.motion))
    assert 4 <= moved - engaged <= 7


def test_the_budget_applies_across_episodes():
    env = make(SimulatedHumanWithDevice(Limits(budget_s_per_hour=1.5)))
    acted = sum(
        phase in ("takeover", "human") for seed in range(3) for _, _, phase, *_ in steps(env, seed, 60)
    )
    assert 0 < acted <= 15


RATES = Rates(metres_per_s=0.25, radians_per_s=1.0)


def pressed(
    limits: Limits, way: tuple[float, float, float], speed: Speed, seed: int, turn: float = 0.0
) -> tuple[float, ...]:
    """Return the motion of one press, in seconds at full level along and about each axis."""
    hands, rng = KeyPresses(KEYBOARD, limits), np.random.default_rng(seed)
    hands.steer(Aim(np.array(way), np.array([0.0, 0.0, turn])), RATES, speed, rng)
    moved = np.zeros(6)
    for step in range(1, 40):
        hands.carry_out(0.1 * step, rng)
        moved += 0.1 * np.array(hands.handle.device.poll().motion)
    return tuple(moved.tolist())


@pytest.mark.parametrize(("metres", "moves"), [(0.0002, False), (0.0004, True)])
def test_errors_smaller_than_a_short_press_are_not_corrected_with_a_stick(metres, moves):
    hands, rng = AxisMotion(GAMEPAD_PAGE, Limits(press_s=0.1)), np.random.default_rng(0)
    hands.begin(rng)
    hands.steer(Aim(np.array([0.0, metres, 0.0]), np.zeros(3)), RATES, Speed.FINE, rng)
    hands.carry_out(0.3, rng)
    assert any(hands.handle.device.poll().motion) is moves


@pytest.mark.parametrize("held", [GAMEPAD_PAGE, SPACEMOUSE], ids=lambda held: held.name)
def test_a_stick_is_released_before_the_speed_is_changed(held):
    hands, rng = AxisMotion(held, Limits()), np.random.default_rng(0)
    hands.begin(rng)
    changed_at = None
    for step in range(1, 40):
        far = 0.15 if step < 6 else 0.004
        hands.steer(Aim(np.array([far, 0.0, 0.0]), np.zeros(3)), RATES, Speed.COARSE, rng)
        hands.carry_out(0.1 * step, rng)
        reading = hands.handle.device.poll()
        if reading.events and changed_at is None:
            changed_at = step
            assert abs(reading.motion[0]) < 0.05
    assert changed_at is not None and changed_at > 7


def test_a_stick_keeps_a_speed_that_is_fast_enough():
    hands, rng = AxisMotion(GAMEPAD_PAGE, Limits()), np.random.default_rng(0)
    hands.begin(rng)
    for step in range(1, 20):
        hands.steer(Aim(np.array([0.0, 0.0, -0.008]), np.zeros(3)), RATES, Speed.FINE, rng)
        hands.carry_out(0.1 * step, rng)
        reading = hands.handle.device.poll()
        assert not reading.events
    assert reading.motion[2] == -1.0


@pytest.mark.parametrize(("turn", "turns"), [(0.025, False), (0.035, True)])
@pytest.mark.parametrize("held", [KEYBOARD, GAMEPAD_PAGE], ids=lambda held: held.name)
def test_imperceptible_rotations_are_not_corrected(held, turn, turns):
    limits = Limits(perception_error_rad=0.015)
    hands = (KeyPresses if held is KEYBOARD else AxisMotion)(held, limits)
    rng, turned = np.random.default_rng(0), False
    hands.begin(rng)
    speed = Speed.MEDIUM
    for step in range(1, 20):
        hands.steer(Aim(np.zeros(3), np.array([0.0, 0.0, turn])), RATES, speed, rng)
        hands.carry_out(0.1 * step, rng)
        reading = hands.handle.device.poll()
        speed = speed.after(reading.events)
        turned |= any(reading.motion[3:])
    assert turned is turns


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ((0.001, 0.0, -0.005), (0.0, 0.0, -0.005)),
        ((0.002, 0.0, -0.005), (0.002, 0.0, -0.005)),
        ((0.01, 0.0, -0.2), (0.01, 0.0, -0.2)),
    ],
)
def test_near_the_goal_small_distances_are_left_for_later(way, expected):
    np.testing.assert_array_equal(main_part(np.array(way)), expected)


def test_a_faster_speed_is_chosen_soon_when_the_goal_turns_out_to_be_far():
    hands, rng = KeyPresses(KEYBOARD, PRESETS["average"]), np.random.default_rng(0)
    speed, chosen = Speed.FINE, []
    for step in range(1, 60):
        far = 0.1 if step > 3 else 0.0
        hands.steer(Aim(np.array([0.004, 0.004, -far]), np.zeros(3)), RATES, speed, rng)
        hands.carry_out(0.1 * step, rng)
        speed = speed.after(hands.handle.device.poll().events)
        chosen.append(speed)
    assert chosen[2] is Speed.FINE and Speed.COARSE in chosen[:30]


def pushed(
    held: HeldDevice, limits: Limits, way: tuple[float, float, float], seconds: float = 0.2
) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """Return the readings of a device whose lever is pushed for a time and then rests, while and after."""
    hands, rng = AxisMotion(held, limits), np.random.default_rng(0)
    hands.begin(rng)
    hands.steer(Aim(np.array(way), np.zeros(3)), RATES, Speed.COARSE, rng)
    motions = []
    for step in range(1, 40):
        if step == round(10 * seconds) + 1:
            hands.steer(Aim(np.zeros(3), np.zeros(3), delay_s=0.0), RATES, Speed.COARSE, rng)
            hands._wanted = np.zeros(6)
        hands.carry_out(0.1 * step, rng)
        motions.append(hands.handle.device.poll().motion)
    return motions[: round(10 * seconds)], motions[round(10 * seconds) :]


@pytest.mark.parametrize("held", HELD[1:], ids=lambda held: held.name)
def test_pushing_and_releasing_a_lever_takes_time(held):
    while_pushed, afterwards = pushed(held, Limits(bandwidth_hz=1.0), (0.05, 0.0, -0.02), 0.4)
    x = [motion[0] for motion in while_pushed]
    assert 0.0 < x[0] < x[1] < x[3] < 0.5
    assert all(motion[2] < 0.0 for motion in while_pushed)
    assert afterwards[0][0] > 0.05 and not any(map(any, afterwards[20:]))


@pytest.mark.parametrize("held", HELD[1:], ids=lambda held: held.name)
def test_levels_are_rounded_to_the_resolution_of_the_device(held):
    readings, _ = pushed(held, Limits(noise=0.1), (0.1, 0.03, 0.0), 1.0)
    levels = np.abs([motion[:2] for motion in readings]).ravel()
    levels = (levels[(levels > 0) & (levels < 1)] * (1.0 - held.deadzone) + held.deadzone) / held.resolution
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-6)


def test_tremor_reaches_a_leader_and_not_a_stick_at_rest():
    limits = Limits(tremor=0.03)
    assert not any(map(any, pushed(GAMEPAD_PAGE, limits, (0.0, 0.0, 0.0))[0]))
    assert any(map(any, pushed(LEADER, limits, (0.0, 0.0, 0.0))[0]))


def test_keys_turn_the_hand_about_the_axis_with_most_to_turn():
    moved = pressed(Limits(press_s=0.1), (0.1, 0.0, 0.0), Speed.COARSE, 0, turn=-0.5)
    assert moved[5] == pytest.approx(-0.5) and moved[0] == 0.0


@pytest.mark.slow
@every_device
def test_with_every_device_the_simulated_human_turns_a_key(held):
    operator = person("experienced", held=held)
    env = make_env("gym_hil/PandaTurnKey-v1", operator=operator, max_episode_steps=1200)
    for seed in range(2):
        env.reset(seed=seed)
        ended = False
        while not ended:
            *_, terminated, truncated, info = env.step(env.get_wrapper_attr("neutral_action")())
            ended = terminated or truncated
        assert info["is_success"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATED_DEVICES)
def test_with_every_device_the_simulated_human_inserts_a_peg(name):
    """The clearance is 1 mm. The operator is the one who demonstrates in `gym-hil train`."""
    rollouts = Rollouts(TrainConfig(env_id="gym_hil/PandaInsertPegStateBase-v1", operator=name))
    episodes = [rollouts.demonstrate(number) for number in range(4)]
    rollouts.close()
    assert sum(episode.success for episode in episodes) >= 3


def test_a_press_lasts_as_long_as_the_distance_requires_and_at_least_as_long_as_a_tap():
    exact = Limits(press_s=0.1)
    assert pressed(exact, (0.15, 0.0, -0.05), Speed.COARSE, 0) == pytest.approx(
        (0.6, 0.0, -0.2, 0.0, 0.0, 0.0)
    )
    assert pressed(exact, (0.03, 0.0, 0.014), Speed.COARSE, 0) == pytest.approx(
        (0.12, 0.0, 0.1, 0.0, 0.0, 0.0)
    )


def test_a_long_press_is_less_exact_than_a_short_one():
    limits = Limits(press_spread=0.1)

    def spread(metres: float) -> float:
        return float(
            np.std([pressed(limits, (metres, 0.0, 0.0), Speed.COARSE, seed)[0] for seed in range(200)])
        )

    assert spread(0.4) == pytest.approx(2 * spread(0.2), rel=0.3)
    assert spread(0.4) == pytest.approx(0.16, rel=0.2)


def test_some_presses_hit_a_wrong_key():
    limits = Limits(wrong_key=0.3)
    wrong = [not pressed(limits, (0.2, 0.0, 0.0), Speed.COARSE, seed)[0] > 0.3 for seed in range(300)]
    assert np.mean(wrong) == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("name", SIMULATED_DEVICES)
def test_it_has_a_name_for_commands_and_training(name):
    operator = make_operator(name, preset="novice")
    assert isinstance(operator, SimulatedHumanWithDevice) and operator.name == name
    assert make_demonstrator(name, "novice").limits == PRESETS["novice"].driving()
    with pytest.raises(InvalidArgumentError, match='did you mean "novice"'):
        make_operator(name, preset="novise")


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"press_s": 0.001}, r"press_s=0\.001"),
        ({"bandwidth_hz": 0}, "bandwidth_hz=0"),
        ({"tremor": -1}, "tremor=-1"),
    ],
)
def test_invalid_held_devices_are_refused(limits, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        Limits(**limits)
