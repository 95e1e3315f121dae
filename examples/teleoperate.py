"""Drive the robot: ``python teleoperate.py --operator keyboard`` (or gamepad, browser, terminal, ...)."""

import argparse

import numpy as np

import gym_hil
from gym_hil.intervention.human_cost import HUMAN_COST, RecordHumanCost
from gym_hil.intervention.named import operator_names

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--operator", choices=operator_names(), default="keyboard")
parser.add_argument("--task", default="PandaPickCube-v1")
parser.add_argument("--episodes", type=int, default=5)
options = parser.parse_args()

render_mode = "human" if options.operator in ("keyboard", "gamepad", "spacemouse") else None
env = gym_hil.make_env(options.task, operator=options.operator, render_mode=render_mode, real_time=None)
env = RecordHumanCost(env)
print(env.get_wrapper_attr("operator").help())
stay = np.array([0, 0, 0, 1], np.float32)  # the policy does nothing until you take over
for seed in range(options.episodes):
    env.reset(seed=seed)
    done = False
    while not done:
        *_, terminated, truncated, info = env.step(stay)
        done = terminated or truncated
    cost = info[HUMAN_COST]
    print(
        f"episode {seed}: {'success' if cost['success'] else 'failure'}, {cost['intervened_s']:.1f} s by you"
    )
env.close()
