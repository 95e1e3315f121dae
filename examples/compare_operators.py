"""Compare what simulated humans of different skill cost: ``python compare_operators.py``."""

import numpy as np

import gym_hil
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.intervention.human_cost import RecordHumanCost
from gym_hil.intervention.scripted_policies import make_policy

EPISODES = 10

for preset in ("novice", "average", "experienced", "inattentive"):
    env = RecordHumanCost(gym_hil.make_env("PandaPickCube-v1", operator="simulated", preset=preset))
    for seed in range(EPISODES):
        policy, rng = make_policy("noisy-expert"), np.random.default_rng(seed)
        env.reset(seed=seed)
        done = False
        while not done:
            *_, terminated, truncated, _ = env.step(policy(EnvironmentInterface(env), rng))
            done = terminated or truncated
    cost = env.summary()
    print(
        f"{preset:12} success {cost['success']:4.0%}, {cost['intervened_s']:.1f} s by the human per episode"
    )
    env.close()
