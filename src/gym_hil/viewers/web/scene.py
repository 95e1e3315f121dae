"""Describes a model to the page: the shapes of its bodies once, and their poses in every frame."""

from __future__ import annotations

import base64
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.robots import collision

CAMERAS = ("front", "wrist")
"""Cameras that the page shows in its corner, if the model has them."""
_UNPAINTED = (0.5, 0.5, 0.5, 1.0)
"""MuJoCo's default colour of geoms. Geoms with this colour have that of their material, if there is one."""


def describe(model: mujoco.MjModel) -> dict[str, Any]:
    """Return the visible geoms and the cameras of `model` as JSON values, each in the frame of its body (m,
    quaternions w x y z).
    """
    geoms = [
        _geom(model, geom)
        for geom in range(model.ngeom)
        if model.geom_group[geom] in (collision.VISIBLE, collision.SCENERY) and _colour(model, geom)[3] > 0
    ]
    cameras = [model.camera(number) for number in range(model.ncam)]
    return {
        "bodies": model.nbody,
        "geoms": geoms,
        "cameras": [
            {
                "name": camera.name,
                "body": int(camera.bodyid[0]),
                "pos": camera.pos.tolist(),
                "quat": camera.quat.tolist(),
                "fovy": float(camera.fovy[0]),
            }
            for camera in cameras
            if camera.name in CAMERAS
        ],
    }


def poses(data: mujoco.MjData) -> NDArray[np.float32]:
    """Return the position (m, world frame) and quaternion (w x y z) of every body, (bodies, 7)."""
    return np.hstack([data.xpos, data.xquat]).astype(np.float32)


def _geom(model: mujoco.MjModel, geom: int) -> dict[str, Any]:
    kind = mujoco.mjtGeom(int(model.geom_type[geom])).name.removeprefix("mjGEOM_").lower()
    described = {
        "type": kind,
        "body": int(model.geom_bodyid[geom]),
        "pos": model.geom_pos[geom].tolist(),
        "quat": model.geom_quat[geom].tolist(),
        "size": model.geom_size[geom].tolist(),
        "rgba": _colour(model, geom),
    }
    if kind == "mesh":
        described["triangles"] = _triangles(model, int(model.geom_dataid[geom]))
    return described


def _triangles(model: mujoco.MjModel, mesh: int) -> str:
    """Return the vertices of a mesh's triangles (m), as float32 x y z in base64."""
    vertex, face = int(model.mesh_vertadr[mesh]), int(model.mesh_faceadr[mesh])
    vertices = model.mesh_vert[vertex : vertex + int(model.mesh_vertnum[mesh])]
    faces = model.mesh_face[face : face + int(model.mesh_facenum[mesh])]
    return base64.b64encode(vertices[faces].astype("<f4").tobytes()).decode()


def _colour(model: mujoco.MjModel, geom: int) -> list[float]:
    own: list[float] = model.geom_rgba[geom].tolist()
    material = int(model.geom_matid[geom])
    if material >= 0 and np.allclose(own, _UNPAINTED):
        painted: list[float] = model.mat_rgba[material].tolist()
        return painted
    return own
