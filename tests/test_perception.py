"""Perception of simulated people: delayed, from the cameras of the page, and without hidden bodies."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.intervention import Limits
from gym_hil.intervention.perception import PerceivedState, Perception
from gym_hil.intervention.visual_precision import PAGE, FixedCamera, Picture, VisualPrecision
from gym_hil.stacks.build import make_env

STAY = np.array([0, 0, 0, 1], np.float32)
WALL = """<mujoco><worldbody>
<camera name="front" pos="1 0 0" xyaxes="0 1 0 0 0 1" fovy="60"/><camera name="above" pos="0 0 2" fovy="60"/>
<geom name="wall" type="box" pos="0.5 {y} 0" size="0.01 0.2 0.2"/></worldbody></mujoco>"""


def scene(wall_y: float, pictures: tuple[Picture, ...]) -> tuple[VisualPrecision, mujoco.MjData]:
    model = mujoco.MjModel.from_xml_string(WALL.format(y=wall_y))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return VisualPrecision(model, pictures), data


def errors(vision: VisualPrecision, data: mujoco.MjData, point: np.ndarray) -> np.ndarray:
    precision = vision.precision(data, point)
    assert precision is not None
    return np.sqrt(np.diag(np.linalg.inv(precision)))


FRONT, ABOVE = Picture("front", pixels=100), Picture("above", pixels=100)


def test_one_image_locates_a_point_well_across_the_view_and_badly_in_depth():
    vision, data = scene(9.0, (FRONT,))
    pixel = 2 * np.tan(np.radians(30)) / 100
    np.testing.assert_allclose(errors(vision, data, np.zeros(3)), [8 * pixel, pixel, pixel], rtol=1e-6)
    far = errors(vision, data, np.array([-1.0, 0.0, 0.0]))
    assert far[1] == pytest.approx(2 * pixel)


def test_two_images_locate_a_point():
    both, data = scene(9.0, (FRONT, ABOVE))
    assert errors(both, data, np.zeros(3)).max() < 0.025


def test_hidden_points_and_points_outside_the_image_are_not_visible():
    point = np.zeros(3)
    assert scene(9.0, (FRONT,))[0].precision(scene(9.0, (FRONT,))[1], point) is not None
    vision, data = scene(0.0, (FRONT,))
    assert vision.precision(data, point) is None
    assert vision.precision(data, np.array([0.0, 5.0, 0.0])) is None
    assert vision.precision(data, np.array([2.0, 0.0, 0.0])) is None, "it is behind the camera"
    vision, data = scene(0.0, (FRONT, ABOVE))
    assert vision.precision(data, point) is not None


def test_the_fixed_camera_is_the_first_view_of_the_page():
    pos, axes = FixedCamera(0.0, 0.0, 2.0, (0.0, 0.0, 1.0)).pose()
    np.testing.assert_allclose(pos, [2.0, 0.0, 1.0])
    np.testing.assert_allclose(axes, [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-12)
    assert isinstance(PAGE[0].camera, FixedCamera)


@pytest.fixture
def env():
    made = make_env("gym_hil/PandaPickCubeBase-v1")
    made.reset(seed=0)
    yield made
    made.close()


def look(perception: Perception, env, rng: np.random.Generator) -> PerceivedState:
    return perception.look(EnvironmentInterface(env), rng)


def test_perception_is_delayed(env):
    perception, rng = Perception(Limits(perception_delay_s=0.2)), np.random.default_rng(0)
    positions, seen = [], []
    for _ in range(12):
        positions.append(env.get_wrapper_attr("tcp_pos_w").copy())
        seen.append(look(perception, env, rng).tcp_pos_w)
        env.step(np.array([1, 0, 0, 1], np.float32))
    np.testing.assert_array_equal(seen[2:], positions[:-2])
    assert not np.array_equal(positions[-1], positions[0])


def test_the_perceived_cube_stays_where_it_was_last_visible(env, monkeypatch):
    perception, rng = Perception(Limits(acuity=0.5)), np.random.default_rng(0)
    perception.begin(rng)
    before = look(perception, env, rng)
    assert not before.hidden and 0.0 < np.linalg.norm(before.error_root) < 0.01
    monkeypatch.setattr(VisualPrecision, "precision", lambda *arguments: None)
    raw = env.unwrapped
    raw.data.joint("cube").qpos[:2] += 0.05
    mujoco.mj_forward(raw.model, raw.data)
    hidden = [look(perception, env, rng) for _ in range(20)]
    assert all(perceived.hidden for perceived in hidden)
    np.testing.assert_allclose(hidden[-1].goal_w, before.goal_w, atol=1e-6)
    assert np.linalg.norm(hidden[-1].error_root) > np.linalg.norm(before.error_root) + 0.005
    monkeypatch.undo()
    seen = look(perception, env, rng)
    assert not seen.hidden and np.linalg.norm(seen.goal_w - before.goal_w) > 0.05


def test_a_scripted_human_perceives_everything_exactly(env):
    perception, rng = Perception(Limits()), np.random.default_rng(0)
    perception.begin(rng)
    seen = look(perception, env, rng)
    np.testing.assert_allclose(
        perception.offset(seen), env.get_wrapper_attr("expert_goal")() - seen.tcp_pos_w
    )


def test_errors_are_proportional_to_the_distance_and_to_the_precision_of_the_images():
    perception, rng = Perception(Limits(acuity=0.5, perception_error_ratio=0.05)), np.random.default_rng(0)

    def error(distance: float) -> float:
        goal = np.array([distance, 0.0, 0.0])
        seen = PerceivedState(np.zeros(3), goal, False, None, error_root=0.002 * np.eye(3))
        offsets = []
        for _ in range(2000):
            perception.begin(rng)
            offsets.append(perception.offset(seen)[1])
        return float(np.std(offsets))

    assert error(0.0) == pytest.approx(0.001, rel=0.1)
    assert error(0.2) == pytest.approx(0.011, rel=0.1)
