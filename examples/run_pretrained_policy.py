"""Evaluate the policy that is shipped with the package: ``python run_pretrained_policy.py``."""

import numpy as np

import gym_hil
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.learning.checkpoint import load_policy
from gym_hil.learning.pretrained import pretrained

ENV_ID = "gym_hil/PandaPickCubeStateBase-v1"
EPISODES = 20

policy = load_policy(pretrained(ENV_ID), ENV_ID)  # or the folder of your own training run
env = gym_hil.make_env(ENV_ID)
rng = np.random.default_rng(0)
successes = 0
for seed in range(EPISODES):
    env.reset(seed=seed)
    done = False
    while not done:
        *_, terminated, truncated, info = env.step(policy(EnvironmentInterface(env), rng))
        done = terminated or truncated
    successes += info["is_success"]
print(f"{successes} of {EPISODES} episodes succeeded")
env.close()
