"""Collects an episode while it happens."""

from __future__ import annotations

import platform
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np

import gym_hil
from gym_hil import schema
from gym_hil.envs.manipulation import EnvironmentState, ManipulationEnv
from gym_hil.recording.episode import FRAMES, PHASES, Episode, model_hash


class EpisodeRecorder(gym.Wrapper):
    """Keeps the running episode in memory; `episode` returns it once it has ended.

    Goes around everything that may end an episode, the time limit included. `describe` is added to each
    episode's meta.
    """

    def __init__(self, env: gym.Env, describe: dict[str, Any]) -> None:
        super().__init__(env)
        raw = env.unwrapped
        assert isinstance(raw, ManipulationEnv)
        self._raw = raw
        self._describe = {
            **describe,
            "gym_hil": gym_hil.__version__,
            "mujoco": mujoco.__version__,
            "system": platform.platform(),
            "model_sha256": model_hash(raw.model),
            "task": raw.task_description,
            "fps": raw.metadata["render_fps"],
        }
        self._seed: int | None = None
        self._initial: EnvironmentState | None = None
        self._rows: dict[str, list[Any]] = {}
        self._info: dict[str, Any] = {}

    def reset(self, *, seed: int | None = None, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset, and forget the episode that was running."""
        observation, info = self.env.reset(seed=seed, **kwargs)
        self._seed, self._initial, self._info = seed, self._raw.get_state(), {}
        self._rows = {name: [] for name in FRAMES}
        self._agent_pos = observation[schema.AGENT_POS]
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and keep what happened."""
        objects = self._objects()
        observation, reward, terminated, truncated, info = self.env.step(action)
        executed = info[schema.TELEOP_ACTION]
        row = {
            "observation.state": self._agent_pos,
            "observation.environment_state": objects,
            "action": executed,
            "policy_action": info[schema.POLICY_ACTION],
            "human_action": info[schema.HUMAN_ACTION],
            "next.reward": reward,
            "next.done": terminated or truncated,
            "next.truncated": truncated,
            "next.success": info[schema.NEXT_SUCCESS],
            "complementary_info.discrete_penalty": info[schema.DISCRETE_PENALTY],
            "complementary_info.is_intervention": info[schema.IS_INTERVENTION],
            "intervention_id": info[schema.INTERVENTION_ID],
            "phase": PHASES.index(info[schema.PHASE]),
        }
        for name, value in row.items():
            self._rows[name].append(value)
        self._agent_pos, self._info = observation[schema.AGENT_POS], info
        return observation, reward, terminated, truncated, info

    def episode(self) -> Episode:
        """Return the episode up to now."""
        assert self._initial is not None and self._info, "nothing has been recorded yet"
        frames = {name: np.array(rows, dtype=FRAMES[name]) for name, rows in self._rows.items()}
        final = {"observation.state": self._agent_pos, "observation.environment_state": self._objects()}
        end = self._info[schema.TERMINATION_REASON] or "time_limit"
        return Episode(frames, final, self._initial, {**self._describe, "seed": self._seed, "end": end})

    def _objects(self) -> np.ndarray:
        return self._raw.task.observe(self._raw.simulation).astype(np.float32)
