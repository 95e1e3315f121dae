"""`gym-hil record`, `train` and `play` with a stand-in for the arm, without LeRobot."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tyro

from gym_hil.cli.play import Play
from gym_hil.cli.real_arm import RealArmOptions
from gym_hil.cli.record import Record
from gym_hil.cli.replay import Replay
from gym_hil.cli.train import Train
from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.datasets.camera_images import render_images
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.devices.base import Device, DeviceReading, Engage
from gym_hil.integrations.lerobot.real_arm.connection import Measurement
from gym_hil.integrations.lerobot.real_arm.prompt import Prompt
from gym_hil.integrations.lerobot.real_arm.stack import RealArm
from gym_hil.intervention.human import Human
from gym_hil.learning.episode_store import TrainingEpisodeStore
from gym_hil.learning.observation_kind import ObservationKind
from gym_hil.learning.policy_env import make_policy_env
from gym_hil.robots.geometry import Box
from gym_hil.robots.so101 import SO101
from gym_hil.testing.clock import ManualClock

ARM = RealArmOptions(robot="lerobot:so101_follower", robot_port="/dev/nothing")
"""Options of an arm; the tests replace the arm itself and the gamepad."""


class Arm:
    """Moves to every commanded position at once. The command after `broken` was set fails."""

    def __init__(self, *, cameras: tuple[str, ...] = ()) -> None:
        self.cameras, self.broken = cameras, False
        self._joints, self._opening = (0.1, -0.5, 0.4, 1.2, 1.5), 0.2
        self.commands, self.connections = 0, 0

    def connect(self) -> None:
        self.connections += 1

    def read(self) -> Measurement:
        shade = self.commands % 256
        images = {name: np.full((48, 64, 3), shade, np.uint8) for name in self.cameras}
        return Measurement(self._joints, self._opening, images=images)

    def reset_gripper(self) -> None:
        self.grips = getattr(self, "grips", 0) + 1

    def limit_speed(self, speeds) -> None:
        """Move at any speed."""

    def send(self, joints, opening) -> None:
        self.commands += 1
        if self.broken:
            self.broken = False
            raise DeviceError("could not command the arm: Input/output error")
        self._joints, self._opening = tuple(joints), float(opening)

    def close(self) -> None:
        """Do nothing."""


class Person(Device):
    """Drives, and presses a button at the end of every episode.

    Args:
        steps: length of its episodes.
        end: the button.
        before: called before every step with the numbers of the episode and of the step, from 1.
    """

    name = "person"

    def __init__(self, steps: int, end: EpisodeEvent = EpisodeEvent.SUCCESS, before=lambda *_: None) -> None:
        self._steps, self._end, self._before = steps, end, before
        self._episodes = self._polls = 0

    def flush(self) -> None:
        """Begin an episode."""
        self._episodes, self._polls = self._episodes + 1, 0

    def poll(self) -> DeviceReading:
        self._polls += 1
        self._before(self._episodes, self._polls)
        if self._polls == self._steps:
            return DeviceReading(engage=True, events=(self._end,))
        side = 0.4 if self._polls % 2 else -0.3
        return DeviceReading(motion=(0.2, side, 0.1, 0, 0, 0), gripper=GripperCommand.STAY, engage=True)

    def help(self) -> str:
        return "a test"


@pytest.fixture
def laboratory(monkeypatch):
    """Replace the arm at the port and the gamepad."""

    def use(arm: Arm, device: Device) -> list[str]:
        asked: list[str] = []

        def chosen(given: RealArmOptions) -> RealArm | None:
            made = RealArm(connect=lambda: arm, clock=ManualClock(), description=given.robot_task)
            return made if given.robot else None

        monkeypatch.setattr(RealArmOptions, "arm", chosen)
        monkeypatch.setattr("gym_hil.stacks.build.make_operator", lambda *_, **__: Human(device, Engage.HOLD))
        monkeypatch.setattr(Prompt, "__call__", lambda _, text: asked.append(text))
        return asked

    return use


def test_episodes_of_an_arm_are_recorded_and_kept_when_it_does_not_answer(laboratory, tmp_path):
    arm = Arm(cameras=("front", "wrist"))

    def pull_the_cable(episode: int, step: int) -> None:
        arm.broken = (episode, step) == (2, 5)

    asked = laboratory(arm, Person(12, before=pull_the_cable))
    cameras = json.dumps({name: {"type": "opencv", "index_or_path": 0} for name in arm.cameras})
    options = replace(ARM, robot_cameras=cameras)
    assert Record(arm=options, operator="gamepad", root=tmp_path, episodes=4, ask=False).run() == 0
    store = EpisodeStore(tmp_path)
    assert store.env_id == "lerobot:so101_follower" and store.numbers() == [0, 1, 2, 3] and not store.damage()
    episodes = [store.read(number) for number in range(4)]
    ends = [episode.meta["end"] for episode in episodes]
    assert ends == ["human_success", "device_error", "human_success", "human_success"]
    whole = episodes[0]
    assert whole.length == 12 and whole.success and whole.frames["complementary_info.is_intervention"].all()
    assert whole.frames["observation.images.front"].shape == (12, 128, 128, 3)
    assert {len(images) for images in render_images(whole, None).values()} == {13}, "images are not rendered"
    assert arm.connections == 2 and sum("keep clear" in text for text in asked) == 4
    with pytest.raises(InvalidArgumentError, match="cannot be replayed"):
        Replay(root=tmp_path, verify=True).run()


@pytest.mark.slow
def test_a_lerobot_dataset_of_an_arm_is_completed_after_a_crash(laboratory, tmp_path):
    pytest.importorskip("lerobot.datasets.lerobot_dataset")
    pytest.importorskip("datasets")
    arm = Arm(cameras=("front", "wrist"))
    laboratory(arm, Person(12))
    cameras = json.dumps({name: {"type": "opencv", "index_or_path": 0} for name in arm.cameras})
    options = replace(ARM, robot_cameras=cameras, robot_task="Put the cube into the box.")
    record = Record(arm=options, operator="gamepad", root=tmp_path, repo_id="me/arm", episodes=2, ask=False)
    assert record.run() == 0
    (tmp_path / "gym_hil" / "lerobot.json").unlink()  # as if it had crashed before its files were complete
    again = replace(record, episodes=3, resume=True)
    assert again.run() == 0
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset("me/arm", root=tmp_path, video_backend="pyav")
    assert dataset.num_episodes == 3 and dataset.num_frames == 36 and dataset.fps == 10
    first, last = dataset[0], dataset[11]
    assert first["task"] == "Put the cube into the box." and first["observation.state"].shape == (14,)
    assert first["observation.images.front"].shape == (3, 128, 128)
    images = EpisodeStore(tmp_path / "gym_hil").read(0).frames["observation.images.front"]
    for frame, image in ((first, images[0]), (last, images[-1])):
        assert float(frame["observation.images.front"].mean()) * 255 == pytest.approx(image.mean(), abs=4)


@pytest.mark.slow
def test_training_on_an_arm_continues_after_the_cable_was_unplugged(laboratory, tmp_path):
    arm = Arm(cameras=("front", "wrist"))

    def pull_the_cable(episode: int, step: int) -> None:
        arm.broken = (episode, step) == (4, 5)

    asked = laboratory(arm, Person(12, before=pull_the_cable))
    train = Train(
        arm=ARM,
        operator="gamepad",
        method="hg-dagger",
        demos=2,
        robot_minutes=0.1,
        episodes=2,
        out=tmp_path / "run",
    )
    assert train.run() == 0
    store = TrainingEpisodeStore(tmp_path / "run" / "episodes")
    episodes = [store.read(number) for number in range(len(store))]
    assert [episode.kind for episode in episodes[:2]] == ["demonstration"] * 2
    assert len(episodes[3]) == 4 and not episodes[3].success, "the step that failed is left out"
    assert sum(len(episode) for episode in episodes) == 60
    assert arm.connections == 2 and sum("keep clear" in text for text in asked) == len(episodes) + 2
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["late_steps"] == 0 and (result["episodes"], result["successes"]) == (2, 0), (
        "a person has helped"
    )
    assert json.loads((tmp_path / "run" / "arm.json").read_text())["robot"] == "lerobot:so101_follower"
    with pytest.raises(InvalidArgumentError, match="was started with robot=lerobot:so101_follower"):
        replace(train, task="SO101PickCube-v1", arm=RealArmOptions(), resume=True).run()

    laboratory(arm, Person(6, EpisodeEvent.SUCCESS))
    play = Play(arm=ARM, operator="gamepad", policy=str(tmp_path / "run"), window=False, min_success=1.0)
    assert play.run() == 0


def parsed(*arguments: str) -> RealArmOptions:
    command = ["--robot", "lerobot:so101_follower", "--robot-port", "/dev/nothing", *arguments]
    return tyro.cli(Play, args=command).arm


def test_the_workspace_of_an_arm_is_an_option():
    assert parsed().arm().limits.workspace is None, "that of the simulated arm"
    low, high = ("--workspace-low", "0.15", "-0.1", "0.02"), ("--workspace-high", "0.3", "0.1", "0.2")
    assert parsed(*low, *high).arm().limits.workspace == Box((0.15, -0.1, 0.02), (0.3, 0.1, 0.2))
    assert parsed(*low).arm().limits.workspace == Box((0.15, -0.1, 0.02), SO101.workspace.tcp.high)
    for wrong, axes in (("0.15 0.1 0.02", "y"), ("0.3 -0.1 inf", "x, z"), ("nan -0.1 0", "x")):
        with pytest.raises(
            InvalidArgumentError, match=rf"workspace_high=.* is not along {axes}; the default is"
        ):
            parsed("--workspace-low", *wrong.split(), *high).arm()


def test_a_policy_observes_the_cameras_of_the_arm(laboratory):
    laboratory(Arm(cameras=("front", "wrist")), Person(8))
    env = make_policy_env(
        "gym_hil/SO101PickCubeStateBase-v1",
        "gamepad",
        observation=ObservationKind("pixels", 16),
        build=ARM.build,
    )
    observations = [env.reset(seed=0)[0], *(env.step(env.idle_action)[0] for _ in range(3))]
    shades = [np.unique(observation[: 2 * 16 * 16 * 3]) for observation in observations]
    assert [len(shade) for shade in shades] == [1] * 4, "the images are those of the cameras"
    assert np.diff(np.concatenate(shades).astype(int)).min() > 0, "and new in every step"
    assert env.interface.observation == ("front[16x16x3]", "wrist[16x16x3]", "proprioception[4]")
    env.close()
