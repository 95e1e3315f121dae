"""Lists the pairs of geoms that can be in contact, so that MuJoCo need not search for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import mujoco

from gym_hil.robots import collision


def list_contacts(spec: mujoco.MjSpec, prefixes: Sequence[str] = ()) -> None:
    """Replace contact bits by explicit pairs: movable objects have contacts with the whole world and with
    robots, unless they are excluded.

    Args:
        spec: the model.
        prefixes: prefix of each end effector's names; different end effectors have contacts with each other.
    """
    touching = [geom for geom in spec.geoms if geom.contype]
    for number, geom in enumerate(touching):
        geom.name = geom.name or f"collider_{number}"
    moving = {joint.parent.name for joint in spec.joints}
    excluded = [{exclude.bodyname1, exclude.bodyname2} for exclude in spec.excludes]
    world = [geom for geom in touching if geom.contype == collision.WORLD]
    robot = [geom for geom in touching if geom.contype == collision.ROBOT]
    pairs = [(part, other) for part in robot for other in world]
    arms = [[geom for geom in robot if geom.parent.name.startswith(prefix)] for prefix in prefixes]
    pairs += [pair for arm, other in combinations(arms, 2) for pair in product(arm, other)]
    for number, geom in enumerate(world):
        for other in world[number + 1 :]:
            bodies = {geom.parent.name, other.parent.name}
            if len(bodies) == 2 and bodies & moving and bodies not in excluded:
                pairs.append((geom, other))
    for geom, other in pairs:
        _add_pair(spec, geom, other)
    for geom in touching:
        geom.contype = geom.conaffinity = 0


def _add_pair(spec: mujoco.MjSpec, geom: mujoco.MjsGeom, other: mujoco.MjsGeom) -> None:
    """Add a pair with MuJoCo's usual combination of surface parameters: those of the geom with higher
    priority, or else mixed.
    """
    first, second = (geom, other) if geom.priority >= other.priority else (other, geom)
    if first.priority > second.priority:
        second = first
    slide, spin, roll = (max(each) for each in zip(first.friction, second.friction, strict=True))
    spec.add_pair(
        geomname1=geom.name,
        geomname2=other.name,
        condim=max(first.condim, second.condim),
        friction=(slide, slide, spin, roll, roll),
        solref=[sum(each) / 2 for each in zip(first.solref, second.solref, strict=True)],
        solimp=[sum(each) / 2 for each in zip(first.solimp, second.solimp, strict=True)],
    )
