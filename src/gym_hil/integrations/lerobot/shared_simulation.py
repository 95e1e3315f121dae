"""The simulated world that LeRobot's robot and teleoperator share while its programs run."""

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
"""No physics step is longer (s)."""
EPISODE_LOOPS = ("lerobot_record.py", "episodic.py")
"""Files of LeRobot's loops in which an episode of the dataset is one of the world: ``lerobot-record`` and the
rollout strategy ``episodic``. With the other strategies an episode goes on where the last one stopped."""
OPEN, CLOSED = 100.0, 0.0
"""Where the fingers are, as LeRobot's own arms count it."""
_open: list[World] = []


class World:
    """One arm and its objects. It begins anew when LeRobot has saved or discarded an episode, or, while
    LeRobot records none, some time after the task has ended.

    Args:
        task: an id without namespace; who takes over in it counts for nothing here.
        fps: control steps per second.
        images: whether the cameras are observed.
        restart_after_s: seconds between a task's end and a new beginning.
        seed: of the first beginning.
        kwargs: of the environment.

    Raises:
        DeviceError: there is one already.
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
            raise DeviceError("there is a simulated arm already; disconnect it first")
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
        """Begin anew."""
        self.observation, _ = self._paced.reset()
        self._ended_steps = 0
        self._restart_due = False

    def frame_added(self) -> None:
        """Note that LeRobot records an episode: from now on only its end begins the world anew."""
        self.recorded = True

    def episode_ended(self) -> None:
        """Begin anew before the next observation."""
        self._restart_due = True

    def observe(self) -> dict[str, Any]:
        """Return the observation of now."""
        if self._restart_due:
            self.restart()
        return self.observation

    def move_to(self, target_pos_w: NDArray[np.float64], opening: float) -> None:
        """Do one control step towards a target of the TCP (3, m, world) and of the fingers: above half of
        `OPEN` they open, else they close. In a step the target moves by 0.1 m along each axis at most.
        """
        way = target_pos_w - self.raw.simulation.target_pos_w
        fingers = 1.0 if opening > OPEN / 2 else -1.0
        self.observation, _, ended, _, _ = self._paced.step(np.array([*way, 0.0, 0.0, 0.0, fingers]))
        if ended:
            self.raw.set_state(replace(self.raw.get_state(), done=False))
        self._ended_steps = self._ended_steps + 1 if ended else 0
        self._restart_due |= not self.recorded and self._ended_steps > self._restart_after

    def view(self, scale: NDArray[np.float64]) -> View:
        """Return what an operator sees while nobody else acts."""
        env = EEActionWrapper(self.raw, dict(zip("xyz", scale.tolist(), strict=True)))
        return View(EnvironmentInterface(env), env.neutral_action())

    @property
    def opening(self) -> float:
        """What the fingers were told last: `OPEN` or `CLOSED`."""
        return CLOSED if self.raw.simulation.gripper_closing else OPEN

    def close(self) -> None:
        """Free everything. Calling it twice is allowed."""
        self._dataset.close()
        if self in _open:
            _open.remove(self)
        self.raw.close()


def current_world() -> World | None:
    """Return the world that is open in this program."""
    return _open[-1] if _open else None


def _watch_dataset(world: World) -> ExitStack:
    """Tell `world` what the loops of `EPISODE_LOOPS` do with their dataset, until the result is closed.

    LeRobot tells its robots nothing of episodes, so the methods of its dataset are watched.
    """
    watching = ExitStack()
    try:
        from lerobot.datasets.lerobot_dataset import LeRobotDataset
    except ImportError:  # without the extra `dataset` LeRobot records nothing
        return watching
    notes = {
        "add_frame": world.frame_added,
        "save_episode": world.episode_ended,
        "clear_episode_buffer": world.episode_ended,
    }
    for name, note in notes.items():
        watched = _noting(getattr(LeRobotDataset, name), note)
        watching.enter_context(patch.object(LeRobotDataset, name, watched))
    return watching


def _noting(method: Callable[..., Any], note: Callable[[], None]) -> Callable[..., Any]:
    """Return `method`, with a note after each call by one of `EPISODE_LOOPS`."""

    @wraps(method)
    def watched(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        if Path(sys._getframe(1).f_code.co_filename).name in EPISODE_LOOPS:
            note()
        return result

    return watched
