"""Progress bars of the commands, with an estimate of the time left."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


def progress_bar(console: Console) -> Progress:
    """Return progress bars that fit a terminal of 80 columns, and leave nothing behind.

    They belong to the error stream: where that is no terminal, nothing is shown. Where the output goes to the same
    terminal, its lines appear above the bars.

    Args:
        console: what the command prints its output to.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    shown = sys.stderr is not None and sys.stderr.isatty()
    stream = console if console.is_terminal else Console(stderr=True)
    return Progress(*columns, console=stream, transient=True, disable=not shown)
