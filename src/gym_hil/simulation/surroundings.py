"""Build what stands around a robot: floor, lights, cameras. Props build themselves."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco

from gym_hil.robots import collision
from gym_hil.robots.geometry import Camera
from gym_hil.scenes.scene import Scene


def add_surroundings(spec: mujoco.MjSpec, scene: Scene, cameras: Sequence[Camera]) -> None:
    """Add floor, lights, `cameras` that stand in the world, and everything of `scene` to `spec`."""
    _add_floor(spec)
    _add_lights(spec)
    for camera in cameras:
        add_camera(spec.worldbody, camera)
    for prop in (*scene.targets, *scene.props, *scene.fixtures):
        prop.build(spec)


def add_camera(body: mujoco.MjsBody, camera: Camera) -> None:
    """Fix `camera` to `body`."""
    body.add_camera(name=camera.name, pos=camera.pos, quat=camera.quat, fovy=camera.fovy)


def _add_floor(spec: mujoco.MjSpec) -> None:
    spec.add_texture(
        name="floor",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=(0.80, 0.82, 0.84),
        rgb2=(0.72, 0.74, 0.77),
        width=64,
        height=64,
    )
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=(0.86, 0.91, 0.96),
        rgb2=(0.55, 0.64, 0.74),
        width=32,
        height=192,
    )
    material = spec.add_material(name="floor", texrepeat=(5, 5), texuniform=True, reflectance=0.0)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "floor"
    spec.worldbody.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(0, 0, 0.05),
        material="floor",
        contype=collision.WORLD,
        conaffinity=collision.WORLD | collision.ROBOT,
        friction=(0.8, 0.005, 0.0001),
        solref=(0.005, 1.0),
        group=collision.VISIBLE,
    )


def _add_lights(spec: mujoco.MjSpec) -> None:
    spec.visual.headlight.ambient = (0.35, 0.35, 0.36)
    spec.visual.headlight.diffuse = (0.25, 0.25, 0.25)
    spec.visual.headlight.specular = (0.0, 0.0, 0.0)
    spec.worldbody.add_light(
        name="sun",
        pos=(0.9, -0.7, 1.9),
        dir=(-0.35, 0.45, -1.0),
        diffuse=(0.55, 0.55, 0.53),
        specular=(0.15, 0.15, 0.15),
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        castshadow=True,
    )
