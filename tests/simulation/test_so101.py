"""The published SO-101: the position of its TCP, the motions of its five joints, and grasping."""

from __future__ import annotations

import gymnasium as gym
import mujoco
import numpy as np
import pytest

import gym_hil
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.robots import Robot
from gym_hil.robots.so101 import SO101, SO101_BACKLASH
from gym_hil.simulation.simulation import Simulation
from gym_hil.tasks import TASKS

CUBE_ASIDE = {"cube": (0.1, 0.3, 0.015)}


def simulate(task: str = "PickCube", robot: Robot = SO101) -> Simulation:
    return Simulation(robot, TASKS[task](robot).scene, control_dt=0.1, physics_dt=0.004)


def run_expert(task_name: str, seed: int, robot: Robot = SO101) -> int | None:
    """Return the number of steps until the expert succeeds, or None if it fails."""
    task, sim = TASKS[task_name](robot), simulate(task_name, robot)
    start = task.sample_start(np.random.default_rng(seed), randomise=True, options={})
    sim.reset(start)
    for number in range(task.max_episode_steps):
        intent = task.intent(sim, start)
        sim.command_gripper(intent.opening)
        motion = np.clip(intent.tcp_pos_w - sim.target_pos_w, -0.025, 0.025)
        sim.end_effectors[0].move(motion, (0, 0, 0), task.workspace)
        sim.step()
        if task.success(sim, start):
            return number + 1
    return None


def drive(sim: Simulation, translation, rotation, steps: int) -> None:
    for _ in range(steps):
        sim.end_effectors[0].move(translation, rotation)
        sim.step()
    for _ in range(8):
        sim.step()


def axes(sim: Simulation) -> np.ndarray:
    """The TCP's axes as columns (3 x 3, world frame)."""
    return sim.data.site("hand/tcp").xmat.reshape(3, 3).copy()


def test_with_all_joints_at_zero_the_tcp_has_its_published_position():
    sim = simulate()
    for joint in SO101.joints:
        sim.data.qpos[sim.model.joint(joint).qposadr] = 0.0
    mujoco.mj_kinematics(sim.model, sim.data)
    assert sim.tcp_pos_w == pytest.approx([0.391, -0.001, 0.246], abs=5e-4)


def test_the_arm_has_its_published_mass():
    sim = simulate()
    arm = sum(
        sim.model.body(f"arm/{name}").mass[0] for name in ("base", "shoulder", "upper_arm", "lower_arm")
    )
    arm += sum(sim.model.body(f"arm/{name}").mass[0] for name in ("wrist", "gripper"))
    assert arm + sim.model.body("hand/moving_jaw").mass[0] == pytest.approx(0.632, abs=1e-3)


def test_the_aperture_equals_the_distance_of_the_jaws():
    sim = simulate()
    sim.reset(CUBE_ASIDE)
    for opening in (1.0, 0.5, 0.0):
        sim.command_gripper(opening)
        for _ in range(8):
            sim.step()
        fixed, moving = sim.data.geom("hand/fixed_jaw"), sim.data.geom("hand/moving_jaw")
        size = sim.model.geom("hand/moving_jaw").size
        jaw = moving.xmat.reshape(3, 3)
        tip = moving.xpos - jaw[:, 1] * size[1] - jaw[:, 0] * size[0]
        face = fixed.xpos + fixed.xmat.reshape(3, 3)[:, 0] * sim.model.geom("hand/fixed_jaw").size[0]
        width = float((tip - face) @ fixed.xmat.reshape(3, 3)[:, 0])
        assert sim.aperture == pytest.approx(max(0.0, width), abs=0.003)


@pytest.mark.parametrize("motion", [(0.02, 0, 0), (-0.02, 0, 0), (0, 0.02, 0), (0, -0.02, 0), (0, 0, -0.02)])
def test_moving_follows_the_target_and_does_not_turn_the_gripper(motion):
    sim = simulate()
    sim.reset(CUBE_ASIDE)
    start, before = sim.tcp_pos_w, axes(sim)
    drive(sim, motion, (0, 0, 0), 3)
    assert sim.tcp_pos_w - start == pytest.approx(3 * np.array(motion), abs=2e-3)
    (x, y, _), (x_before, y_before, _) = axes(sim)[:, 0], before[:, 0]
    assert np.degrees(np.arctan2(y, x) - np.arctan2(y_before, x_before)) == pytest.approx(0.0, abs=3.0)


def test_turning_about_the_vertical_rolls_the_gripper_in_place():
    sim = simulate()
    sim.reset(CUBE_ASIDE)
    start, before = sim.tcp_pos_w, sim.joint_pos[4]
    drive(sim, (0, 0, 0), (0, 0, -0.1), 4)
    turned = sim.joint_pos[4] - before
    assert abs(turned) == pytest.approx(0.4, rel=0.15), "1.2 rad of pitch make it a little less than 0.4"
    assert np.linalg.norm(sim.tcp_pos_w - start) < 2e-3


def test_turning_about_the_normal_of_the_arms_plane_pitches_the_gripper_in_place():
    sim = simulate()
    sim.reset(CUBE_ASIDE)
    start = sim.tcp_pos_w
    pitch = sum(sim.joint_pos[1:4])
    normal = sim.data.joint("arm/shoulder_lift").xaxis
    drive(sim, (0, 0, 0), -0.05 * normal, 4)
    assert sum(sim.joint_pos[1:4]) - pitch == pytest.approx(-0.2, abs=0.02)
    assert np.linalg.norm(sim.tcp_pos_w - start) < 2e-3


def test_the_arm_holds_its_position_for_ten_seconds():
    sim = simulate()
    sim.reset(CUBE_ASIDE)
    drive(sim, (0.01, 0.01, 0), (0, 0, 0), 2)
    before = sim.tcp_pos_w
    for _ in range(100):
        sim.step()
    assert np.linalg.norm(sim.tcp_pos_w - before) < 5e-4, "friction must not let it creep"


def test_no_servo_exceeds_its_torque():
    sim = simulate()
    sim.reset(CUBE_ASIDE)
    dofs = [int(sim.model.joint(name).dofadr[0]) for name in SO101.joints]
    for _ in range(30):
        sim.end_effectors[0].move((0.0, 0.0, -0.025), (0, 0, 0))
        sim.step()
        assert np.abs(sim.data.qfrc_actuator[dofs]).max() <= 2.94 + 1e-9
    assert sim.stable


def test_states_continue_bit_for_bit():
    first, second = simulate(), simulate()
    first.reset({"cube": (0.2, 0.05, 0.015)})
    drive(first, (0.01, 0.01, -0.02), (0, 0, 0.05), 3)
    second.restore(first.save())
    for sim in (first, second):
        drive(sim, (0.01, -0.01, -0.01), (0, 0, 0.05), 3)
    np.testing.assert_array_equal(first.save(), second.save())


def test_the_expert_picks_up_98_of_100_random_cubes():
    assert len([seed for seed in range(1000, 1100) if run_expert("PickCube", seed) is None]) <= 2


def test_the_expert_arranges_all_boxes():
    assert [seed for seed in range(1000, 1005) if run_expert("ArrangeBoxes", seed) is None] == []


def arranges_with_joint_targets(seed: int) -> bool:
    env = gym_hil.make_env("gym_hil/SO101ArrangeBoxes-v1", action="joints")
    env.reset(seed=seed)
    terminated = truncated = False
    while not (terminated or truncated):
        *_, terminated, truncated, info = env.step(env.unwrapped.expert_action())
    env.close()
    return bool(info["is_success"])


def test_the_expert_arranges_all_boxes_with_joint_targets():
    assert all(arranges_with_joint_targets(seed) for seed in (3, 15))


@pytest.mark.nightly
def test_the_expert_arranges_all_boxes_with_joint_targets_98_times_of_100():
    assert sum(arranges_with_joint_targets(seed) for seed in range(1000, 1100)) >= 98


def test_an_object_that_both_jaws_touch_is_beside_the_tcp():
    sim = simulate()
    sim.reset(CUBE_ASIDE)
    sim.command_gripper(0.0)
    for _ in range(10):
        sim.step()
    fixed = sim.data.geom("hand/fixed_jaw")
    face = fixed.xpos + fixed.xmat.reshape(3, 3)[:, 0] * sim.model.geom("hand/fixed_jaw").size[0]
    across = fixed.xmat.reshape(3, 3)[:, 0]
    middle = sim.tcp_pos_w - sim.grasp_offset(0.0)
    assert (middle - face) @ across == pytest.approx(0.0, abs=1e-4)
    middle = sim.tcp_pos_w - sim.grasp_offset(0.015)
    assert (middle - face) @ across == pytest.approx(0.015, abs=1e-4)


def test_with_backlash_the_joints_have_play_and_cubes_are_still_picked_up():
    sim = simulate(robot=SO101_BACKLASH)
    sim.reset(CUBE_ASIDE)
    plays = [sim.model.joint(f"arm/{name}_backlash").range[1] for name in ("shoulder_pan", "wrist_roll")]
    assert plays == pytest.approx(np.radians([0.5, 0.5]))
    assert [seed for seed in range(1000, 1010) if run_expert("PickCube", seed, SO101_BACKLASH) is None] == []


def test_turning_about_the_vertical_tilts_the_jaws():
    sim = simulate()
    sim.reset(CUBE_ASIDE)
    before = axes(sim)[2, 0]
    drive(sim, (0, 0, 0), (0, 0, -0.1), 10)
    tilt = abs(np.arcsin(axes(sim)[2, 0]) - np.arcsin(before))
    assert tilt > 0.25, "the gripper turns about its own axis, which is not vertical"


@pytest.mark.parametrize(
    ("task", "missing"),
    [
        ("InsertPeg", "rx, ry, rz"),
        ("TurnKey", "rz"),
        ("InsertUSB", "rz"),
        ("SeatRAM", "rz"),
        ("ClipCable", "rz"),
        ("FlipObject", "rx, ry, rz"),
    ],
)
def test_a_task_that_needs_independent_rotations_is_refused_with_this_reason(task, missing):
    reason = f"controls x, y, z, pitch, roll independently of each other, but the task also needs {missing}$"
    with pytest.raises(InvalidArgumentError, match=reason):
        TASKS[task](SO101)


@pytest.mark.parametrize("name", ["PickCube", "ArrangeBoxes", "StackCubes", "PushT", "OpenDrawerAndPlace"])
def test_the_front_camera_sees_all_objects_at_the_start(name):
    task, sim = TASKS[name](SO101), simulate(name)
    camera = sim.model.camera("front")
    focal = 1 / np.tan(np.radians(camera.fovy.item()) / 2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        sim.reset(task.sample_start(rng, randomise=True, options={}))
        view = sim.data.camera("front")
        for prop in (*task.scene.props, *task.scene.fixtures):
            for geom in range(sim.model.ngeom):
                if sim.model.body(sim.model.geom_bodyid[geom]).name in prop.parts:
                    right, up, backward = (sim.data.geom_xpos[geom] - view.xpos) @ view.xmat.reshape(3, 3)
                    assert focal * max(abs(right), abs(up)) < -backward, prop.name


def test_a_robot_that_is_given_as_a_value_makes_an_environment():
    env = gym_hil.make_env("gym_hil/SO101PickCubeBase-v1", robot=SO101_BACKLASH)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)


def test_the_arm_with_backlash_is_used_by_its_name_with_the_ids_of_the_arm():
    env = gym_hil.make_env("gym_hil/SO101PickCubeBase-v1", robot="so101_backlash")
    env.reset(seed=0)
    assert env.unwrapped.model.joint("arm/elbow_flex_backlash").range[1] == pytest.approx(np.radians(0.5))
    assert not [env_id for env_id in gym.registry if "acklash" in env_id], "it has no ids of its own"
