"""Commands for virtual arms while they run, from a person or a test."""

from __future__ import annotations

import math
from collections.abc import Callable

from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.integrations.lerobot.virtual_arm.arm import FULL_TURN, ServoArm
from gym_hil.integrations.lerobot.virtual_arm.faults import parse_fault
from gym_hil.integrations.lerobot.virtual_arm.line import ServoLine

SWEEP_S = 0.6
"""Duration of each movement of a sweep (s)."""
DWELL_S = 0.2
"""Time at each end of a range (s)."""
OUT_OF_THE_WAY = {
    "shoulder_lift": {"elbow_flex": -1.69, "wrist_flex": -1.11},
    "elbow_flex": {"shoulder_lift": -0.58, "wrist_flex": -1.11},
}
"""Positions of other joints (rad) at which a joint can reach its upper limit without touching the table."""
ARM_COMMANDS = {
    "middle": "let a hand hold the arm with all joints in the middle of their ranges",
    "sweep": "let the hand move one joint after the other through its whole range",
    "move": "JOINT DEGREES: let a hand move one joint",
    "release": "release the arm; its operator, if it has one, drives it again",
    "joints": "print the true positions of the joints (degrees)",
    "connect": "JOINT ... or all: connect these servos to the bus, and no others",
    "unplug": "unplug the cable",
    "plug": "plug the cable in",
    "power": "switch the servos off and on",
}
HAND_COMMANDS = ("middle", "sweep", "move")
COMMANDS = {
    **ARM_COMMANDS,
    "fault": "FAULT: add a fault, as --fault does",
    "repair": "end all faults",
    "reset": "put the objects at new places",
    "help": "list the commands",
    "quit": "end the program",
}


class Console:
    """Executes commands. A command is a line of words: its name, optionally an arm, and its arguments.

    Args:
        lines: the arms at their ports, by name; the first one is the default.
        reset: moves the objects to new places.
        quit: ends the program.
        notify: called with a message when a command is done. A command that moves a hand is done when the hand
            rests.
    """

    def __init__(
        self,
        lines: dict[str, ServoLine],
        reset: Callable[[], None],
        quit: Callable[[], None],
        notify: Callable[[str], None],
    ) -> None:
        self._lines, self._reset, self._quit, self._notify = lines, reset, quit, notify

    def run(self, text: str) -> None:
        """Execute a command.

        Raises:
            InvalidArgumentError: the command is unknown or lacks an argument.
        """
        command, *words = text.split()
        require_one_of("command", command, COMMANDS)
        name = words.pop(0) if words and words[0] in self._lines else next(iter(self._lines))
        if command == "help":
            for each, what in COMMANDS.items():
                self._notify(f"{each}: {what}")
        elif command == "reset":
            self._reset()
        elif command == "quit":
            self._quit()
        elif command == "fault":
            joints = self._lines[name].arm.joints
            fault = parse_fault(" ".join(words), tuple(self._lines), joints)
            line = self._lines[fault.arm]
            line.set_faults((*line.faults, fault))
        elif command == "repair":
            for line in self._lines.values():
                line.set_faults(())
        else:
            self._of_arm(command, self._lines[name], words)
        done, hand = f"{text.strip()}: done", self._lines[name].arm.hand
        if command in HAND_COMMANDS:
            hand.then(lambda: self._notify(done))
        elif command != "help":
            self._notify(done)

    def _of_arm(self, command: str, line: ServoLine, words: list[str]) -> None:
        arm = line.arm
        if command == "middle":
            _moves(arm)(_middle(arm))
        elif command == "sweep":
            self._sweep(arm)
        elif command == "move":
            joint, angle = _detail(words, arm)
            _moves(arm)({arm.joints.index(joint): angle})
        elif command == "release":
            arm.hand.release()
        elif command == "joints":
            positions = zip(arm.joints, arm.positions, strict=True)
            self._notify(" ".join(f"{joint}={math.degrees(at):.2f}" for joint, at in positions))
        elif command == "connect":
            arm.bus.connect(arm.joints if words == ["all"] else words)
        elif command == "power":
            for servo in arm.bus.servos.values():
                servo.power_cycle()
        elif command == "unplug":
            line.unplug()
        else:
            line.plug()

    def _sweep(self, arm: ServoArm) -> None:
        move, middle = _moves(arm), _middle(arm)
        for number, name in enumerate(arm.joints):
            if name == FULL_TURN:
                continue
            others = {arm.joints.index(other): angle for other, angle in OUT_OF_THE_WAY.get(name, {}).items()}
            low, high = arm.ranges[name]
            for pose in ({number: low}, {**others, number: high}):
                move(pose)
                move(pose, DWELL_S)
                move(middle)


def _middle(arm: ServoArm) -> dict[int, float]:
    return {number: sum(arm.ranges[name]) / 2 for number, name in enumerate(arm.joints)}


def _moves(arm: ServoArm) -> Callable[..., None]:
    """Return a function that moves joints (rad) of an arm by hand, one after the other, while the hand holds
    the others.
    """
    if not arm.hand.scripted:
        arm.hand.follow(arm.positions, 0.0)
        arm.hand.scripted = True
    return lambda targets, seconds=SWEEP_S: arm.hand.move(targets, seconds)


def _detail(words: list[str], arm: ServoArm) -> tuple[str, float]:
    if len(words) != 2:
        raise InvalidArgumentError("move needs a joint and an angle in degrees, such as: move elbow_flex 30")
    require_one_of("joint", words[0], arm.joints)
    try:
        return words[0], math.radians(float(words[1]))
    except ValueError:
        raise InvalidArgumentError(f"{words[1]!r} is not an angle in degrees") from None
