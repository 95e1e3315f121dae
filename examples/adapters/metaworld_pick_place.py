"""Meta-World's pick-place with its own scripted policy as the human: ``metaworld_pick_place:hil/PickPlace-v0``."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS_GOAL_OBSERVABLE
from metaworld.policies import ENV_POLICY_MAP

from gym_hil.core.schema import GripperCommand
from gym_hil.envs.adapter import MujocoAdapter, split_state

CONSTANTS = ("_target_pos", "obj_init_pos", "init_tcp", "init_left_pad", "init_right_pad", "_prev_obs")
"""Attributes with the state of Meta-World that is not in MuJoCo's state."""


class PickPlace(MujocoAdapter):
    """Episodes end in success, with a reward of 1, as soon as Meta-World reports success."""

    control_dt = 0.0125
    task_description = "Bring the puck to the goal."

    def __init__(self, render_mode=None):
        make = ALL_V3_ENVIRONMENTS_GOAL_OBSERVABLE["pick-place-v3-goal-observable"]
        env = make(seed=0, render_mode=render_mode)
        env._freeze_rand_vec, env.seeded_rand_vec = False, True
        super().__init__(env)
        self._policy = ENV_POLICY_MAP["pick-place-v3"]()

    def step(self, action):
        observation, _, _, truncated, info = super().step(action)
        self._done = success = bool(info["success"])
        return observation, float(success), success, bool(truncated), {**info, "is_success": success}

    def command_action(self, command):
        action = super().command_action(command)
        action[-1] *= -1.0  # Meta-World closes with +1
        return action if command.gripper is not GripperCommand.STAY else self.neutral_action() + action

    def gripper_closes(self, action):
        return bool(action[-1] > 0) if action[-1] else None

    def observe(self):
        raw = self.env.unwrapped
        previous = raw._prev_obs.copy()
        observation, raw._prev_obs = raw._get_obs(), previous
        return observation.astype(np.float64)

    def observe_state(self):
        observation = self.observe()
        return split_state(observation[:36], observation[36:])

    def episode_constants(self):
        return {name: np.array(getattr(self.env.unwrapped, name), float) for name in CONSTANTS}

    def restore_constants(self, constants):
        for name, value in constants.items():
            setattr(self.env.unwrapped, name, value.copy())

    @property
    def tcp_pos_w(self):
        return self.observe()[:3]

    def expert_goal(self):
        return np.array(self._policy._desired_pos(self._policy._parse_obs(self.observe())))

    def expert_action(self):
        return np.clip(self._policy.get_action(self.observe()), -1.0, 1.0).astype(np.float32)


gym.register("hil/PickPlace-v0", entry_point=PickPlace, max_episode_steps=150)
