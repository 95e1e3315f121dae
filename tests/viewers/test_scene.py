"""What the page is told about the shapes of a model."""

from __future__ import annotations

import base64

import mujoco
import numpy as np
import pytest

from gym_hil.viewers.web.scene import describe

VERTICES = np.array([(0.0, 0.0, 0.0), (0.1, 0.0, 0.0), (0.0, 0.2, 0.0), (0.0, 0.0, 0.3)])
FACES = np.array([(0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)])


def test_a_mesh_is_described_by_its_triangles():
    spec = mujoco.MjSpec()
    spec.add_mesh(name="wedge", uservert=VERTICES.ravel(), userface=FACES.ravel())
    body = spec.worldbody.add_body(name="part", pos=(1.0, 2.0, 3.0))
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="wedge", rgba=(0.1, 0.2, 0.3, 1.0))
    (geom,) = describe(spec.compile())["geoms"]
    assert (geom["type"], geom["body"]) == ("mesh", 1)
    assert geom["rgba"] == pytest.approx([0.1, 0.2, 0.3, 1.0])
    triangles = np.frombuffer(base64.b64decode(geom["triangles"]), "<f4").reshape(-1, 3, 3)
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, geom["quat"])
    in_body = triangles @ rotation.reshape(3, 3).T + geom["pos"]
    np.testing.assert_allclose(in_body, VERTICES[FACES], atol=1e-6)
