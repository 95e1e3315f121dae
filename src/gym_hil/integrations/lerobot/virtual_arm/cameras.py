"""The arm's cameras, with the protocol of LeRobot's ZMQ camera.

A message is JSON: ``{"timestamps": {name: seconds}, "images": {name: JPEG in base64}}``. Every message contains the
images of all cameras, because a subscriber keeps only the newest message. LeRobot uses the image decoded by OpenCV, in
the order blue, green, red, as if it were red, green, blue. Red and blue are therefore swapped before encoding, as in
LeRobot's own server.
"""

from __future__ import annotations

import base64
import contextlib
import json
import multiprocessing
import signal
import time
from collections.abc import Sequence
from typing import Any

import imageio.v3 as iio
import mujoco
import numpy as np

from gym_hil.core.clock import SYSTEM_CLOCK
from gym_hil.core.errors import DeviceError, GymHilError, MissingExtraError, require_one_of
from gym_hil.simulation.rendering import FAST, Image, Renderer

QUALITY = 90
"""Quality of the JPEG images, out of 100."""
START_S = 60.0
"""Longest time until OpenGL has rendered the first images (s)."""


def message(images: dict[str, Image], timestamp: float) -> str:
    """Return a message.

    Args:
        images: images (height, width, 3; uint8, RGB) by the camera's name.
        timestamp: time since 1970 (s).
    """
    encoded = {
        name: base64.b64encode(
            iio.imwrite("<bytes>", image[..., ::-1], extension=".jpg", quality=QUALITY)
        ).decode()
        for name, image in images.items()
    }
    return json.dumps({"timestamps": dict.fromkeys(images, timestamp), "images": encoded})


class Cameras:
    """Publishes images from a separate process, so that rendering does not delay the servos.

    Args:
        model: the model.
        names: cameras of the model.
        height: height of the images (pixels).
        width: width of the images (pixels).
        fps: images per second of each camera.
        port: TCP port on this machine; 0 for a free one.

    Attributes:
        address: the TCP port, once the process has started.
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
            import zmq  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("pyzmq", "virtual-arm", "Cameras of a virtual arm") from error
        known = [model.camera(number).name for number in range(model.ncam)]
        for name in names:
            require_one_of("camera", name, known)
        self.names = tuple(names)
        self.address = 0
        context = multiprocessing.get_context("spawn")
        self._seen = context.RawArray("d", model.nq + 7 * model.nmocap)
        self._ready, child = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_publish,
            args=(model, self.names, (height, width), fps, port, self._seen, child),
            name="cameras of the virtual arm",
            daemon=True,
        )

    def show(self, data: mujoco.MjData) -> None:
        """Render the next images from the state `data`."""
        np.frombuffer(self._seen)[:] = np.concatenate(
            [data.qpos, data.mocap_pos.ravel(), data.mocap_quat.ravel()]
        )

    def start(self, data: mujoco.MjData) -> None:
        """Start with the state `data`, and return when OpenGL is ready, which takes some seconds.

        Raises:
            DeviceError: images cannot be rendered, or the TCP port is in use; the message contains the
                reason.
        """
        self.show(data)
        self._process.start()
        answer: int | str = "the process that draws them does not answer"
        if self._ready.poll(START_S):
            with contextlib.suppress(EOFError):
                answer = self._ready.recv()
        if isinstance(answer, str):
            raise DeviceError(f"the virtual arm has no cameras: {answer}")
        self.address = answer

    def close(self) -> None:
        """Stop the process. Repeated calls have no effect."""
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def _publish(
    model: mujoco.MjModel,
    names: tuple[str, ...],
    size: tuple[int, int],
    fps: float,
    port: int,
    shared: Any,
    ready: Any,
) -> None:
    """Render and publish images until the process is stopped or its parent has ended."""
    import zmq

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent as well, which ends this process
    parent = multiprocessing.parent_process()
    assert parent is not None
    renderer = Renderer(model, *size, FAST)
    state, data = np.frombuffer(shared), mujoco.MjData(model)
    cameras = {name: int(model.camera(name).id) for name in names}
    ends = np.cumsum([model.nq, 3 * model.nmocap])
    clock = SYSTEM_CLOCK
    try:
        context: Any = zmq.Context.instance()
        socket = context.socket(zmq.PUB)
        socket.linger, socket.sndhwm = 0, 2
        socket.bind(f"tcp://127.0.0.1:{port or '*'}")
        renderer.render(data, cameras[names[0]])
    except (zmq.ZMQError, GymHilError) as error:
        ready.send(str(error))
        return
    ready.send(int(socket.last_endpoint.decode().rsplit(":", 1)[1]))
    due = clock.monotonic()
    while parent.is_alive():
        data.qpos[:], position, quaternion = np.split(state, ends)
        data.mocap_pos[:], data.mocap_quat[:] = position.reshape(-1, 3), quaternion.reshape(-1, 4)
        mujoco.mj_kinematics(model, data)
        images = {name: renderer.render(data, number) for name, number in cameras.items()}
        socket.send_string(message(images, time.time()))
        due = max(due + 1.0 / fps, clock.monotonic())
        clock.sleep(due - clock.monotonic())
