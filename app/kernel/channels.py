"""How statements reach a database: a channel carries one transaction at a time.

SQLAlchemy takes some 200 µs of Python to send a statement, and on SQLite several turns of a thread. What is sent often
goes below it, and together: what opens a transaction travels with its first question, and COMMIT with its last writes.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from app.kernel.connections import Connection
    from app.kernel.rows import Questions, Write


class Asked(NamedTuple):
    """What came of questions: for each the JSON array of its rows, and the rows of what was sent before them."""

    answers: Sequence[Any]
    before: list[tuple[Any, ...]]


class RolledBackError(Exception):
    """A transaction ends in a rollback instead of a commit: an error before it had been passed over."""


class Channel(ABC):
    """What a transaction's statements are sent over. `connection` is for statements of SQLAlchemy, once `ready`."""

    def __init__(self, connection: Connection) -> None:
        """Take a connection that begins no transaction by itself."""
        self.connection = connection
        self._first: list[str] = []
        self._has_failed = False

    @property
    @abstractmethod
    def is_idle(self) -> bool:
        """Whether it is open, and in no transaction."""

    def first(self, *statements: str) -> None:
        """Have statements sent before whatever is sent next, in the same message."""
        self._first += statements

    async def ready(self) -> None:
        """Send what waits to go first."""
        self.check()
        if self._first:
            await self.rows()

    def check(self) -> None:
        """Raise `RolledBackError` when something failed before: its transaction may not even have begun."""
        if self._has_failed:
            raise RolledBackError

    @abstractmethod
    async def rows(self, *statements: str) -> list[tuple[Any, ...]]:
        """Send statements as one message, after what waits to go first, and give all rows that they find."""

    @abstractmethod
    async def ask(self, asked: Questions, values: Mapping[str, Any], *then: str) -> Asked:
        """Ask questions, after what waits to go first; `then` follows in the same message."""

    @abstractmethod
    async def write(self, writes: Sequence[Write], documents: Sequence[bytes], *then: str) -> None:
        """Write rows, each write's as its document; `then` follows in the same message."""

    async def end(self) -> None:
        """Commit, unless that went with the last message or nothing was ever sent."""
        self.check()
        self._first.clear()
        if not self.is_idle:
            await self.rows("COMMIT")
        if self.connection.in_transaction():
            # Only SQLAlchemy's own books: the database is done.
            await self.connection.commit()

    async def break_off(self) -> None:
        """Roll back."""
        self._has_failed = False
        self._first.clear()
        if not self.is_idle:
            await self.rows("ROLLBACK")
        if self.connection.in_transaction():
            await self.connection.rollback()

    async def close(self) -> None:
        """Close the connection."""
        await self.connection.invalidate()
        await self.connection.close()

    async def cut_off(self) -> None:
        """Close the connection, whatever it may still be at."""
        await self.close()


class Channels:
    """A bounded number of connections to a database, kept between transactions."""

    def __init__(self, open_channel: Callable[[], Awaitable[Channel]], *, size: int, wait_seconds: float) -> None:
        """Say how one is opened, how many there may be, and how long to wait for one of them."""
        self._open = open_channel
        self._turns = asyncio.Semaphore(size)
        self._wait_seconds = wait_seconds
        self._free: list[Channel] = []

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[Channel]:
        """Lend a channel; at the end its transaction is committed, or rolled back when an exception passes.

        Raises SQLAlchemy's `TimeoutError` when all are lent for too long.
        """
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            raise PoolTimeout from error
        try:
            channel = self._free.pop() if self._free else await self._open()
            try:
                yield channel
                await channel.end()
            except Exception:
                await self._undo(channel)
                raise
            except BaseException:
                # Cancelled: what was sent may still be under way, and nobody waits for a rollback.
                await channel.cut_off()
                raise
            self._free.append(channel)
        finally:
            self._turns.release()

    async def _undo(self, channel: Channel) -> None:
        try:
            await channel.break_off()
        except DBAPIError:
            # Where one connection was cut the others may be as well.
            await channel.close()
            await self.close()
        except BaseException:
            # Cancelled in the midst of it.
            await channel.cut_off()
            raise
        else:
            self._free.append(channel)

    async def close(self) -> None:
        """Close the connections that are not lent."""
        while self._free:
            await self._free.pop().close()
