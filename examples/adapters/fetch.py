"""Gymnasium-Robotics' FetchPickAndPlace under a human's hands: ``gym-hil play fetch:hil/FetchPickAndPlace-v0``."""

from __future__ import annotations

import gymnasium as gym
import gymnasium_robotics
import numpy as np

from gym_hil.envs.adapter import MujocoAdapter, split_state

gym.register_envs(gymnasium_robotics)
OVER = np.array([0.0, 0.0, 0.06])
"""Position above the cube to which the gripper moves first (m, relative to the cube)."""
STEP_M = 0.03
"""Approximate motion of the gripper for an action of 1 (m)."""


class FetchPickAndPlace(MujocoAdapter):
    """Episodes end in success, with a reward of 1, as soon as the cube is at its goal."""

    control_dt = 0.04
    task_description = "Bring the cube to the goal."

    def __init__(self, render_mode=None):
        super().__init__(gym.make("FetchPickAndPlace-v4", render_mode=render_mode, max_episode_steps=-1))

    def step(self, action):
        observation, _, _, truncated, info = super().step(action)
        self._done = success = bool(info["is_success"])
        return observation, float(success), success, truncated, {**info, "is_success": success}

    def observe(self):
        return self.env.unwrapped._get_obs()

    def observe_state(self):
        observation = self.observe()
        return split_state(observation["observation"], observation["desired_goal"])

    def episode_constants(self):
        return {"goal": self.env.unwrapped.goal.copy()}

    def restore_constants(self, constants):
        self.env.unwrapped.goal = constants["goal"].copy()

    @property
    def tcp_pos_w(self):
        return self.observe()["observation"][:3]

    def expert_goal(self):
        return self.tcp_pos_w + self._offset()[0]

    def expert_action(self):
        offset, close = self._offset()
        return np.array([*np.clip(offset / STEP_M, -1, 1), -1.0 if close else 1.0], np.float32)

    def _offset(self):
        """Return the displacement above the cube, down to it, or to the goal, and whether to close the gripper."""
        observation = self.observe()
        gripper, cube = observation["observation"][:3], observation["observation"][3:6]
        opening = observation["observation"][9:11].sum()
        horizontal_distance, height = np.linalg.norm((cube - gripper)[:2]), gripper[2] - cube[2]
        at_cube = horizontal_distance < 0.02 and height < 0.02
        offset = cube - gripper if horizontal_distance < 0.02 else cube - gripper + OVER
        if at_cube:
            offset = observation["desired_goal"] - cube if opening < 0.055 else np.zeros(3)
        return offset, at_cube


gym.register("hil/FetchPickAndPlace-v0", entry_point=FetchPickAndPlace, max_episode_steps=100)
