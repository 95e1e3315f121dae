"""Names and arguments of earlier versions still work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import gym_hil
from gym_hil.devices import Keyboard
from gym_hil.intervention import Human
from gym_hil.stacks.build import make_env, wrap_env
from gym_hil.wrappers import hil_wrappers, intervention_utils

pytestmark = pytest.mark.filterwarnings("ignore:.*out of date")
STAY = np.array([0, 0, 0, 1], np.float32)


@pytest.mark.parametrize("suffix", ["", "Viewer", "Gamepad", "Keyboard", "SimulatedHuman"])
@pytest.mark.parametrize("task", ["PickCube", "ArrangeBoxes"])
def test_ids_work_headless_as_lerobot_calls_them(task, suffix, monkeypatch, caplog):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    env = gym.make(
        f"gym_hil/Panda{task}{suffix}-v0",
        image_obs=True, render_mode="human", use_gripper=True, gripper_penalty=-0.02,
    )  # fmt: skip
    env.reset()
    observation, reward, *_, info = env.step(STAY)
    assert env.observation_space.contains(observation) and type(reward) is float
    assert (info["teleop_action"].shape == (4,) and not info["is_intervention"]) or suffix == "SimulatedHuman"
    hints = [record.message for record in caplog.records if "No window" in record.message]
    assert len(hints) == 1 and "gym-hil play --web" in hints[0] and "\n" not in hints[0]
    env.close()
    env.close()


@pytest.mark.parametrize("use_gamepad", [True, False])
def test_old_arguments_reach_the_wrappers(use_gamepad):
    env = make_env(
        "gym_hil/PandaPickCubeBase-v0",
        ee_step_size={"x": 0.01, "y": 0.02, "z": 0.03},
        use_viewer=False, use_gamepad=use_gamepad, use_gripper=True, use_inputs_control=True,
        auto_reset=True, show_ui=False, gripper_penalty=-0.5, reset_delay_seconds=0.0,
    )  # fmt: skip
    assert env.get_wrapper_attr("operator").device.name == ("gamepad" if use_gamepad else "keyboard")
    np.testing.assert_array_equal(env.get_wrapper_attr("scale"), [0.01, 0.02, 0.03])
    env.reset(seed=0)
    env.step(np.array([0, 0, 0, 2], np.float32))
    assert env.step(np.array([0, 0, 0, 0], np.float32))[4]["discrete_penalty"] == -0.5
    env.close()


def test_the_old_name_of_an_argument_of_human_still_works():
    keyboard = Keyboard()
    env = make_env("gym_hil/PandaPickCubeBase-v0", operator=Human(keyboard, "motion", hold_over_steps=0))
    env.reset(seed=0)
    keyboard.press("up")
    assert env.step(STAY)[4]["is_intervention"]
    keyboard.release("up")
    assert not env.step(STAY)[4]["is_intervention"], "the default would hold for five steps"
    env.close()


def test_auto_reset_begins_the_next_episode_in_the_same_step():
    env = wrap_env(gym_hil.FrankaGymEnv("PickCube"), auto_reset=True, operator="expert")
    env.reset(seed=0)
    done = False
    while not done:
        observation, _, done, _, info = env.step(STAY)
    assert info["is_success"] and info["final_obs"]["environment_state"][2] > 0.1
    assert observation["environment_state"][2] == pytest.approx(0.02, abs=1e-3)
    env.step(STAY)


def test_the_keyboard_drives_through_the_old_wrapper():
    env = hil_wrappers.InputsControlWrapper(
        hil_wrappers.EEActionWrapper(gym_hil.FrankaGymEnv("PickCube")), use_gamepad=False
    )
    env.reset(seed=0)
    keyboard = env.operator.device
    keyboard.connected = True
    keyboard.press("space")
    keyboard.press("up")
    before = env.unwrapped.simulation.tcp_pos_w[0]
    info = [env.step(STAY)[4] for _ in range(5)][-1]
    assert info["is_intervention"] and env.unwrapped.simulation.tcp_pos_w[0] > before + 0.08
    env.close()


def test_a_controller_reports_held_keys_and_each_end_once():
    controller = intervention_utils.KeyboardController(x_step_size=0.5)
    controller.start()
    for key in ("space", "up", "ctrl_l", "enter"):
        controller.device.press(key)
    controller.update()
    assert controller.get_deltas() == (0.5, 0.0, 0.0) and controller.should_intervene()
    assert controller.gripper_command() == "close"
    assert [controller.get_episode_end_status() for _ in range(2)] == ["success", None]
    controller.device.release("space")
    controller.update()
    assert controller.should_intervene(), "it is pressed once to begin and once more to end"
    controller.device.press("space")
    controller.update()
    assert not controller.should_intervene()
    controller.stop()


def test_the_old_gamepad_controller_reads_a_gamepad():
    pytest.importorskip("pygame")
    from gym_hil.testing.virtual_gamepad import VirtualGamepad

    pad = VirtualGamepad()
    with intervention_utils.GamepadController(x_step_size=0.5) as controller:
        controller.update()
        assert not controller.should_intervene() and controller.get_deltas() == (0.0, 0.0, 0.0)
        pad.press("rb")
        pad.set_axis("left_y", 1.0)
        controller.update()
        assert controller.should_intervene()
        assert controller.get_deltas() == pytest.approx((0.5, 0.0, 0.0), abs=0.01)
    pad.detach()


def test_a_custom_controller_can_use_the_old_base_class():
    class Pedal(intervention_utils.InputController):
        def update(self):
            self.intervention_flag = self.open_gripper_command = True
            self.episode_end_status = "failure"

    with Pedal(0.1, 0.2, 0.3) as pedal:
        pedal.update()
        assert pedal.should_intervene() and pedal.gripper_command() == "open" and pedal.y_step_size == 0.2
        assert [pedal.get_episode_end_status(), pedal.get_episode_end_status()] == ["failure", None]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [[], ["--use-keyboard"]])
def test_the_teleoperation_example_starts(arguments):
    path = Path(gym_hil.__file__).parent / "examples" / "test_teleoperation.py"
    more = ["--episodes", "1", "--reset-delay", "0", "--render-mode", "rgb_array", "--step-size", "0.03"]
    done = subprocess.run([sys.executable, str(path), *arguments, *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "episode 1: time is up, 100 steps" in done.stdout
