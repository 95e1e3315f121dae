"""Loads trained policies for evaluation and for environments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.step_record import Action
from gym_hil.intervention.scripted_policies import Policy
from gym_hil.learning.policy_actions import PolicyActions, make_actions
from gym_hil.learning.policy_env import PolicyEnv, make_interface, make_policy_env
from gym_hil.learning.policy_file import CHECKPOINT, POLICY, TrainedPolicy
from gym_hil.learning.policy_observation import PolicyObservation


def load(path: Path) -> TrainedPolicy:
    """Load a trained policy. Reading never executes code from the file.

    Args:
        path: folder of a training run, or a policy or checkpoint file (``.npz``).

    Returns:
        The policy, with the configuration of its training.

    Raises:
        InvalidArgumentError: there is no policy, or it cannot be read.
    """
    if path.is_dir():
        names = [name for name in (POLICY, CHECKPOINT) if (path / name).is_file()]
        if not names:
            raise InvalidArgumentError(
                f"{path} is not the folder of a training run: it contains neither {POLICY} nor {CHECKPOINT}"
            )
        path = path / names[0]
    if not path.is_file():
        raise InvalidArgumentError(f"{path} is neither a folder nor a file")
    if path.suffix == ".zip":
        raise InvalidArgumentError(
            f"{path} cannot be read, because checkpoints of version 0.1.15 and earlier can execute code when they "
            f"are loaded. Use {POLICY} in the same folder, or continue the run with --resume"
        )
    return TrainedPolicy.load(path)


def make_env_for(policy: TrainedPolicy, path: Path, env_id: str) -> PolicyEnv:
    """Return an environment for a policy.

    Args:
        policy: the policy.
        path: file of the policy, for error messages.
        env_id: a base id. Versions of an id are interchangeable.

    Raises:
        InvalidArgumentError: the policy was trained for another task, robot, observation or action.
    """
    env = make_policy_env(
        env_id, None, observation=policy.config.observation, **policy.config.env_arguments()
    )
    try:
        policy.interface.require_same(env.interface, path)
    except InvalidArgumentError:
        env.close()
        raise
    return env


def load_policy(path: Path, env_id: str | None) -> Policy:
    """Return a trained policy for environments of `env_id`.

    Args:
        path: folder of a training run, or a policy or checkpoint file.
        env_id: a base id; None to compare the policy with the environment in the first step alone.

    Returns:
        A function from the environment and a random generator to the environment's action.

    Raises:
        InvalidArgumentError: the policy cannot be read, or was trained for another environment. An environment
            with another interface is refused in the first step.
    """
    trained = load(path)
    if env_id is not None:
        make_env_for(trained, path, env_id).close()
    acting, kind = trained.make_policy(), trained.config.observation
    observe: PolicyObservation | None = None
    actions: PolicyActions | None = None

    def policy(env: EnvironmentInterface, rng: np.random.Generator) -> Action:
        nonlocal observe, actions
        if observe is None or actions is None:
            observe, actions = PolicyObservation(env, kind), make_actions(env)
            interface = make_interface(env, observe, actions)
            if kind.has_images and env.offers("camera_images"):  # an arm whose task only the person knows
                interface = replace(interface, task=trained.interface.task)
            trained.interface.require_same(interface, path)
        return actions.to_env(acting.act(observe(env.observe())))

    return policy
