"""The configuration of policies of `gym-hil train` in LeRobot, as ``--policy.type=gym_hil``.

LeRobot finds the policy's class in the module whose name begins with ``modeling_`` instead of ``configuration_``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig
from lerobot.utils.constants import ACTION, OBS_IMAGES, OBS_STATE

from gym_hil.integrations.lerobot.policy import POLICY_TYPE

JOINTS = 6
"""Number of joints of an arm, including that of its gripper."""
IMAGE_SHAPE = (3, 128, 128)
"""Shape of an image in the description of the policy. Images of all sizes are accepted."""


@PreTrainedConfig.register_subclass(POLICY_TYPE)
@dataclass
class GymHilConfig(PreTrainedConfig):
    """Configuration of a policy that was trained by this package, on an SO-101."""

    scene: str = ""
    """Host and port of a program that measures the poses of the objects, for policies that observe them."""
    joint_speed: float = 1.5
    """Largest speed of the arm's joints (rad/s)."""

    observation_delta_indices: ClassVar[None] = None
    action_delta_indices: ClassVar[None] = None
    reward_delta_indices: ClassVar[None] = None

    def validate_features(self) -> None:
        """Do nothing: the policy compares its interface when it is loaded."""

    def get_optimizer_preset(self) -> Any:
        """Refuse to be trained by LeRobot.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("policies of the type gym_hil are trained by `gym-hil train`")

    def get_scheduler_preset(self) -> None:
        """Return None, because LeRobot does not train the policy."""


def make_config(cameras: tuple[str, ...]) -> GymHilConfig:
    """Return the configuration of a policy.

    Args:
        cameras: names of the cameras that the policy observes.
    """
    images = {f"{OBS_IMAGES}.{name}": PolicyFeature(FeatureType.VISUAL, IMAGE_SHAPE) for name in cameras}
    state = {OBS_STATE: PolicyFeature(FeatureType.STATE, (JOINTS,))}
    action = {ACTION: PolicyFeature(FeatureType.ACTION, (JOINTS,))}
    return GymHilConfig(
        device="cpu", push_to_hub=False, input_features=state | images, output_features=action
    )
