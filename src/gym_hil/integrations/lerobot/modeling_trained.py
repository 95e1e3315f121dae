"""Policies of `gym-hil train` as policies of LeRobot, for `lerobot-rollout`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.processor import (
    DeviceProcessorStep,
    PolicyProcessorPipeline,
    RenameObservationsProcessorStep,
)
from lerobot.utils.constants import (
    OBS_IMAGES,
    OBS_STATE,
    POLICY_POSTPROCESSOR_DEFAULT_NAME,
    POLICY_PREPROCESSOR_DEFAULT_NAME,
)

from gym_hil.integrations.lerobot.configuration_trained import GymHilConfig, make_config
from gym_hil.integrations.lerobot.policy import POLICY_TYPE
from gym_hil.integrations.lerobot.real_arm.connection import Measurement
from gym_hil.integrations.lerobot.real_arm.stepped import CAMERAS, ArmPolicy
from gym_hil.learning.policy_file import POLICY, TrainedPolicy


class GymHilPolicy(PreTrainedPolicy):
    """A policy that was trained by this package, as a policy of LeRobot.

    It observes the joint positions (degrees), the opening of the gripper (0 to 100) and, if it was trained from images,
    the images of the cameras ``front`` and ``wrist``. Its actions are goals in the same units.

    Args:
        config: the configuration.
        folder: folder with the policy's file.

    Raises:
        InvalidArgumentError: there is no policy in the folder, or it cannot act on an SO-101.
    """

    config_class = GymHilConfig
    name = POLICY_TYPE

    def __init__(self, config: GymHilConfig, folder: Path) -> None:
        super().__init__(config)
        path = folder / POLICY
        self._acting = ArmPolicy(
            TrainedPolicy.load(path), path, scene=config.scene, joint_speed=config.joint_speed
        )

    @classmethod
    def from_pretrained(
        cls, pretrained_name_or_path: str | Path, *, config: PreTrainedConfig | None = None, **_: Any
    ) -> GymHilPolicy:
        """Load a policy from a folder of `gym-hil lerobot-policy`.

        Args:
            pretrained_name_or_path: the folder.
            config: the configuration; None to read it from the folder.
        """
        policy_config = (
            PreTrainedConfig.from_pretrained(pretrained_name_or_path) if config is None else config
        )
        assert isinstance(policy_config, GymHilConfig)
        return cls(policy_config, Path(pretrained_name_or_path))

    def reset(self) -> None:
        """Begin an episode: the policy continues from the measured position of the arm."""
        self._acting.begin()

    def select_action(self, batch: dict[str, Any], **_: Any) -> torch.Tensor:
        """Return the goals of the joints (1, 6): degrees, and the opening of the gripper from 0 to 100.

        Args:
            batch: ``observation.state`` (1, 6) and the images (1, 3, height, width), from 0 to 1.
        """
        *joints, opening = batch[OBS_STATE].squeeze(0).tolist()
        images = {
            name: (batch[f"{OBS_IMAGES}.{name}"].squeeze(0) * 255.0)
            .round()
            .byte()
            .permute(1, 2, 0)
            .cpu()
            .numpy()
            for name in CAMERAS
            if f"{OBS_IMAGES}.{name}" in batch
        }
        radians = tuple(math.radians(angle) for angle in joints)
        goal, goal_opening = self._acting.act(Measurement(radians, opening / 100.0, (), images))
        return torch.tensor([[*(math.degrees(angle) for angle in goal), 100.0 * goal_opening]])

    def predict_action_chunk(self, batch: dict[str, Any], **_: Any) -> torch.Tensor:
        """Return a chunk of one action (1, 1, 6)."""
        return self.select_action(batch).unsqueeze(1)

    def forward(self, batch: dict[str, Any]) -> tuple[torch.Tensor, dict | None]:
        """Refuse to be trained by LeRobot.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("policies of the type gym_hil are trained by `gym-hil train`")

    def get_optim_params(self) -> dict:
        """Return an empty dictionary, because LeRobot does not train the policy."""
        return {}


def export(trained: TrainedPolicy, folder: Path) -> None:
    """Write a policy into a folder that LeRobot's programs take as ``--policy.path``.

    Args:
        trained: the policy.
        folder: the folder, which exists.
    """
    make_config(CAMERAS if trained.config.observation.has_images else ())._save_pretrained(folder)
    trained.save(folder / POLICY)
    steps = [RenameObservationsProcessorStep(), DeviceProcessorStep("cpu")]
    for name, pipeline in (
        (POLICY_PREPROCESSOR_DEFAULT_NAME, steps),
        (POLICY_POSTPROCESSOR_DEFAULT_NAME, steps[1:]),
    ):
        PolicyProcessorPipeline(pipeline, name=name).save_pretrained(folder)
