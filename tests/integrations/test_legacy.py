"""Modules, classes and attributes of earlier versions still exist."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gym_hil.mujoco_gym_env import MAX_GRIPPER_COMMAND, FrankaGymEnv, GymRenderingSpec, MujocoGymEnv
from gym_hil.wrappers.viewer_wrapper import PassiveViewerWrapper

import gym_hil
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.observer import Observer
from gym_hil.envs import PandaArrangeBoxesGymEnv, PandaPickCubeGymEnv
from gym_hil.integrations.legacy.aliases import ALIASES
from gym_hil.wrappers import hil_wrappers

pytestmark = pytest.mark.filterwarnings("ignore:.*out of date")
PUBLIC_NAMES = json.loads((Path(__file__).parent.parent / "data" / "public_names.json").read_text())
"""Modules and names by version: all public ones of gym-hil 0.1.14, read from its wheel, and those that the
documentation of our 0.1.15 imports."""
PUBLIC_ARGUMENTS = json.loads((Path(__file__).parent.parent / "data" / "public_arguments.json").read_text())
"""Arguments of the functions and classes of gym-hil 0.1.14, read from its wheel. Those of `FrankaGymEnv` and
`MujocoGymEnv`, whose scene is a task now, have a test of their own."""
ARGUMENTS = {
    "seed": 3,
    "control_dt": 0.1,
    "physics_dt": 0.002,
    "render_spec": GymRenderingSpec(height=64, width=64),
    "render_mode": "rgb_array",
    "image_obs": True,
    "reward_type": "dense",
}
HINGES = ((0, 0, 1), (0, 1, 0), (0, 1, 0), (1, 0, 0), (0, 1, 0), (1, 0, 0), (0, 1, 0))


def imported(name):
    """Import a module, or skip where a library that it needs is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("gym_hil"):
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize(
    "version, name", [(version, name) for version in PUBLIC_NAMES for name in PUBLIC_NAMES[version]]
)
def test_every_public_name_of_earlier_versions_imports(version, name):
    module = imported(name)
    assert [each for each in PUBLIC_NAMES[version][name] if not hasattr(module, each)] == []


@pytest.mark.parametrize(
    "module, name", [(module, name) for module, names in PUBLIC_ARGUMENTS.items() for name in names]
)
def test_functions_and_classes_of_0_1_14_take_its_arguments_by_position_and_by_name(module, name):
    arguments = PUBLIC_ARGUMENTS[module][name]
    signature = inspect.signature(getattr(imported(module), name))
    positional, keyword = arguments["positional"], dict.fromkeys(arguments["keyword"])
    signature.bind(*positional, **keyword)
    ordered = [name for name, one in signature.parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert ordered[: len(positional)] == positional[: len(ordered)]
    signature.bind(**dict.fromkeys(positional), **keyword)


def test_the_functions_of_0_1_14_take_arguments_of_layers_by_position():
    sizes = {"x": 0.01, "y": 0.02, "z": 0.03}
    positional = (sizes, False, False, True, True, False, False, -0.5, 0.0, None)
    assert len(positional) + 1 == len(PUBLIC_ARGUMENTS["gym_hil.wrappers.factory"]["make_env"]["positional"])
    env_id = "gym_hil/PandaPickCubeBase-v0"
    for env in (gym_hil.make_env(env_id, *positional), gym_hil.wrap_env(gym.make(env_id), *positional)):
        assert env.get_wrapper_attr("operator").device.name == "keyboard"
        np.testing.assert_array_equal(env.get_wrapper_attr("scale"), [0.01, 0.02, 0.03])
        env.reset(seed=0)
        env.step(np.array([0, 0, 0, 2], np.float32))
        assert env.step(np.array([0, 0, 0, 0], np.float32))[4]["discrete_penalty"] == -0.5
        env.close()
    with pytest.raises(InvalidArgumentError, match="make_env takes at most 10 positional arguments"):
        gym_hil.make_env(env_id, *positional, None)


@pytest.mark.parametrize("old", ALIASES)
def test_an_old_path_is_the_module_itself(old):
    module = imported(old)
    assert module is importlib.import_module(ALIASES[old])
    assert module.__name__ == ALIASES[old]
    assert module.__spec__ is not None and module.__spec__.name == ALIASES[old]


def test_importing_a_module_does_not_hide_the_function_of_the_same_name():
    code = "import gym_hil.controllers.opspace, gym_hil; assert callable(gym_hil.controllers.opspace)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("cls, more", [(PandaPickCubeGymEnv, [True]), (PandaArrangeBoxesGymEnv, [])])
def test_the_classes_of_0_1_14_take_its_arguments_by_position(cls, more):
    env = cls(*ARGUMENTS.values(), *more)
    observation, _ = env.reset()
    assert observation["pixels"]["wrist"].shape == (64, 64, 3)
    assert (env.physics_dt, env.reward_type, env.render_mode) == (0.002, "dense", "rgb_array")
    assert env.random_block_position == bool(more)
    assert isinstance(env, FrankaGymEnv) and isinstance(env, MujocoGymEnv)
    assert env.step(np.zeros(7))[1] >= 0
    env.close()


@pytest.mark.parametrize("argument", ["xml_path", "home_position", "cartesian_bounds"])
def test_a_custom_scene_raises_an_error_that_names_tasks(argument):
    with pytest.raises(InvalidArgumentError, match=f"{argument} .* now defined by a task"):
        FrankaGymEnv(**{argument: None})
    with pytest.raises(InvalidArgumentError, match="xml_path"):
        MujocoGymEnv(Path("scene.xml"))


@pytest.fixture
def env():
    env = PandaPickCubeGymEnv()
    env.reset(seed=0)
    yield env
    env.close()


def test_old_attributes_read_the_simulation(env):
    assert env._model is env.model and env._data is env.data
    state = env.get_robot_state()
    np.testing.assert_array_equal(state, env._compute_observation()["agent_pos"])
    assert env.get_gripper_pose().shape == (1,) and env.get_gripper_pose()[0] == state[14] < 1.0
    for _ in range(5):
        env.step(np.array([0, 0, 0, 0, 0, 0, -1.0]))
    assert env.get_gripper_pose()[0] == pytest.approx(MAX_GRIPPER_COMMAND, abs=1)
    assert env._is_success() is False and env._compute_reward() == 0.0


def test_random_positions_can_be_switched_on_later(env):
    def cube():
        return env.reset()[0]["environment_state"][:2].tolist()

    assert cube() == cube()
    env._random_block_position = True
    assert cube() != cube()


def test_old_names_in_the_model_read_and_write(env):
    mujoco.mj_forward(env._model, env._data)
    for kind in ("body", "geom"):
        seen = getattr(env._data, kind)("block").xpos
        np.testing.assert_allclose(seen, env.task.observe(env.simulation))
    env._data.jnt("block").qpos[:3] = (0.4, 0.1, 0.02)
    mujoco.mj_forward(env._model, env._data)
    np.testing.assert_allclose(env._data.sensor("block_pos").data, (0.4, 0.1, 0.02))
    np.testing.assert_allclose(env._data.sensor("block_quat").data, (1, 0, 0, 0), atol=1e-6)
    before = env._data.sensor("2f85/pinch_pos").data
    np.testing.assert_allclose(before, env.get_robot_state()[15:], atol=1e-6)
    for _ in range(3):
        env.step(np.array([0, 0.02, 0, 0, 0, 0, 0]))
    moved = env._data.sensor("2f85/pinch_pos").data - before
    velocity = env._data.sensor("2f85/pinch_vel").data
    assert moved[1] > 0.03 and velocity[1] > 0.05 > abs(velocity[0])
    assert env._data.joint("joint4").qpos == env.simulation.joint_pos[3]
    with pytest.raises(KeyError, match="force"):
        env._data.sensor("force")


def test_boxes_and_targets_have_their_old_names():
    env = PandaArrangeBoxesGymEnv()
    env.reset(seed=0)
    boxes = [env._data.sensor(f"block{number}_pos").data for number in range(1, 6)]
    targets = [env._data.sensor(f"target{number}_pos").data for number in range(1, 6)]
    assert len({round(box[1], 3) for box in boxes}) == len({target[1] for target in targets}) == 5
    env.close()


def test_removed_features_name_their_replacement(env):
    with pytest.raises(AttributeError, match=r"_viewer.*render\(\)"):
        env._viewer.update_scene(env._data)
    with pytest.raises(AttributeError, match=r"apply_action.*step"):
        env.apply_action(np.zeros(7))


@pytest.mark.parametrize("name", ["PandaPickCube", "PandaArrangeBoxes"])
def test_ids_make_environments_with_the_old_attributes(name):
    env = gym.make(f"gym_hil/{name}-v0")
    env.reset(seed=0)
    cls = {"PandaPickCube": PandaPickCubeGymEnv, "PandaArrangeBoxes": PandaArrangeBoxesGymEnv}[name]
    assert isinstance(env.unwrapped, cls) and env.unwrapped.get_robot_state().shape == (18,)
    env.close()


def test_without_a_display_the_viewer_says_that_no_window_is_open(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    env = PassiveViewerWrapper(PandaPickCubeGymEnv())
    assert not env._viewer.is_running()
    env._viewer.sync()
    env._viewer.close()
    env.close()
    assert gym_hil.PassiveViewerWrapper is PassiveViewerWrapper


class Notes(Observer):
    """Writes down of what it is notified."""

    def __init__(self):
        self.notes = []

    def on_reset(self, env):
        self.notes.append(("reset", env.data.time))

    def on_poll(self):
        self.notes.append(("poll",))

    def on_step(self, env, record):
        self.notes.append(("step", round(env.data.time, 3)))

    def on_close(self):
        self.notes.append(("close",))


def test_the_viewer_shows_every_state_with_and_without_a_takeover_wrapper(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for inside in (PandaPickCubeGymEnv(), gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1")):
        env, notes = PassiveViewerWrapper(inside), Notes()
        env.subscribe(notes)
        assert env.observers[-1] is notes
        env.reset(seed=0)
        for _ in range(2):
            env.step(env.action_space.sample())
        env.close()
        assert notes.notes == [
            ("reset", 0.0), ("poll",), ("step", 0.1), ("poll",), ("step", 0.2), ("close",),
        ]  # fmt: skip


def test_the_viewer_refuses_environments_of_other_packages():
    with pytest.raises(InvalidArgumentError, match="needs an environment of gym-hil"):
        PassiveViewerWrapper(gym.make("CartPole-v1"))


WINDOW = """
import gymnasium as gym, pygame
from gym_hil.envs import PandaPickCubeGymEnv
from gym_hil.wrappers.viewer_wrapper import PassiveViewerWrapper

env = PassiveViewerWrapper(PandaPickCubeGymEnv())
viewer = env._viewer
assert viewer.is_running()
env.reset(seed=0)
def picture():
    return pygame.image.tobytes(pygame.display.get_surface(), "RGB")
first = picture()
env.step([0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
viewer.sync()
assert picture() != first
viewer.close()
assert not viewer.is_running() and pygame.display.get_surface() is None
env.step([0.0] * 7)
env.close()
"""


@pytest.mark.display
def test_the_viewer_is_a_window_whose_closing_does_not_end_the_episode(screen):
    done = subprocess.run([sys.executable, "-c", WINDOW], env=screen, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_joint_torques_carry_gravity_and_reach_a_goal():
    from gym_hil.controllers import opspace

    spec = mujoco.MjSpec()
    body = spec.worldbody
    for number, axis in enumerate(HINGES):
        body = body.add_body(name=f"link{number}", pos=(0.0, 0.0, 0.2))
        body.add_joint(name=f"joint{number}", axis=axis)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, fromto=(0, 0, 0, 0, 0, 0.2), size=(0.03, 0, 0))
        spec.add_actuator(target=f"joint{number}", trntype=mujoco.mjtTrn.mjTRN_JOINT)
        for geom in body.geoms:
            geom.contype = geom.conaffinity = 0
    body.add_site(name="tip", pos=(0.0, 0.0, 0.2))
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[:] = (0.1, 0.5, 0.7, 0.2, 0.6, 0.1, 0.3)
    mujoco.mj_forward(model, data)
    tip, dofs, start = model.site("tip").id, range(7), data.site("tip").xpos.copy()

    def simulate(steps, **goal):
        for _ in range(steps):
            data.ctrl[:] = opspace(model, data, tip, dofs, **goal)
            mujoco.mj_step(model, data)
        return data.site("tip").xpos

    np.testing.assert_allclose(simulate(300), start, atol=5e-3)
    goal = start + np.array((0.05, 0.03, -0.04))
    np.testing.assert_allclose(simulate(1000, pos=goal, max_pos_acceleration=5.0), goal, atol=2e-3)


def test_with_step_sizes_alone_an_action_has_no_gripper_entry():
    sizes = {"x": 0.01, "y": 0.01, "z": 0.01}
    assert hil_wrappers.EEActionWrapper(PandaPickCubeGymEnv(), sizes).action_space.shape == (3,)
    assert hil_wrappers.EEActionWrapper(PandaPickCubeGymEnv(), sizes, True).action_space.shape == (4,)
    assert hil_wrappers.EEActionWrapper(PandaPickCubeGymEnv()).action_space.shape == (4,)


def test_the_inputs_wrapper_refuses_step_sizes_that_are_set_elsewhere():
    env = hil_wrappers.EEActionWrapper(PandaPickCubeGymEnv())
    with pytest.raises(InvalidArgumentError, match=r"x_step_size=0.5 .*\n?.*ee_action_step_size"):
        hil_wrappers.InputsControlWrapper(env, 0.5, use_gamepad=False)
