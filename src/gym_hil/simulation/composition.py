"""Combines a robot, its control and a scene to one compiled model."""

from __future__ import annotations

import mujoco

from gym_hil.robots.base import EndEffector, Robot
from gym_hil.scenes.scene import Scene
from gym_hil.simulation.cartesian_control import add_cartesian_control
from gym_hil.simulation.contacts import list_contacts
from gym_hil.simulation.joint_control import add_joint_control
from gym_hil.simulation.sleep import sleeps
from gym_hil.simulation.surroundings import add_camera, add_surroundings


def compose(robot: Robot, scene: Scene, physics_dt: float, control: str = "cartesian") -> mujoco.MjModel:
    """Return the compiled model of a robot in a scene.

    Args:
        robot: the robot.
        scene: the scene.
        physics_dt: duration of a physics step (s).
        control: what actions command: ``"cartesian"`` for the TCPs, or ``"joint"`` for the joints of the
            arms.
    """
    spec = mujoco.MjSpec()
    spec.modelname = f"gym_hil_{robot.name}"
    spec.compiler.degree = False
    spec.option.timestep = physics_dt
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    if sleeps():
        spec.option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    add_surroundings(spec, scene, robot)
    for effector in robot.end_effectors:
        _mount(spec, effector)
        if control == "cartesian":
            add_cartesian_control(spec, effector, scene.home)
        else:
            add_joint_control(spec, effector)
        _limit_torques(spec, effector)
    list_contacts(spec, [effector.prefix for effector in robot.end_effectors])
    return spec.compile()


def _mount(spec: mujoco.MjSpec, effector: EndEffector) -> None:
    base = spec.worldbody.add_site(
        name=f"{effector.prefix}robot_base", pos=effector.base_pos, quat=effector.base_quat, group=4
    )
    spec.attach(effector.arm.build(), prefix=effector.arm_prefix, site=base)
    spec.attach(effector.hand.build(), prefix=effector.hand_prefix, site=spec.site(effector.flange_site))
    for camera in effector.cameras:
        add_camera(spec.site(effector.tcp_site).parent, camera)


def _limit_torques(spec: mujoco.MjSpec, effector: EndEffector) -> None:
    for name, limit in zip(effector.joints, effector.arm.torque_limits, strict=True):
        joint = spec.joint(name)
        joint.actfrcrange = (-limit, limit)
        joint.actfrclimited = True
