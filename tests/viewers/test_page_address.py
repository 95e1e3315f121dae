"""Addresses at which a page may be served, and the requirements of each."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess

import pytest

from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.devices import PageAddress
from gym_hil.stacks.build import make_env
from gym_hil.viewers import attach

aiohttp = pytest.importorskip("aiohttp")


@pytest.fixture
def open_page():
    envs = []

    def open_at(**address):
        envs.append(make_env("gym_hil/PandaPickCubeBase-v1"))
        envs[-1].reset(seed=0)
        return attach.open_page(envs[-1], PageAddress(**address))

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


def test_by_default_the_server_listens_on_loopback_only(open_page, caplog):
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


def test_another_interface_gives_a_warning_and_accepts_its_host_names(open_page, visitor, caplog):
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


def test_with_a_certificate_everything_is_encrypted(open_page, visitor, certificate, caplog):
    page = open_page(host="0.0.0.0", certificate=certificate / "cert.pem", key=certificate / "key.pem")
    assert page.url.startswith("https://") and caplog.records == []

    async def visit():
        async with visitor(page.url, ssl=False) as guest:
            await guest.until_told("role", "control")
        with pytest.raises(aiohttp.ClientError):
            async with visitor(page.url.replace("https", "http")):
                pass

    asyncio.run(asyncio.wait_for(visit(), 30))


def test_errors_of_the_address_are_reported(open_page, certificate, tmp_path):
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


def answer(page, *, host: str = "", cookie: bytes = b"", path: str = "/") -> bytes:
    """Return what the server answers to a request of raw bytes."""
    place = page.url.split("/")[2]
    port = int(place.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = [f"GET {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Connection: close"]
        content = "\r\n".join(lines).encode() + b"\r\nCookie: gym_hil_%d=" % port + cookie + b"\r\n\r\n"
        connection.sendall(content)
        found = b""
        while block := connection.recv(65536):
            found += block
    return found


@pytest.mark.parametrize("cookie", [b"\x80abc", b"\xff\xfe", b"", b"abc; \x80", "ü".encode()])
def test_an_invalid_cookie_is_refused_without_a_traceback(open_page, cookie, caplog, capfd):
    page = open_page()
    assert answer(page, cookie=cookie).startswith(b"HTTP/1.1 403")
    assert answer(page, path="/?token=%ff%80").startswith(b"HTTP/1.1 403")
    assert caplog.records == [] and "Traceback" not in capfd.readouterr().err


def test_given_host_names_are_accepted(open_page):
    port_and_path = {}
    for names in ((), ("Robot.example.org", "localhost:9000")):
        page = open_page(host_names=names)
        port = page.url.split("/")[2].rpartition(":")[2]
        port_and_path[names] = page.url
        path = "/" + page.url.split("/", 3)[3]
        for host in (f"robot.example.org:{port}", f"ROBOT.example.org:{port}", "localhost:9000"):
            wanted = b"HTTP/1.1 302" if names else b"HTTP/1.1 403"
            assert answer(page, host=host, path=path).startswith(wanted)
        for host in (f"evil.example.org:{port}", "robot.example.org:1", "localhost:9001"):
            assert answer(page, host=host, path=path).startswith(b"HTTP/1.1 403")
    assert port_and_path[("Robot.example.org", "localhost:9000")].startswith("http://robot.example.org:")


@pytest.mark.parametrize("name", ["", "a b", "http://x", "x/y", "x:port", "*"])
def test_an_invalid_host_name_is_reported(name):
    with pytest.raises(InvalidArgumentError, match="host_names="):
        PageAddress(host_names=(name,))
