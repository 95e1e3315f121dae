"""Trained policies on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.errors import InvalidArgumentError
from gym_hil.operators.base import Action
from gym_hil.operators.policies import Policy
from gym_hil.training.agent import HilSAC
from gym_hil.training.config import TrainConfig
from gym_hil.training.evaluation import Act
from gym_hil.training.policy_env import features, to_command
from gym_hil.training.run import CHECKPOINT, CONFIG, actor


def load(run_dir: Path) -> tuple[TrainConfig, Act]:
    """Return the configuration and the deterministic policy of a run.

    Raises:
        InvalidArgumentError: there is no such run, or its checkpoint cannot be read.
    """
    config = TrainConfig.load(run_dir / CONFIG)
    path = run_dir / CHECKPOINT
    if not path.is_file():
        raise InvalidArgumentError(f"{run_dir} has no {CHECKPOINT}: the run did not end; train again")
    try:
        model = HilSAC.load(path, device="cpu")
    except Exception as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error}") from error
    return config, actor(model)


def require_task(run_dir: Path, config: TrainConfig, env_id: str) -> None:
    """Raise `InvalidArgumentError` unless the run's task is that of `env_id`; versions may differ."""
    if config.env_id.rsplit("-v", 1)[0] != env_id.rsplit("-v", 1)[0]:
        raise InvalidArgumentError(f"{run_dir} was trained on {config.env_id}, not on {env_id}")


def load_policy(run_dir: Path, env_id: str) -> Policy:
    """Return a run's policy for environments of the task of `env_id`."""
    config, act = load(run_dir)
    require_task(run_dir, config, env_id)

    def policy(env: ManipulationEnv, rng: np.random.Generator) -> Action:
        return to_command(act(features(env.observe(), env.task)))

    return policy
