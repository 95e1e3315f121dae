"""The connection to a program that measures the poses of the objects in front of an arm."""

from __future__ import annotations

import json
import socketserver
import threading

import pytest

from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.integrations.lerobot.real_arm.scene import MeasuredScene

POSE = [0.2, 0.1, 0.015, 1.0, 0.0, 0.0, 0.0]


@pytest.fixture
def scene():
    """A connection to a program that gives one answer after the other, and closes it after the last one."""
    requests: list[str] = []
    answers: list[object] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while answers and (request := self.rfile.readline().decode().strip()):
                requests.append(request)
                self.wfile.write(json.dumps(answers.pop(0)).encode() + b"\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = MeasuredScene(f"127.0.0.1:{server.server_address[1]}")
        yield connection, answers, requests
        connection.close()
        server.shutdown()


def test_poses_are_read_and_objects_are_put_back(scene):
    connection, answers, requests = scene
    answers += [{"poses": {"cube": POSE, "drawer": [0.1]}}, {"reset": True}, {"reset": False}]
    assert connection.poses(["cube"]) == {"cube": POSE}
    assert connection.put_back() and not connection.put_back()
    assert requests == ["poses", "reset", "reset"]


def test_a_part_that_the_program_does_not_measure_is_named(scene):
    connection, answers, _ = scene
    answers.append({"poses": {"cube": POSE}})
    with pytest.raises(DeviceError, match=r"measures \['cube'\], but not \['peg'\]"):
        connection.poses(["cube", "peg"])


def test_after_a_wrong_answer_the_next_request_connects_again(scene):
    connection, answers, _ = scene
    answers.append([1, 2])
    with pytest.raises(DeviceError, match=r"does not report the poses of the objects: it answers \[1, 2\]"):
        connection.poses(["cube"])
    answers.append({"poses": {"cube": POSE}})
    assert connection.poses(["cube"]) == {"cube": POSE}


def test_a_program_that_ends_is_an_error(scene):
    connection, _, _ = scene
    with pytest.raises(DeviceError, match=r"the program at 127\.0\.0\.1:\d+ does not report the poses"):
        connection.put_back()


@pytest.mark.parametrize("address", ["5555", "localhost:", "localhost:port"])
def test_an_address_without_host_or_port_is_refused(address):
    with pytest.raises(InvalidArgumentError, match=r"must look like 127\.0\.0\.1:5555"):
        MeasuredScene(address)
