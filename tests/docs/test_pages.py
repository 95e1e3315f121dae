"""Programs in the README and in docs/ run; commands run or at least parse."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

import commands as commands_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
WITH_TESTS_OF_THEIR_OWN = {"teleoperation.md", "extend.md"}
"""Pages whose programs are run by another test, because they need files that other tests write."""
COMMANDS_RUN = (
    ("README.md", "quickstart.md"), ("installation.md", "environments.md"), ("new-task.md",),
    ("own-environment.md",),
)  # fmt: skip
"""Pages whose commands are run. Pages of one group share a folder, where a command that several of them print is run
once. The commands of other pages take hours, or have tests of their own, and are parsed."""
OTHER_PROGRAMS = r"(pip|git|cd|export|apt|ssh|openssl|npm|lerobot-\S+|tensorboard|wandb|trackio)\b"
NEEDS_A_PERSON = r"--web|--operator (gamepad|keyboard|browser|terminal|spacemouse|global-keyboard)"
SHORTER = "--robot-minutes 1 --episodes 10"
"""Length of a page's training run in these tests if it is 2 minutes or more, and the number of its last episodes.
`.ci/bare` runs the README's first command as it is."""
SLOW = r"gym-hil (train|eval)\b|my-run"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    title: str
    text: str


def name(page: Path) -> str:
    return page.relative_to(DOCS if DOCS in page.parents else ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(page.read_text(encoding="utf-8"))]


def programs(page: Path) -> list[str]:
    """Return the programs of a page that are printed to be run as they are."""
    return [block.text for block in blocks(page) if block.language == "python" and not block.title]


def commands(page: Path) -> list[str]:
    """Return the commands of a page, continued lines joined and comments removed."""
    text = "".join(block.text for block in blocks(page) if block.language == "bash")
    lines = text.replace("\\\n", " ").splitlines()
    return [
        shlex.join(shlex.split(line, comments=True)) for line in lines if shlex.split(line, comments=True)
    ]


def prepare(page: Path, folder: Path, *, installed: bool) -> dict[str, str]:
    """Write the files that pages ask readers to save and, where the page's package is `installed`, what
    `pip install` makes of its entry points. Return the variables that its programs need.
    """
    for block in blocks(page):
        if block.title.endswith(".py"):
            (folder / block.title).write_text(block.text, encoding="utf-8")
        if installed and block.title == "pyproject.toml":
            info = folder / "of_a_page-0.1.dist-info"
            info.mkdir()
            (info / "METADATA").write_text("Metadata-Version: 2.1\nName: of-a-page\nVersion: 0.1\n")
            groups = re.findall(r'\[project\.entry-points\."(.+?)"\]\n((?:.+\n)+)', block.text)
            text = "".join(f"[{group}]\n{rows}" for group, rows in groups)
            (info / "entry_points.txt").write_text(text.replace('"', ""))
            path = os.pathsep.join([str(folder), str(ROOT / "src")])
            return {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore::UserWarning"}
    return {}


def run(program: str, folder: Path, variables: dict[str, str]) -> None:
    """Run Python code, or a command of a page."""
    if program.startswith("python "):
        first, *rest = shlex.split(program)[1:]
        if first == "-m":
            command = [sys.executable, first, *rest]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        else:
            done = commands_of.run_program(folder / first, *rest, cwd=folder, **variables)
    elif program.startswith("gym-hil "):
        program = re.sub(r"--robot-minutes ([2-9]|\d{2,})", SHORTER, program)
        done = commands_of.run(*shlex.split(program)[1:], cwd=folder, **variables)
    else:
        done = commands_of.run_program(program, cwd=folder, **variables)
        if done.returncode and (package := commands_of.missing_package(program, done.stderr)):
            pytest.skip(f"the program imports {package}, which is not installed")
    assert done.returncode == 0, f"{program}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize(
    ("page", "number"),
    [
        pytest.param(page, number, id=f"{name(page)}-{number}")
        for page in PAGES
        if name(page) not in WITH_TESTS_OF_THEIR_OWN
        for number in range(len(programs(page)))
    ],
)
def test_programs_run(page, number, tmp_path):
    run(programs(page)[number], tmp_path, prepare(page, tmp_path, installed=False))


@pytest.mark.parametrize(
    ("program", "package"),
    [
        ("import json\nimport no_such_package\n", "no_such_package"),
        ("from no_such_package.part import name\n", "no_such_package"),
        ("def begin():\n    import no_such_package\nbegin()\n", ""),
        ("import gym_hil.no_such_module\n", ""),
        ("import json.no_such_module\n", ""),
        ("import json\n1 / 0\n", ""),
    ],
)
def test_only_a_missing_package_that_a_program_imports_itself_lets_its_test_skip(program, package, tmp_path):
    done = commands_of.run_program(program, cwd=tmp_path)
    assert done.returncode and commands_of.missing_package(program, done.stderr) == package


def runnable(page: Path) -> list[str]:
    return [
        command
        for command in commands(page)
        if command.startswith(("gym-hil ", "python "))
        and not re.search(NEEDS_A_PERSON, command)
        and command != "python -m pytest"
    ]


def pages_to_run() -> list[object]:
    cases = []
    for names in COMMANDS_RUN:
        pages = [page for page in PAGES if name(page) in names]
        assert len(pages) == len(names)
        text = "\n".join(command for page in pages for command in runnable(page))
        marks = [pytest.mark.slow] if re.search(SLOW, text) else []
        marks += [pytest.mark.rendering] if "--video" in text else []
        cases.append(pytest.param(pages, id=" ".join(names), marks=marks))
    return cases


@pytest.mark.parametrize("pages", pages_to_run())
def test_commands_run(pages, tmp_path):
    unique: dict[str, Path] = {}
    for page in pages:
        for command in runnable(page):
            unique.setdefault(command, page)
    if any("gym-hil train" in command for command in unique):
        pytest.importorskip("stable_baselines3")
    environments = {page: prepare(page, tmp_path, installed=True) for page in pages}
    for command, page in unique.items():
        run(command, tmp_path, environments[page])
        for video in re.findall(r"--video (\S+)", command):
            assert (tmp_path / video).stat().st_size > 10_000
    if "my-run" in "".join(unique):
        result = json.loads((tmp_path / "my-run" / "result.json").read_text())
        assert result["successes"] >= 0.9 * result["episodes"]


@pytest.fixture
def parsed(monkeypatch, tmp_path):
    """Make commands return after their arguments have been parsed."""
    monkeypatch.chdir(tmp_path)
    for file in ("cert.pem", "key.pem"):
        (tmp_path / file).touch()
    for path in sorted((ROOT / "src" / "gym_hil" / "cli").glob("*.py")):
        module = import_module(f"gym_hil.cli.{path.stem}")
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "run"):
                monkeypatch.setattr(value, "run", lambda self: 0)

    def parse(command: str) -> int | None:
        from gym_hil.cli import main

        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code

    return parse


@pytest.mark.parametrize("page", [pytest.param(page, id=name(page)) for page in PAGES if commands(page)])
def test_commands_in_the_documentation_can_be_parsed(page, parsed):
    for command in commands(page):
        if command.startswith("gym-hil "):
            if name(page) not in (
                "extend.md",
                "new-task.md",
            ):  # whose names exist where their packages are installed
                assert parsed(command) == 0, command
        elif command.startswith("python ") and " -m " not in command:
            script = shlex.split(command)[1]
            titles = [block.title for block in blocks(page)]
            assert script in titles or (ROOT / script).is_file(), command
        elif " -m " not in command:
            assert re.match(rf"(\S+=\S+ )*{OTHER_PROGRAMS}", command), f"{command}: neither run nor known"


def test_every_object_of_the_reference_exists():
    found = [
        line[4:].strip() for page in PAGES for line in page.read_text().splitlines() if line[:4] == "::: "
    ]
    assert len(found) > 30
    for path in found:
        module, attribute = path, ""
        try:
            import_module(module)
        except ModuleNotFoundError:
            module, _, attribute = path.rpartition(".")
            assert hasattr(import_module(module), attribute), path


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "examples" / "README.md"], ids=str
)
def test_links_have_targets(page):
    for link in LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        if not link.startswith(("http://", "https://", "#", "mailto:")):
            assert (page.parent / link.partition("#")[0]).exists(), link
    if page.parent == DOCS:
        assert not re.search(r"\]\(\.\./", page.read_text(encoding="utf-8")), "the site has no such page"


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert re.search(rf": {re.escape(name(page))}$", navigation, re.MULTILINE), name(page)


def test_the_readme_cites_this_version():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', project, re.MULTILINE)[1]
    assert f"version = {{{version}}}" in PAGES[0].read_text(encoding="utf-8")


def test_the_readme_is_short_and_its_picture_small():
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 150
    pictures = list((DOCS / "images").iterdir())
    assert (DOCS / "images" / "takeover.webp") in pictures
    assert all(picture.stat().st_size < 2_000_000 for picture in pictures)


def test_every_task_has_a_page():
    from gym_hil.tasks import TASKS

    for _, task in TASKS.items():
        plain = task.name.removesuffix("Easy")
        file = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", plain).lower() + ".md"
        text = (DOCS / "tasks" / file).read_text(encoding="utf-8")
        if plain != task.name:
            assert re.search(f"`gym_hil/(Bi)?Panda{task.name}-v1`", text)
            continue
        assert text.startswith(f"# {task.name}\n\n{task.description}\n\n!["), task.name
        assert f"| {task.max_episode_steps} steps (" in text and f"({task.observation_size}):" in text
        assert all(f"`{option}`" in text for option in task.reset_options)
