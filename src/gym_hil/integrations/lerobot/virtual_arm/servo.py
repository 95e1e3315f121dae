"""One STS3215 servo: its memory and its control of the joint.

Position, velocity and torque of the joint are from the simulation, and load, current and temperature are derived from
them. The gains (the joint has the stiffness of the robot), the modes for speed and steps, and changes of the supply
voltage are not modelled.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from gym_hil.integrations.lerobot.virtual_arm import registers as reg
from gym_hil.integrations.lerobot.virtual_arm.protocol import to_bytes, to_number
from gym_hil.integrations.lerobot.virtual_arm.registers import Register

COUNTS = 4096
"""Encoder counts per turn."""
RAD_PER_COUNT = 2.0 * math.pi / COUNTS
STALL_CURRENT = 2.5
"""Current at full load (A), approximately that of the data sheet for 7.4 V."""
IDLE_CURRENT = 0.15
"""Current of a powered servo without load (A)."""
CURRENT_UNIT = 0.0065
"""Unit of the registers of currents (A)."""
ROOM_TEMPERATURE = 25.0
FULL_LOAD_HEATING = 114.0
"""Steady-state temperature rise at full load (K). Users measured 48 deg C after ten minutes at 45 % load
(robonine, in the discussion of backlash at github.com/TheRobotStudio/SO-ARM100/issues/134); the heating is
proportional to the square of the load."""
THERMAL_TIME = 200.0
"""Thermal time constant (s), assumed in accordance with this measurement."""
MOVING_VELOCITY = 10.0
"""Velocity from which on the servo reports a motion (counts/s)."""


class Error(enum.IntFlag):
    """Bits of the register `STATUS` and of every answer."""

    VOLTAGE = 1
    ENCODER = 2
    OVERHEAT = 4
    OVERCURRENT = 8
    OVERLOAD = 32


@dataclass(frozen=True)
class JointState:
    """State of a servo's joint: position (rad), velocity (rad/s) and the servo's torque (N m)."""

    position: float
    velocity: float
    torque: float


@dataclass(frozen=True)
class Drive:
    """Output of a servo: set-point of the joint's position (rad), and largest torque (N m)."""

    setpoint: float
    torque_limit: float


class Servo:
    """A servo.

    Args:
        servo_id: its address.
        zero: reading of the encoder at joint position 0, which depends on the mounting of the horn (counts).
        stall_torque: largest torque, at standstill (N m).

    Attributes:
        room_temperature: ambient temperature (deg C).
    """

    def __init__(self, servo_id: int, zero: int, stall_torque: float) -> None:
        self._zero, self._stall_torque = zero, stall_torque
        self.room_temperature = ROOM_TEMPERATURE
        self._memory = bytearray(reg.SIZE)
        for register in reg.REGISTERS:
            self._set(register, register.initial)
        self._set(reg.ID, servo_id)
        self._kept = self._memory[: reg.RAM]
        self._temperature = ROOM_TEMPERATURE
        self._errors = Error(0)
        self.power_cycle()

    def get(self, register: Register) -> int:
        """Return the value of a register."""
        end = register.address + register.size
        return to_number(bytes(self._memory[register.address : end]), register.sign_bit)

    def keep(self, register: Register, value: int) -> None:
        """Set a register that keeps its value without power, as in the factory."""
        self._set(register, value)
        self._kept = self._memory[: reg.RAM]

    @property
    def errors(self) -> Error:
        """The current error bits."""
        return self._errors

    @property
    def baud_rate(self) -> int:
        """Baud rate (bits/s); 0 if its register contains no valid number."""
        number = self.get(reg.BAUD_RATE)
        return reg.BAUD_RATES[number] if number < len(reg.BAUD_RATES) else 0

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of the memory; bytes beyond its end are 0."""
        return bytes(self._memory[address : address + size]).ljust(size, b"\0")

    def write(self, address: int, data: bytes) -> None:
        """Write bytes to the memory, except read-only ones. Bytes below `registers.RAM` are permanent if the
        memory is unlocked.
        """
        powered, locked = self.get(reg.TORQUE_ENABLE), self.get(reg.LOCK)
        for at, value in enumerate(data, address):
            if at < reg.SIZE and at not in reg.READ_ONLY:
                self._memory[at] = value
                if at < reg.RAM and not locked:
                    self._kept[at] = value
        if self.get(reg.TORQUE_ENABLE) and not powered:
            self._set(reg.GOAL_POSITION, self.get(reg.PRESENT_POSITION))
            self._unloaded = self._overloaded = False

    def power_cycle(self) -> None:
        """Switch the servo off and on: values that were written while it was locked are lost."""
        for register in reg.REGISTERS:
            self._set(register, register.initial)
        self._memory[: reg.RAM] = self._kept
        self._set(reg.TORQUE_LIMIT, self.get(reg.MAX_TORQUE))
        self._setpoint: float | None = None
        self._speed = 0.0
        self._overload_s = self._overcurrent_s = 0.0
        self._overloaded = self._unloaded = False
        self._pushing = 0.0

    def update(self, joint: JointState, dt: float) -> Drive:
        """Measure, check for errors, and return the output to the joint for the next `dt` seconds."""
        load = joint.torque / self._stall_torque
        powered = bool(self.get(reg.TORQUE_ENABLE))
        current = (IDLE_CURRENT + STALL_CURRENT * abs(load)) / CURRENT_UNIT if powered else 0.0
        self._update_temperature(load, dt)
        self._protect(joint, load, current, powered, dt)
        position = (joint.position / RAD_PER_COUNT + self._zero - self.get(reg.HOMING_OFFSET)) % COUNTS
        velocity = joint.velocity / RAD_PER_COUNT
        self._set(reg.PRESENT_POSITION, round(position) % COUNTS)
        self._set(reg.PRESENT_VELOCITY, round(velocity))
        self._set(reg.PRESENT_LOAD, round(1000.0 * load))
        self._set(reg.PRESENT_CURRENT, round(math.copysign(current, load)))
        self._set(reg.PRESENT_TEMPERATURE, round(self._temperature))
        self._set(reg.STATUS, int(self._errors))
        self._set(reg.MOVING, int(abs(velocity) > MOVING_VELOCITY))
        if not powered or self._unloaded or self._setpoint is None:
            self._setpoint, self._speed = joint.position, 0.0
        if not powered or self._unloaded:
            return Drive(joint.position, 0.0)
        low, high = self.get(reg.MIN_POSITION), self.get(reg.MAX_POSITION)
        goal = min(max(self.get(reg.GOAL_POSITION), low), high) if low < high else self.get(reg.GOAL_POSITION)
        self._approach(joint.position + (goal - position) * RAD_PER_COUNT, dt)
        share = self.get(reg.PROTECTIVE_TORQUE) / 100 if self._overloaded else 1.0
        limit = min(share, self.get(reg.TORQUE_LIMIT) / 1000)
        return Drive(self._setpoint, limit * self._stall_torque)

    def _approach(self, goal: float, dt: float) -> None:
        """Move the set-point towards `goal` (rad) within the limits of speed and acceleration."""
        assert self._setpoint is not None
        fastest = 50 * self.get(reg.MAX_VELOCITY) * RAD_PER_COUNT
        requested = abs(self.get(reg.GOAL_VELOCITY)) * RAD_PER_COUNT
        speed = min(requested or fastest, fastest)
        distance = goal - self._setpoint
        acceleration = 100 * self.get(reg.ACCELERATION) * RAD_PER_COUNT
        if acceleration:
            speed = min(speed, math.sqrt(2.0 * acceleration * abs(distance)))
            change = math.copysign(speed, distance) - self._speed
            self._speed += min(max(change, -acceleration * dt), acceleration * dt)
        else:
            self._speed = math.copysign(speed, distance)
        step = self._speed * dt
        if abs(distance) <= abs(step) and step * distance >= 0.0:
            self._setpoint, self._speed = goal, distance / dt
        else:
            self._setpoint += step

    def _update_temperature(self, load: float, dt: float) -> None:
        settled = self.room_temperature + FULL_LOAD_HEATING * load * load
        self._temperature += (settled - self._temperature) * dt / THERMAL_TIME
        if self.room_temperature > ROOM_TEMPERATURE:  # external heating takes effect immediately
            self._temperature = max(self._temperature, self.room_temperature)

    def _protect(self, joint: JointState, load: float, current: float, powered: bool, dt: float) -> None:
        """Determine the error bits, and reduce the torque according to `registers.UNLOADING`."""
        over = abs(load) > self.get(reg.OVERLOAD_TORQUE) / 100
        self._overload_s = self._overload_s + dt if over else 0.0
        if self._overload_s > self.get(reg.PROTECTION_TIME) / 100:
            self._overloaded, self._pushing = True, load
        # The servo recovers when it is commanded to move in the other direction, or is switched off.
        away_from_obstacle = (
            self._setpoint is None or (self._setpoint - joint.position) * self._pushing <= 0.0
        )
        self._overloaded &= powered and not away_from_obstacle
        # An overload has already reduced the torque, and with it the current.
        over = current > self.get(reg.PROTECTION_CURRENT) and not self._overloaded
        self._overcurrent_s = self._overcurrent_s + dt if over else 0.0
        errors = Error.OVERLOAD if self._overloaded else Error(0)
        if self._overcurrent_s > self.get(reg.OVERCURRENT_TIME) / 100:
            errors |= Error.OVERCURRENT
        if self._temperature >= self.get(reg.MAX_TEMPERATURE):
            errors |= Error.OVERHEAT
        self._errors = errors
        self._unloaded |= bool(errors & self.get(reg.UNLOADING) & ~Error.OVERLOAD)

    def _set(self, register: Register, value: int) -> None:
        start, size = register.address, register.size
        self._memory[start : start + size] = to_bytes(value, size, register.sign_bit)
