"""Put the benchmark's tables into the pages of the documentation, from the records in the repository.

A hook of MkDocs. A line ``<!-- benchmark: NAME -->`` of a page becomes the table of that name, and
``<!-- benchmark: cloning TASK -->`` the rows of a task, ``<!-- benchmark: study NAME -->`` the settings of a study.
`benchmark_figures` describes figures in sentences.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import arm_tables
import benchmark_figures

from gym_hil.cli.common import state_base_id
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.experiments.benchmark import make_study, rank_agreement, read_results
from gym_hil.experiments.leaderboard import as_table, read_rows
from gym_hil.experiments.study import load_study
from gym_hil.experiments.study_report import FinishedRun, as_markdown, table

FOLDER = Path(__file__).parents[1] / "benchmarks"
DELAYS, LEARNED_REWARD = FOLDER / "delays.json", FOLDER / "learned_reward.json"
RECORDS, LEADERBOARD = FOLDER / "results", FOLDER / "leaderboard.json"
SPEED, CLONING, SO101 = FOLDER / "learning_speed.json", FOLDER / "cloning", FOLDER / "so101"
BENCH, COMPARISON = FOLDER / "bench.json", FOLDER / "compare.json"
INSTALL_SIZE, HELPING = FOLDER / "install_size.json", FOLDER / "helping.json"
MARKER = re.compile(r"^<!-- benchmark: (\w+) ?(\w*) -->$", re.MULTILINE)


def settings(finished: Sequence[FinishedRun]) -> str:
    """A section per task, with a row per human and method."""
    parts = []
    for task in dict.fromkeys(entry.run.axis_values["task"] for entry in finished):
        task_results = [entry for entry in finished if entry.run.axis_values["task"] == task]
        header, rows = table(make_study(task_results), task_results)
        rows = [[*row[1:3], f"{row[3].count(',') + 1}", *row[3:]] for row in rows]
        parts.append(f"### {task}\n\n{as_markdown([*header[1:3], 'seeds', *header[3:]], rows)}")
    return "\n\n".join(parts)


def agreement(finished: Sequence[FinishedRun]) -> str:
    """A row per task and pair of humans."""
    rows = [
        [task, first, second, str(count), "all equal" if tau != tau else f"{tau:.2f}"]
        for task, first, second, count, tau in rank_agreement(finished)
    ]
    if not rows:
        return "There are no results with two humans and two methods yet."
    return as_markdown(["task", "human", "other human", "methods", "Kendall's tau"], rows)


def runs(finished: Sequence[FinishedRun]) -> str:
    """The number of runs, their durations, and the versions and the processor with which they were made."""
    hours = sum(entry.result["wall_s"] for entry in finished) / 3600.0
    minutes = sum(entry.curve["robot_minutes"][-1] for entry in finished)
    facts: dict[str, list[Any]] = {
        "runs": [len(finished)],
        "seeds": sorted({entry.run.config.seed for entry in finished}),
        "robot minutes": [f"{minutes:.0f}"],
        "hours of computation": [f"{hours:.1f}"],
        "processor": sorted({entry.record["processor"] for entry in finished}),
        "commit": sorted({f"`{entry.record['commit']}`" for entry in finished}),
        "PyTorch": sorted({entry.record["versions"]["torch"] for entry in finished}),
        "MuJoCo": sorted({entry.record["versions"]["mujoco"] for entry in finished}),
    }
    rows = [[name, ", ".join(str(value) for value in values)] for name, values in facts.items()]
    return as_markdown(["property", "value"], rows)


def leaderboard() -> str:
    """The rows of the leaderboard."""
    rows = read_rows(LEADERBOARD)
    return as_markdown(*as_table(rows)) if rows else "Nothing has been submitted yet."


def speed() -> str:
    """The updates per second of processor time of two versions, from the result of ``benchmarks/learning_speed.py``."""
    results = json.loads(SPEED.read_text(encoding="utf-8"))
    rows = [
        [
            name,
            *(f"{row[key]:.0f}" for key in results["commits"]),
            f"{row['ratio']:.2f}",
            f"{row['lowest']:.2f} to {row['highest']:.2f}",
        ]
        for name, row in results["updates"].items()
    ]
    commits = [f"`{commit[:10]}`" for commit in results["commits"].values()]
    return as_markdown(["learner", *commits, "ratio, median", "range"], rows)


def bench() -> str:
    """A row per quantity and a column per task, from the result of ``gym-hil bench --json``."""
    results = json.loads(BENCH.read_text(encoding="utf-8"))["tasks"]
    rows: dict[str, list[str]] = {}

    def add(name: str, text: str) -> None:
        rows.setdefault(name, []).append(text)

    for task_results in results.values():
        state, images = task_results["state"], task_results["images"]
        eight = {row["mode"]: row["steps_per_s"] for row in task_results["vector"] if row["num_envs"] == 8}
        scaling = task_results["scaling"]
        many = scaling["num_envs"]
        add("`import gym_hil`, in addition to Gymnasium", f"{state['import_s']:.3f} s")
        first = "`gym.make` and first reset in a new process, including the import of MuJoCo"
        add(first, f"{state['make_s'] + state['first_reset_s']:.2f} s")
        add("the same with images", f"{images['make_s'] + images['first_reset_s']:.2f} s")
        add("steps", f"{state['steps_per_s']:,.0f} /s")
        add("steps with two 128x128 cameras", f"{images['steps_per_s']:,.0f} /s")
        add(
            "time of `env.step` / time of `mj_step` of the same model", f"{state['step_to_engine_ratio']:.2f}"
        )
        add("reset", f"{state['reset_ms']:.2f} ms")
        latency = f"{state['latency_ms']:.0f} and {state['worst_latency_ms']:.0f} ms"
        add("latency from key press to motion at 10 Hz, median and maximum", latency)
        add(f"speedup of a vector environment of {many}", f"{scaling['speedup']:.2f}")
        add("speedup of MuJoCo alone on as many threads", f"{scaling['engine_speedup']:.2f}")
        vectors = f"{eight['vector_entry_point']:,.0f} and {eight['async']:,.0f} /s"
        add("8 environments: this package's vector environment and `AsyncVectorEnv`", vectors)
        add(f"memory per environment in a vector of {many}", f"{scaling['memory_mb_per_env']:.1f} MB")
    return as_markdown(["", *results], [[name, *texts] for name, texts in rows.items()])


def comparison() -> str:
    """A row per workload and package, from the result of ``benchmarks/compare.py --json``."""
    rows = []
    for entry in json.loads(COMPARISON.read_text(encoding="utf-8"))["results"]:
        names = [entry["workload"], entry["contender"]]
        if "medians" not in entry:
            rows.append([*names, "-", "-", "-", "-", "could not be run"])
            continue
        medians = entry["medians"]
        steps, simulated, ratio = (medians[key] for key in ("steps_per_s", "sim_s_per_s", "ours_over_it_sim"))
        low, high = medians["ours_over_it_sim_range"]
        by_cpu = f"{medians['ours_over_it_cpu']:.3g}"
        rows.append(
            [*names, f"{steps:,.0f}", f"{simulated:.3g}", f"{ratio:.3g}", f"{low:.3g} to {high:.3g}", by_cpu]
        )
    header = [
        "workload",
        "package",
        "steps/s",
        "simulated s per s",
        "gym-hil / package",
        "range",
        "by processor time",
    ]
    return as_markdown(header, rows)


def delays() -> str:
    """A row per robot, actor and kind of delay, with the successes and the mean duration of each delay."""
    rows = json.loads(DELAYS.read_text(encoding="utf-8"))
    columns = sorted({row["delay_ms"] for row in rows})
    cells: dict[tuple[str, ...], dict[int, str]] = {}
    for row in rows:
        time = "-" if row["seconds"] is None else f"{row['seconds']:.1f} s"
        row_cells = cells.setdefault((row["robot"], row["who"], row["late"]), {})
        row_cells[row["delay_ms"]] = f"{row['successes']}/{row['episodes']}, {time}"
    header = ["robot", "who acts", "what is delayed", *(f"{delay} ms" for delay in columns)]
    ordered = sorted(cells.items(), key=lambda item: item[0][0])
    return as_markdown(
        header, [[*key, *(row_cells.get(ms, "") for ms in columns)] for key, row_cells in ordered]
    )


def learned_reward() -> str:
    """A row per robot, observation and behaviour: false positives and found successes of a learned reward."""
    header = ["robot", "observes", "episodes", "steps", "false positives", "per 1,000", "found", "mean delay"]
    rows = []
    for entry in json.loads(LEARNED_REWARD.read_text(encoding="utf-8")):
        for name, row in entry["eval"].items():
            late = row["delays_s"]
            mean = f"{sum(late) / len(late):.2f} s" if late else "-"
            wrong = f"{row['false_positives']}, {row['just_before']} just before a success"
            counts = f"{row['observations']:,}", wrong, f"{row['per_thousand']:.1f}"
            found = f"{row['found']}/{row['successes']}"
            rows.append([entry["robot"], entry["obs"], name, *counts, found, mean])
    return as_markdown(header, rows)


def learned_reward_policies() -> str:
    """A row per robot and observation of the reward: the success of a policy that was trained with it."""
    header = [
        "robot",
        "the reward observes",
        "success by the task's criterion",
        "successes in training",
        "of these, false",
    ]
    rows = []
    for entry in json.loads(LEARNED_REWARD.read_text(encoding="utf-8")):
        if policy := entry.get("policy"):
            share = f"{policy['successes']}/{policy['episodes']}"
            counts = str(policy["called_successes"]), str(policy["false_successes"])
            rows.append([entry["robot"], entry["obs"], share, *counts])
    return as_markdown(header, rows)


def install_size() -> str:
    """A row for the core, for parts of it and for each extra, from the result of ``benchmarks/install_size.py``."""
    rows = []
    for entry in json.loads(INSTALL_SIZE.read_text(encoding="utf-8"))["sizes"]:
        largest = ", ".join(f"{name} {size:.0f}" for name, size in entry["largest"].items() if size >= 0.5)
        rows.append([entry["name"], f"{entry['mb']:.0f}", largest])
    return as_markdown(["", "size (MB)", "largest packages (MB)"], rows)


def helping() -> str:
    """A row for each simulated human that helps a policy, from the result of ``benchmarks/helping.py``."""
    rows = [
        [
            f"`{row['operator']}`" if row["preset"] else "none",
            row["preset"],
            f"{row['successes']}",
            *(f"{row[key]:.2f}" for key in ("takeovers", "switches")),
            *(f"{row[key]:.1f}" for key in ("acting_s", "watching_s")),
        ]
        for row in json.loads(HELPING.read_text(encoding="utf-8"))["rows"]
    ]
    heads = ["operator", "preset", "success", "takeovers", "changes of control", "acting (s)", "watching (s)"]
    return as_markdown(heads, rows)


def cloning(task: str = "") -> str:
    """A row per task and number of demonstrations: the success of a policy that imitates a simulated human."""
    header = ["task", "demonstrations", "success without a human", "95 % interval", "human seconds", "seed"]
    records = [json.loads(path.read_text(encoding="utf-8")) for path in CLONING.glob("*.json")]
    records.sort(key=lambda entry: (entry["place"]["task"], entry["config"]["demos"]))
    rows = []
    for axis_values, config, result in (
        (entry["place"], entry["config"], entry["result"]) for entry in records
    ):
        if axis_values["task"].startswith(task):
            facts = *arm_tables.success(result), f"{result['human_s']:.0f}", str(config["seed"])
            rows.append([axis_values["task"], str(config["demos"]), *facts])
    if not rows:
        raise InvalidArgumentError(f"{CLONING} has no results of {task!r}")
    return as_markdown(header, rows)


def so101() -> str:
    """A row per observation and seed: what a policy for the SO-101 reaches alone after ten robot minutes."""
    header = [
        "observation",
        "seed",
        "success without a human",
        "95 % interval",
        "seconds per success",
        "human seconds",
    ]
    records = [json.loads(path.read_text(encoding="utf-8")) for path in SO101.glob("*.json")]
    records.sort(key=lambda entry: (entry["place"]["observation"], entry["config"]["seed"]))
    rows = []
    for entry in records:
        result = entry["result"]
        cycle = "-" if result["cycle_s"] is None else f"{result['cycle_s']:.1f}"
        facts = *arm_tables.success(result), cycle, f"{result['human_s']:.0f}"
        rows.append([entry["place"]["observation"], str(entry["config"]["seed"]), *facts])
    return as_markdown(header, rows)


def study(name: str) -> str:
    """A row per setting of the study ``benchmarks/NAME.toml``, from the records in ``benchmarks/NAME``."""
    finished = read_results(FOLDER / name)
    header, rows = table(load_study(FOLDER / f"{name}.toml", state_base_id), finished)
    return as_markdown(header, rows)


def render(markdown: str) -> str:
    """Return a page with its tables and figures.

    Raises:
        InvalidArgumentError: it asks for a table that does not exist, or a record cannot be read.
    """
    others = (
        leaderboard,
        speed,
        bench,
        comparison,
        delays,
        learned_reward,
        learned_reward_policies,
        install_size,
        helping,
        so101,
        *arm_tables.TABLES,
    )
    without_records = {table.__name__: table for table in others}

    def put(match: re.Match[str]) -> str:
        name, argument = match.groups()
        if name in without_records:
            return without_records[name]()
        if name == cloning.__name__:
            return cloning(argument)
        if name == study.__name__:
            return study(argument)
        tables = {"settings": settings, "agreement": agreement, "runs": runs}
        if name not in tables:
            raise InvalidArgumentError(
                f"there is no table {name!r}; there are {[*tables, *without_records, cloning.__name__, study.__name__]}"
            )
        if not any(RECORDS.glob("*.json")):
            return "There are no records of this version of the protocol yet."
        return tables[name](read_results(RECORDS))

    page = MARKER.sub(put, markdown)
    return (
        benchmark_figures.insert(page, read_results(RECORDS))
        if benchmark_figures.FIGURE.search(page)
        else page
    )


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Render a page; called by MkDocs."""
    return render(markdown)
