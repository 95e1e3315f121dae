"""Specifications of robots and requirements of tasks can be read without loading the simulator."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.envs.observations import proprioception_layout
from gym_hil.robots import ROBOTS
from gym_hil.robots.geometry import Area
from gym_hil.scenes.scene import Cube, Scene
from gym_hil.simulation.simulation import Simulation
from gym_hil.tasks import TASKS, fits

PANDA = ROBOTS["panda"]
ARM = PANDA.end_effectors[0]


def test_defining_every_robot_and_task_loads_no_simulator():
    code = (
        "import sys\nfrom gym_hil.robots import ROBOTS\nfrom gym_hil.tasks import TASKS\n"
        "print(len([*ROBOTS.items(), *TASKS.items()]), 'mujoco' in sys.modules)"
    )
    count, loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert int(count) == len(ROBOTS) + len(TASKS) and loaded == "False"


@pytest.mark.parametrize("name", list(ROBOTS))
def test_every_robot_declares_the_properties_that_tasks_use(name):
    robot = ROBOTS[name]
    assert robot.name == name
    assert robot.id_prefix.isidentifier() or name == "so101_backlash", "which uses the ids of the SO-101"
    assert {camera.name for camera in robot.cameras} >= {"front", "third_person"}
    for purpose in ("above_table", "upright"):
        assert len(robot.home(purpose)) == len(robot.joints)
    space = robot.workspace
    for table, box in ((space.table, space.tcp), (space.wide_table, space.wide_tcp)):
        assert all(a <= b for a, b in zip(box.low[:2], table.low, strict=True))
        assert all(a >= b for a, b in zip(box.high[:2], table.high, strict=True))


def test_an_unknown_home_is_refused_by_name():
    with pytest.raises(InvalidArgumentError, match=r"above_tabel.*above_table"):
        PANDA.home("above_tabel")


@pytest.mark.parametrize(
    "robot, reason",
    [
        (replace(PANDA, end_effectors=(ARM, replace(ARM, name="left"))), "2 end effectors"),
        (replace(PANDA, end_effectors=(replace(ARM, axes=("x", "y")),)), "the task also needs z"),
        (
            replace(PANDA, end_effectors=(replace(ARM, hand=replace(ARM.hand, max_aperture=0.03)),)),
            "opens by 0.03 m",
        ),
        (
            replace(PANDA, end_effectors=(replace(ARM, arm=replace(ARM.arm, homes={"upright": (0,) * 7})),)),
            "above_table",
        ),
    ],
)
def test_a_robot_that_is_unsuitable_for_a_task_is_refused_with_the_reason(robot, reason):
    fit = fits(TASKS["PickCube"], robot)
    assert not fit and reason in fit.reason
    with pytest.raises(InvalidArgumentError, match=reason):
        TASKS["PickCube"](robot)


def test_points_of_an_area_are_shares_of_its_sides():
    area = Area((0.3, -0.15), (0.5, 0.15))
    assert area.point(0.0, 0.0) == area.low and area.point(1.0, 1.0) == area.high
    assert area.part((0.5, 0.5), (1.0, 1.0)) == Area((0.4, 0.0), (0.5, 0.15))


def test_arrays_returned_by_a_simulation_do_not_change():
    task = TASKS["InsertPeg"](PANDA)
    sim = Simulation(PANDA, task.scene, control_dt=0.1, physics_dt=0.004)
    sim.reset({"peg": (0.4, -0.1, 0.2), "socket": (0.4, 0.1, 0.0)})
    read = [sim.tcp_pos_w, sim.target_pos_w, sim.target_quat_w, sim.body_pos_w("peg"), task.observe(sim)]
    before = [array.copy() for array in read]
    sim.end_effectors[0].move((0.02, 0, 0), (0, 0, 0.1))
    sim.step()
    assert [array.tolist() for array in read] == [array.tolist() for array in before]
    assert (sim.tcp_pos_w != before[0]).any() and (sim.target_pos_w != before[1]).any()


def test_two_end_effectors_move_each_on_its_own_and_states_hold_both():
    robot = ROBOTS["bi_panda"]
    scene = Scene(home="above_table", props=(Cube("cube", (0.8, 0.2, 0.2)),))
    first, second = (Simulation(robot, scene, control_dt=0.1, physics_dt=0.004) for _ in range(2))
    first.reset({"cube": (0.4, 0.0, 0.02)})
    left, right = first.end_effectors
    assert left.tcp_pos_w[1] - right.tcp_pos_w[1] == pytest.approx(0.7, abs=1e-3)
    before = left.tcp_pos_w, right.tcp_pos_w
    right.command_gripper(0.0)
    for _ in range(4):
        left.move((0.0, 0.0, 0.02), (0, 0, 0))
        first.step()
    first.step()
    assert left.tcp_pos_w - before[0] == pytest.approx([0, 0, 0.08], abs=2e-3)
    assert right.tcp_pos_w == pytest.approx(before[1], abs=1e-3)
    assert right.gripper_closing and not left.gripper_closing
    second.restore(first.save())
    for sim in (first, second):
        for effector in sim.end_effectors:
            effector.move((0.01, 0.0, 0.0), (0, 0, 0.05))
        sim.step()
    np.testing.assert_array_equal(first.save(), second.save())
    assert list(proprioception_layout(robot))[:2] == ["left_joint_pos", "left_joint_vel"]
    assert robot.observed_cameras == ("front", "left_wrist", "right_wrist")
    assert "2 end effectors" in fits(TASKS["PickCube"], robot).reason


def test_an_end_effector_without_a_command_holds_still():
    task = TASKS["PickCube"](PANDA)
    sim = Simulation(PANDA, task.scene, control_dt=0.1, physics_dt=0.004)
    sim.reset({"cube": (0.5, 0.0, 0.02)})
    sim.end_effectors[0].move((0.02, 0, 0), (0, 0, 0))
    sim.step()
    target = sim.target_pos_w
    sim.step()
    assert (sim.target_pos_w == target).all()


@pytest.mark.parametrize("name", list(ROBOTS))
def test_robots_are_hashable_values(name):
    assert len({ROBOTS[name], replace(ROBOTS[name])}) == 1
