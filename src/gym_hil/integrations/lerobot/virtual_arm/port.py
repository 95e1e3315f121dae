"""A serial port for other programs, implemented by a pseudo-terminal."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

from gym_hil.core.errors import DeviceError

NO_FILE = -1
TERMIOS2 = "4I B 19B 2I"
"""Format of Linux's ``struct termios2``; the last two numbers are the speeds of input and output (bits per
second)."""
GET_TERMIOS2 = 0x802C542A


class Port:
    """A serial port with a fixed address, whatever the number of its pseudo-terminal.

    Args:
        path: the address: a symbolic link to the pseudo-terminal, which exists while the cable is connected.

    Raises:
        DeviceError: this machine has no pseudo-terminals, or another file exists at the address.
    """

    def __init__(self, path: Path) -> None:
        if sys.platform == "win32":
            raise DeviceError("a virtual arm needs pseudo-terminals, which Windows does not have")
        self.path = path
        self._own_end = self._client_end = NO_FILE
        self.plug()

    @property
    def fd(self) -> int:
        """File descriptor for waiting; -1 while the cable is disconnected."""
        return self._own_end

    @property
    def plugged(self) -> bool:
        """Whether the cable is connected."""
        return self._own_end != NO_FILE

    def plug(self) -> None:
        """Connect the cable."""
        if self.plugged:
            return
        import tty

        if os.path.lexists(self.path) and not self.path.is_symlink():
            raise DeviceError(f"{self.path} exists and is not a virtual port")
        # Both ends remain open, so that a program that closes the port causes no hang-up.
        self._own_end, self._client_end = os.openpty()
        tty.setraw(self._client_end)
        os.set_blocking(self._own_end, False)
        try:
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(os.ttyname(self._client_end))
        except OSError as error:
            self.unplug()
            raise DeviceError(f"a port cannot be created at {self.path}: {error.strerror}") from error

    def unplug(self) -> None:
        """Disconnect the cable: the address disappears, and programs that have opened it get errors."""
        if not self.plugged:
            return
        if self.path.is_symlink():
            self.path.unlink()
        os.close(self._own_end)
        os.close(self._client_end)
        self._own_end = self._client_end = NO_FILE

    def read(self) -> bytes:
        """Return the bytes that programs have sent since the last call."""
        try:
            return os.read(self._own_end, 4096)
        except (BlockingIOError, OSError):
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes. Bytes beyond the buffer of the terminal are discarded."""
        if self.plugged:
            try:
                os.write(self._own_end, data)
            except BlockingIOError:
                return

    def drop_unread(self) -> None:
        """Discard bytes that were sent but not read."""
        import termios

        termios.tcflush(self._client_end, termios.TCIFLUSH)

    @property
    def baud_rate(self) -> int:
        """Bits per second set by the program."""
        import fcntl
        import termios

        if sys.platform != "linux":
            return int(termios.tcgetattr(self._client_end)[5])
        answer = fcntl.ioctl(self._client_end, GET_TERMIOS2, bytes(struct.calcsize(TERMIOS2)))
        return int(struct.unpack(TERMIOS2, answer)[-1])
