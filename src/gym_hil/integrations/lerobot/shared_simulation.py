"""The simulation that LeRobot's robot and teleoperator share within one process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

import gym_hil  # noqa: F401
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.intervention.operator import View
from gym_hil.stacks.build import make_inner
from gym_hil.stacks.ids import parse_id
from gym_hil.wrappers.ee_action import EEActionWrapper
from gym_hil.wrappers.real_time import RealTimeWrapper

LARGEST_PHYSICS_DT = 0.004
"""Longest physics step (s)."""
EPISODE_LOOPS = ("lerobot_record.py", "episodic.py")
"""LeRobot's files whose loops reset the simulation between episodes of the dataset: ``lerobot-record`` and the rollout
strategy ``episodic``. With the other strategies an episode continues where the previous one stopped."""
OPEN, CLOSED = 100.0, 0.0
"""Gripper positions in the unit of LeRobot's own arms (percent open)."""
_open: list[SharedSimulation] = []


class SharedSimulation:
    """A simulated arm with its task, which runs in real time.

    It is reset after LeRobot has saved or discarded an episode. While LeRobot does not record, it is reset some
    time after the task has ended.

    Args:
        task: environment id without namespace; its operator suffix is ignored.
        fps: control steps per second.
        images: whether observations contain camera images.
        restart_after_s: time between the end of the task and the next reset (s).
        seed: seed of the first reset.
        kwargs: further arguments of the environment.

    Raises:
        DeviceError: a simulation is open already.
        InvalidArgumentError: `fps` is less than 1.
    """

    def __init__(
        self,
        task: str,
        *,
        fps: int = 10,
        images: bool = True,
        restart_after_s: float = 2.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        if _open:
            raise DeviceError("another simulated arm is connected; disconnect it first")
        if fps < 1:
            raise InvalidArgumentError(f"fps={fps!r} must be at least 1")
        period_s = 1.0 / fps
        physics_dt = period_s / max(1, round(period_s / LARGEST_PHYSICS_DT))
        arguments = {**replace(parse_id(task), suffix="Base").arguments, **kwargs}
        arguments |= {"image_obs": images, "control_dt": period_s, "physics_dt": physics_dt, "seed": seed}
        self.raw = make_inner(**arguments)
        self._paced = RealTimeWrapper(self.raw)
        self._restart_after = round(restart_after_s * fps)
        self._ended_steps = 0
        self.recorded = False
        self._dataset = _watch_dataset(self)
        _open.append(self)
        self.restart()

    def restart(self) -> None:
        """Reset the simulation."""
        self.observation, _ = self._paced.reset()
        self._ended_steps = 0
        self._restart_due = False

    def frame_added(self) -> None:
        """Remember that LeRobot records. From now on, the simulation is reset only at the end of an episode."""
        self.recorded = True

    def episode_ended(self) -> None:
        """Reset the simulation before the next observation."""
        self._restart_due = True

    def observe(self) -> dict[str, Any]:
        """Return the current observation, after a reset if one is due."""
        if self._restart_due:
            self.restart()
        return self.observation

    def move_to(self, target_pos_w: NDArray[np.float64], opening: float) -> None:
        """Execute one control step. The target of the controller moves by at most 0.1 m along each axis.

        Args:
            target_pos_w: target of the TCP (3, m, world frame).
            opening: the fingers open if this is above half of `OPEN`, and close otherwise.
        """
        delta = target_pos_w - self.raw.simulation.target_pos_w
        fingers = 1.0 if opening > OPEN / 2 else -1.0
        self.observation, _, ended, _, _ = self._paced.step(np.array([*delta, 0.0, 0.0, 0.0, fingers]))
        if ended:
            self.raw.set_state(replace(self.raw.get_state(), done=False))
        self._ended_steps = self._ended_steps + 1 if ended else 0
        self._restart_due |= not self.recorded and self._ended_steps > self._restart_after

    def view(self, scale: NDArray[np.float64]) -> View:
        """Return the view from which an operator decides.

        Args:
            scale: distances that full motion moves the target along x, y and z (3, m).
        """
        env = EEActionWrapper(self.raw, dict(zip("xyz", scale.tolist(), strict=True)))
        return View(EnvironmentInterface(env), env.neutral_action())

    @property
    def opening(self) -> float:
        """The last command to the fingers: `OPEN` or `CLOSED`."""
        return CLOSED if self.raw.simulation.gripper_closing else OPEN

    def close(self) -> None:
        """Close the simulation. It may be called more than once."""
        self._dataset.close()
        if self in _open:
            _open.remove(self)
        self.raw.close()


def current_simulation() -> SharedSimulation | None:
    """Return the open simulation of this process, or None."""
    return _open[-1] if _open else None


def _watch_dataset(simulation: SharedSimulation) -> ExitStack:
    """Notify `simulation` when a loop of `EPISODE_LOOPS` records, saves or discards, until the result is closed.

    LeRobot does not inform its robots about episodes, so the methods of its dataset class are patched.
    """
    patches = ExitStack()
    try:
        from lerobot.datasets.lerobot_dataset import LeRobotDataset
    except ImportError:  # without its extra `dataset`, LeRobot cannot record
        return patches
    callbacks = {
        "add_frame": simulation.frame_added,
        "save_episode": simulation.episode_ended,
        "clear_episode_buffer": simulation.episode_ended,
    }
    for name, callback in callbacks.items():
        patched = _with_callback(getattr(LeRobotDataset, name), callback)
        patches.enter_context(patch.object(LeRobotDataset, name, patched))
    return patches


def _with_callback(method: Callable[..., Any], callback: Callable[[], None]) -> Callable[..., Any]:
    """Return `method`, followed by `callback` if the caller is in one of `EPISODE_LOOPS`."""

    @wraps(method)
    def patched(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        if Path(sys._getframe(1).f_code.co_filename).name in EPISODE_LOOPS:
            callback()
        return result

    return patched
