"""Builds the surroundings of a robot: a table in a room, lights and cameras. Props build themselves."""

from __future__ import annotations

import math

import mujoco

from gym_hil.robots import collision
from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Camera, Vec3
from gym_hil.scenes.scene import Scene

TABLE_HEIGHT = 0.74  # m, its top above the ground; the world's z = 0 is the top
TABLE_THICKNESS = 0.04  # m
TABLE_MARGIN = (0.24, 0.3)
"""Distance of the table's edge behind the robots' bases, and beyond the workspace elsewhere (m)."""
LEG = 0.03  # m, half the width of a leg
WALLS = (-1.3, 1.9)
"""Positions of the walls: x of the one behind the robot, and y of the one to its left (m)."""

LAMINATE = (0.90, 0.86, 0.79)
EDGE = (0.72, 0.56, 0.40)
STEEL = (0.36, 0.38, 0.42)
WALL = (0.86, 0.90, 0.94)
SKIRTING = (0.60, 0.64, 0.69)
TILES = (0.62, 0.65, 0.69), (0.57, 0.60, 0.64)


def add_surroundings(spec: mujoco.MjSpec, scene: Scene, robot: Robot) -> None:
    """Add the table, the room, lights, the robot's fixed cameras and the objects of `scene`.

    Objects have contacts with the invisible plane ``floor`` at z = 0; table and room are only visible.
    """
    spec.stat.extent = 1.0  # m; near and far planes of cameras and the reach of the shadow map follow from it
    spec.stat.center = (0.3, 0.0, 0.2)
    spec.visual.map.shadowclip = 1.6
    _add_floor(spec)
    _add_table(spec, robot)
    _add_room(spec)
    _add_lights(spec)
    for camera in robot.cameras_for(scene.front_view):
        add_camera(spec.worldbody, camera)
    for prop in (*scene.targets, *scene.props, *scene.fixtures):
        prop.build(spec)


def add_camera(body: mujoco.MjsBody, camera: Camera) -> None:
    """Add `camera` to `body`."""
    body.add_camera(name=camera.name, pos=camera.pos, quat=camera.quat, fovy=camera.fovy)


def _add_floor(spec: mujoco.MjSpec) -> None:
    spec.worldbody.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(0, 0, 0.05),
        contype=collision.WORLD,
        conaffinity=collision.WORLD | collision.ROBOT,
        friction=(0.8, 0.005, 0.0001),
        solref=(0.005, 1.0),
        group=collision.HIDDEN,
    )


def _add_table(spec: mujoco.MjSpec, robot: Robot) -> None:
    """Add a table below all reachable objects."""
    behind, beside = TABLE_MARGIN
    reach = robot.workspace.wide_tcp
    low_x, high_x = -behind, reach.high[0] + beside
    x, half_x = (low_x + high_x) / 2, (high_x - low_x) / 2
    half_y = max(reach.high[1], -reach.low[1]) + beside
    top = 0.003  # m of laminate on the board
    _add_box(spec, "table", (x, 0, -top / 2), (half_x, half_y, top / 2), LAMINATE, collision.VISIBLE)
    board = TABLE_THICKNESS - top
    _add_box(spec, "table_board", (x, 0, -top - board / 2), (half_x, half_y, board / 2), EDGE)
    frame = (half_x - 0.08, half_y - 0.08)
    _add_box(spec, "table_frame", (x, 0, -TABLE_THICKNESS - LEG), (*frame, LEG), STEEL)
    length = (TABLE_HEIGHT - TABLE_THICKNESS) / 2
    for number, (i, j) in enumerate(((1, 1), (1, -1), (-1, 1), (-1, -1))):
        pos = (x + i * (frame[0] - LEG), j * (frame[1] - LEG), -TABLE_THICKNESS - length)
        _add_box(spec, f"table_leg_{number}", pos, (LEG, LEG, length), STEEL)


def _add_room(spec: mujoco.MjSpec) -> None:
    spec.add_texture(
        name="ground",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=TILES[0],
        rgb2=TILES[1],
        width=64,
        height=64,
    )
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=WALL,
        width=8,
        height=48,
    )
    material = spec.add_material(name="ground", texrepeat=(2, 2), texuniform=True, specular=0.0)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "ground"
    spec.add_material(name="wall", rgba=(*WALL, 1), emission=0.25, specular=0.0)
    x, y = WALLS
    plane = {"type": mujoco.mjtGeom.mjGEOM_PLANE, "contype": 0, "conaffinity": 0, "group": collision.WALLS}
    room = spec.worldbody
    ground = {**plane, "group": collision.SCENERY, "material": "ground"}
    room.add_geom(name="ground", pos=(x + 4, y - 4, -TABLE_HEIGHT), size=(4, 4, 1), **ground)
    half, height = math.sqrt(0.5), 3.0 / 2
    room.add_geom(
        name="wall_back", pos=(x, y - 4, height - TABLE_HEIGHT), size=(height, 4, 1), material="wall",
        quat=(half, 0, half, 0), **plane,
    )  # fmt: skip
    room.add_geom(
        name="wall_left", pos=(x + 4, y, height - TABLE_HEIGHT), size=(4, height, 1), material="wall",
        quat=(half, half, 0, 0), **plane,
    )  # fmt: skip
    z, size = 0.05 - TABLE_HEIGHT, 0.05
    _add_box(spec, "skirting_back", (x, y - 4, z), (0.01, 4, size), SKIRTING, collision.WALLS)
    _add_box(spec, "skirting_left", (x + 4, y, z), (4, 0.01, size), SKIRTING, collision.WALLS)


def _add_box(
    spec: mujoco.MjSpec,
    name: str,
    pos: Vec3,
    half_sizes: Vec3,
    rgb: Vec3,
    group: int = collision.SCENERY,
) -> None:
    """Add a box without contacts to the world."""
    spec.worldbody.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=pos,
        size=half_sizes,
        rgba=(*rgb, 1.0),
        contype=0,
        conaffinity=0,
        group=group,
    )


def _add_lights(spec: mujoco.MjSpec) -> None:
    """Add lights: ambient light, a lamp with shadows, and a weaker one from the opposite side."""
    spec.visual.headlight.ambient = (0.46, 0.46, 0.47)
    spec.visual.headlight.diffuse = (0.18, 0.18, 0.18)
    spec.visual.headlight.specular = (0.0, 0.0, 0.0)
    spec.worldbody.add_light(
        name="lamp",
        pos=(0.9, -0.7, 1.9),
        dir=(-0.30, 0.35, -1.0),
        diffuse=(0.32, 0.315, 0.30),
        specular=(0.2, 0.2, 0.2),
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        castshadow=True,
    )
    spec.worldbody.add_light(
        name="window",
        pos=(0.9, 1.5, 1.0),
        dir=(-0.4, -1.0, -0.5),
        diffuse=(0.12, 0.13, 0.15),
        specular=(0.0, 0.0, 0.0),
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        castshadow=False,
    )
