"""Configuration of ``python -m lerobot.rl.learner`` and ``python -m lerobot.rl.actor`` of LeRobot 0.6."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from gym_hil.integrations.lerobot.statistics import agent_pos_range
from gym_hil.simulation.rendering import GymRenderingSpec
from gym_hil.stacks.ids import parse_id

CAMERAS = ("front", "wrist")
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
"""Statistics of the ImageNet images per colour channel, by which LeRobot scales images."""
LARGE_BUFFER = 100_000
"""Largest size of a replay buffer (transitions)."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """Sizes of the training that fit a machine."""

    device: str = "cpu"
    """Torch device of the networks."""
    batch_size: int = 128
    """Number of transitions per gradient step."""
    buffer: int = LARGE_BUFFER
    """Number of transitions in each of the two replay buffers."""
    width: int = 128
    """Number of units in each hidden layer."""

    @classmethod
    def fitting(cls, *, images: bool, device: str, memory_bytes: int | None = None) -> Size:
        """Return the sizes that fit a machine. Each replay buffer takes at most a quarter of the memory.

        Args:
            images: whether the policy observes images.
            device: torch device of the networks.
            memory_bytes: size of the main memory; None for that of this machine.
        """
        if not images:
            return cls(device=device)
        spec = GymRenderingSpec()
        transition = len(CAMERAS) * 3 * spec.height * spec.width * 4  # LeRobot stores float32
        room = (memory_bytes or physical_memory()) // 4 // transition
        on_cpu = device == "cpu"
        return cls(
            device=device,
            batch_size=16 if on_cpu else 256,
            buffer=max(1000, min(LARGE_BUFFER, room)),
            width=128 if on_cpu else 256,
        )


def physical_memory() -> int:
    """Return the size of the main memory in bytes, or 8 GiB where the system does not tell it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 8 << 30


def training_config(
    *, env: dict[str, Any], dataset: dict[str, Any], size: Size, steps: int, port: int
) -> dict[str, Any]:
    """Return the configuration of both programs, without their `output_dir`.

    Args:
        env: LeRobot's configuration of the environment, with the id under ``task``.
        dataset: LeRobot's configuration of the dataset.
        size: sizes of the training.
        steps: number of control steps of the actor.
        port: local TCP port of the learner.
    """
    task = env["task"]
    inputs, stats = _observations(task)
    action = {"action": {"type": "ACTION", "shape": [3]}}  # the gripper is `num_discrete_actions`
    stats["action"] = {"min": [-1.0] * 3, "max": [1.0] * 3}
    hidden = {"hidden_dims": [size.width, size.width]}
    return {
        "job_name": task,
        "seed": 0,
        "batch_size": size.batch_size,
        "log_freq": 100,
        "save_freq": 10_000,
        "wandb": {"enable": False, "project": "gym-hil", "mode": "offline", "disable_artifact": True},
        "dataset": {**dataset, "use_imagenet_stats": False, "image_transforms": IMAGES_TO_UNIT_RANGE},
        "env": {
            "type": "gym_manipulator",
            **env,
            "features": {**inputs, **action},
            "features_map": {key: key for key in (*inputs, *action)},
        },
        "policy": {
            "type": "gaussian_actor",
            "device": size.device,
            "storage_device": "cpu",
            "push_to_hub": False,
            "input_features": inputs,
            "output_features": action,
            "num_discrete_actions": 3,
            "normalization_mapping": SCALING,
            "dataset_stats": stats,
            "vision_encoder_name": None,
            "freeze_vision_encoder": False,
            "latent_dim": 64,
            "actor_network_kwargs": hidden,
            "discrete_critic_network_kwargs": hidden,
            "online_steps": steps,
            "online_buffer_capacity": size.buffer,
            "offline_buffer_capacity": size.buffer,
            "online_step_before_learning": 100,
            "actor_learner_config": {"learner_host": "127.0.0.1", "learner_port": port},
        },
        "algorithm": {
            "type": "sac",
            "discount": 0.95,
            "temperature_init": 0.01,
            "use_backup_entropy": False,
            "critic_target_update_weight": 0.01,
            "utd_ratio": 2,
            "critic_network_kwargs": hidden,
            "discrete_critic_network_kwargs": hidden,
        },
    }


SCALING = {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ENV": "MIN_MAX", "ACTION": "IDENTITY"}
"""Scaling of features. Actions are not scaled: they are in [-1, 1] already, and `lerobot-eval` would need
statistics of four entries while the learner has three."""
IMAGES_TO_UNIT_RANGE = {
    "enable": True,
    "max_num_transforms": 1,
    "tfs": {"scale": {"weight": 1.0, "type": "ConvertImageDtype", "kwargs": {}}},
}
"""Scales recorded images, which the learner reads as 0 to 255, to the range 0 to 1 of the actor's images, by
torchvision's `ConvertImageDtype`."""


def _observations(task: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return LeRobot's description of the observations of `task`, and the statistics for their scaling."""
    parts = parse_id(task)
    low, high = agent_pos_range(replace(parts, suffix="").env_id)
    inputs: dict[str, Any] = {"observation.state": {"type": "STATE", "shape": [len(low)]}}
    stats: dict[str, Any] = {"observation.state": {"min": low, "max": high}}
    spec = GymRenderingSpec()
    for camera in () if parts.state else CAMERAS:
        inputs[f"observation.images.{camera}"] = {"type": "VISUAL", "shape": [3, spec.height, spec.width]}
        stats[f"observation.images.{camera}"] = dict(IMAGENET)
    return inputs, stats
