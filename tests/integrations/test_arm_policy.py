"""A trained policy whose measurements come from another program, which also sends its goals to the arm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest

from arm_policies import upwards
from gym_hil.cli.lerobot_policy import LerobotPolicy
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.integrations.lerobot.real_arm.connection import Measurement
from gym_hil.integrations.lerobot.real_arm.stepped import ArmPolicy
from gym_hil.integrations.lerobot.virtual_arm.scene import SceneServer
from gym_hil.learning.checkpoint import load_policy
from gym_hil.learning.pretrained import pretrained
from gym_hil.robots import ROBOTS
from gym_hil.scenes.scene import Scene
from gym_hil.simulation.composition import compose

HOME = np.array(ROBOTS["so101"].home("above_table"))
PATH = Path("policy.npz")


class Arm:
    """An arm that reaches every goal within a control period."""

    def __init__(self, joints, opening: float = 0.2) -> None:
        self.now = Measurement(tuple(joints), opening)

    def follow(self, policy: ArmPolicy, steps: int = 1) -> np.ndarray:
        """Return the joint positions after each step."""
        seen = []
        for _ in range(steps):
            joints, opening = policy.act(self.now)
            self.now = replace(self.now, joints=tuple(joints), opening=opening)
            seen.append(joints)
        return np.array(seen)


def height(joints) -> float:
    """Return the height of the TCP (m)."""
    model = compose(ROBOTS["so101"], Scene(home="above_table"), 0.004, "joint")
    data, effector = mujoco.MjData(model), ROBOTS["so101"].end_effectors[0]
    for name, position in zip(effector.joints, joints, strict=True):
        data.joint(name).qpos[0] = position
    mujoco.mj_kinematics(model, data)
    return float(data.site(effector.tcp_site).xpos[2])


def test_the_arm_moves_slowly_to_its_start_and_then_acts():
    arm, policy = Arm(HOME - 0.3), ArmPolicy(upwards(), PATH)
    policy.begin()
    way = np.vstack([[arm.now.joints], arm.follow(policy, 6)])
    assert np.abs(np.diff(way, axis=0)).max() < 0.05 + 1e-6, "at most 0.5 rad/s"
    assert np.allclose(way[-1], HOME, atol=1e-5) and arm.now.opening > 0.3
    before = height(HOME)
    arm.follow(policy)
    assert before + 0.005 < height(arm.now.joints) < before + 0.015, "one step of 0.4 x 25 mm upwards"
    policy.close()


def test_a_further_episode_begins_where_the_arm_is():
    arm, policy = Arm(HOME), ArmPolicy(upwards(), PATH)
    policy.begin()
    arm.follow(policy, 4)
    high = height(arm.now.joints)
    moved = np.add(arm.now.joints, (0.2, 0.0, 0.0, 0.0, 0.0))  # a person corrects
    arm.now = replace(arm.now, joints=tuple(moved))
    policy.begin()
    (joints,) = arm.follow(policy)
    assert abs(joints[0] - moved[0]) < 0.05 and height(joints) > high
    policy.close()


def test_an_implausible_measurement_holds_the_goal():
    arm, policy = Arm(HOME), ArmPolicy(upwards(), PATH)
    policy.begin()
    (goal,) = arm.follow(policy)
    confused = replace(arm.now, joints=(arm.now.joints[0] + 1.0, *arm.now.joints[1:]))
    assert np.allclose(policy.act(confused)[0], goal)
    (again,) = arm.follow(policy)
    assert height(again) > height(goal), "and it continues with the next measurement"
    policy.close()


def test_a_policy_that_was_trained_from_images_in_simulation_acts_on_the_arm(tmp_path):
    trained, arm = upwards("PickCube", obs="pixels"), Arm(HOME)
    images = dict.fromkeys(("front", "wrist"), np.zeros((48, 64, 3), np.uint8))
    arm.now = replace(arm.now, images=images)
    policy = ArmPolicy(trained, PATH)
    policy.begin()
    way = arm.follow(policy, 3)
    assert height(way[-1]) > height(HOME) + 0.01
    trained.save(tmp_path / PATH)
    played = load_policy(tmp_path / PATH, None)  # as `gym-hil play --policy` does on an arm
    action = played(EnvironmentInterface(policy._env), np.random.default_rng(0))
    assert action[:3] == pytest.approx([0.0, 0.0, 0.4], abs=1e-6)
    policy.close()


def test_the_arm_holds_still_after_a_success():
    scene = SceneServer(lambda: None)
    scene.poses = {"cube": [0.2, 0.0, 0.0125, 1.0, 0.0, 0.0, 0.0]}
    arm, policy = Arm(HOME), ArmPolicy(upwards("PickCube", level=0.01), PATH, scene=scene.address)
    policy.begin()
    arm.follow(policy, 2)
    x, y, z = policy._env.simulation.tcp_pos_w
    scene.poses = {"cube": [float(x), float(y), float(z), 1.0, 0.0, 0.0, 0.0]}
    way = arm.follow(policy, 4)
    assert np.allclose(way[1:], way[1]), "the cube is in the hand and lifted"
    policy.close()
    scene.close()


@pytest.mark.parametrize(
    ("trained", "said"),
    [
        (lambda: upwards(robot="panda"), "was trained for robot panda, not so101"),
        (lambda: upwards("PickCube"), "observes the poses of the objects of PickCube"),
    ],
)
def test_a_policy_that_cannot_act_on_the_arm_is_refused(trained, said):
    with pytest.raises(InvalidArgumentError, match=said):
        ArmPolicy(trained(), PATH)


def test_the_command_refuses_other_robots_and_folders_with_files(tmp_path):
    with pytest.raises(InvalidArgumentError, match="robot 'panda'; only policies of 'so101'"):
        LerobotPolicy(policy=pretrained("PandaPickCube-v1"), out=tmp_path / "out").run()
    assert not (tmp_path / "out").exists()
    pytest.importorskip("lerobot")
    policy = tmp_path / "policy.npz"
    upwards().save(policy)
    with pytest.raises(InvalidArgumentError, match="is not empty"):
        LerobotPolicy(policy=policy, out=tmp_path).run()
