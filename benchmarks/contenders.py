"""The packages that `compare.py` compares, their workloads, and remarks for readers of the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


@dataclass(frozen=True, kw_only=True)
class Workload:
    make: str
    """`module:function` that returns a Gymnasium-like environment, in the contender's interpreter."""
    kwargs: dict
    differs: str = ""
    """Differences from the same workload of other contenders that cannot be read from the model."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    name: str
    requirements: tuple[str, ...]
    module: str
    """Module that a user imports. The duration of the import is reported."""
    workloads: dict[str, Workload]
    note: str = ""
    ours: bool = False
    path: Path = HERE
    """Folder of the module that `make` names."""


WORKLOADS = {
    "state": "state observations, 10 Hz control",
    "images": "two 128x128 cameras, 10 Hz control",
    "so101": "an SO-101 arm, state observations, 10 Hz control, Cartesian actions",
    "so101-joints": "the same with joint targets",
    "so101-batch": "eight environments of so101-joints at once, on all cores",
    "native": "state observations, each package with its default control rate and controller",
}
SCALE = {"images": 0.1, "so101": 10, "so101-joints": 10}
"""Factor of the simulated time of a turn for a workload. Images are up to a hundred times slower. The turns of the
SO-101 are longer, because they are compared with the engine alone, and every program is slow while the caches fill."""
ROUNDS = {"so101": 5, "so101-joints": 5}
"""Factor of the number of rounds for a workload, for a more precise comparison with the engine alone."""

BATCH = 8
"""Number of environments in a batch."""
OLD_MUJOCO = "measured with MuJoCo 3.3.7, because it fails with 4.0"


def pick_cube(differs: str = "", **kwargs: object) -> Workload:
    return Workload(
        make="gymnasium:make", kwargs={"id": "gym_hil/PandaPickCubeBase-v0", **kwargs}, differs=differs
    )


def our_so101(action: str, make: str = "gymnasium:make", **kwargs: object) -> Workload:
    return Workload(make=make, kwargs={"id": "gym_hil/SO101PickCube-v1", "action": action, **kwargs})


def robosuite(differs: str = "", **kwargs: object) -> Workload:
    return Workload(make="adapters:robosuite_lift", kwargs=kwargs, differs=differs)


def so101(differs: str, **kwargs: object) -> Workload:
    return Workload(make="adapters:so101_pick_lift", kwargs=kwargs, differs=differs)


CONTENDERS = (
    Contender(
        name="gym-hil (ours)",
        requirements=(f"-e {ROOT}",),
        module="gym_hil",
        ours=True,
        note="this working tree",
        workloads={
            "state": pick_cube(),
            "images": pick_cube(image_obs=True),
            "native": pick_cube(),
            "so101": our_so101("xyz"),
            "so101-joints": our_so101("joints"),
            "so101-batch": our_so101("joints", "adapters:vector", num_envs=BATCH),
        },
    ),
    Contender(
        name="our SO-101, engine alone",
        requirements=(f"-e {ROOT}",),
        module="gym_hil",
        note="mj_step of the same model with the commands of the same episodes, recorded before",
        workloads={
            "so101": our_so101("xyz", "adapters:engine_alone"),
            "so101-joints": our_so101("joints", "adapters:engine_alone"),
        },
    ),
    Contender(
        name="gym-hil 0.1.14",
        requirements=("gym-hil==0.1.14", "mujoco==3.8.1"),
        module="gym_hil",
        note="opens an OpenGL context for states, too; requires mujoco<3.9",
        workloads={
            "state": pick_cube("rotation actions ignored"),
            "images": pick_cube("rotation actions ignored", image_obs=True),
            "native": pick_cube("rotation actions ignored"),
        },
    ),
    Contender(
        name="robosuite Lift",
        requirements=("robosuite==1.5.2", "mujoco==3.3.7"),
        module="robosuite",
        note=OLD_MUJOCO + "; numba compiles OSC_POSE at its first use; a reset rebuilds the model",
        workloads={
            "state": robosuite("OSC_POSE at 10 Hz by control_freq"),
            "images": robosuite("OSC_POSE at 10 Hz; agentview, eye in hand", cameras=True),
            "native": robosuite("OSC_POSE at its 20 Hz", control_freq=20),
        },
    ),
    Contender(
        name="Fetch PickAndPlace",
        requirements=("gymnasium-robotics==1.4.2", "mujoco==3.3.7"),
        module="gymnasium_robotics",
        note=OLD_MUJOCO,
        workloads={
            "state": Workload(
                make="adapters:fetch_pick_and_place",
                kwargs={"n_substeps": 50},
                differs="mocap weld, no rotation; 10 Hz by n_substeps, the default is 25 Hz",
            ),
            "native": Workload(
                make="adapters:fetch_pick_and_place", kwargs={}, differs="mocap weld, no rotation; 25 Hz"
            ),
        },
    ),
    Contender(
        name="so101-nexus PickLift",
        requirements=("so101-nexus==0.10.0",),
        module="so101_nexus",
        note="5-joint arm; needs Python 3.12 and mujoco<4",
        workloads={
            "state": so101(
                "end-effector deltas; 10 Hz by PhysicsConfig, the default is 50 Hz",
                control_mode="pd_ee_delta_pose",
            ),
            "images": so101(
                "end-effector deltas; overhead and wrist camera",
                control_mode="pd_ee_delta_pose",
                cameras=True,
            ),
            "native": so101("joint targets at its 50 Hz", control_mode="pd_joint_pos", native=True),
            "so101": so101(
                "end-effector deltas; 10 Hz by PhysicsConfig, the default is 50 Hz",
                control_mode="pd_ee_delta_pose",
            ),
        },
    ),
    Contender(
        name="so101-nexus, joints",
        requirements=("so101-nexus==0.10.0",),
        module="so101_nexus",
        note="the same without Cartesian control, which is its fastest mode",
        workloads={
            "state": so101("joint targets, 10 Hz by PhysicsConfig", control_mode="pd_joint_pos"),
            "so101-joints": so101("10 Hz by PhysicsConfig", control_mode="pd_joint_pos"),
        },
    ),
    Contender(
        name="so101-nexus, batch",
        requirements=("so101-nexus[mjbatch]==0.10.0",),
        module="so101_nexus",
        note="its CPU batch backend",
        workloads={
            "so101-batch": so101("10 Hz by PhysicsConfig", control_mode="pd_joint_pos", num_envs=BATCH)
        },
    ),
)
