"""Lists the pairs of geoms that can be in contact, so that MuJoCo need not search for them."""

from __future__ import annotations

import mujoco

from gym_hil.robots import collision


def list_contacts(spec: mujoco.MjSpec) -> None:
    """Replace contact bits by explicit pairs: movable objects have contacts with the whole world and with
    robots, unless they are excluded.
    """
    touching = [geom for geom in spec.geoms if geom.contype]
    for number, geom in enumerate(touching):
        geom.name = geom.name or f"collider_{number}"
    moving = {joint.parent.name for joint in spec.joints}
    excluded = [{exclude.bodyname1, exclude.bodyname2} for exclude in spec.excludes]
    world = [geom for geom in touching if geom.contype == collision.WORLD]
    pairs = [(one, other) for one in touching if one.contype == collision.ROBOT for other in world]
    for number, one in enumerate(world):
        for other in world[number + 1 :]:
            bodies = {one.parent.name, other.parent.name}
            if len(bodies) == 2 and bodies & moving and bodies not in excluded:
                pairs.append((one, other))
    for one, other in pairs:
        _add_pair(spec, one, other)
    for geom in touching:
        geom.contype = geom.conaffinity = 0


def _add_pair(spec: mujoco.MjSpec, one: mujoco.MjsGeom, other: mujoco.MjsGeom) -> None:
    """Add a pair with MuJoCo's usual combination of surface parameters: those of the geom with higher
    priority, or else mixed.
    """
    first, second = (one, other) if one.priority >= other.priority else (other, one)
    if first.priority > second.priority:
        second = first
    slide, spin, roll = (max(each) for each in zip(first.friction, second.friction, strict=True))
    spec.add_pair(
        geomname1=one.name,
        geomname2=other.name,
        condim=max(first.condim, second.condim),
        friction=(slide, slide, spin, roll, roll),
        solref=[sum(each) / 2 for each in zip(first.solref, second.solref, strict=True)],
        solimp=[sum(each) / 2 for each in zip(first.solimp, second.solimp, strict=True)],
    )
