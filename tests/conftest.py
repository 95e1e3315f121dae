"""What every test may rely on."""

from __future__ import annotations

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # else a shell's background job would ignore Ctrl-C
