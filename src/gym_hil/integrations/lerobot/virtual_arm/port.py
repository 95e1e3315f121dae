"""A serial port that a program can open, made of a pseudo-terminal."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

from gym_hil.core.errors import DeviceError

NO_FILE = -1
TERMIOS2 = "4I B 19B 2I"
"""Linux's ``struct termios2``: its last two numbers are the speeds of input and output (bits per second)."""
GET_TERMIOS2 = 0x802C542A


class Port:
    """A serial port at an address that stays, whatever the number of its pseudo-terminal.

    Args:
        path: the address: a symbolic link to the pseudo-terminal, which is there while the cable is plugged in.

    Raises:
        DeviceError: this machine has no pseudo-terminals, or something else is at the address.
    """

    def __init__(self, path: Path) -> None:
        if sys.platform == "win32":
            raise DeviceError("a virtual arm needs pseudo-terminals, which Windows does not have")
        self.path = path
        self._own = self._programs = NO_FILE
        self.plug()

    @property
    def fd(self) -> int:
        """File descriptor to wait at; -1 while the cable is out."""
        return self._own

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._own != NO_FILE

    def plug(self) -> None:
        """Put the cable in."""
        if self.plugged:
            return
        import tty

        if os.path.lexists(self.path) and not self.path.is_symlink():
            raise DeviceError(f"{self.path} exists and is no virtual port")
        self._own, self._programs = (
            os.openpty()
        )  # a side that is never closed keeps the other one from hanging up
        tty.setraw(self._programs)
        os.set_blocking(self._own, False)
        try:
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(os.ttyname(self._programs))
        except OSError as error:
            self.unplug()
            raise DeviceError(f"no port can be made at {self.path}: {error.strerror}") from error

    def unplug(self) -> None:
        """Pull the cable: the address is gone, and who has opened it gets errors."""
        if not self.plugged:
            return
        if self.path.is_symlink():
            self.path.unlink()
        os.close(self._own)
        os.close(self._programs)
        self._own = self._programs = NO_FILE

    def read(self) -> bytes:
        """Return what programs have sent since the last call."""
        try:
            return os.read(self._own, 4096)
        except (BlockingIOError, OSError):
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes. What nobody reads is dropped when it no longer fits."""
        if self.plugged:
            try:
                os.write(self._own, data)
            except BlockingIOError:
                return

    def drop_unread(self) -> None:
        """Drop what was sent and not read."""
        import termios

        termios.tcflush(self._programs, termios.TCIFLUSH)

    @property
    def baud_rate(self) -> int:
        """Bits per second that the program has set."""
        import fcntl
        import termios

        if sys.platform != "linux":
            return int(termios.tcgetattr(self._programs)[5])
        answer = fcntl.ioctl(self._programs, GET_TERMIOS2, bytes(struct.calcsize(TERMIOS2)))
        return int(struct.unpack(TERMIOS2, answer)[-1])
