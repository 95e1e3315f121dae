"""`gym-hil inspect` finds faults in demonstrations and writes a page that shows them."""

from __future__ import annotations

import base64
import html.parser
import re
import sys
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest

from gym_hil.cli.inspect_command import Inspect
from gym_hil.cli.record import Record
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidDatasetError
from gym_hil.datasets.episode_video import EpisodeVideo, key_steps, make_episode_video
from gym_hil.datasets.html_report import Entry, write_dataset_report
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.replay import make_replay_env, replayed
from gym_hil.datasets.validation import assess
from gym_hil.reports.video import REPORT_SPEC


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> EpisodeStore:
    root = tmp_path_factory.mktemp("data") / "picks"
    assert (
        Record(task="PandaPickCube-v1", root=root, episodes=3, policy="random", preset="scripted").run() == 0
    )
    return EpisodeStore(root)


@pytest.fixture(scope="module")
def raw(store):
    return EnvironmentInterface(
        make_replay_env(store.env_id, render_mode="rgb_array", render_spec=REPORT_SPEC)
    )


def frames_like(episode, **changed):
    return replace(episode, frames={**episode.frames, **changed})


def test_a_good_demonstration_has_no_warning(store, raw):
    quality = assess(store.read(0), raw)
    assert quality.warnings == () and quality.success and quality.interventions > 0


def test_a_success_that_the_task_does_not_confirm_gives_a_warning(store, raw):
    episode = store.read(0)
    start = replace(episode, final={**episode.final, "physics": episode.frames["physics"][0]})
    assert assess(start, raw).warnings == ("labelled as a success, but the task is not done",)


def test_a_success_that_does_not_last_gives_a_warning(store, raw):
    episode = store.read(0)
    raw.set_state(episode.initial)
    raw.simulation.restore(episode.final["physics"])
    raw.simulation.command_gripper(1.0)
    let_go = replace(episode, final={**episode.final, "physics": raw.simulation.save()})
    (warning,) = assess(let_go, raw).warnings
    assert warning.startswith("ends without holding success: it is lost after")


def test_idle_and_clipped_steps_give_a_warning(store, raw):
    episode = store.read(0)
    action = episode.frames["action"].copy()
    action[:] = [0, 0, 0, 1]
    assert assess(frames_like(episode, action=action), raw).warnings == (
        "the robot is idle in all steps: record the episode again",
    )
    action[:2] = [0.5, 0, 0, 1]
    assert "take over earlier" in assess(frames_like(episode, action=action), raw).warnings[0]
    action[:] = [1, 0, 0, 1]
    assert "at full speed in 100%" in assess(frames_like(episode, action=action), raw).warnings[0]


def test_late_steps_give_a_warning(store, raw):
    episode = store.read(0)
    late = replace(episode, meta={**episode.meta, "late_steps": 3})
    assert assess(late, raw).warnings == (f"3 of {episode.length} steps began late",)


def test_an_episode_of_another_model_gives_a_warning_and_is_not_replayed(store, raw):
    episode = store.read(0)
    short = frames_like(episode, physics=episode.frames["physics"][:, :-3])
    assert "recorded with another model" in assess(short, raw).warnings[0]
    with pytest.raises(InvalidDatasetError, match="another model"):
        make_episode_video(short, raw)
    with pytest.raises(InvalidDatasetError, match="another model"):
        next(replayed(short, make_replay_env(store.env_id)))


def test_key_frames_show_takeovers_and_the_end(store, raw):
    episode = store.read(0)
    steps = key_steps(episode)
    assert steps[0] == "start" and steps[episode.length] == "success"
    takeover = next(step for step, name in steps.items() if name == "takeover 1")
    assert episode.frames["complementary_info.is_intervention"][takeover]
    film = make_episode_video(episode, raw)
    assert list(film.key_frames) == list(steps.values())
    picture = base64.b64decode(film.key_frames["takeover 1"].partition(",")[2])
    strip = iio.imread(picture)[2].mean(axis=0)
    assert strip[0] > 180 and strip[2] < 60, "orange: a human acts"


class Elements(html.parser.HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict]:
        return [attrs for name, attrs in self.found if name == tag]


def test_the_page_is_self_contained_and_shows_all_episodes(store, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert Inspect(root=store.root, html=page, pictures=2, verify=True).run() == 0
    text = page.read_text()
    elements = Elements(text)
    assert len([e for e in elements.all("div") if e.get("class") == "episode"]) == 3
    videos = elements.all("video")
    assert len(videos) == 2
    content = base64.b64decode(videos[0]["src"].partition(",")[2])
    frames = iio.imread(content, extension=".mp4")
    assert len(frames) == store.read(0).length + 1 and (frames[0] != frames[-1]).any()
    outside = [e[key] for _, e in elements.found for key in ("src", "href") if key in e]
    assert all(link.startswith(("data:", "#")) for link in outside)
    assert set(re.findall(r'https?://[^"]*', text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert len(elements.all("svg")) == 1 + 1 + 3, "lengths, actions, a timeline per episode"
    assert "<dd>3</dd><dt>identical replays</dt>" in text
    assert str(page) in capsys.readouterr().out


def test_the_table_fits_a_terminal_of_80_columns_and_names_warnings_below(store, tmp_path, capsys):
    assert Inspect(root=store.root, page=False, verify=True).run() == 0
    out = capsys.readouterr().out
    assert "…" not in out and "identical" in out and max(map(len, out.splitlines())) <= 80


def test_text_of_a_dataset_is_escaped_in_the_inspection(store, raw, tmp_path):
    evil = "<script>alert(1)</script>"
    episode = store.read(0)
    meta = {
        **episode.meta,
        **dict.fromkeys(("seed", "task", "operator", "policy", "gym_hil", "mujoco"), evil),
    }
    quality = replace(assess(episode, raw), end=evil, warnings=(evil,))
    film = EpisodeVideo({evil: "data:image/jpeg;base64,"}, "data:video/mp4;base64,")
    page = tmp_path / "page.html"
    write_dataset_report(page, evil, {0: Entry(replace(episode, meta=meta), quality, film)}, (evil,))
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and text.count("&lt;script&gt;") >= 11


def test_without_the_packages_for_reports_the_table_is_printed(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = tmp_path / "page.html"
    assert Inspect(root=store.root, html=page).run() == 0
    out = capsys.readouterr().out
    assert (
        "3 episodes of" in out and 'The page is not written: A report needs the package "matplotlib"' in out
    )
    assert not page.exists()


def test_the_histogram_counts_every_step(store, tmp_path):
    page = tmp_path / "page.html"
    Inspect(root=store.root, html=page, pictures=0).run()
    counts = re.findall(r"-?[\d.]+ to -?[\d.]+: (\d+) by the policy, (\d+) by a human", page.read_text())
    total = sum(int(policy) + int(human) for policy, human in counts) / 2  # every bar has two parts
    episodes = [store.read(number) for number in store.numbers()]
    assert total == 4 * sum(episode.length for episode in episodes)
    by_human = sum(int(human) for _, human in counts) / 2
    assert by_human == 4 * sum(np.sum(e.frames["complementary_info.is_intervention"]) for e in episodes)
