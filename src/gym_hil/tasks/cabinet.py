"""The cabinet of OpenDrawerAndPlace, with one drawer that has a handle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gym_hil.robots.geometry import Vec3
from gym_hil.scenes.props import Prop, add_block, add_slider

if TYPE_CHECKING:
    import mujoco

INSIDE = (0.06, 0.055)
"""Half sizes of the drawer's inside along x and y (m); it opens towards -y."""
PLATE = 0.003
"""Half the thickness of walls and floor (m)."""
FLOOR, WALL, TOP = 0.01, 0.04, 0.05
"""Heights of the drawer's inner floor, of its walls, and of the lower side of the cabinet's top (m)."""
FRONT = INSIDE[1] + 2 * PLATE
RECESS = 0.02
"""Distance from the front of the sides to the front of the top (m), which leaves room for a hand at the
handle."""
LOOP = (0.04, 0.03)
"""Half sizes of the handle's hole along x and y (m)."""
HOOK = (0.0, -FRONT - LOOP[1], 0.036)
"""Middle of the handle's hole (m, frame of the drawer)."""
LENGTH, FRICTION, DAMPING, MASS = 0.13, 0.8, 4.0, 0.3
"""Travel of the drawer (m), its friction (N), damping (N s/m) and mass (kg)."""
LIGHT = (0.70, 0.72, 0.75)
"""Colour of the drawer."""


@dataclass(frozen=True)
class Cabinet(Prop):
    """A cabinet on the floor with one drawer; the drawer's body and slide joint are both named ``drawer``.

    The frames of cabinet and closed drawer lie on the floor, below the middle of the drawer's inside.

    Attributes:
        scale: factor of all lengths of this module.
        drawer: name of the drawer and of its joint.
    """

    scale: float
    drawer: str = "drawer"

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the cabinet, which has a pose, and of the drawer, whose opening is in metres."""
        return self.name, self.drawer

    @property
    def hook(self) -> Vec3:
        """Middle of the handle's hole (m, frame of the drawer)."""
        return (0.0, self.scale * HOOK[1], self.scale * HOOK[2])

    @property
    def floor(self) -> float:
        """Height of the drawer's inner floor (m)."""
        return self.scale * FLOOR

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body for the cabinet and a sliding body for the drawer."""
        scale = self.scale
        half_x, half_y = scale * INSIDE[0], scale * INSIDE[1]
        plate, front, loop_x, loop_y = scale * PLATE, scale * FRONT, scale * LOOP[0], scale * LOOP[1]
        floor, wall, top, recess = scale * FLOOR, scale * WALL, scale * TOP, scale * RECESS
        body = spec.worldbody.add_body(name=self.name, mocap=True)
        side, back = half_x + 4 * plate, half_y + 4 * plate
        cabinet: list[tuple[str, Vec3, Vec3]] = [
            ("left", (side, 0, top / 2), (plate, back, top / 2)),
            ("right", (-side, 0, top / 2), (plate, back, top / 2)),
            ("back", (0, back + plate, top / 2), (side, plate, top / 2)),
            ("top", (0, recess / 2, top + plate), (side + plate, back - recess / 2, plate)),
        ]
        for name, pos, half_sizes in cabinet:
            add_block(body, f"{self.name}_{name}", pos, half_sizes, self.rgb)
        drawer = add_slider(
            body,
            self.drawer,
            (0, 0, 0),
            (0, -1, 0),
            scale * LENGTH,
            frictionloss=FRICTION,
            damping=DAMPING,
        )
        spec.add_exclude(bodyname1=self.name, bodyname2=self.drawer)
        middle, half_wall, height = (floor + wall) / 2, (wall - floor) / 2, self.hook[2]
        bar_y, arm_y = -front - 2 * loop_y - plate, -front - loop_y
        for name, pos, half_sizes in (
            ("floor", (0, 0, floor - plate), (half_x, half_y, plate)),
            ("left", (half_x + plate, 0, middle), (plate, half_y, half_wall)),
            ("right", (-half_x - plate, 0, middle), (plate, half_y, half_wall)),
            ("back", (0, half_y + plate, middle), (half_x, plate, half_wall)),
            ("front", (0, -half_y - plate, middle), (half_x + 2 * plate, plate, half_wall)),
            ("handle", (0, bar_y, height), (loop_x + 2 * plate, plate, plate)),
            ("handle_left", (loop_x + plate, arm_y, height), (plate, loop_y, plate)),
            ("handle_right", (-loop_x - plate, arm_y, height), (plate, loop_y, plate)),
        ):
            mass = scale**3 * MASS / 8
            add_block(drawer, f"{self.drawer}_{name}", pos, half_sizes, LIGHT, mass=mass)
