"""The tables of the benchmark's pages are made from the records in the repository."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("scipy")

from gym_hil.cli.common import state_base_id
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.experiments.benchmark import protocol_differences, read_results
from gym_hil.experiments.run_record import read_record
from gym_hil.experiments.study import load_study

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("benchmark_tables", DOCS / "benchmark_tables.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))  # as MkDocs does for the modules that a hook imports
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    [
        "results.md",
        "leaderboard.md",
        "performance.md",
        "delays.md",
        "learned-reward.md",
        "experiments.md",
        "installation.md",
        "humans.md",
        "real-robot.md",
        "virtual-arm.md",
    ],
)
def test_a_page_gets_its_tables(tables, name):
    page = (DOCS / name).read_text(encoding="utf-8")
    assert "<!-- benchmark:" in page
    rendered = tables.render(page)
    assert "<!-- benchmark:" not in rendered
    for line in rendered.splitlines():
        assert not line.startswith("| ") or line.endswith(" |")


def test_every_setting_has_a_row_with_the_successes_of_its_records(tables):
    rendered = tables.render("<!-- benchmark: settings -->")
    settings = {}
    for path in sorted((ROOT / "benchmarks" / "results").glob("*--seed-*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        place, result = record["place"], record["result"]
        share = f"{result['successes'] / result['episodes']:.1%}"
        settings.setdefault((place["task"], place["human"], place["method"]), []).append(share)
    assert settings or "no records" in rendered
    for (task, human, method), shares in settings.items():
        section = rendered.split(f"### {task}\n")[1].split("### ")[0]
        row = next(line for line in section.splitlines() if line.startswith(f"| {human} | {method} |"))
        assert f"| {len(shares)} | {', '.join(shares)} |" in row


def test_the_records_follow_the_protocol_and_use_seeds_for_reports():
    folder = ROOT / "benchmarks" / "results"
    for entry in read_results(folder) if any(folder.glob("*.json")) else ():
        assert protocol_differences(entry) == [], entry.run.name
        assert entry.record["purpose"] == "report"
        assert re.fullmatch("[0-9a-f]{40}", entry.record["commit"]), "made by a state that the repository has"


def test_every_result_with_a_delay_is_in_its_table(tables):
    lines = tables.render("<!-- benchmark: delays -->").splitlines()
    rows = json.loads((ROOT / "benchmarks" / "delays.json").read_text(encoding="utf-8"))
    assert {row["delay_ms"] for row in rows} == {0, 50, 100, 200}
    for row in rows:
        start = f"| {row['robot']} | {row['who']} | {row['late']} |"
        line = next(line for line in lines if line.startswith(start))
        assert f" {row['successes']}/{row['episodes']}, " in line and line.count("|") == 8


def test_every_figure_of_a_learned_reward_is_in_its_tables(tables):
    figures, policies = (
        tables.render(f"<!-- benchmark: {name} -->") for name in ("learned_reward", "learned_reward_policies")
    )
    found = json.loads((ROOT / "benchmarks" / "learned_reward.json").read_text(encoding="utf-8"))
    assert found
    for entry in found:
        place = f"| {entry['robot']} | {entry['obs']} |"
        for name, row in entry["eval"].items():
            line = next(line for line in figures.splitlines() if line.startswith(f"{place} {name} |"))
            assert f"| {row['found']}/{row['successes']} |" in line
            assert row["per_thousand"] == pytest.approx(1000 * row["false_positives"] / row["observations"])
        if policy := entry.get("policy"):
            assert policy["seed"] not in range(10)
            assert f"{place} {policy['successes']}/{policy['episodes']} |" in policies


def test_every_result_of_cloning_is_in_the_table_of_all_tasks_and_on_the_page_of_its_task(tables):
    lines = tables.render("<!-- benchmark: cloning -->").splitlines()
    paths = sorted((ROOT / "benchmarks" / "cloning").glob("*.json"))
    assert len(lines) == len(paths) + 2 and len(paths) > 10
    for path in paths:
        record = json.loads(path.read_text(encoding="utf-8"))
        task, result, config = record["place"]["task"], record["result"], record["config"]
        assert path.stem == f"{task}-{config['demos']}" and config["preset"] == "average"
        assert record["place"]["demonstrations"] == str(config["demos"])
        share = f"| {result['successes']} of {result['episodes']} |"
        (line,) = (line for line in lines if line.startswith(f"| {task} | {config['demos']} {share}"))
        assert line.endswith(f"| {config['seed']} |")
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", task.removesuffix("Easy")).lower()
        page = (DOCS / "tasks" / f"{name}.md").read_text(encoding="utf-8")
        assert line in tables.render(page), f"{name}.md has no table of this result"


def test_results_of_the_so101_are_in_the_table_and_reach_95_of_100(tables):
    lines = tables.render("<!-- benchmark: so101 -->").splitlines()
    paths = sorted((ROOT / "benchmarks" / "so101").glob("*.json"))
    runs = {run.name: run for run in load_study(ROOT / "benchmarks" / "so101.toml", state_base_id).runs}
    assert {path.stem for path in paths} == set(runs) and len(lines) == len(paths) + 2
    for path in paths:
        record, config = read_record(path)
        result, observation = record["result"], record["place"]["observation"]
        assert record["purpose"] == "report" and config == runs[path.stem].config, path.stem
        share = f"| {result['successes']} of {result['episodes']} |"
        assert any(line.startswith(f"| {observation} | {config.seed} {share}") for line in lines)
        assert result["episodes"] == 100 and result["successes"] >= 95, path.stem


STUDIES = [
    path.stem
    for path in sorted((ROOT / "benchmarks").glob("*.toml"))
    if f"<!-- benchmark: study {path.stem} -->"
    in "".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
]


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_has_all_its_records_with_seeds_for_reports_and_a_row_per_setting(tables, name):
    study = load_study(ROOT / "benchmarks" / f"{name}.toml", state_base_id)
    runs = {run.name: run for run in study.runs}
    paths = sorted((ROOT / "benchmarks" / name).glob("*.json"))
    assert study.purpose == "report" and {path.stem for path in paths} == set(runs)
    assert all(read_record(path)[1] == runs[path.stem].config for path in paths)
    assert len(tables.render(f"<!-- benchmark: study {name} -->").splitlines()) == 2 + len(study.groups)


def test_hil_arranges_all_boxes_in_90_of_100_episodes():
    paths = list((ROOT / "benchmarks" / "boxes").glob("*.json"))
    results = [json.loads(path.read_text(encoding="utf-8"))["result"] for path in paths]
    assert len(results) == 5 and all(row["episodes"] == 100 and row["successes"] >= 90 for row in results)


def test_at_least_five_tasks_are_not_solved_by_imitation_alone():
    limits, below = {20: 0.6, 200: 0.85}, {}
    for path in (ROOT / "benchmarks" / "cloning").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        result, demonstrations = record["result"], record["config"]["demos"]
        if result["successes"] / result["episodes"] <= limits[demonstrations]:
            below.setdefault(record["place"]["task"], set()).add(demonstrations)
    assert len([task for task, counts in below.items() if counts == set(limits)]) >= 5, below


def test_the_readme_compares_the_figures_of_the_result_file():
    results = json.loads((ROOT / "benchmarks" / "compare.json").read_text(encoding="utf-8"))["results"]
    medians = {(entry["workload"], entry["contender"]): entry["medians"] for entry in results}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for workload, name in (("state", "states, 10 Hz control"), ("images", "two 128 x 128 cameras")):
        earlier, ours = medians[workload, "gym-hil 0.1.14"], medians[workload, "gym-hil (ours)"]
        factor = earlier["ours_over_it_steps"]
        cells = f"{earlier['steps_per_s']:.3g} | {ours['steps_per_s']:,.0f} ({factor:.0f} times as many)"
        assert f"| Steps per second with {name} | {cells} |" in readme


def test_the_page_states_how_much_longer_a_step_takes_than_in_the_engine_alone():
    compared = json.loads((ROOT / "benchmarks" / "compare.json").read_text(encoding="utf-8"))["results"]
    times = {
        row["workload"]: 1 / row["medians"]["ours_over_it_steps"]
        for row in compared
        if "alone" in row["contender"]
    }
    page = " ".join((DOCS / "performance.md").read_text(encoding="utf-8").split())
    assert f"takes {times['so101']:.2f} times as long as in the engine alone with Cartesian actions" in page
    assert f"and {times['so101-joints']:.2f} times with joint targets" in page


def test_the_readme_states_the_result_of_its_training_command():
    facts = json.loads((ROOT / "benchmarks" / "readme.json").read_text(encoding="utf-8"))
    readme, result = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split()), facts["result"]
    assert facts["command"] in readme and f"version {result['gym_hil']})" in readme
    assert f"the simulated human acted for {result['human_s']:.0f} seconds" in readme
    assert f"without help in {result['successes']} of {result['episodes']} episodes" in readme
    assert f"The command took {facts['command_s']:.0f} seconds on two hardware threads" in readme
    assert "all in the demonstrations" in readme and result["takeovers"] == 0
    assert result["cycle_s"] < 2.0 and "The policy needs less than two seconds per cube" in readme


def test_every_installed_size_is_in_its_table(tables):
    rendered = tables.render("<!-- benchmark: install_size -->")
    sizes = json.loads((ROOT / "benchmarks" / "install_size.json").read_text(encoding="utf-8"))["sizes"]
    assert {"core", "`browser`", "`train`"} <= {entry["name"] for entry in sizes}
    for entry in sizes:
        assert f"| {entry['name']} | {entry['mb']:.0f} |" in rendered


def test_every_human_who_helps_a_policy_is_in_the_table(tables):
    found = json.loads((ROOT / "benchmarks" / "helping.json").read_text(encoding="utf-8"))
    lines = tables.render("<!-- benchmark: helping -->").splitlines()
    assert len(lines) == 2 + len(found["rows"]) and found["seed"] >= 1000
    for row, line in zip(found["rows"], lines[2:], strict=True):
        assert row["operator"] in line and f"| {row['preset']} | {row['successes']} |" in line


def test_a_table_that_does_not_exist_is_named(tables):
    with pytest.raises(InvalidArgumentError, match="no table 'curves'"):
        tables.render("text\n<!-- benchmark: curves -->\n")


def test_figures_in_sentences_are_ranges_over_the_seeds_of_the_records(tables):
    paths = (ROOT / "benchmarks" / "results").glob("InsertPeg--average--iwr--seed-*.json")
    results = [json.loads(path.read_text(encoding="utf-8"))["result"] for path in paths]
    shares = sorted(100.0 * row["successes"] / row["episodes"] for row in results)
    acting = sorted(round(row["human_s"]) for row in results)
    text = "In {success: InsertPeg average iwr}, the human acts for {acting: InsertPeg average iwr} s."
    seconds = f"{acting[0]} to {acting[-1]} s"
    assert tables.render(text) == f"In {shares[0]:g} to {shares[-1]:g} %, the human acts for {seconds}."


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        ("{speed: InsertPeg average iwr}", "no quantity 'speed'"),
        ("{success: InsertPeg nobody iwr}", "nobody iwr} has no records"),
    ],
)
def test_a_figure_that_does_not_exist_is_named(tables, figure, message):
    with pytest.raises(InvalidArgumentError, match=message):
        tables.render(figure)


def test_no_figure_of_the_benchmark_is_typed_into_its_results():
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    without_figures = re.sub(
        r"\{[^}]*\}|`[^`]*`|95 %|hil-serl",
        "",
        text.split("## What the records answer")[1].split("HIL-SERL reports")[0],
    )
    assert not re.findall(r"\d+(?:\.\d+)? (?:%|s\b|of \d|seconds)", without_figures)
