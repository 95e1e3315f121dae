"""Measure the speed of gym-hil and of similar packages with the same work, alternately in one run.

    python benchmarks/compare.py --list
    python benchmarks/compare.py --rounds 5 --json compare.json

Every contender gets its own Python environment (made once and kept in the cache) and one process per workload.
The rounds alternate between the processes, so that a busy machine slows all of them alike. The script reports medians
and ratios. If a contender cannot be installed or run, the script reports the reason and measures the others. It needs
only Python, and uses `uv` if that is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from statistics import median
from typing import Any

from contenders import CONTENDERS, HERE, ROUNDS, SCALE, WORKLOADS, Contender

Table = list[list[str]]


class ContenderError(Exception):
    """A contender cannot be installed or run; the message is the reason."""


def command(arguments: list[str], log: Path, timeout: float) -> None:
    with log.open("a", encoding="utf-8") as out:
        print("$", *arguments, file=out, flush=True)
        try:
            code = subprocess.run(arguments, stdout=out, stderr=subprocess.STDOUT, timeout=timeout).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ContenderError(f"{error} (log: {log})") from error
    if code:
        raise ContenderError(f"{reason(log)} (log: {log})")


def reason(log: Path) -> str:
    """Return the last error message of a log, or its last line if there is none."""
    lines = [
        line.strip()
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it printed nothing"])[-1][:300]


# --- environments ---


def find_python(version: str) -> str | None:
    """Return an interpreter of a version that can be started: this one, one on the path, or one of pyenv."""
    candidates = [sys.executable, shutil.which(f"python{version}")]
    candidates += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}*/bin/python")), reverse=True)
    for path in filter(None, candidates):
        query = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(query, capture_output=True, text=True).stdout.strip() == version:
            return path
    return None


def environment(contender: Contender, cache: Path, version: str, timeout: float) -> Path:
    """Return the interpreter of the contender's environment, which is made if it is not in the cache."""
    key = "\n".join((version, *contender.requirements))
    for requirement in contender.requirements:
        if requirement.startswith("-e "):
            key += (Path(requirement[3:]) / "pyproject.toml").read_text()
    folder = cache / f"{contender.module}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "installed"
    if done.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    log = folder.with_suffix(".log")
    log.unlink(missing_ok=True)
    uv, base = shutil.which("uv"), find_python(version)
    requirements = [part for requirement in contender.requirements for part in requirement.split(" ", 1)]
    if uv:
        command([uv, "venv", "--quiet", "--python", base or version, str(folder)], log, timeout)
        command([uv, "pip", "install", "--quiet", "--python", str(python), *requirements], log, timeout)
    elif base:
        command([base, "-m", "venv", str(folder)], log, timeout)
        command([str(python), "-m", "pip", "install", "--quiet", *requirements], log, timeout)
    else:
        raise ContenderError(f"Python {version} not found, nor uv to fetch it")
    done.touch()
    return python


# --- workers ---


class Worker:
    """Process of a contender that can run one workload.

    `opened` has the durations of its start and facts about its model.
    """

    def __init__(
        self,
        contender: Contender,
        workload: str,
        python: Path | str,
        log: Path,
        timeout: float,
        seed: int = 0,
    ):
        self.log, self.timeout = log, timeout
        env = dict(os.environ)
        if sys.platform == "linux":
            env.setdefault("MUJOCO_GL", "egl")
        with log.open("w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [str(python), "-I", str(HERE / "worker.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=env,
            )
        work = contender.workloads[workload]
        self.opened = self.ask(
            path=str(contender.path), module=contender.module, make=work.make, kwargs=work.kwargs, seed=seed
        )

    def ask(self, **request: Any) -> dict:
        assert self.process.stdin and self.process.stdout
        deadline = threading.Timer(self.timeout, self.process.kill)
        deadline.start()
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            in_time = deadline.is_alive()
            deadline.cancel()
        answer = json.loads(line) if line else {"error": reason(self.log)}
        if "error" in answer:
            self.close()
            message = answer["error"] if in_time else f"no answer within {self.timeout:g} s"
            raise ContenderError(f"{message} (log: {self.log})")
        return answer

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


# --- measuring ---


def measure(
    workload: str, contenders: list[Contender], pythons: dict[str, Path | str], options: argparse.Namespace
) -> list[dict]:
    """Return the results of one workload: start the contenders one by one, then measure each in every round."""
    results, workers = [], {}
    for contender in contenders:
        result: dict = {
            "contender": contender.name,
            "ours": contender.ours,
            "workload": workload,
            "rounds": [],
        }
        results.append(result)
        python = pythons[contender.name]
        if isinstance(python, ContenderError):
            result["error"] = f"not installed: {python}"
            continue
        report_progress(f"{workload}: opening {contender.name}")
        log = options.cache / f"{contender.module}-{workload}.log"
        try:
            worker = Worker(contender, workload, python, log, options.timeout, options.seed)
        except ContenderError as failure:
            result["error"] = str(failure)
        else:
            result.update(worker.opened)
            workers[contender.name] = worker, result
    seconds = options.seconds * SCALE.get(workload, 1)
    rounds = options.rounds * ROUNDS.get(workload, 1)
    for number in range(rounds):
        names = list(workers)
        first = number // 2 % max(len(names), 1)
        order = names[first:] + names[:first]
        # A turn depends on what the process before it left in the caches, so that every other round is reversed.
        for name in reversed(order) if number % 2 else order:
            worker, result = workers[name]
            report_progress(f"{workload}: round {number + 1}/{rounds}, {name}")
            try:
                steps = max(1, round(seconds * result["facts"]["control_hz"]))
                result["rounds"].append(worker.ask(steps=steps))
            except ContenderError as failure:
                result["error"] = str(failure)
                del workers[name]
    for worker, _ in workers.values():
        worker.close()
    for result in results:
        if "error" not in result:
            result["medians"] = medians(result["rounds"])
    compare(results)
    return results


def medians(rounds: list[dict]) -> dict:
    resets = sum(measured["resets"] for measured in rounds)
    return {
        "steps_per_s": median(measured["steps"] / measured["step_s"] for measured in rounds),
        "sim_s_per_s": median(measured["sim_s"] / measured["step_s"] for measured in rounds),
        "cpu_us_per_step": median(1e6 * measured["cpu_s"] / measured["steps"] for measured in rounds),
        "reset_s": sum(measured["reset_s"] for measured in rounds) / resets if resets else None,
        "memory_mb": max(measured["memory_mb"] for measured in rounds),
    }


def compare(results: list[dict]) -> None:
    """Add the speed of this package relative to each contender, by wall-clock and CPU time.

    Ratios are computed within each round; the result has their median, smallest and largest value.
    """
    ours = next((result for result in results if result["ours"] and "medians" in result), None)
    for result in results:
        if ours is None or "medians" not in result:
            continue
        for name, amount, time in (
            ("steps", "steps", "step_s"),
            ("sim", "sim_s", "step_s"),
            ("cpu", "steps", "cpu_s"),
        ):
            ratios = [
                (own_round[amount] / own_round[time]) / (other_round[amount] / other_round[time])
                for own_round, other_round in zip(ours["rounds"], result["rounds"], strict=True)
            ]
            result["medians"][f"ours_over_it_{name}"] = median(ratios)
            result["medians"][f"ours_over_it_{name}_range"] = [min(ratios), max(ratios)]


# --- reporting ---


def machine() -> dict:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")
        ]
        model = names[0].split(":", 1)[1].strip() if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cpu": model, "cores": cores, "system": platform.platform(), "load_1min": load}


def report_progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with a few significant digits and without an exponent."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def speed_table(results: list[dict]) -> Table:
    head = "workload, contender, steps/s, sim s/s, gym-hil/contender by sim s, range, "
    head += "gym-hil/contender by steps, gym-hil/contender by CPU time, reset ms, import s"
    table = [[*head.split(", "), "make s", "first reset s", "first step s", "memory MB"]]
    for result in results:
        row = [result["workload"], result["contender"]]
        if "medians" not in result:
            table.append([*row, "failed: " + result["error"]])
            continue
        measured = result["medians"]
        row += [
            number(measured["steps_per_s"]),
            number(measured["sim_s_per_s"]),
            number(measured.get("ours_over_it_sim")),
        ]
        row += ["..".join(map(number, measured.get("ours_over_it_sim_range", (None,))))]
        row += [number(measured.get("ours_over_it_steps")), number(measured.get("ours_over_it_cpu"))]
        row += [number(measured["reset_s"] and measured["reset_s"] * 1e3)]
        row += [number(result[key]) for key in ("import_s", "make_s", "reset_s", "first_step_s")]
        table.append([*row, number(measured["memory_mb"])])
    return table


def facts_table(results: list[dict]) -> Table:
    """Return a table of facts about the models, with one row per fact and one column per contender."""
    columns: dict[str, dict] = {}
    for result in results:
        if "facts" in result:
            column = columns.setdefault(result["contender"], {})
            for key, value in result["facts"].items():
                text = f"{value:g}" if isinstance(value, float) else str(value)
                if text not in column.setdefault(key, []) and text:
                    column[key].append(text)
    keys = list(next(iter(columns.values()), ()))
    return [
        ["", *columns],
        *([key, *(" / ".join(column[key]) for column in columns.values())] for key in keys),
    ]


def remarks(contenders: list[Contender], workloads: list[str]) -> list[str]:
    """Return lines with the differences that cannot be read from the models."""
    lines = []
    for contender in contenders:
        differs = [
            f"{name}: {contender.workloads[name].differs}"
            for name in workloads
            if name in contender.workloads
        ]
        parts = [contender.note, *(text for text in differs if not text.endswith(": "))]
        lines.append(f"- {contender.name}: {'; '.join(filter(None, parts))}")
    return lines


def show(table: Table) -> None:
    """Print a Markdown table with aligned columns. The row of a failure has fewer cells, and its last may be longer."""
    full = [row for row in table if len(row) == len(table[0])]
    short = [row[:-1] for row in table if len(row) < len(table[0])]
    widths = [max(len(row[i]) for row in full + short if i < len(row)) for i in range(len(table[0]))]
    for index, row in enumerate(table):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + " |")
        if index == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print()


def choose(text: str | None, names: list[str], what: str) -> list[str]:
    """Return the names that contain one of the parts in a comma-separated list."""
    if not text:
        return names
    parts = [part.strip().lower() for part in text.split(",")]
    for part in parts:
        if not any(part in name.lower() for name in names):
            raise SystemExit(f"no {what} {part!r}; there are: {', '.join(names)}")
    return [name for name in names if any(part in name.lower() for part in parts)]


def succeeded(results: list[dict]) -> bool:
    """Return whether all measurements of this package succeeded, and at least one of the others if there are any."""
    ours = [result for result in results if result["ours"]]
    others = [result for result in results if not result["ours"]]
    return bool(
        results
        and all("medians" in result for result in ours)
        and (not others or any("medians" in result for result in others))
    )


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="list the workloads and contenders, and stop")
    parser.add_argument(
        "--contenders", help="comma-separated parts of the names of contenders (default: all)"
    )
    parser.add_argument("--workloads", default="state,images", help="comma-separated (default: %(default)s)")
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="number of alternating measurements, which `ROUNDS` changes for some workloads (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=20,
        help="simulated seconds per turn, which `SCALE` changes for some workloads (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the random actions (default: %(default)s)"
    )
    parser.add_argument(
        "--python", default="3.12", help="version for all environments (default: %(default)s)"
    )
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "gym-hil-bench")
    parser.add_argument(
        "--timeout", type=float, default=900, help="seconds per installation or answer (%(default)s)"
    )
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None, contenders: tuple[Contender, ...] = CONTENDERS) -> int:
    options = parse(arguments)
    if options.list:
        for name, description in WORKLOADS.items():
            print(f"{name:8} {description}")
        print()
        for contender in contenders:
            print(
                f"{contender.name:22} {', '.join(contender.workloads):22} {' '.join(contender.requirements)}"
            )
        return 0
    chosen = choose(options.contenders, [contender.name for contender in contenders], "contender")
    workloads = choose(options.workloads, list(WORKLOADS), "workload")
    selected = [contender for contender in contenders if contender.name in chosen]
    options.cache.mkdir(parents=True, exist_ok=True)
    pythons: dict = {}
    for contender in contenders:
        report_progress(f"installing {contender.name}")
        try:
            pythons[contender.name] = environment(contender, options.cache, options.python, options.timeout)
        except ContenderError as failure:
            pythons[contender.name] = failure
    here = machine()
    results = [
        result
        for workload in workloads
        for result in measure(
            workload,
            [contender for contender in selected if workload in contender.workloads],
            pythons,
            options,
        )
    ]
    print(f"{here['cpu']}, {here['cores']} cores, load {number(here['load_1min'])}, {here['system']}")
    print(
        f"{options.rounds} alternating rounds, multiplied by {ROUNDS}; medians; ratios are within a round\n"
    )
    show(speed_table(results))
    show(facts_table(results))
    print("\n".join(remarks(selected, workloads)))
    if options.json:
        settings = {
            key: str(value) if isinstance(value, Path) else value for key, value in vars(options).items()
        }
        report = {"machine": here, "options": settings, "results": results}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if succeeded(results) else 1


if __name__ == "__main__":
    sys.exit(main())
