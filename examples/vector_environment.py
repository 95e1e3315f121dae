"""Step many environments on all cores: ``python vector_environment.py``."""

import time

import gymnasium as gym

import gym_hil  # noqa: F401

NUMBER, STEPS = 32, 50

envs = gym.make_vec("gym_hil/PandaPickCube-v1", num_envs=NUMBER, vectorization_mode="vector_entry_point")
envs.action_space.seed(0)
envs.reset(seed=0)
start = time.perf_counter()
for _ in range(STEPS):
    observations, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
rate = NUMBER * STEPS / (time.perf_counter() - start)
print(f"{NUMBER} environments, observations {observations['agent_pos'].shape}: {rate:,.0f} steps per second")
envs.close()
