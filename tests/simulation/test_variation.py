"""Random masses and frictions of a start state stay the same in the whole episode and in saved states."""

from __future__ import annotations

import pickle

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.scenes.scene import FRICTION, MASS
from gym_hil.stacks.build import make_env

ID = "gym_hil/PandaFlipObject-v1"


def mass(env: gym.Env) -> float:
    return float(env.unwrapped.model.body("tile").mass[0])


def friction_with_the_table(env: gym.Env) -> float:
    model = env.unwrapped.model
    tile, floor = model.geom("tile").id, model.geom("floor").id
    (pair,) = np.flatnonzero((model.pair_geom1 == floor) & (model.pair_geom2 == tile))
    return float(model.pair_friction[pair, 0])


def test_an_episode_has_the_mass_and_friction_of_its_start():
    env = make_env(ID)
    for seed in range(3):
        env.reset(seed=seed)
        start = env.unwrapped.get_state().start
        assert mass(env) == pytest.approx(0.12 * start[MASS.format("tile")][0])
        assert friction_with_the_table(env) == pytest.approx(0.8 * start[FRICTION.format("tile")][0])
        assert 0.5 <= start[MASS.format("tile")][0] <= 2.0 and start[MASS.format("tile")][0] != 1.0


def test_a_saved_state_continues_bit_for_bit_with_its_mass():
    one, other = make_env(ID, operator="expert"), make_env(ID, operator="expert")
    one.reset(seed=5)
    other.reset(seed=6)
    neutral = one.get_wrapper_attr("neutral_action")()
    for _ in range(12):
        one.step(neutral)
    other.reset(options={"state": one.unwrapped.get_state()})
    assert mass(one) == mass(other)
    for _ in range(12):
        observations = [env.step(neutral)[0] for env in (one, other)]
        for name, value in observations[0].items():
            np.testing.assert_array_equal(value, observations[1][name])
    simulation = one.unwrapped.simulation
    copy = pickle.loads(pickle.dumps(simulation))
    for each in (simulation, copy):
        each.step()
    np.testing.assert_array_equal(simulation.save(), copy.save())


def test_environments_of_a_vector_have_masses_of_their_own():
    vector = gym.make_vec(ID, num_envs=3, vectorization_mode="vector_entry_point")
    vector.reset(seed=0)
    alone = make_env(ID)
    masses = []
    for seed in range(3):
        alone.reset(seed=seed)
        masses.append(mass(alone))
    assert [mass(env) for env in vector.envs] == masses and len(set(masses)) == 3
    vector.close()


def test_the_easy_variant_and_fixed_starts_have_the_model_s_own_values():
    for env_id in ("gym_hil/PandaFlipObjectEasy-v1", "gym_hil/PandaFlipObject-v0"):
        env = make_env(env_id)
        env.reset(seed=3)
        assert mass(env) == pytest.approx(0.12) and friction_with_the_table(env) == pytest.approx(0.8)
