"""Records episodes while they run."""

from __future__ import annotations

import datetime
import platform
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np

import gym_hil
from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.observer import Observer
from gym_hil.core.step_record import PHASES, StepRecord
from gym_hil.datasets.camera_images import CameraImages
from gym_hil.datasets.episode import FINAL, FRAMES, Episode, extra_observations, model_hash
from gym_hil.devices.base import NEUTRAL, DeviceReading
from gym_hil.devices.device_log import TimedReading, end_line, header_line, reading_line


class EpisodeRecorder(Observer):
    """Records the current episode in memory. The method `episode` returns it.

    Args:
        env: the environment to record, with an `InterventionWrapper`.
        description: JSON values that are added to the metadata of each episode.
        cameras: whether to record camera images before each step and at the end.

    Attributes:
        images: the camera images of the current episode, by the name of the camera.
    """

    def __init__(self, env: gym.Env, description: dict[str, Any], *, cameras: bool = False) -> None:
        self._env = env
        self._cameras = cameras
        interface = EnvironmentInterface(env)
        operator = interface.operator if interface.offers("operator") else None
        self._device = getattr(operator, "device", None)
        self._description = {
            **description,
            "gym_hil": gym_hil.__version__,
            "mujoco": mujoco.__version__,
            "system": platform.platform(),
            "model_sha256": model_hash(interface),
            "task": interface.task_description,
            "fps": round(1.0 / interface.control_dt),
        }
        self._initial: Any = None
        self._last: StepRecord | None = None
        self.images: CameraImages = {}
        interface.subscribe(self)

    def on_reset(self, env: EnvironmentInterface) -> None:
        """Discard the previous episode and store the initial state."""
        self._initial, self._last = env.get_state(), None
        self._begun = datetime.datetime.now(datetime.timezone.utc)
        self._rows: dict[str, list[Any]] = {}
        self._late_before = self._late_steps()
        self._log: list[str] = []
        self._readings: dict[int, DeviceReading] = {}
        self.images = {}
        self._store_state(env)

    def on_step(self, env: EnvironmentInterface, record: StepRecord) -> None:
        """Store a step and the state after it."""
        time_s = len(self._rows.get("action", ())) * env.control_dt
        info = record.to_info()
        row = {
            **self._state,
            "action": record.executed_action,
            "policy_action": record.policy_action,
            "human_action": info[schema.HUMAN_ACTION],
            "next.reward": record.reward,
            "next.done": record.done,
            "next.truncated": record.truncated,
            "next.success": record.success,
            "complementary_info.discrete_penalty": record.discrete_penalty,
            "complementary_info.is_intervention": record.is_intervention,
            "intervention_id": record.intervention_id,
            "phase": PHASES.index(record.phase),
        }
        for name, value in row.items():
            self._rows.setdefault(name, []).append(value)
        readings = record.reading if isinstance(record.reading, tuple) else (record.reading,)
        for end_effector, reading in enumerate(readings):
            self._store_reading(reading, time_s, end_effector)
        self._last = record
        self._store_state(env)

    def episode(self, seed: int | None = None) -> Episode:
        """Return the episode recorded so far.

        Args:
            seed: seed of the reset, for the metadata of the episode.
        """
        assert self._initial is not None and self._last is not None, "nothing has been recorded yet"
        frames = {name: np.array(rows, dtype=FRAMES.get(name)) for name, rows in self._rows.items()}
        meta = {
            **self._description,
            "seed": seed,
            "begun": self._begun.isoformat(timespec="seconds"),
            "end": self._last.reason.value if self._last.reason else "time_limit",
            "late_steps": self._late_steps() - self._late_before,
        }
        return Episode(frames, self._state, self._initial, meta, self._device_log())

    def _store_state(self, env: EnvironmentInterface) -> None:
        state = env.observe_state()
        values = state[schema.AGENT_POS], state[schema.ENVIRONMENT_STATE], env.save_physics()
        self._state = {**dict(zip(FINAL, values, strict=True)), **extra_observations(env)}
        if self._cameras:
            for camera, image in env.draw().items():
                self.images.setdefault(camera, []).append(image)

    def _store_reading(self, reading: DeviceReading | None, time_s: float, end_effector: int) -> None:
        """Store a reading of the device that differs from the previous one, with the time of the step.

        Readings during a pause are assigned to the next step, so that a `RecordedDevice` whose ``period_s`` is the
        control period returns in each step the reading that was recorded in it.
        """
        before = self._readings.get(end_effector, NEUTRAL)
        if reading is None or (reading == before and not reading.events and not reading.engage_presses):
            return
        self._readings[end_effector] = reading
        self._log.append(reading_line(TimedReading(time_s, reading, end_effector)))

    def _device_log(self) -> str:
        if self._device is None:
            return ""
        end_s = (len(self._rows["action"]) - 1) * float(EnvironmentInterface(self._env).control_dt)
        return "".join([header_line(self._device.name), *self._log, end_line(end_s)])

    def _late_steps(self) -> int:
        """Return the number of late steps so far; 0 without real-time pacing."""
        return int(self._env.get_wrapper_attr("overruns")) if self._env.has_wrapper_attr("overruns") else 0
