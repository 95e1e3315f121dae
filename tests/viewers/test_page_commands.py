"""Commands with a person at a page."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

from gym_hil.viewers.web import wait

pytest.importorskip("aiohttp")


def start(*arguments: str) -> subprocess.Popen[str]:
    code = "from gym_hil.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def address(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline().strip()
    assert line.startswith("http://127.0.0.1:"), line + process.stderr.read()
    return line


def run(coroutine) -> None:
    asyncio.run(asyncio.wait_for(coroutine, timeout=60))


def test_play_waits_for_a_page_and_prints_its_address_as_json(tmp_path, visitor):
    found = tmp_path / "play.json"
    process = start("play", "PandaPickCube-v1", "--web", "--json", str(found))
    url = address(process)

    async def visit():
        async with visitor(url) as guest:
            while guest.last("clock") in (None, 0.0):
                await asyncio.sleep(0.01)
            assert guest.last("clock") < 5.0, "it waited"
            episodes = guest.last("statistics")["episodes"]
            await guest.tap("Enter")
            while guest.last("statistics")["episodes"] == episodes:
                await asyncio.sleep(0.01)
            assert guest.last("statistics")["success"] > 0.0

    try:
        assert "Space" in process.stdout.readline()  # what is printed next
        assert json.loads(found.read_text()) == {"task": "PandaPickCube-v1", "url": url, "episodes": []}
        run(visit())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0, process.stderr.read()
    finally:
        process.kill()
    result = json.loads(found.read_text())
    assert result["url"] == url and "human_success" in [episode["end"] for episode in result["episodes"]]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_at_a_terminal_without_a_display_a_page_opens_by_itself():
    controlling_end, terminal_end = os.openpty()
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    code = "from gym_hil.cli import main; main()"
    command = [sys.executable, "-c", code, "play", "PandaPickCube-v0"]
    process = subprocess.Popen(command, stdout=terminal_end, stderr=terminal_end, env=environment)
    try:
        said = b""
        while b"Ctrl-C stops" not in said:
            said += os.read(controlling_end, 4096)
        assert said.startswith(b"http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        os.close(controlling_end)
        os.close(terminal_end)


@pytest.mark.slow
def test_a_closed_page_never_ends_a_recording(tmp_path, visitor):
    folder = tmp_path / "picks"
    process = start("record", "PandaPickCube-v1", "--operator", "browser", "--root", str(folder),
                    "--episodes", "2", "--no-ask")  # fmt: skip
    url = address(process)

    async def visit():
        async with visitor(url) as guest:
            while guest.last("clock") in (None, 0.0):
                await asyncio.sleep(0.01)
            await guest.tap("Space")
            await guest.hold("ArrowUp")
            await guest.until_told("who", "HUMAN")

    async def come_back():
        async with visitor(url) as guest:
            while process.poll() is None:
                await guest.tap("Enter")
                await asyncio.sleep(0.2)

    async def stay():
        try:
            await come_back()
        except Exception:
            assert process.wait(timeout=30) == 0  # the program ended and took its page along

    try:
        run(visit())
        lines = iter(process.stdout.readline, "")
        assert any(line.startswith("episode 0:") for line in lines), process.stderr.read()
        assert next(lines).startswith("Open the address above"), "it does not record without a person"
        run(stay())
        assert process.wait(timeout=30) == 0, process.stderr.read()
    finally:
        process.kill()
    assert "2 episodes in" in process.stdout.read()


def test_a_remote_machine_says_how_to_forward_the_port_of_its_page(monkeypatch):
    url = "http://127.0.0.1:8000/?token=secret"
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert len(wait._instructions(url)) == 1
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22")
    monkeypatch.setattr("getpass.getuser", lambda: "me")
    assert wait._instructions(url)[-1].strip() == "ssh -N -L 8000:127.0.0.1:8000 me@192.0.2.1"
    assert len(wait._instructions("http://robot.example.org:8000/?token=secret")) == 1
