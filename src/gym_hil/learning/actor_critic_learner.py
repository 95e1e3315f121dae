"""Trains `gym_hil.learning.sac.HilSAC`, for all methods that learn values of actions.

The algorithm is RLPD with the interventions of HIL-SERL; `gym_hil.learning.sac` gives the references. In
addition, the actor imitates the human, and the learning rate decreases towards the end of a run, unless a method
changes these settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.imitation_learner import FEATURE_NOISE
from gym_hil.learning.methods.base import Learner, Weights

if TYPE_CHECKING:
    from gym_hil.learning.sac import HilSAC

FINAL_LEARNING_RATE = 0.05
"""Final learning rate as a fraction of the initial one, if annealing is used."""
RETURNS = (0.0, 1.0)
"""Bounds of the return. The reward is 1 at success, which ends the episode, and 0 otherwise."""
SPARE_ROOM = 2000
"""Size of the replay buffer beyond the run's steps, for episodes that exceed them or are recorded again."""
_TORCH_RNG = "torch_rng"


class ActorCriticLearner(Learner):
    """Trains `HilSAC`, with half of every batch from human transitions.

    Args:
        config: configuration of the run.
        observation_space: observation space of the policy.
        action_space: action space of the policy.

    Attributes:
        model: the algorithm.
        buffer: its replay buffer.
        pretraining_updates: number of gradient steps of the critics before the policy acts.
    """

    pretraining_updates = 0

    def __init__(self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        from gym_hil.learning.sac import make_hil_sac

        self._config = config
        self.model: HilSAC = make_hil_sac(observation_space, action_space, **self.settings(config))
        self.buffer = self.model.demonstration_buffer

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """Return the keyword arguments of `gym_hil.learning.sac.make_hil_sac`."""
        from gym_hil.learning.torch_setup import select_device

        return {
            "images": config.observation.has_images,
            "width": config.width,
            "seed": config.seed,
            "learning_rate": annealed(config.learning_rate, config.annealing),
            "buffer_size": config.total_steps + SPARE_ROOM,
            "batch_size": config.batch_size,
            "gamma": config.gamma,
            "ent_coef": f"auto_{config.entropy}",
            "tau": config.tau,
            "returns": RETURNS,
            "imitation": config.imitation,
            "feature_noise": 0.0 if config.observation.has_images else FEATURE_NOISE,
            "device": select_device(config.device, images=config.observation.has_images),
        }

    def add(self, transitions: Transitions) -> None:
        """Store transitions."""
        self.buffer.add_transitions(transitions)

    def forget(self, count: int) -> None:
        """Drop the newest `count` transitions."""
        self.buffer.forget(count)

    def update(self) -> None:
        """Update the critics `updates_per_step` times, and the actor once."""
        planned = self._config.updates_per_step * self._config.total_steps
        self.model.set_progress(max(0, self.updates - self.pretraining_updates) / planned)
        self.model.train(self._config.updates_per_step, self._config.batch_size)

    def policy_weights(self) -> Weights:
        """Return the actor's weights in the format of `GaussianPolicy`."""
        from gym_hil.learning.sac import gaussian_weights

        return gaussian_weights(self.model.actor.state_dict())

    @property
    def updates(self) -> int:
        """Gradient steps of the critics so far."""
        return self.model.updates

    def metrics(self) -> dict[str, float]:
        """Return losses and the entropy coefficient of the latest update."""
        return self.model.metrics()

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the state of networks, optimizers, counters and random generators."""
        import torch

        from gym_hil.learning.model_state import state_arrays

        facts = {"updates": self.updates, "batch_rng": self.buffer.rng.bit_generator.state}
        return facts, {**state_arrays(self.model), _TORCH_RNG: torch.get_rng_state().numpy()}

    def load_state(self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Restore the result of `state` exactly.

        Raises:
            ValueError: the state belongs to networks with a different architecture.
        """
        import torch

        from gym_hil.learning.model_state import restore_state

        torch_rng = torch.from_numpy(arrays.pop(_TORCH_RNG).astype(np.uint8))
        restore_state(self.model, arrays)
        self.model.updates = int(facts["updates"])
        self.buffer.rng.bit_generator.state = facts["batch_rng"]
        torch.set_rng_state(torch_rng)


def annealed(rate: float, fraction: float) -> Callable[[float], float]:
    """Return a learning rate schedule for Stable-Baselines3.

    Args:
        rate: initial learning rate.
        fraction: final fraction of the run over which the rate decreases linearly to `FINAL_LEARNING_RATE` times
            its initial value; 0 for a constant rate.

    Returns:
        A function from the remaining fraction of the run, in [0, 1], to the learning rate.
    """

    def schedule(remaining: float) -> float:
        return rate * max(FINAL_LEARNING_RATE, min(1.0, remaining / fraction)) if fraction else rate

    return schedule
