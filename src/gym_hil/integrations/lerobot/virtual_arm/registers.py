"""Registers of the Feetech STS3215: their addresses, sizes and initial values.

Addresses and sizes are those of Feetech's memory table of the STS series, as LeRobot 0.6.1 uses them. Initial values
are from the table; firmware 3.9 and model 777 are those that servos of an SO-101 report. Registers below address `RAM`
keep their values without power.
"""

from __future__ import annotations

from dataclasses import dataclass

RAM = 40
"""First address whose value is lost without power."""
SIZE = 128
"""Size of a servo's memory (bytes)."""
BAUD_RATES = (1_000_000, 500_000, 250_000, 128_000, 115_200, 57_600, 38_400, 19_200)
"""Bits per second, by the value of `BAUD_RATE`."""


@dataclass(frozen=True)
class Register:
    """One register.

    Attributes:
        address: address of its first byte.
        size: number of bytes.
        initial: value as delivered, or after power-on.
        sign_bit: the bit that marks negative values; None if there are none.
        read_only: whether it cannot be written.
    """

    address: int
    size: int = 1
    initial: int = 0
    sign_bit: int | None = None
    read_only: bool = False


FIRMWARE_MAJOR = Register(0, initial=3, read_only=True)
FIRMWARE_MINOR = Register(1, initial=9, read_only=True)
MODEL = Register(3, 2, 777, read_only=True)
ID = Register(5, initial=1)
BAUD_RATE = Register(6)
RETURN_DELAY = Register(7)
RESPONSE_LEVEL = Register(8, initial=1)
"""0: only PING and READ are answered; 1: everything that is not broadcast."""
MIN_POSITION = Register(9, 2, 0)
MAX_POSITION = Register(11, 2, 4095)
MAX_TEMPERATURE = Register(13, initial=70)  # deg C
MAX_VOLTAGE = Register(14, initial=80)  # 0.1 V
MIN_VOLTAGE = Register(15, initial=40)  # 0.1 V
MAX_TORQUE = Register(16, 2, 1000)
"""Copied to `TORQUE_LIMIT` at power-on (0.1 % of the stall torque)."""
PHASE = Register(18, initial=12)
UNLOADING = Register(19, initial=44)
"""Error bits that switch the torque off."""
LED_ALARM = Register(20, initial=47)
P_GAIN = Register(21, initial=32)
D_GAIN = Register(22, initial=32)
I_GAIN = Register(23)
PROTECTION_CURRENT = Register(28, 2, 500)  # 6.5 mA
RESOLUTION = Register(30, initial=1)
HOMING_OFFSET = Register(31, 2, 0, sign_bit=11)
"""Subtracted from the position of the encoder."""
OPERATING_MODE = Register(33)
PROTECTIVE_TORQUE = Register(34, initial=20)
"""Remaining share of the stall torque after an overload (%)."""
PROTECTION_TIME = Register(35, initial=200)  # 10 ms
OVERLOAD_TORQUE = Register(36, initial=80)
"""Load that is an overload if it lasts for `PROTECTION_TIME` (%)."""
OVERCURRENT_TIME = Register(38, initial=200)  # 10 ms
TORQUE_ENABLE = Register(40)
ACCELERATION = Register(41)  # 100 counts/s^2; 0 for no limit
GOAL_POSITION = Register(42, 2, sign_bit=15)
GOAL_TIME = Register(44, 2)
GOAL_VELOCITY = Register(46, 2, sign_bit=15)  # counts/s; 0 for the fastest
TORQUE_LIMIT = Register(48, 2, 1000)  # 0.1 % of the stall torque
LOCK = Register(55, initial=1)
"""1: values written below `RAM` are lost without power."""
PRESENT_POSITION = Register(56, 2, sign_bit=15, read_only=True)  # counts
PRESENT_VELOCITY = Register(58, 2, sign_bit=15, read_only=True)  # counts/s
PRESENT_LOAD = Register(60, 2, sign_bit=10, read_only=True)  # 0.1 % of the stall torque
PRESENT_VOLTAGE = Register(62, initial=74, read_only=True)  # 0.1 V
PRESENT_TEMPERATURE = Register(63, initial=25, read_only=True)  # deg C
STATUS = Register(65, read_only=True)
MOVING = Register(66, read_only=True)
PRESENT_CURRENT = Register(69, 2, sign_bit=15, read_only=True)  # 6.5 mA
MAX_VELOCITY = Register(84, initial=61)  # 50 counts/s
MAX_ACCELERATION = Register(85, initial=254)  # 100 counts/s^2

REGISTERS: tuple[Register, ...] = tuple(value for value in globals().values() if isinstance(value, Register))
READ_ONLY = frozenset(
    address
    for register in REGISTERS
    if register.read_only
    for address in range(register.address, register.address + register.size)
)
"""Addresses that a WRITE does not change."""
