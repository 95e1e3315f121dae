"""Subscribe to every step with an observer: ``python observe_interventions.py``."""

import numpy as np

import gym_hil
from gym_hil.core.observer import Observer


class InterventionPrinter(Observer):
    """Prints when interventions begin and end, and why an episode ended."""

    def on_step(self, env, record):
        if record.phase in ("takeover", "release"):
            print(f"step {record.step}: {record.phase} {record.intervention_id or ''}")
        if record.done:
            print(f"step {record.step}: {record.reason.value if record.reason else 'time limit'}")


env = gym_hil.make_env("PandaPickCube-v1", operator="simulated")
env.get_wrapper_attr("subscribe")(InterventionPrinter())
env.reset(seed=1)
done = False
while not done:
    *_, terminated, truncated, _ = env.step(np.array([0, 0, 0, 1], np.float32))
    done = terminated or truncated
env.close()
