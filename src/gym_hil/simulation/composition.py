"""Put a robot into a scene and compile the two into one model.

The Cartesian impedance is part of the model. Six actuators measure the TCP against a mocap body, the target:
three along its axes, three about them. Each integrates its control into an activation, so a velocity command
makes the set-point glide inside the engine while `mj_step` runs, and Python sets it once per control period.

What can touch is known here, so it is listed pair by pair: the engine then need not search. What lies still
on the floor sleeps until something touches it (MuJoCo's sleeping islands, used from `SLEEP_SINCE` on).
"""

from __future__ import annotations

import mujoco

from gym_hil.robots import collision
from gym_hil.robots.base import ARM_PREFIX, HAND_PREFIX, Robot
from gym_hil.simulation.scene import WRIST_CAMERA, Scene, add_camera, add_surroundings

TARGET = "target"
"""Name of the mocap body, and of its site, that the TCP is servoed to."""
SERVO_NAMES = ("servo_x", "servo_y", "servo_z", "servo_rx", "servo_ry", "servo_rz")
POSTURE = "posture"
SLEEP_SINCE = (4, 0)
"""Oldest MuJoCo whose sleeping islands are used; those of older versions have known faults."""


def compose(robot: Robot, scene: Scene, physics_dt: float) -> mujoco.MjModel:
    """Return the compiled model of `robot` standing in `scene`, with `physics_dt` (s) per physics step."""
    spec = mujoco.MjSpec()
    spec.modelname = f"gym_hil_{robot.name}"
    spec.compiler.degree = False
    spec.option.timestep = physics_dt
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    if sleeps():
        spec.option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    add_surroundings(spec, scene)
    _mount(spec, robot)
    _add_servo(spec, robot, scene)
    _list_contacts(spec, scene)
    return spec.compile()


def sleeps() -> bool:
    """Return whether bodies at rest sleep with this version of MuJoCo."""
    return tuple(int(part) for part in mujoco.__version__.split(".")[:2]) >= SLEEP_SINCE


def _mount(spec: mujoco.MjSpec, robot: Robot) -> None:
    base = spec.worldbody.add_site(name="robot_base", group=4)
    spec.attach(robot.arm.build(), prefix=ARM_PREFIX, site=base)
    flange = spec.site(robot.flange_site)
    spec.attach(robot.hand.build(), prefix=HAND_PREFIX, site=flange)
    add_camera(spec.site(robot.tcp_site).parent, WRIST_CAMERA)


def _add_servo(spec: mujoco.MjSpec, robot: Robot, scene: Scene) -> None:
    target = spec.worldbody.add_body(name=TARGET, mocap=True)
    target.add_site(name=TARGET, group=4)
    impedance = robot.impedance
    for axis, name in enumerate(SERVO_NAMES):
        turns = axis >= 3
        stiffness = impedance.rotation_stiffness if turns else impedance.translation_stiffness
        damping = impedance.rotation_damping if turns else impedance.translation_damping
        limit = impedance.torque_limit if turns else impedance.force_limit
        servo = spec.add_actuator(
            name=name,
            trntype=mujoco.mjtTrn.mjTRN_SITE,
            target=robot.tcp_site,
            refsite=TARGET,
            gear=[float(i == axis) for i in range(6)],
            forcerange=(-limit, limit),
        )
        servo.dyntype = mujoco.mjtDyn.mjDYN_INTEGRATOR
        servo.gaintype = mujoco.mjtGain.mjGAIN_FIXED
        servo.biastype = mujoco.mjtBias.mjBIAS_AFFINE
        servo.gainprm = [stiffness, *[0.0] * 9]
        servo.biasprm = [0.0, -stiffness, -damping, *[0.0] * 7]
    home = dict(zip(robot.joints, robot.arm.homes[scene.robot_home], strict=True))
    joint = robot.posture_joint
    posture = spec.add_actuator(name=POSTURE, trntype=mujoco.mjtTrn.mjTRN_JOINT, target=joint)
    posture.set_to_position(kp=impedance.posture_stiffness, kv=impedance.posture_damping)
    posture.ctrlrange = (home[joint] - 1e-9, home[joint] + 1e-9)
    posture.ctrllimited = True
    for name, limit in zip(robot.joints, robot.arm.torque_limits, strict=True):
        arm_joint = spec.joint(name)
        arm_joint.actfrcrange = (-limit, limit)
        arm_joint.actfrclimited = True


def _list_contacts(spec: mujoco.MjSpec, scene: Scene) -> None:
    """Replace contact bits by pairs: a prop touches whatever belongs to the world, a robot both."""
    touching = [geom for geom in spec.geoms if geom.contype]
    for number, geom in enumerate(touching):
        geom.name = geom.name or f"collider_{number}"
    props = {prop.name for prop in scene.props}
    world = [geom for geom in touching if geom.contype == collision.WORLD]
    pairs = [(one, other) for one in touching if one.contype == collision.ROBOT for other in world]
    for number, one in enumerate(world):
        for other in world[number + 1 :]:
            bodies = {one.parent.name, other.parent.name}
            if len(bodies) == 2 and bodies & props:
                pairs.append((one, other))
    for one, other in pairs:
        _add_pair(spec, one, other)
    for geom in touching:
        geom.contype = geom.conaffinity = 0


def _add_pair(spec: mujoco.MjSpec, one: mujoco.MjsGeom, other: mujoco.MjsGeom) -> None:
    """Let two geoms touch as the engine would: with the surface of the one of higher priority, else mixed."""
    first, second = (one, other) if one.priority >= other.priority else (other, one)
    if first.priority > second.priority:
        second = first
    slide, spin, roll = (max(each) for each in zip(first.friction, second.friction, strict=True))
    spec.add_pair(
        geomname1=one.name,
        geomname2=other.name,
        condim=max(first.condim, second.condim),
        friction=(slide, slide, spin, roll, roll),
        solref=[sum(each) / 2 for each in zip(first.solref, second.solref, strict=True)],
        solimp=[sum(each) / 2 for each in zip(first.solimp, second.solimp, strict=True)],
    )
