"""The arm's cameras, behind the protocol of LeRobot's ZMQ camera.

A message is JSON: ``{"timestamps": {name: seconds}, "images": {name: JPEG in base64}}``. Every message holds the images
of all cameras, because a subscriber keeps only the newest message. LeRobot takes the decoded image as it comes out of
OpenCV, blue first, for red first; so red and blue are swapped before an image is encoded, as LeRobot's own server does.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import imageio.v3 as iio
import mujoco

from gym_hil.core.clock import SYSTEM_CLOCK
from gym_hil.core.errors import MissingExtraError, require_one_of
from gym_hil.simulation.rendering import FAST, Image, Renderer

QUALITY = 90
"""Of the JPEG, out of 100."""


def message(images: dict[str, Image], timestamp: float) -> str:
    """Return what is sent.

    Args:
        images: (height, width, 3) uint8 each, red first, by the camera's name.
        timestamp: seconds since 1970.
    """
    encoded = {
        name: base64.b64encode(
            iio.imwrite("<bytes>", image[..., ::-1], extension=".jpg", quality=QUALITY)
        ).decode()
        for name, image in images.items()
    }
    return json.dumps({"timestamps": dict.fromkeys(images, timestamp), "images": encoded})


class Cameras:
    """Publishes images, in a thread of its own.

    Args:
        model: what they look at.
        names: cameras of the model.
        height: pixels.
        width: pixels.
        fps: images per second of each camera.
        port: TCP port on this machine; 0 for a free one.

    Attributes:
        address: the TCP port that is used.
        names: the cameras.

    Raises:
        InvalidArgumentError: the model has no such camera.
        MissingExtraError: pyzmq is not installed.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        names: Sequence[str],
        *,
        height: int,
        width: int,
        fps: float,
        port: int = 0,
    ) -> None:
        try:
            import zmq
        except ImportError as error:
            raise MissingExtraError("pyzmq", "virtual-arm", "Cameras of a virtual arm") from error
        known = [model.camera(number).name for number in range(model.ncam)]
        for name in names:
            require_one_of("camera", name, known)
        self.names = tuple(names)
        self._numbers = {name: known.index(name) for name in names}
        self._model, self._data = model, mujoco.MjData(model)
        self._renderer = Renderer(model, height, width, FAST)
        self._period_s = 1.0 / fps
        context: Any = zmq.Context.instance()
        self._socket = context.socket(zmq.PUB)
        self._socket.linger = 0
        self._socket.sndhwm = 2
        self._socket.bind(f"tcp://127.0.0.1:{port or '*'}")
        self.address = int(self._socket.last_endpoint.decode().rsplit(":", 1)[1])
        self._seen: tuple | None = None
        self._started, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="cameras of the virtual arm", daemon=True)

    def show(self, data: mujoco.MjData) -> None:
        """Let the next images show the state `data`."""
        self._seen = data.qpos.copy(), data.mocap_pos.copy(), data.mocap_quat.copy()

    def start(self, data: mujoco.MjData) -> None:
        """Begin with the state `data`. OpenGL, which takes long to start, is ready when this returns."""
        self.show(data)
        self._thread.start()
        self._started.wait()

    def draw(self) -> dict[str, Image]:
        """Return what the cameras see, (height, width, 3) uint8 each."""
        data = self._data
        assert self._seen is not None
        data.qpos[:], data.mocap_pos[:], data.mocap_quat[:] = self._seen
        mujoco.mj_kinematics(self._model, data)
        return {name: self._renderer.render(data, number) for name, number in self._numbers.items()}

    def close(self) -> None:
        """Stop. Calling it twice is allowed."""
        self._stopped.set()
        if self._thread.ident:
            self._thread.join()
        self._renderer.close()
        self._socket.close()

    def _run(self) -> None:
        clock, due = SYSTEM_CLOCK, SYSTEM_CLOCK.monotonic()
        while not self._stopped.is_set():
            try:
                images = self.draw()
            finally:
                self._started.set()
            self._socket.send_string(message(images, time.time()))
            due = max(due + self._period_s, clock.monotonic())
            self._stopped.wait(due - clock.monotonic())
