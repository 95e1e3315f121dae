"""A small convolutional image encoder, and random shifts as augmentation.

Random shifts are those of DrQ-v2 (Yarats et al. 2022, arXiv:2107.09645).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from gym_hil.learning.image_observation import BOUND, CAMERAS, FEATURES, LEVELS, ImageLayout

FIRST, CHANNELS = 8, 24
"""Channels per camera in the first and the last layer. Each channel of the last layer yields one image point."""
SHIFT = 1 / 16
"""Largest random shift, as a fraction of the image's width."""
SHARPNESS = 10.0
"""Initial inverse temperature of the spatial softmax. It is large enough for an untrained encoder to locate objects
of three pixels."""


class Encoder(BaseFeaturesExtractor):
    """Two convolutions per camera, followed by a spatial softmax: the expected position of each channel's
    activation (Levine et al. 2016, arXiv:1504.00702). The proprioceptive features are appended unchanged.

    Args:
        observation_space: space of the vectors of `gym_hil.learning.image_observation`.
    """

    def __init__(self, observation_space: spaces.Box) -> None:
        assert observation_space.shape is not None
        super().__init__(observation_space, features_dim=2 * CAMERAS * CHANNELS + FEATURES)
        self.layout = ImageLayout.of(observation_space.shape[0])
        self.cameras = nn.ModuleList(_Camera() for _ in range(CAMERAS))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return the features (batch, `features_dim`) of observations (batch, bytes), which may be floats."""
        size, split = self.layout.size, self.layout.image_bytes
        images = observations[:, :split].reshape(-1, CAMERAS, size, size, 3)
        points = [camera(images[:, number]) for number, camera in enumerate(self.cameras)]
        pairs = observations[:, split:].reshape(-1, FEATURES, 2).float()
        features = (pairs[..., 0] * 256.0 + pairs[..., 1]) * (2.0 * BOUND / LEVELS) - BOUND
        return torch.cat([*points, features], dim=1)


class _Camera(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, FIRST, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(FIRST, CHANNELS, 3, stride=2, padding=1),
        )
        self.sharpness = nn.Parameter(torch.full((CHANNELS,), SHARPNESS))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return points (batch, 2 * CHANNELS), all x before all y, for images (batch, height, width, 3)."""
        maps = self.convolutions((images / 127.5).sub_(1.0).permute(0, 3, 1, 2))
        weights = torch.softmax(maps.permute(0, 2, 3, 1).flatten(1, 2) * self.sharpness, dim=1)
        y, x = (torch.linspace(-1.0, 1.0, side, device=maps.device) for side in maps.shape[2:])
        grid = torch.stack([x.repeat(len(y)), y.repeat_interleave(len(x))])
        return (grid @ weights).flatten(1)


def randomly_shifted(rows: torch.Tensor) -> torch.Tensor:
    """Return observations with every image shifted at random by up to `SHIFT`. Edge pixels are repeated.

    Args:
        rows: observations of shape (batch, bytes).
    """
    layout = ImageLayout.of(rows.shape[1])
    size, reach = layout.size, round(SHIFT * layout.size)
    images = rows[:, : layout.image_bytes].reshape(-1, size, size, 3)
    side = size + 2 * reach
    padded = images.new_empty(len(images), side, side, 3)
    inside = slice(reach, reach + size)
    padded[:, inside, inside] = images
    padded[:, inside, :reach], padded[:, inside, reach + size :] = images[:, :, :1], images[:, :, -1:]
    padded[:, :reach], padded[:, reach + size :] = padded[:, reach, None], padded[:, reach + size - 1, None]
    strides = padded.stride()
    crops = padded.as_strided(
        (len(padded), 2 * reach + 1, 2 * reach + 1, size, size, 3), (*strides[:3], *strides[1:])
    )
    up, left = torch.randint(0, 2 * reach + 1, (2, len(images)), device=rows.device)
    moved = crops[torch.arange(len(images), device=rows.device), up, left]
    return torch.cat([moved.reshape(len(rows), -1), rows[:, layout.image_bytes :]], dim=1)


def make_encoder(weights: Mapping[str, NDArray[Any]], total_bytes: int) -> Encoder:
    """Return an encoder with the given weights, for observations of `total_bytes` bytes."""
    encoder = Encoder(spaces.Box(0, 255, (total_bytes,), np.uint8))
    encoder.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return encoder.eval()
