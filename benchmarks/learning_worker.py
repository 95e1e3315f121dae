"""Measures the gradient steps of one learner, for the imported version of the package.

`benchmarks/learning_speed.py` starts this program once per version, and writes a line to its standard input for each
turn. The answer to a line is the number of gradient steps per second of processor time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

DEMOS, OTHERS = 10, 1000
"""Number of demonstrations, and of other transitions without a human action, that a learner has stored."""
TURN_S = 0.5
"""Processor time of a turn (s)."""
ENV_ID = "gym_hil/PandaPickCubeStateBase-v1"


def current_learner(method: str, obs: str) -> Any:
    """Return a learner of this version, with stored transitions and after its pretraining."""
    from gym_hil.learning.config import TrainConfig, defaults_for
    from gym_hil.learning.episode_store import Transitions
    from gym_hil.learning.methods import METHODS
    from gym_hil.learning.policy_env import make_policy_env
    from gym_hil.learning.rollout import Rollouts

    config = TrainConfig(env_id=ENV_ID, method=method, obs=obs, **defaults_for(ENV_ID, obs, method))
    env = make_policy_env(ENV_ID, None, observation=config.observation)
    learner = METHODS.get(method).make_learner(config, env.observation_space, env.action_space)
    rollouts = Rollouts(config)
    fill(learner, rollouts.demonstrate, lambda episode: episode.transitions(0, len(episode)), Transitions)
    for _ in range(getattr(learner, "pretraining_updates", 0) // config.updates_per_step):
        learner.update()
    return learner


def learner_of_0_1_15(method: str, obs: str) -> Any:
    """Return a learner of version 0.1.15, with stored transitions."""
    from gym_hil.training.acting import Acting
    from gym_hil.training.config import TrainConfig
    from gym_hil.training.experience import Steps
    from gym_hil.training.imitation import ImitationLearner
    from gym_hil.training.learner import SacLearner
    from gym_hil.training.policy_env import make_policy_env

    images = {"updates_per_step": 1, "batch_size": 64, "learning_rate": 1e-3} if obs == "pixels" else {}
    config = TrainConfig(env_id=ENV_ID, method=method, obs=obs, **images)
    env = make_policy_env(ENV_ID, None, pixels=config.pixels)
    kind = SacLearner if method == "hil" else ImitationLearner
    learner = kind(config, env.observation_space, env.action_space)
    fill(learner, Acting(config).demonstrate, lambda episode: episode.steps(0, len(episode)), Steps)
    return learner


def fill(
    learner: Any, demonstrate: Callable[[int], Any], steps_of: Callable[[Any], Any], kind: Callable[..., Any]
) -> None:
    """Store `DEMOS` demonstrations and `OTHERS` transitions with random actions."""
    for number in range(DEMOS):
        episode = demonstrate(number)
        learner.add(steps_of(episode))
    rng, none = np.random.default_rng(0), np.zeros(OTHERS, bool)
    rows = episode.observations[rng.integers(len(episode), size=(2, OTHERS))]
    actions = rng.uniform(-1.0, 1.0, (OTHERS, episode.actions.shape[1])).astype(np.float32)
    learner.add(kind(rows[0], rows[1], actions, np.zeros(OTHERS, np.float32), none, none, none))


def main(method: str, obs: str) -> None:
    """Answer every line of the standard input."""
    torch.set_num_threads(1)
    make = current_learner if find_spec("gym_hil.learning") else learner_of_0_1_15
    learner = make(method, obs)
    for _ in range(20):
        learner.update()
    for _ in sys.stdin:
        before, start = learner.updates, time.process_time()
        while time.process_time() - start < TURN_S:
            learner.update()
        print((learner.updates - before) / (time.process_time() - start), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
