"""Policies trained by LeRobot as policies of this package, for `gym-hil play`, `record` and `eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.envs.observations import proprioception_layout

STATE, OBJECTS, IMAGE = "observation.state", "observation.environment_state", "observation.images.{}"
POLICY_TYPE = "gym_hil"
"""Type of the policies of this package in LeRobot."""
RL = "gaussian_actor"
"""Type of the policies of `lerobot.rl`, which predict a discrete gripper command that is not scaled."""


def is_lerobot_policy(folder: Path) -> bool:
    """Return whether `folder` is a ``pretrained_model`` folder with a policy that LeRobot trained."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return "input_features" in config and config.get("type") != POLICY_TYPE
    except (OSError, ValueError):
        return False


class LeRobotPolicy:
    """A policy of LeRobot that maps the state of an environment to an action (4). Call `reset` before each episode.

    Args:
        folder: a ``pretrained_model`` folder of LeRobot.

    Raises:
        MissingExtraError: LeRobot is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import torch
            from lerobot.configs import PreTrainedConfig
            from lerobot.policies import get_policy_class, make_pre_post_processors
        except ImportError as error:
            raise MissingExtraError("lerobot", "lerobot", "A policy of LeRobot") from error
        config = PreTrainedConfig.from_pretrained(str(folder))
        self._inputs = config.input_features
        self._rl = config.type == RL
        self._policy = get_policy_class(config.type).from_pretrained(str(folder), config=config).eval()
        self._before, self._after = make_pre_post_processors(config, pretrained_path=str(folder))
        self._torch = torch

    def reset(self) -> LeRobotPolicy:
        """Forget the previous episode, and return the policy itself."""
        self._policy.reset()
        return self

    def __call__(self, env: EnvironmentInterface, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return an action.

        Args:
            env: the environment that is observed.
            rng: not used: LeRobot samples with torch's global generator.

        Returns:
            The action (4).

        Raises:
            InvalidArgumentError: the policy observes something that the environment does not have.
        """
        observation = {key: self._observe(env, key, feature.shape) for key, feature in self._inputs.items()}
        with self._torch.inference_mode():
            if not self._rl:
                batch = self._before({**observation, "task": [env.task_description]})
                action = self._after(self._policy.select_action(batch))
            else:
                action = self._policy.select_action(self._before.process_observation(observation))
                arm = self._after.process_action(action[..., :-1])
                action = self._torch.cat([arm, action[..., -1:].to(arm)], dim=-1)
        return np.asarray(action.squeeze(0).cpu(), np.float32)

    def _observe(self, env: EnvironmentInterface, key: str, shape: tuple[int, ...]) -> Any:
        objects = np.asarray(env.task.observe(env.simulation), np.float32)
        if key == STATE:
            agent = env.observe()[schema.AGENT_POS]
            values = np.concatenate([agent[: proprioception_layout(env.task.robot).size], objects])[
                : shape[0]
            ]
        elif key == OBJECTS:
            values = objects
        else:
            images = {IMAGE.format(name): image for name, image in env.draw().items()}
            if key not in images:
                raise InvalidArgumentError(
                    f"the policy observes {key!r}, but the environment only has {sorted(images)}"
                )
            values = np.moveaxis(images[key], -1, 0).astype(np.float32) / 255.0
        return self._torch.from_numpy(np.ascontiguousarray(values)).unsqueeze(0)
