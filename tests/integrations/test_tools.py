"""LeRobot's other programs find this package through the plugin: imitation, evaluation, and a robot to drive."""

from __future__ import annotations

import importlib.util
import json
import os
import pty
import time
from pathlib import Path

import numpy as np
import pytest

from gym_hil.cli.record import Record
from lerobot_policies import SMALL_ACT

pd = pytest.importorskip("pandas")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("lerobot"),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        importlib.util.find_spec("lerobot_env_gym_hil") is None,
        reason="needs lerobot[hilserl,training,core_scripts] and plugins/lerobot_env_gym_hil",
    ),
]
ROBOT = "--robot.type=gym_hil"
TELEOP = "--teleop.type=gym_hil"
CORRECTION_S = 2.0
"""Duration of a person's correction in a rollout (s). LeRobot prints nothing about single frames."""


def trained(root, repo_id, out) -> tuple[tuple[str, ...], str]:
    program = "lerobot.scripts.lerobot_train", f"--dataset.repo_id={repo_id}", f"--dataset.root={root}"
    return (*program, *SMALL_ACT, f"--output_dir={out}"), f"{out}/checkpoints/last/pretrained_model"


def at_rest(policy: str) -> str:
    """Make a trained policy, in which two steps of training leave chance alone, one that moves nothing."""
    from safetensors.torch import load_file, save_file

    (path,) = map(str, Path(policy).glob("policy_postprocessor_*unnormalizer*.safetensors"))
    statistics = load_file(path)
    statistics["action.mean"][:] = statistics["action.mean"].new_tensor([0.0, 0.0, 0.0, 1.0])
    statistics["action.std"][:] = 0.0
    save_file(statistics, path)
    return policy


def evaluated(policy, task, out, episodes: int, steps: int = 40) -> tuple[str, ...]:
    return (
        "lerobot.scripts.lerobot_eval", f"--policy.path={policy}", "--env.type=gym_hil",
        f"--env.task={task}", f"--env.episode_length={steps}", f"--eval.n_episodes={episodes}",
        f"--eval.batch_size={episodes}",
        "--policy.device=cpu", f"--output_dir={out}",
    )  # fmt: skip


def test_act_is_trained_on_our_recording_and_its_success_is_read(lerobot, tmp_path):
    root = tmp_path / "picks"
    assert Record(task="PandaPickCube-v1", root=root, repo_id="me/picks", episodes=2).run() == 0
    training, policy = trained(root, "me/picks", tmp_path / "act")
    lerobot.run(training)
    at_rest(policy)
    lerobot.run(
        evaluated(policy, "PandaPickCube-v1", tmp_path / "alone", 2),
        evaluated(policy, "PandaPickCubeSimulatedHuman-v1", tmp_path / "helped", 1, steps=150),
    )
    success = {
        who: json.loads((tmp_path / who / "eval_info.json").read_text())["overall"]["pc_success"]
        for who in ("alone", "helped")
    }
    assert success == {"alone": 0.0, "helped": 100.0}


def test_a_simulated_arm_is_driven_recorded_and_corrected(lerobot, tmp_path):
    recording = (
        "lerobot.scripts.lerobot_record", ROBOT, TELEOP, "--dataset.repo_id=me/arm",
        f"--dataset.root={tmp_path / 'arm'}", "--dataset.single_task=Pick up the cube", "--dataset.fps=10",
        "--dataset.episode_time_s=4", "--dataset.reset_time_s=0.5", "--dataset.num_episodes=2",
        "--dataset.push_to_hub=false", "--play_sounds=false", "--dataset.no_stamp=true",
    )  # fmt: skip
    training, policy = trained(tmp_path / "arm", "me/arm", tmp_path / "act")
    rollout = (
        "lerobot.scripts.lerobot_rollout", f"--policy.path={policy}", ROBOT, "--fps=10",
        "--task=Pick up the cube", "--return_to_initial_position=false",
    )  # fmt: skip
    said = lerobot.run(
        ("lerobot.scripts.lerobot_teleoperate", ROBOT, TELEOP, "--fps=10", "--teleop_time_s=1"),
        recording,
        training,
        (*rollout, "--strategy.type=base", "--duration=1"),
    )
    assert "Base strategy teardown complete" in said
    frames = pd.read_parquet(tmp_path / "arm/data")
    names = json.loads((tmp_path / "arm/meta/info.json").read_text())["features"]["observation.state"][
        "names"
    ]
    height, gripper = names.index("tcp_z.pos"), names.index("gripper.pos")
    for _, episode in frames.groupby("episode_index"):
        seen = np.stack(episode["observation.state"])
        assert seen[0, gripper] > 95, "an episode begins with open fingers"
        assert seen[-1, gripper] < 60 and seen[-1, height] > seen[:, height].min() + 0.09, "and lifts a cube"

    log = tmp_path / "corrections.log"
    screen, keyboard = pty.openpty()
    program = lerobot.start(
        *rollout, TELEOP, "--strategy.type=dagger", "--strategy.num_episodes=1",
        "--dataset.repo_id=me/rollout_arm", f"--dataset.root={tmp_path / 'corrections'}", "--dataset.fps=10",
        "--dataset.push_to_hub=false", "--play_sounds=false", "--strategy.smooth_handover=false",
        log=log, stdin=keyboard,
    )  # fmt: skip
    keys = [("corrections-only recording started", b" "), ("-> paused", b"\t"), ("-> correcting", b"\t")]
    deadline = time.monotonic() + 240
    while program.poll() is None and time.monotonic() < deadline:
        if keys and keys[0][0] in log.read_text():
            if len(keys) == 1:
                time.sleep(CORRECTION_S)
            os.write(screen, keys.pop(0)[1])
        time.sleep(0.2)
    assert program.wait(timeout=10) == 0, log.read_text()[-3000:]
    corrected = pd.read_parquet(tmp_path / "corrections/data")
    assert (
        len(corrected) >= 5 and np.concatenate(corrected["intervention"].map(np.atleast_1d).to_list()).all()
    )
