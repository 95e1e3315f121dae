"""Geom groups and contact bits of robots and scenes."""

from __future__ import annotations

VISIBLE = 0
"""Group of geoms that cameras show."""
SCENERY = 1
"""Group of geoms that are shown to people in addition: the ground and the table's support."""
WALLS = 2
"""Group of the walls, which only cameras within the room show."""
HIDDEN = 3
"""Group of geoms for contacts only."""

WORLD = 1
"""Contact bit of floor and props. Robots have contacts with them, and not with themselves."""
ROBOT = 2
"""Contact bit of robots."""
