"""Parts of observations have names, and terms can be put together and added."""

from __future__ import annotations

import pickle

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.core.command import Command
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.envs.observations import (
    OBSERVATION_TERMS,
    ObservationContext,
    ObservationLayout,
    VectorTerm,
    proprioception_layout,
)
from gym_hil.envs.robot_actions import make_robot_action
from gym_hil.robots import ROBOTS
from gym_hil.stacks.build import make_env


def test_a_layout_names_slices_that_follow_each_other():
    layout = ObservationLayout({"a": 2, "b": 3})
    assert (layout["a"], layout["b"], layout.size) == (slice(0, 2), slice(2, 5), 5)
    assert np.arange(5)[layout["b"]].tolist() == [2, 3, 4]
    with pytest.raises(KeyError):
        layout["c"]


@pytest.mark.parametrize(("robot", "size"), [("panda", 18), ("so101", 14)])
def test_every_part_of_agent_pos_has_the_value_of_its_name(robot, size):
    env = ManipulationEnv(robot=robot, state_obs=True)
    observation, _ = env.reset(seed=0)
    agent, layout, sim = observation["agent_pos"], env.layout, env.simulation
    assert proprioception_layout(ROBOTS[robot]).size == size and len(agent) == size + 3
    np.testing.assert_allclose(agent[layout["joint_pos"]], sim.joint_pos, rtol=1e-6)
    np.testing.assert_allclose(agent[layout["joint_vel"]], sim.joint_vel, atol=1e-6)
    np.testing.assert_allclose(agent[layout["gripper"]], 255 * sim.closure, atol=1e-4)
    np.testing.assert_allclose(agent[layout["tcp_pos"]], sim.tcp_pos_w, rtol=1e-6)
    np.testing.assert_allclose(agent[layout["objects"]], sim.body_pos_w("cube"), rtol=1e-6)


def test_terms_are_chosen_by_name_and_an_unknown_one_is_refused():
    env = ManipulationEnv(observation_terms=("proprioception", "tcp_wrench", "contact"))
    observation, _ = env.reset(seed=0)
    assert list(observation) == ["agent_pos", "tcp_wrench", "contact"]
    assert env.observation_space.contains(observation)
    with pytest.raises(InvalidArgumentError, match='did you mean "contact"'):
        ManipulationEnv(observation_terms=("contacts",))


def test_a_held_cube_weighs_on_the_hand_and_presses_on_both_fingers():
    env = ManipulationEnv(observation_terms=("tcp_wrench", "contact"))
    observation, _ = env.reset(seed=0)
    assert not observation["tcp_wrench"].any() and not observation["contact"].any()
    while not env.task_success():
        action = env.expert_action()
        observation, *_ = env.step(action)
    force = observation["tcp_wrench"][:3]
    assert (observation["contact"] > 5.0).all()
    assert force[2] == pytest.approx(-0.1 * 9.81, abs=1.5), "its weight, and what lifting it takes"


@pytest.mark.parametrize("state", ["", "State"])
def test_a_contact_task_observes_a_wrench_that_a_saved_state_has_too(state):
    envs = [make_env(f"gym_hil/PandaInsertUSB{state}-v1", operator="expert") for _ in range(2)]
    for env in envs:
        env.reset(seed=3)
    touched = 0
    for _ in range(20):
        observation, *_ = envs[0].step(envs[0].get_wrapper_attr("neutral_action")())
        again, _ = envs[1].reset(options={"state": envs[0].unwrapped.get_state()})
        for name, value in observation.items():
            np.testing.assert_array_equal(value, again[name])
        wrench = observation["agent_pos"][-6:] if state else observation["tcp_wrench"]
        touched += bool(wrench.any())
    assert 3 < touched < 20
    assert ("tcp_wrench" in observation) is not bool(state)


def test_observing_contacts_does_not_change_the_simulation():
    states = []
    for terms in (("proprioception",), ("proprioception", "tcp_wrench")):
        env = make_env("gym_hil/PandaInsertUSB-v1", operator="expert", observation_terms=terms)
        env.reset(seed=3)
        for _ in range(20):
            env.step(env.get_wrapper_attr("neutral_action")())
        states.append(env.unwrapped.get_state().physics)
    np.testing.assert_array_equal(*states)


def test_depth_is_the_distance_in_metres():
    env = ManipulationEnv(observation_terms=("depth",))
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    camera = env.data.camera("front")
    forward = -camera.xmat.reshape(3, 3)[:, 2]
    floor = camera.xpos[2] / -forward[2]  # along the line of sight through the middle of the image
    depth = observation["depth"]["front"]
    assert depth[-1, :].max() < floor < depth[0, :].max()
    cube = env.simulation.body_pos_w("cube") - camera.xpos
    x, y, z = camera.xmat.reshape(3, 3).T @ cube
    scale = 64 / np.tan(np.radians(45.0) / 2)
    row, column = round(63.5 + scale * y / z), round(63.5 - scale * x / z)
    assert depth[row, column] == pytest.approx(-z, abs=0.03), "the cube's face is up to 2 cm nearer"
    env.close()


class HandHeight(VectorTerm):
    """Height of the TCP (m)."""

    default_key = "hand_height"

    def __init__(self, context: ObservationContext, key: str | None = None) -> None:
        super().__init__(context, key)
        self.layout = ObservationLayout({"height": 1})

    def read(self) -> list[float]:
        return [self.context.simulation.tcp_pos_w[2]]


def test_a_custom_term_is_given_as_a_class_or_registered_by_name(monkeypatch):
    monkeypatch.setattr(OBSERVATION_TERMS, "_values", dict(OBSERVATION_TERMS._values))
    OBSERVATION_TERMS.register("hand_height", HandHeight)
    for term in (HandHeight, "hand_height"):
        env = ManipulationEnv(observation_terms=("proprioception", term))
        observation, _ = env.reset(seed=0)
        assert observation["hand_height"] == pytest.approx(observation["agent_pos"][env.layout["tcp_pos"]][2])


@pytest.mark.parametrize("action", ["twist", "joints"])
def test_an_environment_with_terms_can_be_pickled(action):
    term = make_robot_action(action, ROBOTS["panda"])
    env = ManipulationEnv(observation_terms=("proprioception", "contact"), action_term=term)
    env.reset(seed=0)
    action = env.command_action(Command((0.0, 0.0, 1.0, 0.0, 0.0, 0.0)))
    env.step(action)
    twin = pickle.loads(pickle.dumps(env))
    np.testing.assert_array_equal(env.step(action)[0]["agent_pos"], twin.step(action)[0]["agent_pos"])


def test_an_id_takes_terms_as_an_argument():
    env = gym.make("gym_hil/SO101PickCube-v1", observation_terms=("proprioception", "contact"))
    observation, _ = env.reset(seed=0)
    assert list(observation) == ["agent_pos", "contact"] and env.observation_space.contains(observation)


def test_ids_of_the_so101_work():
    env = gym.make("gym_hil/SO101PickCube-v1", image_obs=True)
    observation, _ = env.reset(seed=0)
    assert set(observation["pixels"]) == {"front", "wrist"} and observation["agent_pos"].shape == (14,)
    assert env.observation_space.contains(observation)
    env.close()
