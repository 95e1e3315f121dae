"""Progress bars of the commands, with an estimate of the remaining time."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


def progress_bar(console: Console) -> Progress:
    """Return progress bars for a terminal of 80 columns, which disappear at the end.

    They are written to the error stream, if that is a terminal. If the output goes to the same terminal, its lines
    appear above the bars.

    Args:
        console: the console for the command's output.
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
