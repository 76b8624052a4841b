"""Requests in great numbers over few connections: as many as are wanted a second, however long the answers take.

It writes and reads HTTP by itself, for a whole client would be slower than the service. What is sent is ready before.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.soak.history import DONE
from tests.soak.parts import ViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.soak.history import Act

_tick_seconds = 0.005
_pause_seconds = 0.005
_last_seconds_max = 15.0
_retry_after = re.compile(rb"retry-after: (\d+)", re.IGNORECASE)
_length = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class Flood:
    """What came of some seconds: how many were sent, the times of those who were let in, how many were put off."""

    seconds: float
    offered: int = 0
    accepted: list[float] = field(default_factory=list)
    in_time: int = 0
    put_off: int = 0

    @property
    def goodput(self) -> float:
        """Accepted requests a second; what was answered when the time was over was got done later."""
        return self.in_time / self.seconds

    @property
    def p99(self) -> float:
        """The time within which all but one in a hundred of the accepted were answered."""
        return sorted(self.accepted)[len(self.accepted) * 99 // 100]


class _Line(asyncio.Protocol):
    """A connection with one request under way at most."""

    def __init__(self, answered: Callable[[_Line, bytes, bytes], None], lost: Callable[[str], None]) -> None:
        self._answered, self._lost = answered, lost
        self._got = b""
        self.act: Act | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, act: Act, request: bytes) -> None:
        """Send a request; the act begins."""
        self.act, act.began = act, time.monotonic()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, rest = self._got.partition(b"\r\n\r\n")
        length = _length.search(head)
        size = int(length[1]) if length else 0
        if end and len(rest) >= size:
            self._got = rest[size:]
            self._answered(self, head, rest[:size])

    def connection_lost(self, exc: Exception | None) -> None:
        if self.act is not None:
            self._lost(f"the connection was lost with a request under way: {exc!r}")


class Faucet:
    """Connections to a service, through which requests flow."""

    def __init__(self, port: int, requests: Iterator[tuple[Act, bytes]]) -> None:
        """Take the service's port, and where requests come from."""
        self._port, self._requests = port, requests
        self._broken: list[str] = []
        self._idle: list[_Line] = []

    async def one_after_the_other(self, count: int, seconds: float) -> Flood:
        """Have so many callers each send one request after the other: what the service does at its best.

        Who is put off comes again in a moment, so that the service neither waits for callers nor is kept from working.
        """
        return await self._flow(count, seconds, rate=None, ready=None)

    async def at_a_rate(self, rate: float, seconds: float, *, lines: int) -> Flood:
        """Send so many requests a second, whatever becomes of them, while a connection is free for each."""
        ready = [next(self._requests) for _ in range(int(rate * seconds))]
        return await self._flow(lines, seconds, rate=rate, ready=ready)

    async def _flow(
        self, count: int, seconds: float, *, rate: float | None, ready: list[tuple[Act, bytes]] | None
    ) -> Flood:
        lines = await self._open(count)
        self._idle = [*lines]
        self._flood, self._until = Flood(seconds), time.monotonic() + seconds
        self._goes_on = rate is None
        if ready is None or rate is None:
            for line in lines:
                self._next(line)
            await asyncio.sleep(seconds)
        else:
            await self._pour(ready, rate)
        await self._last_answers(lines)
        for line in lines:
            line.transport.abort()
        if self._broken:
            raise ViolationError(self._broken[0])
        return self._flood

    async def _open(self, count: int) -> list[_Line]:
        loop = asyncio.get_running_loop()
        return [
            (await loop.create_connection(lambda: _Line(self._answered, self._broken.append), "127.0.0.1", self._port))[
                1
            ]
            for _ in range(count)
        ]

    async def _pour(self, ready: list[tuple[Act, bytes]], rate: float) -> None:
        """Send what has become due since the last time. What finds no free connection is sent when one is."""
        began = time.monotonic()
        while (now := time.monotonic()) < self._until:
            due = min(int((now - began) * rate), len(ready))
            while self._flood.offered < due and self._idle:
                self._send(self._idle.pop(), *ready[self._flood.offered])
            await asyncio.sleep(_tick_seconds)

    def _next(self, line: _Line) -> None:
        if time.monotonic() < self._until:
            self._send(line, *next(self._requests))

    def _send(self, line: _Line, act: Act, request: bytes) -> None:
        self._flood.offered += 1
        line.send(act, request)

    async def _last_answers(self, lines: list[_Line]) -> None:
        until = time.monotonic() + _last_seconds_max
        while any(line.act is not None for line in lines) and not self._broken:
            if time.monotonic() > until:
                self._broken.append(f"a request was not answered within {_last_seconds_max:g} s")
            await asyncio.sleep(_tick_seconds)

    def _answered(self, line: _Line, head: bytes, content: bytes) -> None:
        act, ended = line.act, time.monotonic()
        assert act is not None
        line.act = None
        status = int(head.split(b" ", 2)[1])
        if status == 201:
            act.fate, act.ended, act.posted = DONE, ended, True
            self._flood.in_time += ended < self._until
            self._flood.accepted.append(ended - act.began)
        elif status in {429, 503} and _retry_after.search(head):
            self._flood.put_off += 1
        else:
            self._broken.append(f"{head!r} {content!r}")
        if not self._goes_on:
            self._idle.append(line)
        elif status == 201:
            self._next(line)
        else:
            asyncio.get_running_loop().call_later(_pause_seconds, self._next, line)
