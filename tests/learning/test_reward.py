"""Rewards learned from recorded episodes: their data, their decisions, and the inputs that they refuse."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import gymnasium as gym

import gym_hil  # noqa: F401
from gym_hil.cli.play import Play
from gym_hil.cli.record import Record
from gym_hil.cli.reward import EvalReward, TrainReward
from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError, UnsupportedError
from gym_hil.core.schema import EpisodeEvent
from gym_hil.core.success import NeverDone
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.replay import describe_difference, make_replay_env, recorded_arguments
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.envs.robot_actions import make_robot_action
from gym_hil.intervention.operator import Decision, Operator
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.reward import LearnedReward, LearnedSuccess, train_reward
from gym_hil.learning.reward_data import read_datasets
from gym_hil.learning.reward_evaluation import RewardFigures
from gym_hil.learning.reward_labels import NO_SUCCESS, SUCCESS, UNKNOWN, observation_labels
from gym_hil.learning.reward_lerobot import labels_from_rewards
from gym_hil.learning.rollout import Rollouts
from gym_hil.robots import ROBOTS
from gym_hil.stacks.build import make_env

TASK = "PandaPickCube-v1"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Folders with four successes and with four failures, the last one by random actions."""
    folder = tmp_path_factory.mktemp("recorded")
    assert Record(task=TASK, root=folder / "good", episodes=4, seed=100).run() == 0
    options = {"task": TASK, "operator": "none"}
    assert Record(root=folder / "bad", policy="fumbling", episodes=3, seed=200, **options).run() == 0
    assert Record(root=folder / "random", policy="random", episodes=1, seed=300, **options).run() == 0
    return [folder / name for name in ("good", "bad", "random")]


@pytest.fixture(scope="module")
def state_reward(recorded, tmp_path_factory):
    """A reward that observes the state, learned by the command."""
    path = tmp_path_factory.mktemp("reward") / "reward.npz"
    assert TrainReward(datasets=tuple(recorded), out=path, obs="state").run() == 0
    return path


def test_only_the_last_observation_of_a_success_shows_one(recorded):
    good, bad = (EpisodeStore(root).read(0) for root in recorded[:2])
    labels = observation_labels(good)
    assert len(labels) == good.length + 1
    assert labels[-1] == SUCCESS and (labels[:-1] == NO_SUCCESS).all()
    assert not bad.success and (observation_labels(bad) == NO_SUCCESS).all()


def test_observations_before_a_press_of_success_have_no_label(recorded):
    episode = EpisodeStore(recorded[0]).read(0)
    pressed = replace(episode, meta={**episode.meta, "end": "human_success"})
    labels = observation_labels(pressed)
    assert labels[-1] == SUCCESS and (labels[-6:-1] == UNKNOWN).all() and (labels[:-6] == NO_SUCCESS).all()
    assert observation_labels(replace(episode, meta={**episode.meta, "end": "learned_success"})) is None


def test_observations_after_a_reward_show_success_in_datasets_of_lerobot():
    no, yes, unknown = NO_SUCCESS, SUCCESS, UNKNOWN
    assert labels_from_rewards([False, False, False, True], 1).tolist() == [no, no, unknown, yes]
    assert labels_from_rewards([False, False, True, True, False], 1).tolist() == [
        no,
        unknown,
        unknown,
        yes,
        yes,
    ]
    assert labels_from_rewards([True], 5).tolist() == [yes]
    assert labels_from_rewards([False, False], 5).tolist() == [no, no]


def test_a_learned_reward_has_few_false_positives(state_reward, tmp_path):
    result = tmp_path / "figures.json"
    assert EvalReward(reward=state_reward, on=TASK, episodes=12, seed=1000, json=result).run() == 0
    rows = json.loads(result.read_text())["rows"]
    assert set(rows) == {"human", "noisy-expert", "fumbling", "random", "all"}
    assert rows["human"]["recall"] == 1.0 and rows["human"]["successes"] == 3
    for name in ("human", "noisy-expert", "fumbling"):
        wrong = rows[name]["false_positives"] - rows[name]["just_before"]
        assert wrong <= 0.01 * rows[name]["observations"], name
    assert rows["all"]["observations"] == sum(rows[name]["observations"] for name in rows if name != "all")


def test_a_reward_is_compared_with_recorded_episodes(state_reward, recorded, tmp_path):
    result = tmp_path / "figures.json"
    assert EvalReward(reward=state_reward, on=str(recorded[0]), json=result).run() == 0
    row = json.loads(result.read_text())["rows"]["recorded"]
    lengths = [EpisodeStore(recorded[0]).read(number).length for number in range(4)]
    assert row["observations"] == sum(lengths) and row["successes"] == 4


def test_false_positives_and_delays_are_counted():
    figures = RewardFigures()
    truth = np.array([0, 0, 0, 0, 0, 1, 1, 1], bool)
    called = np.array([1, 0, 0, 0, 1, 0, 1, 1], bool)
    figures.add(truth, called, 0.1)
    figures.add(np.zeros(5, bool), np.zeros(5, bool), 0.1)
    assert (figures.observations, figures.false_positives, figures.just_before) == (10, 2, 1)
    assert (figures.successes, figures.found, figures.delays_s) == (1, 1, [pytest.approx(0.1)])
    assert figures.per_thousand == 200.0 and figures.recall == 1.0


@pytest.mark.rendering
def test_images_are_classified_and_read_again_bit_for_bit(recorded, tmp_path):
    data = read_datasets(recorded, 16)
    assert data.interface.observation == ("front[16x16x3]", "wrist[16x16x3]")
    first, again = (train_reward(data, 16, seed=1, updates=12) for _ in range(2))
    rows = data.episodes[0].rows
    assert (first.logits(rows) == again.logits(rows)).all()
    first.save(tmp_path / "reward.npz")
    loaded = LearnedReward.load(tmp_path / "reward.npz")
    assert (loaded.logits(rows) == first.logits(rows)).all() and loaded.threshold == first.threshold
    env = make_env(TASK, reward=tmp_path / "reward.npz")
    env.reset(seed=0)
    env.step(env.unwrapped.neutral_action())
    env.close()


class OutsideEnv(ManipulationEnv):
    """An arm with cameras of its own, which see what the recorded images show."""

    shown = 0

    def camera_images(self, size):
        """Return two grey images."""
        return [np.full((size, size, 3), self.shown, np.uint8)] * 2


def test_images_of_real_cameras_are_learned_from(recorded, tmp_path):
    """Bright images are successes here, and dark ones are not."""
    store = EpisodeStore(tmp_path / "arm", "lerobot:so101_follower")
    for number in range(8):
        episode = EpisodeStore(recorded[0]).read(0)
        good = number % 2 == 0
        dark, bright = (np.full((20, 24, 3), level, np.uint8) for level in (10, 240))
        frames, final, meta = dict(episode.frames), dict(episode.final), {**episode.meta, "task": "Lift it."}
        frames["next.success"] = frames["next.success"] & good
        for name in ("observation.images.front", "observation.images.wrist"):
            frames[name] = np.stack([dark] * episode.length)
            final[name] = bright if good else dark
        meta["end"] = "human_success" if good else "time_limit"
        store.append(replace(episode, frames=frames, final=final, meta=meta))
    store.close()
    data = read_datasets([tmp_path / "arm"], 16)
    assert data.interface.task == "Lift it." and data.interface.robot == ""
    assert [episode.success for episode in data.episodes] == [True, False] * 4
    train_reward(data, 16, updates=40).save(tmp_path / "reward.npz")
    env = OutsideEnv(action_term=make_robot_action("xyz", ROBOTS.get("panda")))
    detector = LearnedSuccess(tmp_path / "reward.npz")
    with pytest.raises(InvalidArgumentError, match=r"task Lift it\., not Pick up the cube"):
        env.set_success_detector(detector)
    env.task_description = "Lift it."
    env.set_success_detector(detector)
    env.reset(seed=0)
    assert not env.step(env.neutral_action())[2]
    env.shown = 240
    assert env.step(env.neutral_action())[4]["termination_reason"] == "learned_success"
    with pytest.raises(InvalidArgumentError, match="has no simulated state"):
        read_datasets([tmp_path / "arm"], 0)


def test_a_learned_reward_decides_instead_of_the_task(state_reward):
    env = make_env(TASK, operator="expert", reward=state_reward)
    env.reset(seed=1000)
    info, reward = {"is_success": False}, 0.0
    while not info["is_success"]:
        *_, reward, terminated, _, info = env.step(env.unwrapped.neutral_action())
        assert terminated == info["is_success"]
    assert reward == 1.0 and info["termination_reason"] == "learned_success"
    assert env.unwrapped.success_detector.detects()
    height = env.unwrapped.simulation.data.body("cube").xpos[2]
    assert height > 0.11, "the task is done at 0.12 m; the reward may be one step early"
    ids = gym.make(f"gym_hil/{TASK}", reward=str(state_reward))
    ids.reset(seed=0)
    assert ids.unwrapped.success_detector is not None


def test_only_the_detector_decides_about_success():
    env = make_env(TASK, operator="expert", reward=NeverDone())
    env.reset(seed=1)
    for _ in range(30):
        *_, terminated, _, info = env.step(env.unwrapped.neutral_action())
        assert not terminated and not info["is_success"]
    assert env.unwrapped.task_success()


def test_a_detector_judges_one_environment_at_a_time(state_reward):
    detector = LearnedSuccess(state_reward)
    with pytest.raises(
        InvalidArgumentError, match=r"already judges another environment.* the path of a learned"
    ):
        gym.make_vec(f"gym_hil/{TASK}", 2, vectorization_mode="sync", reward=detector)
    first = make_env(TASK, reward=(own := LearnedSuccess(state_reward)))
    with pytest.raises(InvalidArgumentError, match="already judges another environment"):
        make_env(TASK, reward=own)
    first.unwrapped.set_success_detector(own)
    first.close()
    make_env(TASK, reward=own).close()
    vector = gym.make_vec(f"gym_hil/{TASK}", 2, vectorization_mode="sync", reward=str(state_reward))
    assert len({id(env.unwrapped.success_detector) for env in vector.envs}) == 2
    vector.close()


class Presser(Operator):
    """Presses one button in every step."""

    name = "presser"

    def __init__(self, event):
        self.event = event

    def decide(self, view):
        """Press."""
        return Decision(None, (self.event,))


class AlwaysDone(NeverDone):
    """Takes every state for a success."""

    def detects(self):
        """Return True."""
        return True


@pytest.mark.parametrize(
    ("event", "detector", "outcome"),
    [
        (EpisodeEvent.FAILURE, AlwaysDone(), (0.0, True, False, "human_failure", False)),
        (EpisodeEvent.SUCCESS, NeverDone(), (1.0, True, False, "human_success", True)),
        (EpisodeEvent.RERECORD, AlwaysDone(), (0.0, True, False, "rerecord_episode", False)),
        (EpisodeEvent.RESET, AlwaysDone(), (0.0, False, True, "human_reset", False)),
        (EpisodeEvent.PAUSE, AlwaysDone(), (1.0, True, False, "learned_success", True)),
    ],
)
def test_a_person_overrules_a_learned_reward(event, detector, outcome):
    env = make_env(TASK, operator=Presser(event), reward=detector)
    env.reset(seed=0)
    _, reward, terminated, truncated, info = env.step(env.unwrapped.neutral_action())
    found = (reward, terminated, truncated, info["termination_reason"], info["is_success"])
    assert found == outcome


def test_recordings_with_a_learned_reward_replay_exactly(state_reward, tmp_path):
    root = tmp_path / "recorded"
    assert Record(task=TASK, root=root, episodes=2, seed=500, reward=state_reward).run() == 0
    store = EpisodeStore(root)
    assert store.settings["reward"].startswith("reward.npz ")
    env = make_replay_env(store.env_id, **recorded_arguments(store))
    for number in store.numbers():
        episode = store.read(number)
        assert episode.meta["end"] == "learned_success" and episode.success
        assert describe_difference(episode, env) is None
    with pytest.raises(InvalidDatasetError, match=r"reward='reward\.npz"):
        Record(task=TASK, root=root, episodes=3, resume=True).run()
    with pytest.raises(InvalidArgumentError, match="no episodes whose success"):
        read_datasets([root], 0)


def test_training_takes_its_rewards_from_the_file_and_evaluates_without(state_reward):
    config = TrainConfig(
        env_id="gym_hil/PandaPickCubeStateBase-v1", reward=str(state_reward), observation_delay=0.1
    )
    rollouts = Rollouts(config)
    for env in (rollouts.env, rollouts._demo_env):
        assert env.unwrapped.success_detector is not None
    episode = rollouts.demonstrate(0)
    assert episode.success and episode.rewards[-1] == 1.0
    rollouts.close()
    assert "reward" not in config.env_arguments() and config.env_arguments()["observation_delay"] == 0.1
    assert Play(task=TASK, reward=state_reward, episodes=1, seed=1000, window=False).run() == 0


def test_other_tasks_robots_and_observations_are_refused_by_name(state_reward, recorded, tmp_path):
    with pytest.raises(InvalidArgumentError, match="task PickCube, not StackCubes"):
        make_env("PandaStackCubes-v1", reward=state_reward)
    with pytest.raises(InvalidArgumentError, match="robot panda, not so101"):
        make_env("SO101PickCube-v1", reward=state_reward)
    assert Record(task="SO101PickCube-v1", root=tmp_path / "other", episodes=1).run() == 0
    with pytest.raises(
        InvalidArgumentError, match=r"other does not fit: .*good is for robot panda, not so101"
    ):
        read_datasets([recorded[0], tmp_path / "other"], 0)
    with pytest.raises(InvalidArgumentError, match="reward_type='dense'"):
        make_env(TASK, reward=state_reward, reward_type="dense")
    with pytest.raises(InvalidArgumentError, match="single environments"):
        gym.make_vec(f"gym_hil/{TASK}", 2, vectorization_mode="vector_entry_point", reward=state_reward)
    gym.register("rewards/Foreign-v0", entry_point=lambda **_: gym.make("Pendulum-v1").unwrapped)
    with pytest.raises(UnsupportedError, match="set_success_detector"):
        make_env("rewards/Foreign-v0", reward=state_reward)


def test_too_few_episodes_and_wrong_files_are_refused(recorded, tmp_path):
    with pytest.raises(InvalidArgumentError, match="4 successes and 0 failures"):
        train_reward(read_datasets(recorded[:1], 0), 0)
    with pytest.raises(InvalidArgumentError, match="needs the folder"):
        TrainReward(datasets=(), out=tmp_path / "reward.npz").run()
    wrong = tmp_path / "wrong.npz"
    for content in (b"", b"PK", b"text"):
        wrong.write_bytes(content)
        with pytest.raises(InvalidArgumentError, match="cannot be read as a learned reward"):
            LearnedReward.load(wrong)
    np.savez(wrong, facts=np.array(json.dumps({"format": "policy"})))
    with pytest.raises(InvalidArgumentError, match="reward train has not written it"):
        LearnedReward.load(wrong)
    with pytest.raises(InvalidArgumentError):
        make_env(TASK, reward=tmp_path / "none.npz")
