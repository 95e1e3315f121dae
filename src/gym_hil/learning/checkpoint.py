"""Trained policies on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.step_record import Action
from gym_hil.intervention.scripted_policies import Policy
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.policy import GaussianPolicy, TrainedPolicy
from gym_hil.learning.policy_env import Sight, interface, make_policy_env, to_command

POLICY = "policy.npz"
"""What acts: needs NumPy only."""
CHECKPOINT = "checkpoint.npz"
"""What learning continues from. The policy in it needs NumPy only."""


def load(path: Path) -> TrainedPolicy:
    """Return the policy of a run's folder, or of one of its files. Reading it runs no code that is in it.

    Args:
        path: a folder that training wrote, or a policy or checkpoint (``.npz``).

    Raises:
        InvalidArgumentError: there is none, or it cannot be read.
    """
    if path.is_dir():
        names = [name for name in (POLICY, CHECKPOINT) if (path / name).is_file()]
        if not names:
            raise InvalidArgumentError(
                f"{path} has neither {POLICY} nor {CHECKPOINT}: nothing was trained there"
            )
        path = path / names[0]
    if not path.is_file():
        raise InvalidArgumentError(f"{path} is neither a folder nor a file")
    if path.suffix == ".zip":
        raise InvalidArgumentError(
            f"{path} cannot be read: up to version 0.1.15 checkpoints had a format that can run code when it "
            f"is read. Take {POLICY} beside it; a run goes on from its stored episodes with --resume"
        )
    trained = TrainedPolicy.load(path)
    try:
        TrainConfig(**trained.config)
    except (TypeError, InvalidArgumentError) as error:
        raise InvalidArgumentError(f"{path} cannot be read as a policy: {error}") from error
    return trained


def require_env(policy: TrainedPolicy, path: Path, env_id: str) -> None:
    """Raise `InvalidArgumentError` unless the policy at `path` is one for `env_id`; versions may differ."""
    env = make_policy_env(env_id, None, pixels=pixels_of(policy))
    policy.interface.require_same(interface(env), path)
    env.close()


def load_policy(path: Path, env_id: str) -> Policy:
    """Return a trained policy for environments of `env_id`."""
    trained = load(path)
    require_env(trained, path, env_id)
    acting = GaussianPolicy(trained.weights)

    sight: Sight | None = None

    def policy(env: EnvironmentInterface, rng: np.random.Generator) -> Action:
        nonlocal sight
        if sight is None:
            sight = Sight(env.unwrapped, pixels_of(trained))
        return to_command(acting.act(sight(env.observe())))

    return policy


def env_of(policy: TrainedPolicy) -> str:
    """Return the id that the policy was trained on."""
    return str(policy.config["env_id"])


def pixels_of(policy: TrainedPolicy) -> int:
    """Return the pixels along a side of what the policy sees; 0 without images."""
    return TrainConfig(**policy.config).pixels
