"""Vector environments follow the interface of Gymnasium, and each member equals a single environment bit for bit."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.core.errors import (
    EpisodeOrderError,
    InvalidActionError,
    InvalidArgumentError,
    UnknownArgumentError,
)

NEXT, SAME = "NextStep", "SameStep"


def make(env_id, num_envs, **kwargs):
    return gym.make_vec(
        f"gym_hil/{env_id}", num_envs=num_envs, vectorization_mode="vector_entry_point", **kwargs
    )


def sync(env_id, num_envs, autoreset_mode, **kwargs):
    return gym.make_vec(
        f"gym_hil/{env_id}",
        num_envs=num_envs,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": gym.vector.AutoresetMode(autoreset_mode)},
        **kwargs,
    )


def require_equal(ours, theirs, where=""):
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            require_equal(ours[key], theirs[key], f"{where}/{key}")
    elif isinstance(theirs, np.ndarray) and theirs.dtype == object:
        for number, (our_value, their_value) in enumerate(zip(ours, theirs, strict=True)):
            require_equal(our_value, their_value, f"{where}[{number}]")
    else:
        assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None), where
        np.testing.assert_array_equal(ours, theirs, err_msg=where)


def play_both(ours, theirs, steps):
    for number, results in enumerate(zip(ours.reset(seed=7), theirs.reset(seed=7), strict=True)):
        require_equal(*results, where=f"reset {number}")
    rng = np.random.default_rng(1)
    ends = 0
    for step in range(steps):
        actions = rng.uniform(ours.action_space.low, ours.action_space.high).astype(np.float32)
        our_value, their_value = ours.step(actions), theirs.step(actions)
        for part, results in enumerate(zip(our_value, their_value, strict=True)):
            require_equal(*results, where=f"step {step}, part {part}")
        ends += int((our_value[2] | our_value[3]).sum())
    ours.close()
    theirs.close()
    return ends


@pytest.mark.parametrize("mode", [NEXT, SAME])
@pytest.mark.parametrize(
    "env_id",
    [
        "PandaPickCube-v1",
        "PandaPickCubeBase-v0",
        "PandaArrangeBoxesState-v1",
        "PandaPickCubeSimulatedHuman-v1",
    ],
)
def test_a_vector_equals_gymnasiums_own_of_single_environments(env_id, mode):
    ours = make(env_id, 5, autoreset_mode=mode, max_episode_steps=8, num_threads=3)
    assert ours.metadata["autoreset_mode"].value == mode
    ends = play_both(ours, sync(env_id, 5, mode, max_episode_steps=8), 30)
    assert ends >= 15


@pytest.mark.parametrize("mode", [NEXT, SAME])
def test_images_equal_those_of_single_environments(mode):
    kwargs = {"image_obs": True, "max_episode_steps": 3}
    ours = make("PandaPickCube-v1", 3, autoreset_mode=mode, **kwargs)
    assert play_both(ours, sync("PandaPickCube-v1", 3, mode, **kwargs), 5) >= 3


def test_members_are_independent_and_seeded():
    envs = make("PandaPickCube-v1", 3)
    observations, _ = envs.reset(seed=[5, 9, 5])
    cubes = observations["environment_state"]
    np.testing.assert_array_equal(cubes[0], cubes[2])
    assert np.abs(cubes[0] - cubes[1]).max() > 1e-3
    again, _ = envs.reset(seed=5)
    np.testing.assert_array_equal(again["environment_state"][0], cubes[0])
    np.testing.assert_array_equal(cubes[0], cubes[2], err_msg="an earlier observation has changed")
    envs.close()


def test_without_autoreset_a_mask_selects_resets_and_ended_episodes_cannot_step():
    envs = make("PandaPickCubeBase-v1", 3, autoreset_mode="Disabled", max_episode_steps=2)
    envs.reset(seed=0)
    idle = np.zeros((3, 7), np.float32)
    envs.step(idle)
    with pytest.raises(InvalidArgumentError, match="reset_mask"):
        envs.reset(options={"reset_mask": np.zeros(3, bool)})
    before, _ = envs.reset(options={"reset_mask": np.array([False, True, False])})
    after, _, _, truncations, _ = envs.step(idle)
    assert truncations.tolist() == [True, False, True]
    with pytest.raises(EpisodeOrderError, match=r"\[0, 2\] have ended"):
        envs.step(idle)
    envs.reset(options={"reset_mask": truncations})
    assert not envs.step(idle)[3][[0, 2]].any()
    assert before["agent_pos"].shape == after["agent_pos"].shape == (3, 18)
    envs.close()


def test_an_error_about_an_action_names_the_environment_and_no_environment_moves():
    envs = make("PandaPickCube-v1", 3)
    observations, _ = envs.reset(seed=0)
    bad = np.ones((3, 4), np.float32)
    bad[1, 2] = np.nan
    with pytest.raises(InvalidActionError, match="environment 1"):
        envs.step(bad)
    with pytest.raises(InvalidActionError, match=r"\(2, 4\)"):
        envs.step(np.ones((2, 4)))
    with pytest.raises(InvalidActionError, match="numbers"):
        envs.step(["up", "down", "left"])
    times = [data.time for data in envs.get_attr("data")]
    assert times == [0.0] * 3
    require_equal(envs.reset(seed=0)[0], observations)
    envs.close()


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"render_mode": "human"}, "rgb_array"),
        ({"autoreset_mode": "sometimes"}, "NextStep"),
        ({"num_threads": 0}, "num_threads=0"),
        ({"num_envs": 0}, "num_envs=0"),
        ({"reward_typ": "dense"}, "reward_type"),
    ],
)
def test_arguments_that_do_not_apply_are_refused(kwargs, message):
    with pytest.raises((InvalidArgumentError, UnknownArgumentError), match=message):
        make("PandaPickCube-v1", **{"num_envs": 2, **kwargs})


def test_an_error_in_one_member_reaches_the_caller():
    envs = make("PandaPickCube-v1", 4, num_threads=2)
    with pytest.raises(EpisodeOrderError):
        envs.step(np.ones((4, 4), np.float32))
    envs.close()
    envs.close()


def test_members_share_the_model_and_each_renders_a_picture():
    envs = make("PandaPickCube-v1", 2, render_mode="rgb_array")
    first, second = envs.get_attr("model")
    assert first is second
    assert envs.get_attr("data")[0] is not envs.get_attr("data")[1]
    envs.reset(seed=0)
    frames = envs.render()
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 2
    assert (frames[0] != frames[1]).any()
    envs.close()


def test_methods_raise_after_close():
    envs = make("PandaPickCube-v1", 2, num_threads=2)
    envs.reset(seed=0)
    envs.close()
    for call in (lambda: envs.step(np.zeros((2, 4), np.float32)), envs.reset, envs.render):
        with pytest.raises(EpisodeOrderError, match="after close"):
            call()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda envs: pickle.loads(pickle.dumps(envs))])
@pytest.mark.parametrize("image_obs", [False, True])
def test_a_copy_continues_identically_with_its_own_threads(copied, image_obs):
    envs = make("PandaPickCube-v1", 3, num_threads=2, image_obs=image_obs)
    envs.reset(seed=0)
    envs.step(np.ones((3, 4), np.float32))
    twin = copied(envs)
    expected = envs.step(np.ones((3, 4), np.float32))
    envs.close()
    found = twin.step(np.ones((3, 4), np.float32))
    require_equal(found[0], expected[0])
    assert twin.get_attr("model")[0] is twin.get_attr("model")[1]
    twin.close()


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_a_forked_process_continues_with_its_own_threads():
    envs = make("PandaPickCube-v1", 3, num_threads=2)
    envs.reset(seed=0)
    actions = np.ones((3, 4), np.float32)
    envs.step(actions)
    ours, theirs = multiprocessing.Pipe()

    def child():
        theirs.send(envs.step(actions)[0]["agent_pos"])
        envs.close()

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    assert ours.poll(20), "the child hangs"
    np.testing.assert_array_equal(ours.recv(), envs.step(actions)[0]["agent_pos"])
    process.join(20)
    assert process.exitcode == 0
    envs.close()


def test_attributes_are_set_in_every_environment():
    envs = make("PandaPickCube-v1", 2)
    envs.set_attr("reward_type", ["dense", "sparse"])
    assert envs.get_attr("reward_type") == ("dense", "sparse")
    envs.set_attr("reward_type", "dense")
    assert envs.get_attr("reward_type") == ("dense", "dense")
    with pytest.raises(InvalidArgumentError, match="1 entries instead of 2"):
        envs.set_attr("reward_type", ["dense"])
    envs.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's process table")
@pytest.mark.skipif(sys.gettrace() is not None, reason="tracing takes memory")
def test_an_added_state_environment_takes_less_than_a_megabyte():
    def resident_mb():
        return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * 4096 / 1e6

    def size(num_envs):
        before = resident_mb()
        envs = make("PandaArrangeBoxesState-v1", num_envs)
        envs.reset(seed=0)
        for _ in range(3):
            envs.step(envs.action_space.sample())
        taken = resident_mb() - before
        envs.close()
        return taken

    size(2)
    assert size(256) / 256 < 1.0
