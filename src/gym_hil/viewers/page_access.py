"""Who may open the page: whoever knows its address. No other site in the same browser gets in.

The address carries a random token, which the first visit turns into a cookie. Requests for another host name
(DNS rebinding) and sockets that another site's script opens are refused.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import web

COOKIE = "gym_hil_{port}"


class Access:
    """The token, and the checks. `port` is set once it is known."""

    def __init__(self) -> None:
        from aiohttp import web

        self.port = 0
        self._token = secrets.token_urlsafe(24)

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._checked(request, handler)

        self.guard = guard

    @property
    def url(self) -> str:
        """Address with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self._token}"

    def require_own_origin(self, request: web.Request) -> None:
        """Refuse a socket that was not opened by a page of ours."""
        from aiohttp import web

        if request.headers.get("Origin") != f"http://{request.host}":
            raise web.HTTPForbidden(text="this socket is for the page's own script")

    async def _checked(self, request: web.Request, handler: Any) -> web.StreamResponse:
        from aiohttp import web

        if request.host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            raise web.HTTPForbidden(text="this page is for 127.0.0.1 and localhost")
        cookie = COOKIE.format(port=self.port)
        given = request.query.get("token")
        if given is not None and request.path == "/" and self._is_token(given):
            found = web.HTTPFound("/")
            found.set_cookie(cookie, self._token, httponly=True, samesite="Strict")
            raise found
        if not self._is_token(request.cookies.get(cookie, "")):
            raise web.HTTPForbidden(text="open the address that gym-hil printed: it carries a token")
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers["Cache-Control"] = "no-store"
            response.headers["Content-Security-Policy"] = (
                "default-src 'self'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
            )
        return response

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())
