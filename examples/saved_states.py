"""Save a state and try several continuations from it: ``python saved_states.py``."""

import numpy as np

import gym_hil

env = gym_hil.make_env("PandaPickCube-v1", operator="expert")
env.reset(seed=0)
stay = np.array([0, 0, 0, 1], np.float32)
for _ in range(8):
    env.step(stay)
state = env.unwrapped.get_state()

final_positions = []
for _ in range(2):
    env.reset(options={"state": state})
    done = False
    while not done:
        observation, _, terminated, truncated, info = env.step(stay)
        done = terminated or truncated
    final_positions.append(observation["agent_pos"])
    print(f"continued from step 8: {info['step'].step} steps, success: {info['is_success']}")
assert (final_positions[0] == final_positions[1]).all(), "both continuations are equal bit for bit"
env.close()
