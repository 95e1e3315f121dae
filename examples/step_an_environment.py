"""Step an environment in which a simulated human helps an idle policy: ``python step_an_environment.py``."""

import gymnasium as gym
import numpy as np

import gym_hil  # noqa: F401

env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1")
observation, info = env.reset(seed=0)
done = False
while not done:
    observation, reward, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
    done = terminated or truncated
    record = info["step"]
    actor = "human " if record.is_intervention else "policy"
    print(f"step {record.step:3}: {actor} {record.executed_action.round(2)} reward {reward:.0f}")
print("success" if info["is_success"] else info["termination_reason"] or "time limit")
env.close()
