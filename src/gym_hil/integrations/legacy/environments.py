"""The environment classes of gym-hil 0.1.14, with the attributes that scripts read and set.

Where 0.1.14 took a scene as an XML file in `FrankaGymEnv`, write a task instead, see ``docs/extend.md``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.integrations.legacy.controllers import opspace as opspace
from gym_hil.robots import Robot
from gym_hil.simulation.rendering import GymRenderingSpec
from gym_hil.simulation.simulation import Simulation
from gym_hil.tasks.arrange_boxes import COLOURS

MAX_GRIPPER_COMMAND = int(schema.FULLY_CLOSED)
"""Gripper entry of `agent_pos` when the fingers are closed."""
ROBOT_STATE = 18
"""Length of `get_robot_state`: joint positions (7), joint velocities (7), gripper (1), TCP position (3)."""
OLD_NAMES = {
    "block": "cube",
    **{f"block{number}": f"box_{colour}" for number, colour in enumerate(COLOURS, 1)},
    **{f"target{number}": f"target_{colour}" for number, colour in enumerate(COLOURS, 1)},
    **{f"joint{number}": f"arm/joint{number}" for number in range(1, 8)},
    "pinch": "hand/tcp",
    "handcam_rgb": "wrist",
}
"""Names in the MuJoCo models of gym-hil 0.1.14, and their current names."""
OLD_SENSORS = {
    "2f85/pinch": ("pinch", mujoco.mjtObj.mjOBJ_SITE),
    **{name: (name, mujoco.mjtObj.mjOBJ_GEOM) for name in OLD_NAMES if name.startswith(("block", "target"))},
}
"""First part of a sensor's name, and the frame that the sensor measures."""
SCENE_ARGUMENTS = ("xml_path", "home_position", "cartesian_bounds")
"""Arguments of 0.1.14 that described a scene."""
INSTEAD = {
    "_viewer": "render() returns the image, env.unwrapped.draw() those of the cameras",
    "camera_id": "render_spec=GymRenderingSpec(camera_id=...) chooses the camera of render()",
    "random_state": "np_random is the random number generator, and reset(seed=...) seeds it",
    "reset_robot": "reset() moves the robot to its home configuration",
    "apply_action": "step() applies an action",
    "_n_substeps": "control_dt and physics_dt define the length of a step",
    "_cartesian_bounds": "task.workspace is the box to which the end effector is limited",
    "_home_position": "simulation.robot.arm.homes contains the home configurations",
}
"""Attributes of 0.1.14 that do not exist any more, and their replacements."""


@dataclass(frozen=True)
class SensorReading:
    """Name and current value of a sensor of 0.1.14, as `MjData.sensor` returns them."""

    name: str
    data: NDArray[np.float64]


class OldNamesData(mujoco.MjData):
    """MuJoCo's data that also answers to the names of joints, bodies, geoms, sites, cameras and sensors of
    gym-hil 0.1.14.
    """

    def joint(self, name: Any) -> Any:
        """Return the view of a joint."""
        return super().joint(OLD_NAMES.get(name, name))

    jnt = joint

    def body(self, name: Any) -> Any:
        """Return the view of a body."""
        return super().body(OLD_NAMES.get(name, name))

    def geom(self, name: Any) -> Any:
        """Return the view of a geom."""
        return super().geom(OLD_NAMES.get(name, name))

    def site(self, name: Any) -> Any:
        """Return the view of a site."""
        return super().site(OLD_NAMES.get(name, name))

    def camera(self, name: Any) -> Any:
        """Return the view of a camera."""
        return super().camera(OLD_NAMES.get(name, name))

    def sensor(self, name: Any) -> Any:
        """Return the reading of a sensor. The model has no sensors, so the frame itself is read."""
        frame, _, quantity = str(name).rpartition("_")
        if frame not in OLD_SENSORS or quantity not in ("pos", "quat", "vel", "angvel"):
            return super().sensor(name)
        old_name, kind = OLD_SENSORS[frame]
        view = self.site(old_name) if kind is mujoco.mjtObj.mjOBJ_SITE else self.geom(old_name)
        if quantity == "pos":
            return SensorReading(name, view.xpos.copy())
        if quantity == "quat":
            quat = np.empty(4)
            mujoco.mju_mat2Quat(quat, view.xmat)
            return SensorReading(name, quat)
        twist = np.empty(6)  # rotation first, in world axes
        mujoco.mj_objectVelocity(self.model, self, kind, view.id, twist, 0)
        return SensorReading(name, twist[3:] if quantity == "vel" else twist[:3])


class OldNamesSimulation(Simulation):
    """A simulation whose data also answers to the names of gym-hil 0.1.14."""

    data_type = OldNamesData


class MujocoGymEnv(ManipulationEnv):
    """An environment with the attributes of gym-hil 0.1.14.

    Args:
        task: a task or its name.
        kwargs: further arguments of `ManipulationEnv`.

    Raises:
        InvalidArgumentError: an argument describes a scene, which 0.1.14 allowed.
    """

    def __init__(self, task: Any = "PickCube", **kwargs: Any) -> None:
        given = [name for name in SCENE_ARGUMENTS if name in kwargs]
        if isinstance(task, os.PathLike) or given:
            raise InvalidArgumentError(
                f"{(given or SCENE_ARGUMENTS)[0]} is not supported any more: the scene, the robot's home and its "
                "workspace are now defined by a task; docs/extend.md explains how to write one"
            )
        super().__init__(task, **kwargs)

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        return OldNamesSimulation(
            robot,
            self.task.scene,
            control_dt=control_dt,
            physics_dt=physics_dt,
            control=self.action_term.control,
        )

    @property
    def _model(self) -> mujoco.MjModel:
        return self.simulation.model

    @property
    def _data(self) -> mujoco.MjData:
        return self.simulation.data

    @property
    def _render_specs(self) -> GymRenderingSpec:
        return self.render_spec

    @property
    def _random_block_position(self) -> bool:
        return self.random_block_position

    @_random_block_position.setter
    def _random_block_position(self, value: bool) -> None:
        self.random_block_position = bool(value)

    def get_robot_state(self) -> NDArray[np.float32]:
        """Return the joint positions (7, rad), joint velocities (7, rad/s), gripper closure (1, 0 open to 255
        closed) and TCP position (3, m, world frame).
        """
        sim = self.simulation
        gripper = sim.closure * schema.FULLY_CLOSED
        return np.array([*sim.joint_pos, *sim.joint_vel, gripper, *sim.tcp_coordinates], np.float32)

    def get_gripper_pose(self) -> NDArray[np.float32]:
        """Return the measured gripper closure (1): 0 open to 255 closed."""
        return self.get_robot_state()[14:15]

    def _compute_observation(self) -> dict[str, Any]:
        return self.observe()

    def _is_success(self) -> bool:
        return self.task_success()

    def _compute_reward(self) -> float:
        if self.reward_type == "sparse":
            return float(self._is_success())
        return self.task.dense_reward(self.simulation.world, self._start)

    def __getattr__(self, name: str) -> Any:
        """Raise an error that names the replacement of an attribute of 0.1.14."""
        hint = f"; {INSTEAD[name]}" if name in INSTEAD else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")


class FrankaGymEnv(MujocoGymEnv):
    """`MujocoGymEnv` under the name that 0.1.14 uses for environments with a Franka arm."""


class PandaPickCubeGymEnv(FrankaGymEnv):
    """PickCube with the arguments of gym-hil 0.1.14.

    `ManipulationEnv` explains them; `kwargs` are its further arguments.
    """

    _task = "PickCube"

    def __init__(
        self,
        seed: int | None = None,
        control_dt: float = 0.1,
        physics_dt: float | None = None,
        render_spec: GymRenderingSpec | None = None,
        render_mode: Literal["rgb_array", "human"] | None = "rgb_array",
        image_obs: bool = False,
        reward_type: Literal["sparse", "dense"] = "sparse",
        random_block_position: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kwargs.pop("task", self._task),
            seed=seed,
            control_dt=control_dt,
            physics_dt=physics_dt,
            render_spec=render_spec,
            render_mode=render_mode,
            image_obs=image_obs,
            reward_type=reward_type,
            random_block_position=random_block_position,
            **kwargs,
        )


class PandaArrangeBoxesGymEnv(PandaPickCubeGymEnv):
    """ArrangeBoxes with the arguments of gym-hil 0.1.14."""

    _task = "ArrangeBoxes"
