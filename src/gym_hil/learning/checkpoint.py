"""Load trained policies for evaluation, for `play`, and as policies of an environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.step_record import Action
from gym_hil.intervention.scripted_policies import Policy
from gym_hil.learning.policy_actions import PolicyActions, make_actions
from gym_hil.learning.policy_env import PolicyEnv, PolicyObservation, make_policy_env, task_and_robot
from gym_hil.learning.policy_file import CHECKPOINT, POLICY, TrainedPolicy


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
    return TrainedPolicy.load(path)


def make_env_for(policy: TrainedPolicy, path: Path, env_id: str) -> PolicyEnv:
    """Return an environment of `env_id`, with the policy's robot and observation.

    Args:
        policy: what is to act there.
        path: of the policy, for the message.
        env_id: a base id; versions of an id are interchangeable.

    Raises:
        InvalidArgumentError: the policy was trained for another task, robot, observation or action.
    """
    env = make_policy_env(env_id, None, pixels=policy.config.pixels, **policy.config.env_arguments())
    try:
        policy.interface.require_same(env.interface, path)
    except InvalidArgumentError:
        env.close()
        raise
    return env


def load_policy(path: Path, env_id: str) -> Policy:
    """Return a trained policy for environments of `env_id`.

    Raises:
        InvalidArgumentError: it cannot be read, or was trained for something else. An environment with
            another robot is refused in the first step.
    """
    trained = load(path)
    make_env_for(trained, path, env_id).close()
    acting, pixels, robot = trained.make_policy(), trained.config.pixels, trained.interface.robot
    observe: PolicyObservation | None = None
    actions: PolicyActions | None = None

    def policy(env: EnvironmentInterface, rng: np.random.Generator) -> Action:
        nonlocal observe, actions
        if observe is None or actions is None:
            _, found = task_and_robot(env)
            if found != robot:
                raise InvalidArgumentError(f"{path} was trained for robot {robot}, not {found}")
            observe, actions = PolicyObservation(env, pixels), make_actions(env)
        return actions.to_env(acting.act(observe(env.observe())))

    return policy
