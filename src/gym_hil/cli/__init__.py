"""The command ``gym-hil``, a thin layer over the library."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

STOPPED = 130
"""Exit status after Ctrl-C, as in shells, and after SIGTERM."""


def main() -> None:
    """Run the command line. The exit status is 0 only if the command succeeded."""
    from gym_hil.core.errors import GymHilError
    from gym_hil.core.files import reason

    sys.unraisablehook = _interrupt_again
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)
    if sys.argv[1:] == ["--version"]:
        from gym_hil import __version__

        print(f"gym-hil {__version__}")
        return
    try:
        status = _run()
        sys.stdout.flush()
        sys.exit(status)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(STOPPED)
    except GymHilError as error:
        print(f"gym-hil: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"gym-hil: {where}{reason(error)}", file=sys.stderr)
        sys.exit(1)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Treat SIGTERM like Ctrl-C, so that the command stops its processes and leaves usable files."""
    raise KeyboardInterrupt


def _interrupt_again(ignored: sys.UnraisableHookArgs) -> None:
    """Interrupt the program again if Python has ignored Ctrl-C, as it does in a callback of the garbage collector."""
    if issubclass(ignored.exc_type, KeyboardInterrupt):
        threading.Timer(0.1, _interrupt_main_thread).start()
    else:
        sys.__unraisablehook__(ignored)


def _interrupt_main_thread() -> None:
    """Raise KeyboardInterrupt in the main thread, even while it sleeps."""
    main_thread = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


def _run() -> int:
    """Run the command that the arguments name, and return its exit status."""
    from typing import Annotated

    import tyro

    from gym_hil.simulation.gl import import_mujoco

    import_mujoco()  # the help and most commands do not render, so that an invalid MUJOCO_GL must not stop them

    from gym_hil.cli.bench import Bench
    from gym_hil.cli.benchmark import Benchmark
    from gym_hil.cli.common import with_home
    from gym_hil.cli.doctor import Doctor
    from gym_hil.cli.humans import Humans
    from gym_hil.cli.inspect_command import Inspect
    from gym_hil.cli.lerobot_config import LerobotConfig
    from gym_hil.cli.lerobot_policy import LerobotPolicy
    from gym_hil.cli.list_command import List
    from gym_hil.cli.play import Play
    from gym_hil.cli.record import Record
    from gym_hil.cli.replay import Replay
    from gym_hil.cli.reward import Reward
    from gym_hil.cli.study import CompareRuns
    from gym_hil.cli.train import Eval, Train
    from gym_hil.cli.virtual_arm import VirtualArm
    from gym_hil.core.errors import InvalidArgumentError

    command = tyro.cli(
        Annotated[Play, tyro.conf.subcommand("play")]
        | Annotated[List, tyro.conf.subcommand("list")]
        | Annotated[Doctor, tyro.conf.subcommand("doctor")]
        | Annotated[Bench, tyro.conf.subcommand("bench")]
        | Annotated[Train, tyro.conf.subcommand("train")]
        | Annotated[Eval, tyro.conf.subcommand("eval")]
        | Annotated[CompareRuns, tyro.conf.subcommand("study")]
        | Annotated[Benchmark, tyro.conf.subcommand("benchmark")]
        | Annotated[Record, tyro.conf.subcommand("record")]
        | Annotated[Replay, tyro.conf.subcommand("replay")]
        | Annotated[Inspect, tyro.conf.subcommand("inspect")]
        | Annotated[Reward, tyro.conf.subcommand("reward")]
        | Annotated[Humans, tyro.conf.subcommand("humans")]
        | Annotated[LerobotConfig, tyro.conf.subcommand("lerobot-config")]
        | Annotated[LerobotPolicy, tyro.conf.subcommand("lerobot-policy")]
        | Annotated[VirtualArm, tyro.conf.subcommand("virtual-arm")],
        prog="gym-hil",
        description="Human-in-the-loop robot learning in MuJoCo. `gym-hil --version` prints the version.",
        config=(tyro.conf.DisallowNone,),
    )
    seed = getattr(getattr(command, "command", command), "seed", None)
    if seed is not None and seed < 0:
        raise InvalidArgumentError(f"seed={seed} must be at least 0")
    return int(with_home(command).run())
