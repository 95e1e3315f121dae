"""Measure the accuracy and the cost of the physics for several time steps, integrators and solver settings.

    python benchmarks/accuracy.py
    python benchmarks/accuracy.py --episodes 50 --json accuracy.json

With each setting, the robot picks the cube of PickCube from the same random start states, holds it for ten seconds
and is shaken for three. Before that, it repeats the actions of a reference (0.5 ms per physics step, otherwise the
package's own settings). The settings take turns within an episode, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import mujoco
import numpy as np
from rich.console import Console
from rich.table import Table

from gym_hil.robots import ROBOTS
from gym_hil.robots.geometry import Box
from gym_hil.simulation.simulation import Simulation
from gym_hil.simulation.sleep import sleeps
from gym_hil.tasks import TASKS

PANDA = ROBOTS["panda"]

TASK = TASKS["PickCube"](PANDA)
LOW, HIGH = TASK.workspace.low, TASK.workspace.high
FULL = 0.025
"""Motion at full deflection of the stick (m per control period)."""
NO_TURN = np.zeros(3)


@dataclass(frozen=True)
class Setting:
    """Settings of the simulator. The defaults are those of the package."""

    physics_dt: float = 0.004
    integrator: str = "implicitfast"
    solver: str = "Newton"
    iterations: int = 100
    tolerance: float = 1e-8
    cone: str = "elliptic"
    impratio: float = 10.0
    sleep: bool = sleeps()
    """Bodies that lie still are not computed (MuJoCo calls this sleep)."""

    def __str__(self) -> str:
        usual = Setting()
        changed = [
            str(value) if isinstance(value, str) else f"{key} {value:g}"
            for key, value in asdict(self).items()
            if key != "physics_dt" and value != getattr(usual, key)
        ]
        return ", ".join([f"{self.physics_dt * 1e3:g} ms", *changed])

    def simulation(self) -> Simulation:
        sim = Simulation(PANDA, TASK.scene, control_dt=0.1, physics_dt=self.physics_dt)
        option = sim.model.opt
        option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{self.integrator.upper()}")
        option.solver = getattr(mujoco.mjtSolver, f"mjSOL_{self.solver.upper()}")
        option.cone = getattr(mujoco.mjtCone, f"mjCONE_{self.cone.upper()}")
        sleeping = int(mujoco.mjtEnableBit.mjENBL_SLEEP)
        option.enableflags = option.enableflags & ~sleeping | (sleeping if self.sleep else 0)
        option.iterations, option.tolerance, option.impratio = self.iterations, self.tolerance, self.impratio
        return sim


REFERENCE = Setting(physics_dt=0.0005)
OURS = Setting()
SETTINGS = (
    *(replace(OURS, physics_dt=ms / 1e3) for ms in (1, 2, 4, 5, 10)),
    *([replace(OURS, sleep=False)] if OURS.sleep else []),
    replace(OURS, integrator="Euler"),
    replace(OURS, integrator="implicit"),
    replace(OURS, integrator="Euler", physics_dt=0.002),
    replace(OURS, solver="CG"),
    replace(OURS, solver="PGS"),
    replace(OURS, iterations=5),
    replace(OURS, iterations=2),
    replace(OURS, tolerance=1e-5),
    replace(OURS, cone="pyramidal"),
    replace(OURS, impratio=1.0),
)


@dataclass
class Episode:
    """Results of one setting from one start state."""

    lifted: bool = False
    kept: bool = False
    """The cube is still between the fingers after holding and shaking."""
    deepest_mm: float = 0.0
    slip_mm: float = 0.0
    """Distance by which the cube slipped in the hand while it was held still for ten seconds."""
    deviation_mm: float = 0.0
    """Largest distance from the TCP of the reference, with the same actions."""
    cube_deviation_mm: float = 0.0
    step_us: float = 0.0
    stable: bool = True


@dataclass
class Action:
    """Command to `Simulation` for one control period."""

    translation: np.ndarray
    opening: float


def step(sim: Simulation, translation, rotation, low, high) -> None:
    sim.end_effectors[0].move(translation, rotation, Box(tuple(low), tuple(high)))
    sim.step()


def play(sim: Simulation, action: Action) -> None:
    sim.command_gripper(action.opening)
    step(sim, action.translation, NO_TURN, LOW, HIGH)


def expert(sim: Simulation, start: dict) -> Action:
    intent = TASK.intent(sim, start)
    return Action(np.clip(intent.tcp_pos_w - sim.target_pos_w, -FULL, FULL), intent.opening)


def in_hand(sim: Simulation) -> np.ndarray:
    return sim.body_pos_w("cube") - sim.tcp_pos_w


def record(start: dict) -> tuple[list[Action], np.ndarray]:
    """Return the actions of the expert with the reference setting, and the paths of TCP and cube."""
    sim = REFERENCE.simulation()
    sim.reset(start)
    actions, path = [], []
    for _ in range(60):
        actions.append(expert(sim, start))
        play(sim, actions[-1])
        path.append([sim.tcp_pos_w.copy(), sim.body_pos_w("cube").copy()])
        if TASK.success(sim, start):
            break
    return actions, np.array(path)


def evaluate(sim: Simulation, start: dict, rng: np.random.Generator, reference: tuple) -> Episode:
    episode = Episode()
    actions, path = reference
    sim.reset(start)
    own_path, times = [], []
    for action in actions:
        before = perf_counter()
        play(sim, action)
        times.append(perf_counter() - before)
        own_path.append([sim.tcp_pos_w.copy(), sim.body_pos_w("cube").copy()])
    deviations = np.linalg.norm(np.array(own_path) - path, axis=2).max(axis=0) * 1e3
    episode.deviation_mm, episode.cube_deviation_mm = map(float, deviations)
    episode.step_us = median(times) * 1e6

    def run(steps: int, choose) -> None:
        for _ in range(steps):
            play(sim, choose())
            contacts = sim.data.contact.dist[: sim.data.ncon]
            episode.deepest_mm = max(episode.deepest_mm, -1e3 * float(contacts.min(initial=0.0)))
            episode.lifted = episode.lifted or TASK.success(sim, start)

    sim.reset(start)
    run(60, lambda: expert(sim, start))
    before = in_hand(sim)
    run(100, lambda: Action(np.zeros(3), 0.0))
    episode.slip_mm = 1e3 * float(np.linalg.norm(in_hand(sim) - before))
    run(30, lambda: Action(FULL * rng.choice([-1.0, 1.0], 3) * [1, 1, 0.5], 0.0))
    episode.kept = bool(episode.lifted and np.linalg.norm(in_hand(sim)) < 0.03)
    episode.stable = sim.stable and not any(warning.number for warning in sim.data.warning)
    return episode


def summarise(episodes: list[Episode]) -> dict[str, float]:
    kept = [episode for episode in episodes if episode.kept]
    return {
        "lifted": float(np.mean([episode.lifted for episode in episodes])),
        "kept": float(np.mean([episode.kept for episode in episodes])),
        "deepest_mm": max(episode.deepest_mm for episode in episodes),
        "slip_mm": max((episode.slip_mm for episode in kept), default=float("nan")),
        "deviation_mm": median(episode.deviation_mm for episode in episodes),
        "cube_deviation_mm": median(episode.cube_deviation_mm for episode in episodes),
        "step_us": median(episode.step_us for episode in episodes),
        "stable": float(np.mean([episode.stable for episode in episodes])),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=20, help="random starts (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of starts and shakes (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    if options.episodes < 1:
        parser.error(f"--episodes {options.episodes} must be at least 1")
    settings = (REFERENCE, *SETTINGS)
    simulations = {setting: setting.simulation() for setting in settings}
    episodes: dict[Setting, list[Episode]] = {setting: [] for setting in settings}
    for number in range(options.episodes):
        start = TASK.sample_start(np.random.default_rng([options.seed, number]), randomise=True, options={})
        reference = record(start)
        for setting, sim in simulations.items():
            shakes = np.random.default_rng([options.seed, number, 1])
            episodes[setting].append(evaluate(sim, start, shakes, reference))
    by_setting = {setting: summarise(each) for setting, each in episodes.items()}
    show(by_setting)
    if options.json:
        rows = [{**asdict(setting), **figures} for setting, figures in by_setting.items()]
        options.json.write_text(json.dumps({"episodes": options.episodes, "settings": rows}, indent=2) + "\n")
    return 0 if by_setting[OURS]["kept"] == 1.0 else 1


def show(found: dict[Setting, dict[str, float]]) -> None:
    table = Table(
        "setting", "lifted", "kept", "deepest contact", "slip in 10 s", "TCP off", "cube off", "per period"
    )
    for setting, row in found.items():
        name = f"{setting} (ours)" if setting == OURS else str(setting)
        table.add_row(
            name + ("" if row["stable"] == 1.0 else " UNSTABLE"),
            f"{row['lifted']:.0%}",
            f"{row['kept']:.0%}",
            f"{row['deepest_mm']:.2f} mm",
            f"{row['slip_mm']:.3f} mm",
            f"{row['deviation_mm']:.2f} mm",
            f"{row['cube_deviation_mm']:.2f} mm",
            f"{row['step_us']:.0f} us",
        )
    Console(width=130).print(table)


if __name__ == "__main__":
    sys.exit(main())
