"""Geom groups and contact bits that robots and scenes agree on."""

from __future__ import annotations

VISIBLE = 0
"""Group of the geoms that cameras see."""
SCENERY = 1
"""Group of what people see in addition: the ground and what carries the table."""
WALLS = 2
"""Group of the walls, which only cameras inside the room shall see."""
HIDDEN = 3
"""Group of the geoms that only touch."""

WORLD = 1
"""Contact bit of floor and props. Robot geoms collide with it, and not with each other."""
ROBOT = 2
"""Contact bit of robots."""
