"""Files of a finished run, and the policy in the package."""

from __future__ import annotations

import re
import subprocess
import sys

import imageio.v3 as iio
import pytest

from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError, RenderingError
from gym_hil.learning.checkpoint import load, load_policy
from gym_hil.learning.config import CONFIG, TrainConfig
from gym_hil.learning.episode_store import TrainingEpisodeStore
from gym_hil.learning.evaluation import evaluate
from gym_hil.learning.learning_curve import CURVE, Curve, Point, read_curve
from gym_hil.learning.policy import GaussianPolicy
from gym_hil.learning.policy_env import make_policy_env
from gym_hil.learning.pretrained import pretrained
from gym_hil.learning.report import headline, task_name, write_report
from gym_hil.learning.rollout import Rollouts
from gym_hil.learning.run_status import Summary, share_of_interventions, success_rate
from gym_hil.learning.videos import FIRST, LAST, VideoWriter, write_videos

PICK = "gym_hil/PandaPickCubeStateBase-v1"


def point(steps: int, alone: float) -> Point:
    return Point(
        steps, steps // 30, steps / 600, steps / 50, alone, 0.9, 0.2, 12.5, 4 * steps, 160.0, 40.0, 3, 6
    )


def test_a_curve_is_written_completely_and_read_back(tmp_path):
    curve = Curve(tmp_path / CURVE)
    for steps in (600, 1200, 1800):
        curve.add(point(steps, 0.5))
    curve.keep_until(1200)
    assert (
        read_curve(tmp_path / CURVE) == Curve(tmp_path / CURVE).points == [point(600, 0.5), point(1200, 0.5)]
    )
    (tmp_path / CURVE).write_text("steps,nonsense\n1,2\n")
    with pytest.raises(InvalidDatasetError, match="cannot be read as a learning curve"):
        read_curve(tmp_path / CURVE)


def test_an_episode_is_read_back_and_a_damaged_one_is_reported(tmp_path):
    acting = Rollouts(TrainConfig(env_id=PICK))
    store = TrainingEpisodeStore(tmp_path)
    episode = acting.demonstrate(0)
    store.append(episode)
    back = store.read(0)
    assert (back.states == episode.states).all() and (back.actions == episode.actions).all()
    assert (back.kind, back.success, back.seed) == ("demonstration", True, episode.seed)
    (tmp_path / "000000.npz").write_bytes((tmp_path / "000000.npz").read_bytes()[:500])
    with pytest.raises(InvalidDatasetError, match=r"000000\.npz cannot be read"):
        store.read(0)
    acting.close()


def test_the_report_is_one_file_with_curves_films_and_configuration(tmp_path):
    config = TrainConfig(env_id=PICK, operator="none", robot_minutes=1.0, seed=7)
    config.save(tmp_path / CONFIG)
    acting, store = Rollouts(config), TrainingEpisodeStore(tmp_path / "episodes")
    policy = GaussianPolicy(load(pretrained(PICK)).weights)
    for number, limit in enumerate((100, 100, 3)):
        store.append(
            acting.online(number, lambda observation, _: policy.act(observation), limit, lambda _: None)
        )
    acting.close()
    writer = VideoWriter(tmp_path / "writer", config)
    for number in (0, 1):
        writer.add(store.read(number))
    writer.begin_last()
    write_videos(tmp_path, store, config)
    writer.finish()
    for name in (FIRST, LAST):
        assert (tmp_path / "writer" / name).read_bytes() == (tmp_path / name).read_bytes()
    assert len(iio.imread(tmp_path / FIRST)) == len(store.read(0)) + 1
    assert len(iio.imread(tmp_path / LAST)) == len(store.read(1)) + 1
    curve = Curve(tmp_path / CURVE)
    curve.add(point(300, 0.25))
    curve.add(point(600, 0.75))
    write_report(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 4 and page.count("<video") == 2
    assert page.count('poster="data:image/jpeg') == 2
    assert "So far the policy solves PickCube alone in 75% of episodes, after 1.0 robot minutes" in page
    headline, curve, video, cost = (page.index(part) for part in ("So far", "<svg", "<video", "<dt>acting"))
    assert headline < curve < video < cost < page.index("gym-hil play PandaPickCube-v1 --policy")
    assert "<dd>12 s</dd><dt>acting</dt>" in page and "<dd>40 s</dd><dt>watching</dt>" in page
    assert re.search(r"<td>seed</td><td>7</td>", page) and "version of mujoco" in page
    assert page.count("src=") == page.count('src="data:') == 2 and " href=" not in page


def test_a_failed_video_is_reported_and_does_not_stop_the_run(tmp_path, monkeypatch):
    config = TrainConfig(env_id=PICK, operator="none")
    acting = Rollouts(config)
    episode = acting.demonstrate(0)
    acting.close()
    writer = VideoWriter(tmp_path, config)
    writer.begin_last()
    writer.finish()
    assert not list(tmp_path.iterdir()), "there was no episode"
    monkeypatch.setenv("MUJOCO_GL", "off")
    writer.add(episode)
    with pytest.raises(RenderingError, match="switched off"):
        writer.finish()


def test_the_acting_process_starts_without_pytorch():
    code = "import sys, gym_hil.cli.train, gym_hil.learning.run; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_headline_summarizes_the_result():
    result = {"successes": 98, "episodes": 100, "low": 0.93, "high": 0.994, "cycle_s": 2.04}
    said = headline("PickCube", [point(600, 0.9)], result)
    assert said == (
        "The policy solves PickCube alone in 98 of 100 episodes (95% interval 93% to 99%) and needs 2.0 s "
        "per success; it learned from 1.0 robot minutes, 12 s in which a human "
        "acted and 40 s in which one watched."
    )
    assert task_name("gym_hil/PandaArrangeBoxesStateBase-v1") == "ArrangeBoxes"
    assert "not been evaluated" in headline("PickCube", [], None)


def test_an_episode_cut_by_the_end_of_the_run_is_not_a_failure():
    cut = Summary("online", 7, 2, success=False, whole=False)
    good = Summary("online", 13, 0, success=True, whole=True)
    demonstration = Summary("demonstration", 20, 20, success=True, whole=True)
    assert success_rate([demonstration, good, cut]) == 1.0
    assert share_of_interventions([demonstration, good, cut]) == 0.1
    assert success_rate([demonstration, cut]) is None and share_of_interventions([demonstration]) is None


def test_the_shipped_policy_is_competent_and_has_a_card():
    path = pretrained(PICK)
    trained = load(path)
    found = evaluate(GaussianPolicy(trained.weights).act, make_policy_env(PICK, None), 30)
    assert found.successes >= 29
    card = path.with_suffix(".md").read_text()
    assert f"--seed {trained.config.seed}" in card and f"{trained.config.robot_minutes:g}" in card


def test_the_shipped_policy_plays_without_pytorch():
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'stable_baselines3'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "sys.argv = ['gym-hil', 'play', '--policy', 'pretrained', '--episodes', '2']\n"
        "from gym_hil.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "2 of 2 episodes succeeded" in done.stdout, done.stderr


def test_there_is_no_shipped_policy_for_every_task():
    with pytest.raises(InvalidArgumentError, match=r"no pretrained policy for .*InsertPeg.*PandaPickCube"):
        pretrained("gym_hil/PandaInsertPegStateBase-v1")
    with pytest.raises(InvalidArgumentError, match="task PickCube, not ArrangeBoxes"):
        load_policy(pretrained(PICK), "gym_hil/PandaArrangeBoxesStateBase-v1")
