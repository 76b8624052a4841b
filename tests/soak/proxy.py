"""A proxy before PostgreSQL that cuts connections around a COMMIT, or stops forwarding for a while.

It runs in a thread of its own, and understands of the protocol what tells one message from the next: from the client
a length and a body once, and then, both ways, a letter, a length and a body.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEFORE = "before"
AMID = "amid"
AFTER = "after"
CUTS = (BEFORE, AMID, AFTER)
"""COMMIT never reaches the server; it does, and nobody waits for the answer; the server's answer is not passed on."""


class _Message(NamedTuple):
    letter: bytes
    body: bytes
    raw: bytes


class _Link:
    """One client's connection, and what the proxy knows of its transaction."""

    def __init__(self) -> None:
        self.is_writing = False
        self.is_withheld = False

    def commits(self, message: _Message) -> bool:
        """Whether a message from the client ends a transaction that writes."""
        text = message.body.rstrip(b"\0")
        if message.letter != b"Q":
            return False
        if text.startswith(b"BEGIN"):
            self.is_writing = b"READ ONLY" not in text.partition(b";")[0]
        return self.is_writing and (text == b"COMMIT" or text.endswith(b"; COMMIT"))


class Proxy:
    """The way to a PostgreSQL through a port of the loopback: `url` is the database's as seen from here."""

    def __init__(self, url: str) -> None:
        """Take the URL of the database; nothing connects yet."""
        named = conninfo_to_dict(url)
        self._host, self._server_port = str(named.get("host") or "127.0.0.1"), str(named.get("port") or "5432")
        self._database, self._user = named["dbname"], named["user"]
        self.choose: Callable[[], str | None] = lambda: None
        """Asked at each COMMIT: how to cut the connection, or None to let it pass."""
        self.cuts: Counter[str] = Counter()
        self._flows = asyncio.Event()
        self._flows.set()
        self._port = 0
        self._links: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The database's URL through the proxy."""
        return f"postgresql://{self._user}@127.0.0.1:{self._port}/{self._database}?sslmode=disable&gssencmode=disable"

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        """Forward connections within the block."""
        loop = asyncio.new_event_loop()
        self._loop = loop
        thread = threading.Thread(target=loop.run_forever, name="proxy")
        thread.start()
        try:
            self._port = asyncio.run_coroutine_threadsafe(self._listen(), loop).result()
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def pause(self) -> None:
        """Forward nothing from now on, and say nothing about it."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def go_on(self) -> None:
        """Forward again, and what came meanwhile first."""
        self._loop.call_soon_threadsafe(self._flows.set)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            length = await reader.readexactly(4)
            opening = length + await reader.readexactly(int.from_bytes(length) - 4)
            if await self._is_let_in(reader):
                await self._forward(opening, reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            # The client only looked whether anybody listens, or the server is away.
            return
        finally:
            writer.transport.abort()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def _is_let_in(self, reader: asyncio.StreamReader) -> bool:
        """Wait until anything flows, unless the client goes before: it says nothing more until it is answered."""
        flows, gone = (asyncio.create_task(one) for one in (self._flows.wait(), reader.read(1)))
        try:
            await asyncio.wait({flows, gone}, return_when=asyncio.FIRST_COMPLETED)
            return flows.done()
        finally:
            flows.cancel()
            gone.cancel()

    async def _forward(self, opening: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await self._connect()
        server_writer.write(opening)
        link = _Link()
        ways = {
            asyncio.create_task(self._from_client(link, reader, server_writer)),
            asyncio.create_task(self._from_server(link, server_reader, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            # Not aborted: what was sent has to arrive.
            server_writer.close()
            await asyncio.gather(*ways, server_writer.wait_closed(), return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._server_port}")
        return await asyncio.open_connection(self._host, int(self._server_port))

    async def _from_client(self, link: _Link, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while True:
            message = await _next(reader)
            await self._flows.wait()
            cut = self.choose() if link.commits(message) else None
            if cut is not None:
                self.cuts[cut] += 1
            if cut == BEFORE:
                return
            link.is_withheld = cut == AFTER
            server.write(message.raw)
            await server.drain()
            if cut == AMID:
                return

    async def _from_server(self, link: _Link, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while True:
            message = await _next(reader)
            await self._flows.wait()
            if not link.is_withheld:
                client.write(message.raw)
                await client.drain()
            elif message.letter == b"Z" or (message.letter == b"C" and message.body == b"COMMIT\0"):
                return


async def _next(reader: asyncio.StreamReader) -> _Message:
    """Read one message."""
    head = await reader.readexactly(5)
    body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
    return _Message(head[:1], body, head + body)
