"""``gym-hil doctor``: checks what works on this machine."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from gym_hil.cli.common import plain_table, write_json
from gym_hil.core.errors import GymHilError
from gym_hil.core.extras import Requirement, install_command, requirements_by_extra


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    what: str
    works: bool
    found: str
    fix: str = ""


@dataclass(kw_only=True)
class Doctor:
    """Check what works on this machine, and tell how to fix what does not. Fails if simulation or rendering
    fails.
    """

    json: Path | None = None
    """Write the findings to this file as well."""
    map_gamepad: bool = False
    """Instead, map the sticks and buttons of an unknown gamepad interactively."""

    def run(self) -> int:
        """Print the findings, or map a gamepad."""
        if self.map_gamepad:
            from gym_hil.devices.gamepad_mapping import map_gamepad

            path = map_gamepad(lambda prompt: Console().print(f"Please {prompt}.", highlight=False))
            print(f"The mapping is stored in {path} and used from now on.")
            return 0
        findings = [_python(), _mujoco(), _rendering(), _display(), *_extras(), _gamepads()]
        table = plain_table("", "what", "found", "fix")
        for finding in findings:
            mark = "[green]ok[/]" if finding.works else "[yellow]--[/]"
            table.add_row(mark, *map(escape, (finding.what, finding.found, finding.fix)))
        Console().print(table)
        write_json(self.json, [asdict(finding) for finding in findings])
        return 0 if all(finding.works for finding in findings[:3]) else 1


def _python() -> Finding:
    return Finding("Python", True, f"{platform.python_version()} on {platform.platform()}")


def _mujoco() -> Finding:
    try:
        import mujoco

        from gym_hil.envs.manipulation import ManipulationEnv

        env = ManipulationEnv("PickCube")
        env.reset(seed=0)
        env.step(env.action_space.sample() * 0)
        return Finding("MuJoCo", True, mujoco.__version__)
    except Exception as error:
        return Finding("MuJoCo", False, str(error), "pip install --upgrade mujoco")


def _rendering() -> Finding:
    from gym_hil.simulation import gl

    try:
        context = gl.make_context(64, 64)
        from OpenGL import GL

        renderer = GL.glGetString(GL.GL_RENDERER)
        context.free()
        gl.release()
        name = renderer.decode() if renderer else "unknown renderer"
        return Finding("rendering", True, f"{gl.chosen_backend()}: {name}")
    except GymHilError as error:
        found, _, advice = str(error).partition(". ")
        fix = advice if advice.startswith("On ") else f"unset MUJOCO_GL. {advice}".strip()
        return Finding("rendering", False, found, fix)


def _display() -> Finding:
    from gym_hil.simulation.gl import has_display

    works = has_display()
    fix = "" if works else "not needed: use --web or --video"
    return Finding("display", works, "yes" if works else "none", fix)


def _extras() -> list[Finding]:
    return [
        _extra(extra, requirements)
        for extra, requirements in requirements_by_extra().items()
        if extra != "dev"
    ]


def _extra(extra: str, requirements: list[Requirement]) -> Finding:
    missing = [requirement for requirement in requirements if not requirement.is_installed]
    names = ", ".join(requirement.name for requirement in missing or requirements)
    if not missing:
        return Finding(f"extra {extra}", True, names)
    return Finding(f"extra {extra}", False, f"{names} missing", install_command(*missing))


def _gamepads() -> Finding:
    try:
        from gym_hil.devices.sdl import start

        pygame = start()
        pygame.event.pump()
        names = [pygame.joystick.Joystick(i).get_name() for i in range(pygame.joystick.get_count())]
    except GymHilError as error:
        return Finding("gamepads", False, "unknown", str(error))
    return Finding("gamepads", bool(names), ", ".join(names) or "none", "" if names else "plug one in")
