"""Run one workload of one contender in the contender's interpreter. Requests and answers are lines of JSON.

    -> {"path": folder, "module": name, "make": "module:function", "kwargs": {...}, "seed": n}     once
    <- {"import_s", "make_s", "reset_s", "first_step_s", "facts": {...}}
    -> {"steps": n}                                                          any number of times
    <- {"steps", "step_s", "cpu_s", "sim_s", "resets", "reset_s", "memory_mb"}
    <- {"error": "..."}                                                      on failure, and the process exits

After the end of an episode the environment is reset, and that time is counted separately. The output of the contender
goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import resource
import sys
import traceback
from time import perf_counter, process_time


def facts(env, control_dt: float) -> dict:
    """Return facts about the model that explain differences in speed."""
    import mujoco

    model = env.unwrapped.model
    opt = model.opt
    shown = (model.geom_type == mujoco.mjtGeom.mjGEOM_MESH) & (model.geom_group < 3)
    meshes = model.geom_dataid[shown & (model.geom_rgba[:, 3] > 0)]
    lights = getattr(model, "light_castshadow", ())
    return {
        "python": platform.python_version(),
        "mujoco": mujoco.__version__,
        "control_hz": round(1 / control_dt, 3),
        "timestep_ms": round(opt.timestep * 1e3, 6),
        "substeps": round(control_dt / opt.timestep),
        "solver": mujoco.mjtSolver(opt.solver).name.removeprefix("mjSOL_").lower(),
        "integrator": mujoco.mjtIntegrator(opt.integrator).name.removeprefix("mjINT_").lower(),
        "cone": mujoco.mjtCone(opt.cone).name.removeprefix("mjCONE_").lower(),
        "iterations": int(opt.iterations),
        "noslip": int(opt.noslip_iterations),
        "dofs": int(model.nv),
        "geoms": int(model.ngeom),
        "shown_mesh_faces": int(model.mesh_facenum[meshes].sum()) if len(meshes) else 0,
        "shadow_lights": int(sum(map(bool, lights))),
        "shadow_map": int(model.vis.quality.shadowsize),
        "multisamples": int(model.vis.quality.offsamples),
        "opengl": opengl(),
    }


def opengl() -> str:
    """Return the renderer of the current OpenGL context, or an empty string if that is unknown."""
    if "OpenGL" not in sys.modules:
        return ""
    try:
        from OpenGL import GL

        return GL.glGetString(GL.GL_RENDERER).decode()
    except Exception:
        return ""


class Session:
    def __init__(self, path: str, module: str, make: str, kwargs: dict, seed: int):
        import numpy as np

        sys.path.insert(0, path)
        start = perf_counter()
        importlib.import_module(module)
        imported = perf_counter()
        source, _, function = make.partition(":")
        self.env = getattr(importlib.import_module(source), function)(**kwargs)
        made = perf_counter()
        self.env.reset(seed=seed)
        was_reset = perf_counter()
        self.random = np.random.default_rng(seed)
        first = self.run(1)
        self.opened = {
            "import_s": imported - start,
            "make_s": made - imported,
            "reset_s": was_reset - made,
            "first_step_s": first["step_s"],
            "facts": facts(self.env, first["sim_s"] / first["steps"]),
        }

    def now(self) -> float:
        """Simulated time (s)."""
        return float(self.env.unwrapped.data.time)

    def run(self, steps: int) -> dict:
        env, space = self.env, self.env.action_space
        actions = self.random.uniform(space.low, space.high, (steps, *space.shape)).astype(space.dtype)
        step_s = cpu_s = sim_s = reset_s = 0.0
        resets = 0
        clock, start, cpu_start = self.now(), perf_counter(), process_time()
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                ended = perf_counter()
                step_s += ended - start
                cpu_s += process_time() - cpu_start
                sim_s += self.now() - clock
                env.reset()
                resets += 1
                clock, start, cpu_start = self.now(), perf_counter(), process_time()
                reset_s += start - ended
        step_s += perf_counter() - start
        cpu_s += process_time() - cpu_start
        sim_s += self.now() - clock
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {
            "steps": steps * getattr(env, "num_envs", 1),
            "step_s": step_s,
            "cpu_s": cpu_s,
            "sim_s": sim_s,
            "resets": resets,
            "reset_s": reset_s,
            "memory_mb": memory_mb,
        }


def main() -> int:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    session = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if session is None:
                session = Session(**request)
                answer = session.opened
            else:
                answer = session.run(**request)
        except BaseException as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)
        if "error" in answer:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
