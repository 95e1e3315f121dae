"""Access control of the page, which admits only clients that know its address.

The address contains a random token, which becomes a cookie at the first visit. Requests for unknown host names (DNS
rebinding), and sockets that scripts of other sites open, are refused.
"""

from __future__ import annotations

import hmac
import secrets
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gym_hil.devices.page import LOOPBACK

if TYPE_CHECKING:
    from aiohttp import web

COOKIE = "gym_hil_{port}"
ALL_INTERFACES = ("0.0.0.0", "::")
"""Addresses that stand for all network interfaces."""


class Access:
    """The token and the checks of requests. The attribute `port` is set when the server has started.

    Args:
        host: address on which the server listens.
        tls: whether the server uses TLS.
        host_names: further allowed host names, with or without a port.
    """

    def __init__(self, host: str, *, tls: bool, host_names: Sequence[str] = ()) -> None:
        from aiohttp import web

        self.port = 0
        self.admitted: set[Any] = set()
        """Connections that have presented the token."""
        self._host = host
        self._host_names = [name.lower() for name in host_names]
        self._tls = tls
        self._token = secrets.token_urlsafe(24)

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._check_request(request, handler)

        self.guard = guard

    @property
    def url(self) -> str:
        """The address of the page, including the token."""
        host = _bracketed(_own_address() if self._host in ALL_INTERFACES else self._host)
        address = self._with_port((self._host_names or [host])[0])
        return f"{self._scheme}://{address}/?token={self._token}"

    def require_own_origin(self, request: web.Request) -> None:
        """Refuse a socket that was not opened by the page itself.

        Raises:
            aiohttp.web.HTTPForbidden: the origin of the request is another site.
        """
        from aiohttp import web

        if request.headers.get("Origin") != f"{self._scheme}://{request.host}":
            raise web.HTTPForbidden(text="this socket is for the page's own script")

    def close_unauthorised(self, connections: Sequence[Any], limit: int) -> None:
        """Limit the number of connections that have not presented the token, by closing the oldest ones.

        Args:
            connections: all open connections, oldest first.
            limit: largest number of connections without token.
        """
        self.admitted.intersection_update(connections)
        unauthorised = [connection for connection in connections if connection not in self.admitted]
        for connection in unauthorised[:-limit]:
            connection.force_close()

    async def _check_request(self, request: web.Request, handler: Any) -> web.StreamResponse:
        from aiohttp import web

        allowed_hosts = {self._with_port(name) for name in self._names(request)}
        if request.host.lower() not in allowed_hosts:
            known = " and ".join(sorted(allowed_hosts))
            raise web.HTTPForbidden(text=f"this page is available as {known}; --host-names adds other names")
        cookie = COOKIE.format(port=self.port)
        given = request.query.get("token")
        if given is not None and request.path == "/" and self._is_token(given):
            self.admitted.add(request.protocol)
            redirect = web.HTTPFound("/")
            redirect.set_cookie(cookie, self._token, httponly=True, samesite="Strict", secure=self._tls)
            raise redirect
        if not self._is_token(request.cookies.get(cookie, "")):
            raise web.HTTPForbidden(text="open the address that gym-hil printed: it contains a token")
        self.admitted.add(request.protocol)
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            socket_source = f"{'wss' if self._tls else 'ws'}://{request.host}"
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["Content-Security-Policy"] = (
                f"default-src 'self'; img-src data: blob:; connect-src 'self' {socket_source}; "
                "frame-ancestors 'none'"
            )
        return response

    @property
    def _scheme(self) -> str:
        return "https" if self._tls else "http"

    def _names(self, request: web.Request) -> set[str]:
        """Return the host names under which the page may be requested."""
        if self._host == LOOPBACK:
            return {LOOPBACK, "localhost", *self._host_names}
        names = {self._host, socket.gethostname().lower()}
        if request.transport is not None:
            names.add(request.transport.get_extra_info("sockname")[0])
        return {_bracketed(name) for name in names - set(ALL_INTERFACES)} | set(self._host_names)

    def _with_port(self, host: str) -> str:
        has_port = ":" in host.rpartition("]")[2]
        return host if has_port else f"{host}:{self.port}"

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(errors="backslashreplace"), self._token.encode())


def _own_address() -> str:
    """Return the address of this machine on its outgoing network interface. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
