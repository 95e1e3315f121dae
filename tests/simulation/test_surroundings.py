"""The table and the room are visible to people, have no contacts, and are not in image observations."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from gym_hil.robots import ROBOTS, collision
from gym_hil.scenes.scene import Scene
from gym_hil.simulation.composition import compose
from gym_hil.simulation.rendering import FAST, PRETTY, Renderer

VISIBLE_GROUPS = (collision.VISIBLE, collision.SCENERY, collision.WALLS)


@pytest.fixture(params=sorted(ROBOTS), scope="module")
def robot(request):
    return ROBOTS[request.param]


@pytest.fixture(scope="module")
def model(robot):
    return compose(robot, Scene(home="above_table"), 0.004)


def test_the_table_is_under_everything_within_reach(robot, model):
    table = model.geom("table")
    assert table.pos[2] + table.size[2] == pytest.approx(0), "its top is the plane that objects touch"
    low, high = table.pos - table.size, table.pos + table.size
    reach = robot.workspace.wide_tcp
    assert (low[:2] < reach.low[:2]).all() and (high[:2] > reach.high[:2]).all()
    for effector in robot.end_effectors:
        assert (low[:2] < effector.base_pos[:2]).all() and (high[:2] > effector.base_pos[:2]).all()


def test_visual_geoms_have_no_contacts(model):
    touching = {
        geom for pair in range(model.npair) for geom in (model.pair_geom1[pair], model.pair_geom2[pair])
    }
    world = [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] == 0]
    assert [model.geom(geom).name for geom in world if geom in touching] == ["floor"]
    assert not any(model.geom_contype) and not any(model.geom_conaffinity)
    assert model.geom("floor").group[0] not in VISIBLE_GROUPS


@pytest.mark.rendering
def test_the_room_is_rendered_for_people_only(model):
    model.geom("ground").rgba, model.geom("wall_back").rgba = (0, 1, 0, 1), (0, 1, 0, 1)
    model.geom("ground").matid = model.geom("wall_back").matid = -1
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    camera = int(model.camera("third_person").id)
    for quality, visible in ((FAST, False), (PRETTY, True)):
        renderer = Renderer(model, 60, 80, quality)
        red, green, _ = np.moveaxis(renderer.render(data, camera).astype(int), -1, 0)
        renderer.close()
        assert ((green > 1.5 * red).mean() > 0.1) == visible
