"""The wire between the service and PostgreSQL, which a test can hold, or cut at the worst moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from app.settings import Settings


class Wire:
    """A TCP proxy in front of PostgreSQL. A service with `settings` of it reaches the database only through here."""

    def __init__(self, settings: Settings) -> None:
        self._real = settings
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._passing: set[asyncio.Task[None]] = set()
        self.cuts_left = 0
        self.after_commit = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        head, _, folder = self._real.database_url.partition("?host=")
        self._target = f"{folder}/.s.PGSQL.5432"
        url = head.replace("@/", f"@127.0.0.1:{self.port}/")
        self.settings = self._real.model_copy(update={"database_url": url})
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def hold(self) -> None:
        """Pass nothing on any more."""
        self._flowing.clear()

    def release(self) -> None:
        """Pass on what was held and all that follows."""
        self._flowing.set()

    def cut_at_commits(self, count: int, *, after: bool) -> None:
        """Cut the next connections that send COMMIT: before the server has it, or when it has done it and says so."""
        self.cuts_left, self.after_commit = count, after

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self._target)
        commit_sent = asyncio.Event()
        self._passing.add(asyncio.create_task(self._pass_up(reader, up_writer, commit_sent)))
        self._passing.add(asyncio.create_task(self._pass_down(up_reader, writer, commit_sent)))

    async def _pass_up(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, commit_sent: asyncio.Event
    ) -> None:
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                if b"COMMIT" in data and self.cuts_left:
                    self.cuts_left -= 1
                    if not self.after_commit:
                        return
                    commit_sent.set()
                sink.write(data)
                await sink.drain()
        except OSError:
            return
        finally:
            sink.close()

    async def _pass_down(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, commit_sent: asyncio.Event
    ) -> None:
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                if commit_sent.is_set():
                    return
                sink.write(data)
                await sink.drain()
        except OSError:
            return
        finally:
            sink.close()
