"""Images are drawn from any thread and from copies, but not in a process that was forked after drawing."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import pickle
import subprocess
import sys
import threading

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.core.errors import RenderingError

ID = "gym_hil/PandaPickCube-v1"
forks = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")


def drawn(env):
    """Return the image of a step."""
    return env.step(np.array([0.5, 0, 0, 1], np.float32))[0]["pixels"]["front"]


@pytest.fixture
def env():
    env = gym.make(ID, image_obs=True, disable_env_checker=True)
    env.reset(seed=0)
    yield env
    env.close()


def test_another_thread_can_render(env):
    found = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: found.append(drawn(env)))
        thread.start()
        thread.join()
        found.append(drawn(env))
    assert [image.std() > 5 for image in found] == [True] * 4


def test_two_threads_can_render_two_environments_at_once():
    reference, found = [], {}
    for seed in range(2):
        env = gym.make(ID, image_obs=True)
        env.reset(seed=seed)
        reference.append([drawn(env) for _ in range(5)])

    def work(seed):
        env = gym.make(ID, image_obs=True)
        env.reset(seed=seed)
        found[seed] = [drawn(env) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(2):
        np.testing.assert_array_equal(found[seed], reference[seed])


def test_garbage_collection_destroys_no_context(monkeypatch):
    """It may run in one thread while another frees the same context, which OpenGL refuses the second time."""
    lost = gym.make(ID, image_obs=True)
    lost.reset(seed=0)
    context = lost.unwrapped.cameras._renderers["observation"]._opengl.context
    freed, kind = [], type(context)
    free = kind.free
    monkeypatch.setattr(kind, "free", lambda self: freed.append(id(self)) or free(self))
    number = id(context)
    lost.unwrapped.itself = lost
    del lost, context
    gc.collect()
    assert number not in freed, "only the next image frees it, in its own thread"
    env = gym.make(ID, image_obs=True)
    env.reset(seed=0)
    assert number in freed
    env.close()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copied_environment_has_its_own_renderer(env, copied):
    twin = copied(env)
    expected = drawn(env)
    env.close()
    np.testing.assert_array_equal(drawn(twin), expected)
    twin.close()


@forks
def test_a_forked_process_is_refused_at_once(env):
    def child(pipe):
        try:
            drawn(env)
        except RenderingError as error:
            pipe.send(str(error))

    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=child, args=(theirs,))
    process.start()
    assert ours.poll(20), "the child hangs"
    assert "fork" in (message := ours.recv()) and "spawn" in message
    process.join(20)
    assert process.exitcode == 0
    assert drawn(env).std() > 5, "the parent goes on"


@forks
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("closed", [True, False])
def test_rendering_in_gymnasiums_forked_workers_raises_an_explanation(env, closed):
    if closed:
        env.close()
    options = {"vectorization_mode": "async", "vector_kwargs": {"context": "fork"}}
    envs = gym.make_vec(ID, num_envs=2, image_obs=True, **options)
    with pytest.raises(RenderingError, match="spawn"):
        envs.reset(seed=0)
    envs.close(terminate=True)


@forks
def test_rendering_in_forked_workers_of_stable_baselines_raises_an_explanation(env, capfd):
    vec_env = pytest.importorskip("stable_baselines3.common.vec_env")
    env.close()
    envs = vec_env.SubprocVecEnv([lambda: gym.make(ID, image_obs=True)] * 2, start_method="fork")
    try:
        with pytest.raises((EOFError, ConnectionError)):
            envs.reset()
    finally:
        for process in envs.processes:
            process.join(20)
    assert 'start_method="spawn"' in capfd.readouterr().err
    assert [process.exitcode for process in envs.processes] == [1, 1]


@forks
@pytest.mark.parametrize("closed", [True, False])
def test_a_forked_process_exits(closed):
    code = (
        "import gymnasium as gym, gym_hil, os, sys\n"
        f"env = gym.make({ID!r}, image_obs=True); env.reset(seed=0)\n"
        + ("env.close()\n" if closed else "")
        + "child = os.fork()\n"
        "if not child: sys.exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print('exited')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "exited" and done.returncode == 0, done.stderr
