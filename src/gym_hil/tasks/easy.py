"""Tasks with easier starts, whose ids end with ``Easy``. They have the settings of earlier versions."""

from __future__ import annotations

from gym_hil.tasks.clip_cable import ClipCable
from gym_hil.tasks.flip_object import FlipObject
from gym_hil.tasks.hand_over import HandOver


class FlipObjectEasy(FlipObject):
    """FlipObject with the tile nearly straight before the robot."""

    name = "FlipObjectEasy"
    largest_yaw = 0.4
    factors = (1.0, 1.0), (1.0, 1.0)


class ClipCableEasy(ClipCable):
    """ClipCable with a smaller area of the anchor, and smaller angles and distances."""

    name = "ClipCableEasy"
    anchor_part, largest_yaw, largest_bend = ((-0.1, 0.25), (0.1, 0.75)), 0.3, 0.25
    clip_places = (-0.6, -0.25, 0.085), (0.6, 0.25, 0.12)


class HandOverEasy(HandOver):
    """HandOver with smaller areas, an unrotated cube, a post of constant height, a wider tolerance and more time."""

    name = "HandOverEasy"
    max_episode_steps = 200
    cube_part, post_part = ((0.0, 0.62), (1.0, 1.0)), ((0.0, 0.0), (1.0, 0.25))
    largest_yaw, heights, off_centre = 0.0, (1.0, 1.0), (0.6, 0.6)
