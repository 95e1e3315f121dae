"""Operational space control by joint torques, for scripts that use their own MuJoCo model.

The environments of this package do not use it: their impedance controller is part of the model, see
`gym_hil.simulation.composition`. The control law is that of Khatib, "A unified approach for motion and force
control of robot manipulators" (1987), with a posture task in the null space.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
SINGULAR = 1e-2
"""The task-space inertia is inverted by a pseudoinverse if its inverse's determinant is below this value, which is
also the pseudoinverse's cutoff relative to the largest singular value."""


def mat_to_quat(mat: ArrayLike) -> Array:
    """Return the quaternion (4, w x y z) of a rotation matrix (3, 3)."""
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, np.asarray(mat, np.float64).reshape(9))
    return quat


def quat_diff_active(source_quat: ArrayLike, target_quat: ArrayLike) -> Array:
    """Return the rotation from one orientation to another in world axes (all quaternions, 4, w x y z)."""
    inverse, difference = np.empty(4), np.empty(4)
    mujoco.mju_negQuat(inverse, np.asarray(source_quat, np.float64))
    mujoco.mju_mulQuat(difference, np.asarray(target_quat, np.float64), inverse)
    return difference


def quat_to_axisangle(quat: ArrayLike) -> Array:
    """Return the rotation vector (3, rad) of a quaternion (4, w x y z). Its length is at most pi."""
    vector = np.empty(3)
    unit = np.array(quat, np.float64)
    mujoco.mju_normalize4(unit)
    mujoco.mju_quat2Vel(vector, unit, 1.0)
    return vector


def pd_control(
    x: ArrayLike, x_des: ArrayLike, dx: ArrayLike, kp_kv: ArrayLike, ddx_max: float = 0.0
) -> Array:
    """Return the acceleration (n) of a proportional-derivative controller.

    Args:
        x: position (n).
        x_des: desired position (n).
        dx: velocity (n).
        kp_kv: stiffness and damping per entry (n, 2).
        ddx_max: largest norm of the proportional part; 0 for no limit.
    """
    return _pd(np.subtract(x, x_des), dx, kp_kv, ddx_max)


def pd_control_orientation(
    quat: ArrayLike, quat_des: ArrayLike, w: ArrayLike, kp_kv: ArrayLike, dw_max: float = 0.0
) -> Array:
    """Return the angular acceleration (3, rad/s^2) of a proportional-derivative controller.

    Args:
        quat: orientation (4, w x y z).
        quat_des: desired orientation (4, w x y z).
        w: angular velocity (3, rad/s).
        kp_kv: stiffness and damping per axis (3, 2).
        dw_max: largest norm of the proportional part; 0 for no limit.
    """
    return _pd(quat_to_axisangle(quat_diff_active(quat_des, quat)), w, kp_kv, dw_max)


def opspace(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    site_id: int,
    dof_ids: ArrayLike,
    pos: ArrayLike | None = None,
    ori: ArrayLike | None = None,
    joint: ArrayLike | None = None,
    pos_gains: Sequence[float] = (200.0, 200.0, 200.0),
    ori_gains: Sequence[float] = (200.0, 200.0, 200.0),
    damping_ratio: float = 1.0,
    nullspace_stiffness: float = 0.5,
    max_pos_acceleration: float | None = None,
    max_ori_acceleration: float | None = None,
    gravity_comp: bool = True,
) -> Array:
    """Return the joint torques that move a site to a pose.

    Args:
        model: the MuJoCo model.
        data: its state.
        site_id: index of the site.
        dof_ids: indices of the arm's degrees of freedom (n): hinges with the same indices in ``qpos``.
        pos: desired position of the site (3, m, world frame); None for the current one.
        ori: desired orientation, (4, w x y z) or (3, 3), world frame; None for the current one.
        joint: desired joint positions in the null space (n, rad); None for the current ones.
        pos_gains: stiffness per axis (1/s^2).
        ori_gains: stiffness of the orientation per axis (1/s^2).
        damping_ratio: damping ratio of all controllers; 1 is critical.
        nullspace_stiffness: stiffness of the posture (1/s^2).
        max_pos_acceleration: limit of the proportional part (m/s^2); None for no limit.
        max_ori_acceleration: the same for the orientation (rad/s^2).
        gravity_comp: whether to add gravity, Coriolis and centrifugal forces.

    Returns:
        Torques (n, N m).
    """
    dofs = np.asarray(dof_ids)
    q, dq = data.qpos[dofs], data.qvel[dofs]
    linear, angular = np.zeros((3, model.nv)), np.zeros((3, model.nv))
    mujoco.mj_jacSite(model, data, linear, angular, site_id)
    jacobian = np.concatenate([linear[:, dofs], angular[:, dofs]])
    velocity = jacobian @ dq
    here, orientation = data.site_xpos[site_id], mat_to_quat(data.site_xmat[site_id])
    goal = orientation if ori is None else np.asarray(ori, np.float64)
    goal = mat_to_quat(goal) if goal.shape == (3, 3) else goal

    linear_acceleration = pd_control(
        here,
        here if pos is None else pos,
        velocity[:3],
        _gains(pos_gains, damping_ratio),
        max_pos_acceleration or 0.0,
    )
    angular_acceleration = pd_control_orientation(
        orientation, goal, velocity[3:], _gains(ori_gains, damping_ratio), max_ori_acceleration or 0.0
    )
    inverse = np.linalg.inv(_inertia(model, data)[np.ix_(dofs, dofs)])
    task_inverse = jacobian @ inverse @ jacobian.T
    singular = abs(np.linalg.det(task_inverse)) < SINGULAR
    task = np.linalg.pinv(task_inverse, rcond=SINGULAR) if singular else np.linalg.inv(task_inverse)

    torques = jacobian.T @ task @ np.concatenate([linear_acceleration, angular_acceleration])
    posture = pd_control(
        q, q if joint is None else joint, dq, _gains([nullspace_stiffness] * len(dofs), damping_ratio)
    )
    torques += (np.eye(len(dofs)) - jacobian.T @ task @ jacobian @ inverse) @ posture
    return torques + data.qfrc_bias[dofs] if gravity_comp else torques


def _inertia(model: mujoco.MjModel, data: mujoco.MjData) -> Array:
    """Return the joint-space inertia matrix (nv, nv). `mj_fullM` is not used: its arguments differ in MuJoCo 4."""
    inertia = np.empty((model.nv, model.nv))
    for row, unit in zip(inertia, np.eye(model.nv), strict=True):
        mujoco.mj_mulM(model, data, row, unit)
    return inertia


def _gains(stiffness: Sequence[float], damping_ratio: float) -> Array:
    """Return stiffness and damping per entry (n, 2)."""
    kp = np.asarray(stiffness, np.float64)
    return np.stack([kp, 2.0 * damping_ratio * np.sqrt(kp)], axis=-1)


def _pd(error: Array, velocity: ArrayLike, kp_kv: ArrayLike, limit: float) -> Array:
    stiffness, damping = np.asarray(kp_kv, np.float64).T
    spring = -stiffness * error
    length = float(np.linalg.norm(spring))
    if 0.0 < limit < length:
        spring *= limit / length
    return spring - damping * np.asarray(velocity)
