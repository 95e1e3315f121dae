"""``gym-hil virtual-arm``: a simulated arm at a serial port, for programs that drive real arms."""

from __future__ import annotations

import shlex
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from tyro.extras import literal_type_from_choices

from gym_hil.cli.common import write_json
from gym_hil.cli.option_types import OperatorOrNobody, Preset
from gym_hil.core.errors import GymHilError, InvalidArgumentError
from gym_hil.core.files import PRIVATE
from gym_hil.devices.page import PageAddress
from gym_hil.integrations.lerobot.virtual_arm.arm import STATES
from gym_hil.integrations.lerobot.virtual_arm.console import Console as Commands
from gym_hil.integrations.lerobot.virtual_arm.rig import answer_promptly
from gym_hil.integrations.lerobot.virtual_arm.station import ROBOT_NAMES, Station, StationConfig
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.viewers.attach import find_page, open_page
from gym_hil.viewers.web.wait import await_person

RobotName = literal_type_from_choices(ROBOT_NAMES)
ServoState = literal_type_from_choices(STATES)


@dataclass(kw_only=True)
class VirtualArm:
    """Simulate an arm with the interfaces of a real one: servos at a serial port and cameras at a socket.

    It runs in real time until Ctrl-C. Meanwhile it reads commands from standard input; `help` lists them.
    """

    robot: Annotated[RobotName, tyro.conf.Positional] = ROBOT_NAMES[0]  # type: ignore[valid-type]
    """The robot."""
    task: str = "PickCube"
    """The task whose objects lie in front of the arm. After a success they are moved to new places."""
    leader: bool = False
    """Also simulate a leader arm, at its own port."""
    operator: OperatorOrNobody | None = None
    """Operator of the leader; the simulated human by default."""
    preset: Preset = DEFAULT_PRESET
    """Preset of the simulated human."""
    cameras: str = ""
    """Names of the cameras, separated by commas: front,wrist."""
    camera_size: tuple[int, int] = (128, 128)
    """Height and width of the images (pixels)."""
    camera_fps: float = 30.0
    """Images of each camera per second."""
    camera_port: int = 0
    """TCP port of the cameras; 0 for a free one."""
    scene: bool = False
    """Let other programs, such as `gym-hil train --robot-scene`, read the poses of the objects and have the objects put
    back. They are then put back on request only."""
    servos: ServoState = STATES[0]  # type: ignore[valid-type]
    """Initial state of the servos: calibrated, with a calibration file for LeRobot; assembled, without
    calibration; or new, as delivered by the factory, all with address 1."""
    fault: tuple[str, ...] = ()
    """Faults: lost:0.02 late:0.1,40 checksum:0.01 overload:gripper overheat:elbow_flex stiff:elbow_flex,1.5
    unplug@5-8. After @ follow start and end in seconds since the first packet; an arm and a dot select the
    arm: leader.lost:0.02."""
    ports: str | None = None
    """Prefix of the ports' addresses, such as /dev/ttyVirtual-, to which "follower" and "leader" are added;
    by default the ports are in a new folder."""
    seed: int | None = None
    """Seed of the objects' places and of the simulated human."""
    reset_after_s: float = 2.0
    """Time between a success or failure and the new places of the objects (s)."""
    seconds: float | None = None
    """Stop after this time (s); by default the program runs until Ctrl-C."""
    window: bool = False
    """Show the follower in a window, if there is a display."""
    web: bool = False
    """Show the follower on a web page, and print its address."""
    json: Path | None = None
    """Write the addresses to this file as soon as they can be used."""
    page: Annotated[PageAddress, tyro.conf.OmitArgPrefixes] = field(default_factory=PageAddress)
    """Address of the web page."""

    def run(self) -> int:
        """Simulate until the program is ended."""
        if self.reset_after_s < 0:
            raise InvalidArgumentError(f"reset_after_s={self.reset_after_s} must be at least 0")
        console = Console(highlight=False)
        station = Station(self._config())
        url = None
        try:
            page = find_page(station.env)
            if self.web and page is None:
                page = open_page(station.env, self.page)
            url = page.url if page is not None else None
            self._announce(console, station, url)
            await_person(station.env, console.print)
            self._simulate(station)
        except KeyboardInterrupt:
            console.print("Stopped.")
        finally:
            station.close()
        if station.rig.lost_s > 0.5:
            console.print(f"This machine was too slow: {station.rig.lost_s:.1f} s of real time were lost.")
        return 0

    def _config(self) -> StationConfig:
        operator = self.operator or ("simulated" if self.leader else None)
        return StationConfig(
            robot=str(self.robot),
            task=self.task,
            leader=self.leader,
            cameras=tuple(name.strip() for name in self.cameras.split(",") if name.strip()),
            camera_size=self.camera_size,
            camera_fps=self.camera_fps,
            camera_port=self.camera_port,
            operator=None if operator == "none" else operator,
            preset=self.preset,
            servos=str(self.servos),
            faults=self.fault,
            ports=self.ports,
            seed=self.seed,
            page=self.page,
            window=self.window,
            scene=self.scene,
        )

    def _announce(self, console: Console, station: Station, url: str | None) -> None:
        arguments = station.lerobot_arguments()
        for name, options in arguments.items():
            console.print(f"{name}: {' '.join(map(shlex.quote, options))}", soft_wrap=True, markup=False)
        if url is not None:
            print(url, flush=True)
        facts = {**station.facts(), "lerobot": arguments, "url": url}
        if facts["scene"] is not None:
            console.print(f"scene: --robot-scene {facts['scene']}")
        write_json(self.json, facts, mode=0o666 if url is None else PRIVATE)

    def _simulate(self, station: Station) -> None:
        stopped = threading.Event()
        reset_requested = station.reset_requested
        commands = Commands(
            station.rig.lines, reset_requested.set, stopped.set, lambda text: print(text, flush=True)
        )
        answer_promptly()
        threading.Thread(target=_listen, args=(station, commands), daemon=True, name="commands").start()
        remaining_s, dt, ended = self.seconds, station.env.get_wrapper_attr("control_dt"), False
        while not stopped.is_set() and (remaining_s is None or remaining_s > 0.0):
            if ended:
                station.wait(dt)
            elif station.step():
                ended = True
                if not self.scene:
                    station.wait(self.reset_after_s)
                    reset_requested.set()
            if reset_requested.is_set():
                station.reset()
                ended = False
            if remaining_s is not None:
                remaining_s -= dt


def _listen(station: Station, commands: Commands) -> None:
    """Execute the commands from standard input."""

    def carry_out(text: str) -> None:
        try:
            commands.run(text)
        except GymHilError as error:
            print(f"error: {error}", flush=True)

    for line in sys.stdin:
        if line.strip():
            station.rig.call(lambda text=line: carry_out(text))  # type: ignore[misc]
