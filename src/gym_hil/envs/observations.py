"""Observation terms, of which observations consist.

An observation is a dictionary. Each term adds to one of its entries: named numbers to a flat vector, or images.
Packages can register further terms by name.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.layout import Layout as ObservationLayout
from gym_hil.core.registry import Registry
from gym_hil.robots.base import Robot
from gym_hil.simulation.rendering import GymRenderingSpec
from gym_hil.simulation.simulation import Simulation
from gym_hil.tasks import Task

NUMBER_BOUND = 1000.0
"""Bound of all numbers in the observation space, far beyond physical values."""
MAX_DEPTH = 1000.0
"""Bound of a depth image (m)."""
Observation = dict[str, Any]


def proprioception_layout(robot: Robot) -> ObservationLayout:
    """Return the layout of the proprioception of a robot.

    For each end effector, it consists of ``joint_pos`` (rad), ``joint_vel`` (rad/s), ``gripper`` (0 open to 255 closed)
    and ``tcp_pos`` (3, m, world frame). With several end effectors, names begin with theirs, such as
    ``left_joint_pos``.
    """
    sizes: dict[str, int] = {}
    for effector in robot.end_effectors:
        count = len(effector.joints)
        parts = {"joint_pos": count, "joint_vel": count, "gripper": 1, "tcp_pos": 3}
        sizes |= {effector.prefix + name: size for name, size in parts.items()}
    return ObservationLayout(sizes)


@dataclass(frozen=True)
class ObservationContext:
    """The sources of observations.

    Attributes:
        task: the task.
        simulation: the simulation of its robot.
        render_spec: size and quality of images.
        draw: returns an image (height, width, 3, uint8) of every observed camera by its name.
        draw_depth: returns a depth image (height, width, float32, m) of every observed camera by its name.
    """

    task: Task
    simulation: Simulation
    render_spec: GymRenderingSpec
    draw: Callable[[], dict[str, Any]]
    draw_depth: Callable[[], dict[str, Any]]


class ObservationTerm(abc.ABC):
    """One part of an observation.

    Args:
        context: the sources of observations.
        key: entry of the observation to which the term adds; None for its default.

    Attributes:
        default_key: default entry.
        space: space of the results of `read`.
    """

    default_key: str
    space: spaces.Space[Any]

    def __init__(self, context: ObservationContext, key: str | None = None) -> None:
        self.context = context
        self.key = key or self.default_key

    @abc.abstractmethod
    def read(self) -> Any:
        """Return the current value in new arrays."""


class VectorTerm(ObservationTerm):
    """Named numbers. Those of several terms with the same key are concatenated to one vector.

    Attributes:
        layout: names and sizes of the numbers.
    """

    layout: ObservationLayout

    @property
    def space(self) -> spaces.Box:  # type: ignore[override]
        """The space of the numbers, float32."""
        return spaces.Box(-NUMBER_BOUND, NUMBER_BOUND, (self.layout.size,), np.float32)

    @abc.abstractmethod
    def read(self) -> Sequence[float]:
        """Return the numbers."""


class Proprioception(VectorTerm):
    """The robot's own measurements, see `proprioception_layout`."""

    default_key = schema.AGENT_POS

    def __init__(self, context: ObservationContext, key: str | None = None) -> None:
        super().__init__(context, key)
        self.layout = proprioception_layout(context.simulation.robot)

    def read(self) -> list[float]:
        """Return joint positions, joint velocities, gripper and TCP position of every end effector."""
        numbers: list[float] = []
        for effector in self.context.simulation.end_effectors:
            gripper = effector.closure * schema.FULLY_CLOSED
            numbers += [*effector.joint_pos, *effector.joint_vel, gripper, *effector.tcp_coordinates]
        return numbers


class Objects(VectorTerm):
    """Positions of the task's objects (m, world frame)."""

    default_key = schema.ENVIRONMENT_STATE

    def __init__(self, context: ObservationContext, key: str | None = None) -> None:
        super().__init__(context, key)
        self.layout = ObservationLayout({"objects": context.task.observation_size})

    def read(self) -> list[float]:
        """Return the observation of the task."""
        return self.context.task.observe(self.context.simulation).tolist()


class Rgb(ObservationTerm):
    """Images of the observed cameras (height, width, 3, uint8) by the name of the camera."""

    default_key = schema.PIXELS

    def __init__(self, context: ObservationContext, key: str | None = None) -> None:
        super().__init__(context, key)
        shape = (context.render_spec.height, context.render_spec.width, 3)
        cameras = context.simulation.robot.observed_cameras
        self.space = spaces.Dict({name: spaces.Box(0, 255, shape, np.uint8) for name in cameras})

    def read(self) -> dict[str, Any]:
        """Return the images."""
        return self.context.draw()


class Depth(ObservationTerm):
    """Depth images of the observed cameras (height, width, float32, m, along the optical axis) by the name of
    the camera.
    """

    default_key = "depth"

    def __init__(self, context: ObservationContext, key: str | None = None) -> None:
        super().__init__(context, key)
        shape = (context.render_spec.height, context.render_spec.width)
        cameras = context.simulation.robot.observed_cameras
        self.space = spaces.Dict({name: spaces.Box(0, MAX_DEPTH, shape, np.float32) for name in cameras})

    def read(self) -> dict[str, Any]:
        """Return the depth images."""
        return self.context.draw_depth()


class TcpWrench(VectorTerm):
    """External force (3, N) and torque about the TCP (3, N m) on every hand, in world axes."""

    default_key = schema.TCP_WRENCH

    def __init__(self, context: ObservationContext, key: str | None = None) -> None:
        super().__init__(context, key)
        robot = context.simulation.robot
        self.layout = ObservationLayout({effector.prefix + "wrench": 6 for effector in robot.end_effectors})
        self._hands = [
            hand_geoms(context.simulation.model, effector.tcp_site) for effector in robot.end_effectors
        ]

    def read(self) -> list[float]:
        """Return the sum over the current contacts of each hand."""
        sim = self.context.simulation
        sim.compute_contacts()
        numbers: list[float] = []
        for geoms, effector in zip(self._hands, sim.end_effectors, strict=True):
            tcp, wrench = effector.tcp_pos_w, [0.0] * 6
            for pos, force, _ in contact_forces(sim, geoms):
                (x, y, z), (fx, fy, fz) = (pos - tcp).tolist(), force.tolist()
                part = (fx, fy, fz, y * fz - z * fy, z * fx - x * fz, x * fy - y * fx)
                wrench = [total + component for total, component in zip(wrench, part, strict=True)]
            numbers += [min(max(number, -NUMBER_BOUND), NUMBER_BOUND) for number in wrench]
        return numbers


class Contact(VectorTerm):
    """Contact force on each finger (N)."""

    default_key = "contact"

    def __init__(self, context: ObservationContext, key: str | None = None) -> None:
        super().__init__(context, key)
        sim = context.simulation
        names = [name for effector in sim.robot.end_effectors for name in effector.finger_geoms]
        self.layout = ObservationLayout(dict.fromkeys(names, 1))
        self._geoms = [frozenset({int(sim.model.geom(name).id)}) for name in names]

    def read(self) -> list[float]:
        """Return the sum of the current normal forces on each finger."""
        sim = self.context.simulation
        sim.compute_contacts()
        return [
            min(NUMBER_BOUND, sum(normal for _, _, normal in contact_forces(sim, geoms)))
            for geoms in self._geoms
        ]


def hand_geoms(model: mujoco.MjModel, tcp_site: str) -> frozenset[int]:
    """Return the geoms of the body with the TCP site, and of all its descendants."""
    hand = int(model.site(tcp_site).bodyid[0])
    bodies = {hand}
    for body in range(hand + 1, model.nbody):
        if int(model.body_parentid[body]) in bodies:
            bodies.add(body)
    return frozenset(geom for geom in range(model.ngeom) if int(model.geom_bodyid[geom]) in bodies)


def contact_forces(
    sim: Simulation, geoms: frozenset[int]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], float]]:
    """Iterate over the contacts of some geoms with others.

    Args:
        sim: the simulation.
        geoms: indices of the geoms.

    Yields:
        Position (3, m) and force on the geoms (3, N) in the world frame, and the normal force (N).
    """
    data, wrench = sim.data, np.zeros(6)
    for number, (first, second) in enumerate(data.contact.geom.tolist()):
        if (first in geoms) == (second in geoms):
            continue
        mujoco.mj_contactForce(sim.model, data, number, wrench)
        contact = data.contact[number]
        force = contact.frame.reshape(3, 3).T @ wrench[:3]  # from the first geom onto the second
        yield contact.pos.copy(), -force if first in geoms else force, float(wrench[0])


class ObservationBuilder:
    """Combines the parts of an observation.

    Args:
        terms: the terms in the order of the observation.

    Attributes:
        space: the observation space.
        layouts: layout of every vector by its key.
    """

    def __init__(self, terms: Sequence[ObservationTerm]) -> None:
        self._vectors: dict[str, list[VectorTerm]] = {}
        self._others: dict[str, ObservationTerm] = {}
        entries: dict[str, spaces.Space[Any]] = {}
        for term in terms:
            if isinstance(term, VectorTerm):
                self._vectors.setdefault(term.key, []).append(term)
            else:
                self._others[term.key] = term
            entries[term.key] = term.space
        self.layouts: dict[str, ObservationLayout] = {}
        for key, parts in self._vectors.items():
            sizes: dict[str, int] = {}
            for part in parts:
                sizes |= part.layout.sizes
            self.layouts[key] = layout = ObservationLayout(sizes)
            entries[key] = spaces.Box(-NUMBER_BOUND, NUMBER_BOUND, (layout.size,), np.float32)
        self.space = spaces.Dict(entries)

    def observe(self) -> Observation:
        """Return the current observation in new arrays."""
        observation: Observation = {}
        for key, terms in self._vectors.items():
            numbers: list[float] = []
            for term in terms:
                numbers += term.read()
            observation[key] = np.array(numbers, np.float32)
        for key, other in self._others.items():
            observation[key] = other.read()
        return observation


OBSERVATION_TERMS: Registry[type[ObservationTerm]] = Registry(
    "observation_term",
    "gym_hil.observation_terms",
    {
        "proprioception": f"{__name__}:Proprioception",
        "objects": f"{__name__}:Objects",
        "rgb": f"{__name__}:Rgb",
        "depth": f"{__name__}:Depth",
        schema.TCP_WRENCH: f"{__name__}:TcpWrench",
        "contact": f"{__name__}:Contact",
    },
)
"""Classes of observation terms by name."""


def default_terms(context: ObservationContext, *, image_obs: bool, state_obs: bool) -> list[ObservationTerm]:
    """Return the terms of an id.

    Args:
        context: the sources of observations.
        image_obs: whether images are observed instead of the objects' positions.
        state_obs: whether ``agent_pos`` ends with the objects' positions and the task's further terms, and
            nothing is rendered.
    """
    terms: list[ObservationTerm] = [Proprioception(context)]
    if state_obs:
        terms.append(Objects(context, schema.AGENT_POS))
    elif image_obs:
        terms.append(Rgb(context))
    if not image_obs:
        terms.append(Objects(context))
    key = schema.AGENT_POS if state_obs else None
    return [*terms, *(OBSERVATION_TERMS[name](context, key) for name in context.task.further_terms)]


def named_terms(
    context: ObservationContext, terms: Sequence[str | type[ObservationTerm]]
) -> list[ObservationTerm]:
    """Return the terms for the given names or classes.

    Raises:
        InvalidArgumentError: no term has this name.
    """
    return [(OBSERVATION_TERMS.get(term) if isinstance(term, str) else term)(context) for term in terms]
