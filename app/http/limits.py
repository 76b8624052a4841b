"""How many requests without a valid token one source may send in a minute."""

from __future__ import annotations

import time
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING

from app.http.failures import problem_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SOURCES_MAX = 10_000
"""How many sources are counted apart; all further ones of a minute share one count, so that memory stays bounded."""

_window_seconds = 60
_unlimited = {"/livez", "/readyz"}
_guarded, _public = "/v1/", ("/v1/ledger/", "/v1/calendars/")
_all_others = ""


def source_of(scope: Scope) -> str:
    """Where a request comes from: the client's address, of IPv6 the network of 64 bits that one client has to itself.

    Behind a proxy it is the address that the proxy tells, if the server was told to trust it (FORWARDED_ALLOW_IPS).
    """
    client = scope.get("client")
    host: str = client[0] if client else ""
    try:
        address = IPv6Address(host)
    except AddressValueError:
        return host
    return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))


class Limits:
    """Wraps the app: anonymous requests and failed authentications are counted by source, and 429 above the limit.

    Health checks are not counted, nor, where tokens are looked at, requests with a valid one, however many: a desk
    keeps working beside a stranger at its address. Each process counts for itself.
    """

    def __init__(self, app: ASGIApp, *, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Wrap an ASGI app."""
        self._app = app
        self._per_minute = per_minute
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._window = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection; what is not HTTP passes through."""
        if scope["type"] != "http" or scope["path"] in _unlimited:
            await self._app(scope, receive, send)
        elif is_guarded(scope["path"]) and _has_bearer(scope):
            await self._watched(scope, receive, send)
        elif self._spend(scope):
            await self._app(scope, receive, send)
        else:
            await self._refuse(scope, receive, send)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request with a token through, and count it if the token turns out to be none."""
        refused = False

        async def send_unless_over(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 401 and not self._spend(scope):
                refused = True
                await self._refuse(scope, receive, send)
            elif not refused:
                await send(message)

        await self._app(scope, receive, send_unless_over)

    def _spend(self, scope: Scope) -> bool:
        window = int(self._clock() // _window_seconds)
        if window != self._window:
            self._window = window
            self._counts.clear()
        source = source_of(scope)
        if source not in self._counts and len(self._counts) >= SOURCES_MAX:
            source = _all_others
        self._counts[source] = self._counts.get(source, 0) + 1
        return self._counts[source] <= self._per_minute

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        rest = _window_seconds - int(self._clock() % _window_seconds)
        await problem_response("rate-limited", headers={"Retry-After": str(rest)})(scope, receive, send)


def is_guarded(path: str) -> bool:
    """Whether what answers at a path looks at tokens: all below `/v1/` but the city's public log and calendars."""
    return path.startswith(_guarded) and not path.startswith(_public)


def _has_bearer(scope: Scope) -> bool:
    return any(name == b"authorization" and value[:7].lower() == b"bearer " for name, value in scope["headers"])
