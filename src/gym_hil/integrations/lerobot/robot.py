"""``--robot.type=gym_hil``: the simulated arm as a robot of LeRobot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from lerobot.robots import Robot, RobotConfig

from gym_hil.core.errors import DeviceError
from gym_hil.core.schema import AGENT_POS, FULLY_CLOSED, PIXELS
from gym_hil.integrations.lerobot.shared_simulation import OPEN, World
from gym_hil.simulation.rendering import GymRenderingSpec
from gym_hil.stacks.ids import parse_id
from gym_hil.tasks import TASKS

TCP = ("tcp_x.pos", "tcp_y.pos", "tcp_z.pos")
"""Position of the TCP (m, world), or in an action where it is to go."""
GRIPPER = "gripper.pos"
"""0 closed to 100 open; as an action above 50 opens, else closes."""
JOINTS = tuple(f"joint_{number}.pos" for number in range(1, 8))
"""Positions of the arm's joints (rad)."""
OBJECTS = "object_{}.pos"
"""With a `State` task: the entries of the objects' positions (m, world)."""


@RobotConfig.register_subclass("gym_hil")
@dataclass(kw_only=True)
class GymHilRobotConfig(RobotConfig):
    """A Panda on its table, in real time. Give the program the same ``fps``."""

    task: str = "PandaPickCube-v1"
    """An id without namespace: `State` observes the objects' positions instead of cameras."""
    fps: int = 10
    """Control steps per second: one per action."""
    height: int = 128
    width: int = 128
    restart_after_s: float = 2.0
    """Between a success and a new beginning, while LeRobot announces no episodes."""
    seed: int | None = None
    show: bool = False
    """In a window, where there is a display."""


class GymHilRobot(Robot):
    """Takes absolute positions, as LeRobot's rollouts expect of an arm: repeated, they hold it in place."""

    config_class = GymHilRobotConfig
    name = "gym_hil"

    def __init__(self, config: GymHilRobotConfig) -> None:
        super().__init__(config)
        self.config = config
        self._world: World | None = None

    @cached_property
    def cameras(self) -> dict[str, Any]:
        """Cameras by name; LeRobot counts them."""
        return {} if parse_id(self.config.task).state else {"front": None, "wrist": None}

    @cached_property
    def observation_features(self) -> dict[str, Any]:
        """Numbers by name, and the shapes of images."""
        numbers = (*JOINTS, GRIPPER, *TCP, *self._objects)
        images = dict.fromkeys(self.cameras, (self.config.height, self.config.width, 3))
        return {**dict.fromkeys(numbers, float), **images}

    @cached_property
    def action_features(self) -> dict[str, type]:
        """Where the TCP and the fingers are to go."""
        return dict.fromkeys((*TCP, GRIPPER), float)

    @cached_property
    def _objects(self) -> tuple[str, ...]:
        if self.cameras:
            return ()
        size = TASKS[parse_id(self.config.task).task].observation_size
        return tuple(OBJECTS.format(number) for number in range(size))

    @property
    def is_connected(self) -> bool:
        """Whether the world is there."""
        return self._world is not None

    @property
    def is_calibrated(self) -> bool:
        """A simulated arm always is."""
        return True

    def calibrate(self) -> None:
        """Nothing to do."""

    def configure(self) -> None:
        """Nothing to do."""

    def connect(self, calibrate: bool = True) -> None:
        """Make the world."""
        config = self.config
        self._world = World(
            config.task,
            fps=config.fps,
            images=bool(self.cameras),
            restart_after_s=config.restart_after_s,
            seed=config.seed,
            render_mode="human" if config.show else None,
            render_spec=GymRenderingSpec(height=config.height, width=config.width),
        )

    def get_observation(self) -> dict[str, Any]:
        """Return what `observation_features` promises."""
        seen = self._connected.observe()
        agent, layout = seen[AGENT_POS].tolist(), self._connected.raw.layout
        opening = OPEN * (1.0 - agent[layout["gripper"].start] / FULLY_CLOSED)
        numbers = [*agent[layout["joint_pos"]], opening, *agent[layout["tcp_pos"]]]
        numbers += agent[layout["objects"]] if "objects" in layout else []
        names = (*JOINTS, GRIPPER, *TCP, *self._objects)
        return {**dict(zip(names, numbers, strict=True)), **seen.get(PIXELS, {})}

    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Do one control step. What is left out stays as it is; other keys count for nothing."""
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
        """Free the world."""
        if self._world is not None:
            self._world.close()
            self._world = None

    @property
    def _connected(self) -> World:
        if self._world is None:
            raise DeviceError("the simulated arm is not connected; call connect first")
        return self._world
