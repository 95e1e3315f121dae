"""A strip over a video frame that says who acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HUMAN = (214, 93, 14)
POLICY = (38, 94, 150)
SUCCESS = (35, 134, 54)
HEIGHT = 34


def with_banner(frame: np.ndarray, info: Mapping[str, Any], seconds: float) -> np.ndarray:
    """Return `frame` (height, width, 3) uint8 with a banner made of `info` and the episode's clock (s)."""
    acting = "HUMAN" if info["is_intervention"] else "POLICY"
    colour = HUMAN if info["is_intervention"] else POLICY
    if info["next.success"]:
        acting, colour = f"{acting}: SUCCESS", SUCCESS
    image = Image.fromarray(frame)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, image.width, HEIGHT), fill=colour)
    font = ImageFont.load_default(size=20)
    draw.text((12, HEIGHT / 2), acting, fill="white", font=font, anchor="lm")
    draw.text((image.width - 12, HEIGHT / 2), f"{seconds:4.1f} s", fill="white", font=font, anchor="rm")
    return np.asarray(image)
