"""One contract over every id: spaces, determinism, info, errors, saved states."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import gym_hil
from gym_hil.core import errors
from gym_hil.stacks.ids import all_parts

IDS = [
    parts.env_id
    for parts in all_parts()
    if (parts.robot == "Panda" and parts.task == "PickCube")
    or (parts.suffix, parts.version) in (("", 1), ("Base", 0))
]
"""All ids of one task and robot, and of the others those with and without wrappers."""
EVERY_STEP = {
    "is_intervention": bool,
    "teleop_action": np.ndarray,
    "action_intervention": np.ndarray,
    "succeed": bool,
    "is_success": bool,
    "next.success": bool,
    "discrete_penalty": float,
    "termination_reason": str,
}


def rollout(env: gym.Env, seed: int, steps: int) -> list[np.ndarray]:
    observation, _ = env.reset(seed=seed)
    env.action_space.seed(seed)
    seen = [observation["agent_pos"]]
    for _ in range(steps):
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(observation["agent_pos"])
        if terminated or truncated:
            break
    return seen


def test_importing_loads_no_simulator():
    heavy = ("mujoco", "pygame", "torch", "imageio")
    code = f"import sys, gym_hil; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_importing_loads_neither_robots_nor_tasks_of_this_package():
    code = "import sys, gym_hil; print([m for m in sys.modules if m.startswith(('gym_hil.robots.', 'gym_hil.tasks.'))])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_public_names_resolve():
    assert all(getattr(gym_hil, name) for name in gym_hil.__all__)


@pytest.mark.parametrize("env_id", IDS)
def test_every_id_keeps_gymnasiums_contract(env_id):
    env = gym.make(env_id, disable_env_checker=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # LeRobot's gripper command is 0, 1 or 2.
        warnings.filterwarnings("ignore", message=".*symmetric and normalized space")
        check_env(env.unwrapped, skip_render_check=True)
        # Gymnasium would rather check raw environments.
        warnings.filterwarnings("ignore", message=".*different from the unwrapped version")
        check_env(env, skip_render_check=True)
    assert env.spec.to_json()
    observation, info = env.reset(seed=0)
    assert info
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    assert env.observation_space.contains(observation)
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)
    assert {key: type(info[key]) for key in EVERY_STEP} == EVERY_STEP
    assert info["teleop_action"].shape == env.action_space.shape
    assert info["teleop_action"].dtype == np.float32
    env.close()
    env.close()


@pytest.mark.parametrize("env_id", IDS)
def test_the_same_seed_gives_the_same_episode(env_id):
    env, other = (gym.make(env_id, real_time=False) for _ in range(2))
    rollout(other, 3, 20)
    for first, second in zip(rollout(env, 5, 30), rollout(other, 5, 30), strict=True):
        np.testing.assert_array_equal(first, second)


def test_observations_are_fresh_arrays():
    seen = rollout(gym.make("gym_hil/PandaPickCube-v1"), 0, 3)
    assert not any(np.shares_memory(seen[0], later) for later in seen[1:])


def test_version_1_starts_anywhere_and_version_0_at_the_fixed_cube():
    def cube(env_id: str, seed: int) -> list[float]:
        return gym.make(env_id).reset(seed=seed)[0]["environment_state"].tolist()

    assert cube("gym_hil/PandaPickCube-v0", 1) == cube("gym_hil/PandaPickCube-v0", 2)
    assert cube("gym_hil/PandaPickCube-v1", 1) != cube("gym_hil/PandaPickCube-v1", 2)


@pytest.mark.parametrize("command, closed", [(0.0, True), (2.0, False)])
def test_0_closes_and_2_opens_the_fingers(command, closed):
    env = gym.make("gym_hil/PandaPickCube-v0")
    env.reset(seed=0)
    for opposite in (2.0 - command, command):
        for _ in range(6):
            observation, *_ = env.step(np.array([0, 0, 0, opposite], np.float32))
    gripper = observation["agent_pos"][14]
    assert gripper > 250 if closed else gripper < 5


def test_state_ids_end_with_the_objects_positions_and_never_render():
    told = gym.make("gym_hil/PandaPickCubeState-v1").reset(seed=0)[0]
    np.testing.assert_array_equal(told["agent_pos"][18:], told["environment_state"])
    instead_of_images = gym.make("gym_hil/PandaPickCubeState-v1", image_obs=True).reset(seed=0)[0]
    assert list(instead_of_images) == ["agent_pos"], "LeRobot's recorder takes no environment_state"
    np.testing.assert_array_equal(instead_of_images["agent_pos"], told["agent_pos"])


def test_images_are_observed_and_rendered():
    env = gym.make("gym_hil/PandaPickCube-v0", image_obs=True, render_mode="rgb_array")
    observation, _ = env.reset(seed=0)
    for name in ("front", "wrist"):
        image = observation["pixels"][name]
        assert image.shape == (128, 128, 3) and image.dtype == np.uint8 and image.strides[0] > 0
        assert image.std() > 5
    frame = env.render()
    assert frame.shape == (480, 640, 3) and frame.std() > 5
    env.close()


@pytest.mark.parametrize("env_id", ["gym_hil/PandaPickCubeBase-v1", "gym_hil/PandaArrangeBoxesBase-v1"])
def test_a_saved_state_continues_bit_for_bit_also_in_another_environment(env_id):
    env, other = gym.make(env_id), gym.make(env_id)
    rollout(env, 1, 8)
    state = pickle.loads(pickle.dumps(env.unwrapped.get_state()))
    other.reset(options={"state": state})
    actions = [env.action_space.sample() for _ in range(10)]
    for action in actions:
        first, second = env.step(action), other.step(action)
        np.testing.assert_array_equal(first[0]["agent_pos"], second[0]["agent_pos"])
        np.testing.assert_array_equal(first[0]["environment_state"], second[0]["environment_state"])
    env.reset()
    other.reset()
    np.testing.assert_array_equal(env.unwrapped.get_state().physics, other.unwrapped.get_state().physics)


def test_the_cube_starts_at_the_position_of_the_reset_option():
    env = gym.make("gym_hil/PandaPickCube-v0")
    observation, _ = env.reset(seed=0, options={"cube_xy": (0.4, 0.1)})
    np.testing.assert_allclose(observation["environment_state"], [0.4, 0.1, 0.02], atol=1e-6)


@pytest.mark.parametrize(
    "action, message",
    [
        (np.zeros(6), r"shape \(6,\)"),
        (np.array([np.nan, 0, 0, 0, 0, 0, 0]), "not finite"),
        (np.array([np.inf, 0, 0, 0, 0, 0, 0]), "not finite"),
        ("left", "does not consist of numbers"),
    ],
)
def test_bad_actions_are_refused_by_name(action, message):
    env = gym.make("gym_hil/PandaPickCubeBase-v0").unwrapped
    env.reset(seed=0)
    with pytest.raises(errors.InvalidActionError, match=message):
        env.step(action)


def test_actions_out_of_range_are_clipped():
    env = gym.make("gym_hil/PandaPickCube-v0")
    env.reset(seed=0)
    *_, info = env.step(np.array([9, -9, 0, 7], np.float32))
    np.testing.assert_array_equal(info["teleop_action"], [1, -1, 0, 2])


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"reward_type": "spares"}, 'did you mean "sparse"'),
        ({"image_ops": True}, 'did you mean "image_obs"'),
        ({"physics_dt": 0.003}, "not a multiple"),
        ({"ee_step_size": {"x": 1}}, "must have the keys x, y and z"),
        ({"render_mode": "ansi"}, "rgb_array"),
        ({"control_dt": "0.1"}, "control_dt='0.1' must be a number above 0, in seconds"),
        ({"control_dt": 0}, "control_dt=0 must be"),
        ({"physics_dt": [1]}, "physics_dt=.1. must be a number"),
        ({"reset_delay_seconds": "a"}, "reset_delay_seconds='a' must be a number of at least 0, in seconds"),
        ({"ee_step_size": [0.02, 0.02]}, "ee_step_size=.* must be a mapping, such as {'x': 0.025"),
        (
            {"ee_step_size": {"x": 0.02, "y": 0.02, "z": "a"}},
            "z..='a' must be a number above 0 and of at most 0.1, in metres",
        ),
        ({"ee_step_size": {"x": 0.02, "y": 0.02, 3: 1}}, "must have the keys x, y and z"),
        ({"gripper_penalty": "a"}, "gripper_penalty='a' must be a number"),
    ],
)
def test_bad_arguments_are_refused_by_name(kwargs, message):
    with pytest.raises((errors.GymHilError, TypeError), match=message), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gym.make("gym_hil/PandaPickCube-v0", **kwargs)


def test_reset_options_must_be_a_mapping():
    with pytest.raises(errors.InvalidArgumentError, match=r"options=\[1\] must be a mapping"):
        gym.make("gym_hil/PandaPickCube-v1").reset(options=[1])


@pytest.mark.parametrize("control_dt", [0.05, 1 / 30, 0.02, 0.001, 0.5])
def test_every_control_rate_works(control_dt):
    env = gym.make("gym_hil/PandaPickCube-v1", control_dt=control_dt)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    assert env.unwrapped.data.time == pytest.approx(control_dt)
    assert 0.0 < env.unwrapped.physics_dt <= 0.004


@pytest.mark.parametrize("version", [0, 1])
def test_no_id_is_called_out_of_date(version):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gym.make(f"gym_hil/PandaPickCube-v{version}")
        gym.make_vec(f"gym_hil/PandaPickCube-v{version}", vectorization_mode="vector_entry_point").close()


@pytest.mark.parametrize("speed", [np.nan, np.inf, 1e20])
def test_an_unstable_simulation_ends_the_episode_and_is_reported(speed):
    env = gym.make("gym_hil/PandaPickCube-v1")
    env.reset(seed=0)
    env.unwrapped.data.qvel[2] = speed
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    assert (terminated, truncated, reward) == (True, False, 0.0)
    assert info["termination_reason"] == "simulation_unstable"
    assert np.isfinite(observation["agent_pos"]).all()
    env.reset(seed=0)
    assert not env.step(np.array([0, 0, 0, 1], np.float32))[2]


def test_calls_out_of_order_are_refused():
    env = gym.make("gym_hil/PandaPickCubeBase-v0").unwrapped
    with pytest.raises(errors.EpisodeOrderError, match="reset first"):
        env.step(np.zeros(7))
    env.close()
    with pytest.raises(errors.EpisodeOrderError, match="after close"):
        env.reset()


def test_a_state_of_another_task_is_refused():
    pick, arrange = gym.make("gym_hil/PandaPickCubeBase-v0"), gym.make("gym_hil/PandaArrangeBoxesBase-v0")
    arrange.reset(seed=0)
    with pytest.raises(errors.InvalidStateError, match="ArrangeBoxes"):
        pick.reset(options={"state": arrange.unwrapped.get_state()})


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": {}},
        {"start": None},
        {"start": {"cube": np.zeros(2)}},
        {"start": {"cube": np.array([0.4, np.nan, 0.0])}},
        {"start": {"cube": np.zeros(3), "peg": np.zeros(3)}},
        {"rng": None},
        {"rng": {}},
        {"rng": {"bit_generator": "PCG64", "state": {"state": -1, "inc": 1}, "has_uint32": 0, "uinteger": 0}},
        {"rng": {"bit_generator": "PCG64", "state": {}, "has_uint32": 0, "uinteger": 0}},
    ],
)
def test_a_state_with_a_wrong_part_is_refused_and_changes_nothing(wrong):
    env = gym.make("gym_hil/PandaPickCube-v1")
    env.reset(seed=0)
    raw, other = env.unwrapped, gym.make("gym_hil/PandaPickCube-v1")
    other.reset(seed=1)
    before = raw.get_state()
    with pytest.raises(errors.InvalidStateError, match=next(iter(wrong))):
        raw.set_state(replace(other.unwrapped.get_state(), **wrong))
    after = raw.get_state()
    assert np.array_equal(before.physics, after.physics) and before.rng == after.rng
    assert before.start.keys() == after.start.keys()


def test_the_penalty_is_given_when_the_gripper_command_changes():
    env = gym.make("gym_hil/PandaPickCube-v0", gripper_penalty=-0.1)
    env.reset(seed=0)
    paid = [env.step(np.array([0, 0, 0, g], np.float32))[4]["discrete_penalty"] for g in (2, 0, 0, 1, 2)]
    assert paid == [0.0, -0.1, 0.0, 0.0, -0.1]


def test_success_ends_the_episode_and_is_reported():
    env = gym.make("gym_hil/PandaPickCube-v1")
    env.reset(seed=0)
    raw = env.unwrapped
    for _ in range(100):
        _, reward, terminated, truncated, info = env.step(raw.expert_action())
        if terminated or truncated:
            break
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert info["is_success"] and info["next.success"] and info["termination_reason"] == "success"


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_work(mode):
    envs = gym.make_vec("gym_hil/PandaPickCube-v1", num_envs=2, vectorization_mode=mode)
    observation, _ = envs.reset(seed=0)
    assert observation["agent_pos"].shape == (2, 18)
    envs.step(envs.action_space.sample())
    envs.close()


@pytest.mark.parametrize("env_id", ["gym_hil/PandaPickCube-v1", "gym_hil/PandaArrangeBoxesBase-v1"])
def test_record_video_works(env_id, tmp_path):
    env = gym.wrappers.RecordVideo(gym.make(env_id, render_mode="rgb_array"), str(tmp_path))
    env.reset(seed=0)
    for _ in range(5):
        env.step(env.action_space.sample())
    env.close()
    assert list(tmp_path.glob("*.mp4"))


def test_pickled_environments_continue_as_the_original():
    env = gym.make("gym_hil/PandaPickCube-v1")
    rollout(env, 4, 6)
    twin = pickle.loads(pickle.dumps(env))
    for _ in range(5):
        action = env.action_space.sample()
        first, second = env.step(action)[0], twin.step(action)[0]
        np.testing.assert_array_equal(first["agent_pos"], second["agent_pos"])


@pytest.mark.parametrize("env_id", IDS)
def test_specs_survive_json(env_id):
    spec = gym.envs.registration.EnvSpec.from_json(gym.spec(env_id).to_json())
    assert spec.kwargs == gym.spec(env_id).kwargs
