"""Make the animation of the README and the pictures of the tasks: ``python docs/make_pictures.py``.

With names of tasks, such as ``python docs/make_pictures.py PushT``, it makes the pictures of these alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio.v3 as iio
import numpy as np
from PIL import Image as PillowImage

import gym_hil
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.observer import Observer, Watcher
from gym_hil.core.step_record import StepRecord
from gym_hil.intervention.scripted_policies import make_policy
from gym_hil.reports.video import with_banner
from gym_hil.simulation.rendering import PRETTY, Image, Renderer
from gym_hil.tasks import TASKS

FOLDER = Path(__file__).parent / "images"
HEIGHT, WIDTH = 320, 480
EVERY = 2
"""The simulation is drawn at every second call within a step of 0.1 s, in which there are five calls."""
FRAME_MS = 40
ROBOTS = {"HandOver": "BiSO101"}
"""First part of the ids of the robot with which a task is shown; ``Panda`` by default."""
CLOSE_UPS = {
    "InsertPeg": 22.0,
    "TurnKey": 22.0,
    "InsertUSB": 15.0,
    "FlipObject": 20.0,
    "ClipCable": 20.0,
    "SeatRAM": 20.0,
}
"""Vertical field of view (degrees) for tasks with small things; the camera then looks at `LOOK_AT`."""
LOOK_AT = (0.38, 0.0, 0.1)
"""A point above the middle of the table (m)."""
MOMENTS = (0.0, 0.5, 1.0)
"""When the pictures of a task are taken, as shares of an episode."""
SEEDS = (3, 10, 18)
"""Seeds of the episodes of the animation, chosen because the human takes over in the middle of each."""


class Camera(Observer):
    """Draws the motion within each step, with a banner that says who acted."""

    def __init__(self) -> None:
        self.frames: list[Image] = []
        self._renderer: Renderer | None = None
        self._looks = 0
        self._pending: list[Image] = []

    def on_reset(self, env: EnvironmentInterface) -> None:
        """Point the camera at the robot."""
        if self._renderer is None:
            self._renderer = Renderer(env.model, HEIGHT, WIDTH, PRETTY)
        self._camera = int(env.model.camera("third_person").id)

    def watch_step(self) -> Watcher | None:
        """Return the function that looks at the simulation within the step."""
        return self._look

    def on_step(self, env: EnvironmentInterface, record: StepRecord) -> None:
        """Put the banner of the step on its pictures, and hold the last picture of an episode for a second."""
        self._look(env.data)
        for frame in self._pending:
            banner = {"human": record.is_intervention, "success": False, "seconds": 0.1 * record.step}
            self.frames.append(with_banner(frame, **banner))
        if record.done:
            banner["success"] = record.success
            self.frames += [with_banner(self._pending[-1], **banner)] * (1000 // FRAME_MS)
        self._pending.clear()

    def _look(self, data: Any) -> None:
        if self._looks % EVERY == 0:
            assert self._renderer is not None
            self._pending.append(self._renderer.render(data, self._camera))
        self._looks += 1


def come_close(env: EnvironmentInterface, fovy: float) -> None:
    """Let the third-person camera look at the middle of the table.

    Args:
        env: the environment.
        fovy: the camera's vertical field of view (degrees).
    """
    camera = int(env.model.camera("third_person").id)
    env.model.cam_fovy[camera] = fovy
    backward = env.model.cam_pos[camera] - LOOK_AT
    right = np.cross((0.0, 0.0, 1.0), backward)
    axes = [axis / np.linalg.norm(axis) for axis in (right, np.cross(backward, right), backward)]
    env.data.cam_xmat[camera] = np.column_stack(
        axes
    ).ravel()  # MuJoCo computes the pose of a fixed camera only once


def takeover() -> list[Image]:
    """Return episodes in which a policy errs, and a simulated human takes over and lifts the cube."""
    env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1")
    camera = Camera()
    env.get_wrapper_attr("subscribe")(camera)
    for seed in SEEDS:
        policy, rng, done = make_policy("noisy-expert"), np.random.default_rng(seed), False
        env.reset(seed=seed)
        while not done:
            *_, terminated, truncated, _ = env.step(policy(EnvironmentInterface(env), rng))
            done = terminated or truncated
    env.close()
    return camera.frames


def task(name: str, moments: tuple[float, ...]) -> Image:
    """Return an episode of the scripted expert in a few pictures side by side.

    Args:
        name: name of the task.
        moments: when each picture is taken, as a share of the episode.
    """
    spec = gym_hil.GymRenderingSpec(video_height=HEIGHT, video_width=WIDTH)
    env = gym_hil.make_env(
        f"gym_hil/{ROBOTS.get(name, 'Panda')}{name}-v1",
        operator="expert",
        render_mode="rgb_array",
        render_spec=spec,
    )
    env.reset(seed=1)
    if name in CLOSE_UPS:
        come_close(EnvironmentInterface(env), CLOSE_UPS[name])
    frames, done = [env.render()], False
    while not done:
        *_, done, _, _ = env.step(EnvironmentInterface(env).neutral_action())
        frames.append(env.render())
    env.close()
    return np.hstack([frames[round(moment * (len(frames) - 1))] for moment in moments])


def main() -> None:
    """Write the animation and the pictures of all tasks, or the pictures of the tasks that the command line names."""
    FOLDER.mkdir(exist_ok=True)
    names = sys.argv[1:]
    if not names:
        write_takeover()
    for name in names or [name for name in TASKS if not name.endswith("Easy")]:
        iio.imwrite(FOLDER / f"task-{name}.jpg", task(name, MOMENTS), quality=85)


def write_takeover() -> None:
    """Write the animation of the README."""
    first, *rest = map(PillowImage.fromarray, takeover())
    options: dict[str, Any] = {"quality": 60, "method": 6, "duration": FRAME_MS, "loop": 0}
    first.save(FOLDER / "takeover.webp", save_all=True, append_images=rest, **options)


if __name__ == "__main__":
    main()
