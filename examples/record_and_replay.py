"""Record an episode in memory and replay it bit for bit: ``python record_and_replay.py``."""

import numpy as np

import gym_hil
from gym_hil.datasets.recorder import EpisodeRecorder
from gym_hil.datasets.replay import first_difference, make_replay_env
from gym_hil.intervention import SimulatedHuman

env = gym_hil.make_env("PandaInsertPeg-v1", operator=SimulatedHuman())
recorder = EpisodeRecorder(env, {"operator": "simulated"})
env.reset(seed=4)
done = False
while not done:
    *_, terminated, truncated, _ = env.step(np.array([0, 0, 0, 1], np.float32))
    done = terminated or truncated
episode = recorder.episode(seed=4)
env.close()
print(f"{episode.length} steps, {episode.meta['end']}, arrays: {', '.join(episode.frames)}")

replay = make_replay_env("PandaInsertPeg-v1")
difference = first_difference(episode, replay)
print("the replay is bit-identical" if difference is None else difference)
replay.close()
