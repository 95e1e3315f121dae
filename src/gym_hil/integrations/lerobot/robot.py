"""``--robot.type=gym_hil``: the simulated arm as a robot of LeRobot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from lerobot.robots import Robot, RobotConfig

from gym_hil.core.errors import DeviceError
from gym_hil.core.schema import AGENT_POS, FULLY_CLOSED, PIXELS
from gym_hil.integrations.lerobot.shared_simulation import OPEN, SharedSimulation
from gym_hil.simulation.rendering import GymRenderingSpec
from gym_hil.stacks.ids import parse_id
from gym_hil.tasks import TASKS

TCP = ("tcp_x.pos", "tcp_y.pos", "tcp_z.pos")
"""Keys of the TCP's position in observations, and of its target in actions (m, world frame)."""
GRIPPER = "gripper.pos"
"""Key of the gripper: 0 (closed) to 100 (open). In an action, a value above 50 opens it and others close it."""
JOINTS = tuple(f"joint_{number}.pos" for number in range(1, 8))
"""Keys of the arm's joint positions (rad)."""
OBJECTS = "object_{}.pos"
"""Keys of the objects' positions (m, world frame), which `State` ids observe instead of images."""


@RobotConfig.register_subclass("gym_hil")
@dataclass(kw_only=True)
class GymHilRobotConfig(RobotConfig):
    """Configuration of a simulated Panda that runs in real time."""

    task: str = "PandaPickCube-v1"
    """Environment id without namespace. `State` ids observe the objects' positions instead of images."""
    fps: int = 10
    """Control steps per second, one per action. LeRobot's program must be given the same value."""
    height: int = 128
    """Height of the camera images (pixels)."""
    width: int = 128
    """Width of the camera images (pixels)."""
    restart_after_s: float = 2.0
    """Time between a success and the next reset (s), while LeRobot does not record episodes."""
    seed: int | None = None
    """Seed of the first reset."""
    show: bool = False
    """Whether to show the simulation in a window; this needs a display."""


class GymHilRobot(Robot):
    """The simulated arm as a robot of LeRobot.

    Its actions are absolute positions, as LeRobot's rollouts expect of an arm: an action that is sent again
    holds the arm in place.

    Args:
        config: the configuration.
    """

    config_class = GymHilRobotConfig
    name = "gym_hil"

    def __init__(self, config: GymHilRobotConfig) -> None:
        super().__init__(config)
        self.config = config
        self._world: SharedSimulation | None = None

    @cached_property
    def cameras(self) -> dict[str, Any]:
        """The cameras by name. LeRobot only uses their number."""
        return {} if parse_id(self.config.task).state else {"front": None, "wrist": None}

    @cached_property
    def observation_features(self) -> dict[str, Any]:
        """The type of each number and the shape (height, width, 3) of each image, by key."""
        numbers = (*JOINTS, GRIPPER, *TCP, *self._objects)
        images = dict.fromkeys(self.cameras, (self.config.height, self.config.width, 3))
        return {**dict.fromkeys(numbers, float), **images}

    @cached_property
    def action_features(self) -> dict[str, type]:
        """The type of each entry of an action, by key."""
        return dict.fromkeys((*TCP, GRIPPER), float)

    @cached_property
    def _objects(self) -> tuple[str, ...]:
        if self.cameras:
            return ()
        size = TASKS[parse_id(self.config.task).task].observation_size
        return tuple(OBJECTS.format(number) for number in range(size))

    @property
    def is_connected(self) -> bool:
        """Whether the simulation runs."""
        return self._world is not None

    @property
    def is_calibrated(self) -> bool:
        """Always true: a simulated arm needs no calibration."""
        return True

    def calibrate(self) -> None:
        """Do nothing: a simulated arm needs no calibration."""

    def configure(self) -> None:
        """Do nothing: a simulated arm has no settings of its own."""

    def connect(self, calibrate: bool = True) -> None:
        """Create the simulation.

        Args:
            calibrate: not used.
        """
        config = self.config
        self._world = SharedSimulation(
            config.task,
            fps=config.fps,
            images=bool(self.cameras),
            restart_after_s=config.restart_after_s,
            seed=config.seed,
            render_mode="human" if config.show else None,
            render_spec=GymRenderingSpec(height=config.height, width=config.width),
        )

    def get_observation(self) -> dict[str, Any]:
        """Return the current observation, with the keys of `observation_features`."""
        observation = self._connected.observe()
        agent, layout = observation[AGENT_POS].tolist(), self._connected.raw.layout
        opening = OPEN * (1.0 - agent[layout["gripper"].start] / FULLY_CLOSED)
        numbers = [*agent[layout["joint_pos"]], opening, *agent[layout["tcp_pos"]]]
        numbers += agent[layout["objects"]] if "objects" in layout else []
        names = (*JOINTS, GRIPPER, *TCP, *self._objects)
        return {**dict(zip(names, numbers, strict=True)), **observation.get(PIXELS, {})}

    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Execute one control step.

        Args:
            action: targets by the keys of `action_features`. Missing keys keep their target; other keys are
                ignored.

        Returns:
            The targets that were used.

        Raises:
            DeviceError: a target is not finite, or the robot is not connected.
        """
        world = self._connected
        target = world.raw.simulation.target_pos_w.copy()
        for axis, name in enumerate(TCP):
            target[axis] = float(action.get(name, target[axis]))
        opening = float(action.get(GRIPPER, world.opening))
        if not np.isfinite([*target, opening]).all():
            raise DeviceError(f"action {action} is not finite")
        world.move_to(target, opening)
        return {**dict(zip(TCP, target.tolist(), strict=True)), GRIPPER: opening}

    def disconnect(self) -> None:
        """Close the simulation."""
        if self._world is not None:
            self._world.close()
            self._world = None

    @property
    def _connected(self) -> SharedSimulation:
        if self._world is None:
            raise DeviceError("the simulated arm is not connected; call connect first")
        return self._world
