"""Policies of LeRobot that tests train."""

from __future__ import annotations

SMALL_ACT = (
    "--policy.type=act", "--policy.device=cpu", "--policy.push_to_hub=false",
    "--policy.pretrained_backbone_weights=null", "--policy.dim_model=64", "--policy.n_heads=4",
    "--policy.dim_feedforward=128", "--policy.n_encoder_layers=1", "--policy.use_vae=false",
    "--policy.chunk_size=10", "--policy.n_action_steps=10", "--batch_size=2", "--steps=2", "--num_workers=0",
    "--persistent_workers=false", "--wandb.enable=false",
)  # fmt: skip
"""Arguments of LeRobot's trainer for two updates of a small ACT policy."""
