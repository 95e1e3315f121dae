"""The T-shaped block of PushT, and the motions that pushes at points of it cause (ellipsoidal limit surface; Lynch,
Maekawa and Tanie, "Manipulation and active sensing by pushing using tactile feedback", IROS 1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gym_hil.robots.geometry import Vec3
from gym_hil.scenes.props import Prop, add_block, add_free_body

if TYPE_CHECKING:
    import mujoco

BAR, STEM = (0.06, 0.015), (0.015, 0.045)
"""Half sizes of the two parts of the T along x and y (m). The stem points to -y."""
BAR_Y, STEM_Y = 0.0257, -0.0343
"""y of the centres of the parts (m). The origin of the frame is the centre of mass."""
FOOT = STEM_Y - STEM[1]
"""y of the end of the stem (m)."""
HEIGHT = 0.03
"""Height of the block (m)."""
MASS = 0.15
"""Mass of the block (kg)."""
RADIUS = 0.045
"""Mean distance from the centre of mass at which friction resists a rotation (m)."""

_TOP, _UNDER = BAR_Y + BAR[1], BAR_Y - BAR[1]
PLACES = np.array(
    [(x, _TOP, 0.0, -1.0) for x in (-0.05, -0.03, 0.0, 0.03, 0.05)]
    + [(x, _UNDER, 0.0, 1.0) for x in (-0.047, 0.047)]
    + [(side * BAR[0], BAR_Y, -side, 0.0) for side in (-1, 1)]
    + [(side * STEM[0], y, -side, 0.0) for side in (-1, 1) for y in (-0.068, -0.05, -0.025)]
    + [(0.0, FOOT, 0.0, 1.0)]
)
"""Points to push (x, y, m) and directions of the push (x, y), in the block's frame."""
TORQUE = (PLACES[:, 0] * PLACES[:, 3] - PLACES[:, 1] * PLACES[:, 2]) / RADIUS
MOTIONS = np.column_stack([PLACES[:, 2:], TORQUE]) / np.sqrt(1 + TORQUE**2)[:, None]
"""Direction of the motion that each push causes: x, y, and the rotation multiplied by `RADIUS`."""


@dataclass(frozen=True)
class Tee(Prop):
    """A T on the floor: a block that moves freely, or an outline without contacts.

    Attributes:
        scale: factor of all lengths of this module.
        outline: whether it is an outline.
    """

    scale: float
    outline: bool = False

    @property
    def foot(self) -> Vec3:
        """End of the stem (m, in the block's frame)."""
        return (0.0, self.scale * FOOT, 0.0)

    @property
    def height(self) -> float:
        """Height of its frame above the floor (m)."""
        return 0.0005 if self.outline else self.scale * HEIGHT / 2

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a body with two boxes."""
        if self.outline:
            body = spec.worldbody.add_body(name=self.name, mocap=True)
        else:
            body = add_free_body(spec, self.name, self.height)
        for part, y, (half_x, half_y) in (("bar", BAR_Y, BAR), ("stem", STEM_Y, STEM)):
            area = BAR[0] * BAR[1] + STEM[0] * STEM[1]
            mass = 0.0 if self.outline else self.scale**3 * MASS * half_x * half_y / area
            half_sizes = self.scale * half_x, self.scale * half_y, self.height
            pos = (0, self.scale * y, 0)
            add_block(
                body, f"{self.name}_{part}", pos, half_sizes, self.rgb, mass=mass, touches=not self.outline
            )
