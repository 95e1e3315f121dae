"""A virtual follower with cameras and, optionally, a leader."""

from __future__ import annotations

import json
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.core.files import make_folder, write_atomically
from gym_hil.devices.page import PageAddress
from gym_hil.integrations.lerobot.virtual_arm.arm import STATES, ServoArm
from gym_hil.integrations.lerobot.virtual_arm.cameras import Cameras
from gym_hil.integrations.lerobot.virtual_arm.environment import (
    PHYSICS_DT,
    ServedSimulation,
    VirtualArmEnv,
)
from gym_hil.integrations.lerobot.virtual_arm.faults import parse_fault
from gym_hil.integrations.lerobot.virtual_arm.line import ServoLine
from gym_hil.integrations.lerobot.virtual_arm.port import Port
from gym_hil.integrations.lerobot.virtual_arm.rig import Rig
from gym_hil.integrations.lerobot.virtual_arm.scene import SceneServer
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.intervention.named import make_demonstrator
from gym_hil.robots import ROBOTS
from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Scene
from gym_hil.simulation.composition import compose
from gym_hil.stacks.build import add_outer_layers
from gym_hil.stacks.config import EnvConfig

FOLLOWER, LEADER = "follower", "leader"
ROBOT_NAMES = ("so101", "so101_backlash")
"""Robots with Feetech servos."""
HOME = "above_table"


@dataclass(frozen=True, kw_only=True)
class StationConfig:
    """Configuration of a `Station`.

    Attributes:
        robot: one of `ROBOT_NAMES`.
        task: name of the task whose objects lie in front of the follower.
        leader: whether there is a leader.
        cameras: names of the cameras.
        camera_size: height and width of the images (pixels).
        camera_fps: images per second.
        camera_port: TCP port of the cameras; 0 for a free one.
        operator: operator of the leader; None for nobody.
        preset: preset of the simulated human.
        servos: initial state of the servos, see `arm.STATES`.
        faults: faults that are simulated, see the module `faults`.
        ports: prefix of the addresses of the ports; None for a new folder.
        seed: seed of the objects' places and of the operator.
        page: address of the web page.
        show_page: whether there is a web page even if the operator does not use it.
        window: whether to open a window.
        scene: whether other programs can request the poses of the objects, and that they are put back.
    """

    robot: str = ROBOT_NAMES[0]
    task: str = "PickCube"
    leader: bool = False
    cameras: tuple[str, ...] = ()
    camera_size: tuple[int, int] = (128, 128)
    camera_fps: float = 30.0
    camera_port: int = 0
    operator: str | None = None
    preset: str = DEFAULT_PRESET
    servos: str = STATES[0]
    faults: tuple[str, ...] = ()
    ports: str | None = None
    seed: int | None = None
    page: PageAddress = field(default_factory=PageAddress)
    show_page: bool = False
    window: bool = False
    scene: bool = False


class Station:
    """A virtual follower with cameras and, optionally, a leader.

    Args:
        config: the configuration.
        clock: keeps real time.

    Attributes:
        env: the follower's task with all layers. Its `step` takes one control period in real time, in which
            programs are answered.
        rig: the arms at their ports.
        reset_requested: set when another program requests that the objects are put back.
        folder: folder of LeRobot's calibration files, and of the ports unless `ports` is given.

    Raises:
        InvalidArgumentError: an argument is invalid; the message names the valid values.
    """

    def __init__(self, config: StationConfig, clock: Clock = SYSTEM_CLOCK) -> None:
        require_one_of("robot", config.robot, ROBOT_NAMES)
        require_one_of("servos", config.servos, STATES)
        if config.operator is not None and not config.leader:
            raise InvalidArgumentError(
                f"operator={config.operator!r} needs a leader to move: add leader=True (--leader)"
            )
        robot = ROBOTS.get(config.robot)
        self.config = config
        self._temporary = tempfile.TemporaryDirectory(prefix="gym-hil-arm-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self.cameras: Cameras | None = None
        self.reset_requested = threading.Event()
        self._scene = SceneServer(self.reset_requested.set) if config.scene else None
        self._raw = raw = VirtualArmEnv(config.task, robot)
        simulation = raw.simulation
        assert isinstance(simulation, ServedSimulation)
        arms = {FOLLOWER: ServoArm(simulation.model, simulation.data, robot.end_effectors[0], config.servos)}
        leader_model = None
        if config.leader:
            leader_model = _lone_arm(robot)
            arms[LEADER] = ServoArm(*leader_model, robot.end_effectors[0], config.servos)
            raw.hand.attach(arms[LEADER])
        self.arms = arms
        faults = [parse_fault(text, tuple(arms), arms[FOLLOWER].joints) for text in config.faults]
        prefix = config.ports or f"{self.folder}/"
        self.rig = Rig(
            {
                name: ServoLine(
                    arm, Port(Path(prefix + name)), tuple(fault for fault in faults if fault.arm == name)
                )
                for name, arm in arms.items()
            },
            PHYSICS_DT,
            clock,
        )
        try:
            if leader_model is not None:
                self.rig.simulate_together(*leader_model)
            if config.cameras:
                height, width = config.camera_size
                self.cameras = Cameras(
                    simulation.model,
                    config.cameras,
                    height=height,
                    width=width,
                    fps=config.camera_fps,
                    port=config.camera_port,
                )
            operator = None
            if config.operator is not None:
                operator = make_demonstrator(config.operator, config.preset, page=config.page)
            self.env: gym.Env = add_outer_layers(
                raw,
                EnvConfig(operator=operator, page=config.page, use_viewer=config.window, real_time=False),
            )
            self.env.reset(seed=config.seed)
        except BaseException:
            self.close()
            raise
        simulation.serve = self.rig.tick
        if (cameras := self.cameras) is not None:
            cameras.start(simulation.data)
            self.rig.watch(lambda: cameras.show(simulation.data))
        if self._scene is not None:
            self._show_scene()
            self.rig.watch(self._show_scene)
        for name, arm in arms.items():
            arm.measure(0.0)  # a program may read the servos before the first step
            self._write_calibration(name, arm)

    def step(self) -> bool:
        """Simulate one control period. If it returns True, the task has ended, and `reset` must be called."""
        _, _, terminated, truncated, _ = self.env.step(self._raw.neutral_action())
        return bool(terminated or truncated)

    def wait(self, seconds: float) -> None:
        """Simulate without the operator."""
        simulation = self._raw.simulation
        for _ in range(round(seconds / simulation.control_dt)):
            simulation.step()

    def reset(self) -> None:
        """Move the objects to new places. The arms stay where they are."""
        self.reset_requested.clear()
        self.env.reset()
        if self._scene is not None:
            self._show_scene()
            self._scene.note_reset()

    def facts(self) -> dict[str, Any]:
        """Return all addresses, for other programs."""
        cameras = None
        if self.cameras is not None:
            height, width = self.config.camera_size
            cameras = {
                name: {
                    "type": "zmq",
                    "server_address": "127.0.0.1",
                    "port": self.cameras.address,
                    "camera_name": name,
                    "height": height,
                    "width": width,
                    "fps": round(self.config.camera_fps),
                }
                for name in self.cameras.names
            }
        ports = {name: str(line.port.path) for name, line in self.rig.lines.items()}
        return {
            "robot": self.config.robot,
            "task": self.config.task,
            "ports": ports,
            "cameras": cameras,
            "calibration_dir": str(self.folder),
            "scene": None if self._scene is None else self._scene.address,
        }

    def lerobot_arguments(self) -> dict[str, list[str]]:
        """Return the arguments of LeRobot's programs for each arm, by the arm's name."""
        facts, arguments = self.facts(), {}
        for name, kind in ((FOLLOWER, "robot"), (LEADER, "teleop")):
            if name in facts["ports"]:
                arguments[name] = [
                    f"--{kind}.type=so101_{name}",
                    f"--{kind}.port={facts['ports'][name]}",
                    f"--{kind}.id={name}",
                    f"--{kind}.calibration_dir={facts['calibration_dir']}",
                ]
        if facts["cameras"]:
            arguments[FOLLOWER].append(f"--robot.cameras={json.dumps(facts['cameras'])}")
        return arguments

    def close(self) -> None:
        """Disconnect the cables and release all resources. Repeated calls have no effect."""
        self.rig.close()
        if self.cameras is not None:
            self.cameras.close()
        if self._scene is not None:
            self._scene.close()
        if hasattr(self, "env"):
            self.env.close()
        self._temporary.cleanup()

    def _show_scene(self) -> None:
        assert self._scene is not None
        self._scene.poses = self._raw.simulation.poses()

    def _write_calibration(self, name: str, arm: ServoArm) -> None:
        if self.config.servos == "calibrated":
            make_folder(self.folder)
            write_atomically(self.folder / f"{name}.json", json.dumps(arm.calibration(), indent=4) + "\n")


def _lone_arm(robot: Robot) -> tuple[mujoco.MjModel, mujoco.MjData]:
    """Return a model of an arm without objects, and its state at home."""
    model = compose(robot, Scene(home=HOME), PHYSICS_DT, "joint")
    data = mujoco.MjData(model)
    effector = robot.end_effectors[0]
    for joint, position in zip(effector.joints, robot.home(HOME), strict=True):
        data.qpos[model.joint(joint).qposadr] = position
    data.qpos[model.joint(effector.finger_joints[0]).qposadr] = effector.hand.open_position
    mujoco.mj_forward(model, data)
    return model, data
