"""What the window draws of the model: the robot from outside, and what its own cameras see."""

from __future__ import annotations

import mujoco

from gym_hil.simulation.rendering import FAST, Image, Renderer
from gym_hil.viewers.web.scene import CAMERAS


class Pictures:
    """Draws `model`: camera number `camera` in `size` (width, height; pixels), the robot's own in `inset`."""

    def __init__(
        self, model: mujoco.MjModel, camera: int, size: tuple[int, int], inset: tuple[int, int]
    ) -> None:
        self._outside = Renderer(model, size[1], size[0], FAST)
        self._inside = Renderer(model, inset[1], inset[0], FAST)
        self._camera = camera
        names = [model.camera(number).name for number in range(model.ncam)]
        self._numbers = {name: names.index(name) for name in CAMERAS if name in names}
        self._seen: dict[str, Image] = {}

    def outside(self, data: mujoco.MjData) -> Image:
        """Return the robot in the state `data`, (height, width, 3) uint8."""
        return self._outside.render(data, self._camera)

    def inside(self, data: mujoco.MjData) -> dict[str, Image]:
        """Return what each of the robot's cameras sees, (height, width, 3) uint8. To save time only the one
        that was drawn longest ago is drawn anew.
        """
        missing = [name for name in self._numbers if name not in self._seen]
        for name in missing or list(self._seen)[:1]:
            self._seen.pop(name, None)
            self._seen[name] = self._inside.render(data, self._numbers[name])
        return {name: self._seen[name] for name in self._numbers}

    def close(self) -> None:
        """Free OpenGL's memory. Calling it twice is allowed."""
        self._outside.close()
        self._inside.close()
