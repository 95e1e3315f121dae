"""The kinds of observation that a policy can have."""

from __future__ import annotations

from dataclasses import dataclass

OBSERVATIONS = ("state", "positions", "pixels")
"""Names of the kinds of observation."""


@dataclass(frozen=True)
class ObservationKind:
    """A kind of observation.

    Attributes:
        name: ``"state"`` for positions of objects, also relative to the end effector and the goal and at several
            scales; ``"positions"`` for the same positions in the world frame alone; ``"pixels"`` for two camera
            images and the state of the end effector.
        image_size: height and width of the images in pixels; without effect for the other kinds.
    """

    name: str = "state"
    image_size: int = 64

    @property
    def has_images(self) -> bool:
        """Whether the policy observes camera images."""
        return self.name == "pixels"


STATE = ObservationKind()
