"""Collects an episode while it happens."""

from __future__ import annotations

import datetime
import platform
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np

import gym_hil
from gym_hil.core import schema
from gym_hil.datasets.camera_images import Pictures
from gym_hil.datasets.episode import FINAL, FRAMES, PHASES, Episode, model_hash
from gym_hil.datasets.episode_log import EpisodeLog
from gym_hil.envs.manipulation import EnvironmentState, ManipulationEnv
from gym_hil.intervention.human import Human


class EpisodeRecorder(gym.Wrapper):
    """Keeps the running episode in memory; `episode` returns it once it has ended.

    Goes around everything that may end an episode, the time limit included.

    Args:
        env: the environment.
        describe: added to each episode's meta.
        cameras: keep pictures too, drawn before each step and at the end.
    """

    def __init__(self, env: gym.Env, describe: dict[str, Any], *, cameras: bool = False) -> None:
        super().__init__(env)
        raw = env.unwrapped
        assert isinstance(raw, ManipulationEnv)
        self._raw = raw
        self._cameras = cameras
        self._device_log: EpisodeLog | None = None
        self._describe = {
            **describe,
            "gym_hil": gym_hil.__version__,
            "mujoco": mujoco.__version__,
            "system": platform.platform(),
            "model_sha256": model_hash(raw.model),
            "task": raw.task_description,
            "fps": raw.metadata["render_fps"],
        }
        self._initial: EnvironmentState | None = None
        self._info: dict[str, Any] = {}

    def reset(self, *, seed: int | None = None, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset, and forget the episode that was running."""
        observation, info = self.env.reset(seed=seed, **kwargs)
        self._begin(seed)
        self._agent_pos = observation[schema.AGENT_POS]
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and keep what happened."""
        before = self._moment()
        self._draw()
        if self._device_log is not None:
            self._device_log.now_s = len(self._rows["action"]) * self._raw.control_dt
        observation, reward, terminated, truncated, info = self.env.step(action)
        row = {
            **before,
            "action": info[schema.TELEOP_ACTION],
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
        if terminated or truncated:
            self._draw()
        return observation, reward, terminated, truncated, info

    def episode(self) -> Episode:
        """Return the episode up to now."""
        assert self._initial is not None and self._info, "nothing has been recorded yet"
        frames = {name: np.array(rows, dtype=FRAMES[name]) for name, rows in self._rows.items()}
        meta = {
            **self._describe,
            "seed": self._seed,
            "begun": self._begun.isoformat(timespec="seconds"),
            "end": self._info[schema.TERMINATION_REASON] or "time_limit",
            "late_steps": self._overruns() - self._overruns_before,
        }
        log = "" if self._device_log is None else self._device_log.log()
        return Episode(frames, self._moment(), self._initial, meta, log)

    def _begin(self, seed: int | None) -> None:
        self._seed, self._initial, self._info = seed, self._raw.get_state(), {}
        self._begun = datetime.datetime.now(datetime.timezone.utc)
        self._rows: dict[str, list[Any]] = {name: [] for name in FRAMES}
        self.pictures: Pictures = {}
        self._overruns_before = self._overruns()
        operator = self.env.get_wrapper_attr("operator") if self.env.has_wrapper_attr("operator") else None
        if self._device_log is None and isinstance(operator, Human):
            self._device_log = operator.device = EpisodeLog(operator.device)
        if self._device_log is not None:
            self._device_log.begin()

    def _overruns(self) -> int:
        """Return how many steps came late so far, where anybody keeps real time."""
        return int(self.env.get_wrapper_attr("overruns")) if self.env.has_wrapper_attr("overruns") else 0

    def _draw(self) -> None:
        if self._cameras:
            for camera, image in self._raw.draw().items():
                self.pictures.setdefault(camera, []).append(image)

    def _moment(self) -> dict[str, np.ndarray]:
        raw = self._raw
        objects = raw.task.observe(raw.simulation).astype(np.float32)
        return dict(zip(FINAL, (self._agent_pos, objects, raw.simulation.save()), strict=True))
