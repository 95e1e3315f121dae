"""Where a page may be served, and what that asks for."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess

import pytest

from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.devices import PageAddress
from gym_hil.stacks.build import make_env

aiohttp = pytest.importorskip("aiohttp")


@pytest.fixture
def open_page():
    envs = []

    def open_at(**address):
        envs.append(make_env("gym_hil/PandaPickCubeBase-v1"))
        envs[-1].reset(seed=0)
        return envs[-1].unwrapped.open_page(PageAddress(**address))

    yield open_at
    for env in envs:
        env.close()


@pytest.fixture
def certificate(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=gym-hil -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_loopback_alone_hears_unless_asked_otherwise(open_page, caplog):
    page = open_page()
    assert page.url.startswith("http://127.0.0.1:") and caplog.records == []
    port = int(page.url.split(":")[2].split("/")[0])
    with socket.socket() as elsewhere, pytest.raises(OSError):
        elsewhere.settimeout(1.0)
        elsewhere.connect((own_address(), port))


def own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address")
        return probe.getsockname()[0]


def test_another_interface_is_warned_of_and_knows_its_names(open_page, visitor, caplog):
    page = open_page(host="0.0.0.0")
    assert any("without encryption" in record.message for record in caplog.records)
    assert "0.0.0.0" not in page.url

    async def visit():
        async with visitor(page.url) as guest:
            await guest.until_told("role", "control")
        evil = {"Host": "evil.example"}
        async with aiohttp.ClientSession() as session, session.get(page.url, headers=evil) as response:
            assert response.status == 403

    asyncio.run(asyncio.wait_for(visit(), 30))


def test_with_a_certificate_nothing_is_sent_in_the_clear(open_page, visitor, certificate, caplog):
    page = open_page(host="0.0.0.0", certificate=certificate / "cert.pem", key=certificate / "key.pem")
    assert page.url.startswith("https://") and caplog.records == []

    async def visit():
        async with visitor(page.url, ssl=False) as guest:
            await guest.until_told("role", "control")
        with pytest.raises(aiohttp.ClientError):
            async with visitor(page.url.replace("https", "http")):
                pass

    asyncio.run(asyncio.wait_for(visit(), 30))


def test_what_cannot_be_served_is_named(open_page, certificate, tmp_path):
    (tmp_path / "empty.pem").touch()
    with pytest.raises(DeviceError, match=r"empty\.pem"):
        open_page(certificate=tmp_path / "empty.pem")
    with pytest.raises(DeviceError, match=r"192\.0\.2\.1"):
        open_page(host="192.0.2.1")
    for arguments, named in (
        ({"port": 70000}, "port=70000"),
        ({"certificate": tmp_path / "none.pem"}, "none.pem"),
        ({"key": certificate / "key.pem"}, "without a certificate"),
    ):
        with pytest.raises(InvalidArgumentError, match=named):
            PageAddress(**arguments)
