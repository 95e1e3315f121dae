"""What stands around a robot: floor, light, cameras, props."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco

from gym_hil.robots import collision

Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]
Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Cube:
    """A cube that moves freely. `half_size` in m, `mass` in kg."""

    name: str
    rgb: Rgb
    half_size: float = 0.02
    mass: float = 0.1

    @property
    def half_sizes(self) -> Vec3:
        """Half its edges (m)."""
        return (self.half_size,) * 3


@dataclass(frozen=True)
class Peg:
    """A square peg that moves freely. `half_width` and `half_length` in m, `mass` in kg."""

    name: str
    rgb: Rgb
    half_width: float
    half_length: float
    mass: float = 0.1

    @property
    def half_sizes(self) -> Vec3:
        """Half its edges (m); it is long along z."""
        return (self.half_width, self.half_width, self.half_length)


@dataclass(frozen=True)
class Socket:
    """A block on the floor with a square hole. It stays where a start puts it.

    Its frame lies on the floor below the hole's middle; lengths in m.
    """

    name: str
    rgb: Rgb
    half_opening: float
    wall: float
    height: float


@dataclass(frozen=True)
class Target:
    """A flat coloured square on the floor; it touches nothing."""

    name: str
    rgb: Rgb
    pos: Vec3
    half_size: float = 0.05


@dataclass(frozen=True)
class Camera:
    """A camera: position (m), orientation (w x y z; it looks along -z), vertical field of view (deg)."""

    name: str
    pos: Vec3
    quat: Quat
    fovy: float


FRONT_CAMERA = Camera("front", (1.3, 0.0, 0.7), (0.5963678, 0.3799282, 0.3799282, 0.5963678), 45.0)
WRIST_CAMERA = Camera("wrist", (-0.065, 0.0, 0.01), (-0.0882, -0.7016, 0.7016, 0.0882), 60.0)
"""On the hand, tilted by .25 rad towards the TCP: both fingers and what lies between them are in view."""
THIRD_PERSON_CAMERA = Camera("third_person", (1.35, -1.15, 0.85), (0.758, 0.5385, 0.2132, 0.3001), 42.0)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Props and cameras of a task. `robot_home` names the arm's configuration at the start."""

    robot_home: str
    props: tuple[Cube | Peg, ...] = ()
    """What moves freely."""
    sockets: tuple[Socket, ...] = ()
    targets: tuple[Target, ...] = ()
    cameras: tuple[Camera, ...] = (FRONT_CAMERA, THIRD_PERSON_CAMERA)


def add_surroundings(spec: mujoco.MjSpec, scene: Scene) -> None:
    """Add floor, lights, fixed cameras and props to `spec`."""
    _add_floor(spec)
    _add_lights(spec)
    for camera in scene.cameras:
        add_camera(spec.worldbody, camera)
    for target in scene.targets:
        spec.worldbody.add_geom(
            name=target.name,
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=target.pos,
            size=(target.half_size, target.half_size, 0.0005),
            rgba=(*target.rgb, 1.0),
            group=collision.VISIBLE,
            contype=0,
            conaffinity=0,
        )
    for prop in scene.props:
        _add_prop(spec, prop)
    for socket in scene.sockets:
        _add_socket(spec, socket)


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


def _add_prop(spec: mujoco.MjSpec, prop: Cube | Peg) -> None:
    body = spec.worldbody.add_body(name=prop.name, pos=(0.5, 0, prop.half_sizes[2]))
    body.add_freejoint(name=prop.name)
    _add_block(body, prop.name, (0, 0, 0), prop.half_sizes, prop.rgb, mass=prop.mass)


def _add_socket(spec: mujoco.MjSpec, socket: Socket) -> None:
    body = spec.worldbody.add_body(name=socket.name, mocap=True)
    middle, half_wall, half_height = socket.half_opening + socket.wall / 2, socket.wall / 2, socket.height / 2
    long, short = socket.half_opening + socket.wall, socket.half_opening
    for side, sign in (("front", 1), ("back", -1)):
        size = (half_wall, long, half_height)
        _add_block(body, f"{socket.name}_{side}", (sign * middle, 0, half_height), size, socket.rgb)
    for side, sign in (("left", 1), ("right", -1)):
        size = (short, half_wall, half_height)
        _add_block(body, f"{socket.name}_{side}", (0, sign * middle, half_height), size, socket.rgb)


def _add_block(
    body: mujoco.MjsBody, name: str, pos: Vec3, half_sizes: Vec3, rgb: Rgb, mass: float = 0
) -> None:
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=pos,
        size=half_sizes,
        mass=mass,
        rgba=(*rgb, 1.0),
        contype=collision.WORLD,
        conaffinity=collision.WORLD | collision.ROBOT,
        friction=(0.8, 0.005, 0.0001),
        solref=(0.005, 1.0),
        group=collision.VISIBLE,
    )
