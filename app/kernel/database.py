"""The one owner of transactions, over SQLite and PostgreSQL alike.

Entry points open a transaction and hand the session down; nothing below begins, commits or rolls back.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from weakref import WeakValueDictionary

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kernel import metrics
from app.kernel.engines import channels_of
from app.kernel.errors import Unavailable
from app.kernel.rows import CITUS, POSTGRESQL, SQLITE
from app.kernel.session import APP_ROLE, AUDITOR_ROLE, AbandonedError, Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

    from app.kernel.channels import Channels
    from app.kernel.clock import Clock
    from app.kernel.notes import Signer
    from app.kernel.rows import Read
    from app.kernel.vault import Vault
    from app.settings import Settings

__all__ = ["APP_ROLE", "AUDITOR_ROLE", "Database", "Session", "is_contention"]

ResultT = TypeVar("ResultT")

_attempts_max = 5
_retried_states = {"40001", "40P01"}  # serialization_failure, deadlock_detected
# A lock's timeout; a server that reads only, as after a change of the primary.
_lock_timeout_state = "55P03"
_busy_states = {_lock_timeout_state, "25006"}
# Connection failures; no disk, memory or connection left; cancelled, shutting down or starting up; system errors.
_busy_classes = ("08", "53", "57", "58")
# No code says that a quota is used up or that a file may not grow any more: PostgreSQL's storage calls it internal.
_internal_state, _storage = "XX000", "md.c"
# With what a request needs beside it, below the three seconds within which an answer is due.
_wait_seconds = 2.0


class _Opening(NamedTuple):
    """What begins a transaction that writes, one that reads, and one that asks a single statement."""

    writing: str
    reading: str
    glancing: str


# Who writes to SQLite takes its one lock at once. Who reads there has one picture in any case.
_on_sqlite = _Opening("BEGIN IMMEDIATE", "BEGIN", "BEGIN")
_on_postgresql = _Opening("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN READ ONLY")


class Database:
    """The database of one running service, and the only place where a transaction begins or ends."""

    def __init__(self, settings: Settings, *, clock: Clock, vault: Vault, signer: Signer, hurried: bool = True) -> None:
        """Make the pools; nothing connects before the first transaction.

        `hurried`, statements have to end before a caller of the API has waited too long.
        """
        self.clock = clock
        self.vault = vault
        self.signer = signer
        self._writing, self._reading = channels_of(settings, wait_seconds=_wait_seconds, hurried=hurried)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self.role = settings.database_role
        """What it takes on in PostgreSQL: `APP_ROLE` or `AUDITOR_ROLE`."""
        self._opening = _on_sqlite if settings.on_sqlite else _on_postgresql
        self.dialect = SQLITE if settings.on_sqlite else CITUS if settings.database_distributed else POSTGRESQL
        """What the database speaks (see `app.kernel.rows`)."""

    @asynccontextmanager
    async def write(
        self,
        *communities: int,
        wait_seconds: float | None = None,
        seen: Collection[int] = (),
        ahead: Sequence[Read[Any]] = (),
    ) -> AsyncIterator[Session]:
        """Open a transaction that changes these communities: their heads are locked, and it commits at the end.

        `wait_seconds` is how long to wait for heads that others hold, when that is less than usual; `seen` are
        communities that it may look at besides; `ahead` is what it will ask, to be asked with the heads.
        """
        opening = [self._opening.writing]
        if wait_seconds is not None and self.dialect != SQLITE:
            opening.append(f"SET LOCAL lock_timeout = {int(wait_seconds * 1000)}")
        async with (
            self._turn(communities, wait_seconds or _wait_seconds),
            self._transaction(self._writing, *opening) as session,
        ):
            await session.show(*{*communities, *seen})
            await session.lock_heads(*communities, ahead=ahead)
            yield session
            await session.finish()
        if session.leaves_no_copy and self.dialect == SQLITE:
            async with self._transaction(self._writing) as alone:
                await alone.empty_log()

    @asynccontextmanager
    async def read(self, *communities: int) -> AsyncIterator[Session]:
        """Open a read-only transaction over one unchanging picture of these communities."""
        async with self._transaction(self._reading, self._opening.reading) as session:
            await session.show(*communities)
            yield session

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Session]:
        """Open a read-only transaction with the connection's own rights: it works before the first migration too."""
        async with self._transaction(self._reading, self._opening.reading) as session:
            yield session

    async def glance(self, communities: Sequence[int], reads: Sequence[Read[Any]]) -> tuple[Any, ...]:
        """Ask questions about communities in a transaction of their own: for each what its answer means.

        Asks again on another connection when the one it had turns out to be gone.
        """
        try:
            return await self._glance(communities, reads)
        except Unavailable as error:
            if not _worth_retrying(error.__cause__):
                raise
        return await self._glance(communities, reads)

    async def _glance(self, communities: Sequence[int], reads: Sequence[Read[Any]]) -> tuple[Any, ...]:
        async with self._transaction(self._reading, self._opening.glancing) as session:
            await session.show(*communities)
            return await session.load(*reads, then="COMMIT")

    @asynccontextmanager
    async def _turn(self, communities: Sequence[int], wait_seconds: float) -> AsyncIterator[None]:
        """Wait for this process's turn in each community before a connection is taken.

        Else those who wait for one community's head would hold the pool's connections, and every other community up.
        """
        with ExitStack() as turns:
            try:
                async with asyncio.timeout(wait_seconds):
                    for community in sorted(set(communities)):
                        lock = self._turns.get(community) or self._turns.setdefault(community, asyncio.Lock())
                        await lock.acquire()
                        turns.callback(lock.release)
            except TimeoutError as error:
                raise Unavailable from error
            yield

    async def run(
        self,
        communities: Sequence[int],
        work: Callable[[Session], Awaitable[ResultT]],
        *,
        wait_seconds: float | None = None,
        seen: Collection[int] = (),
        ahead: Sequence[Read[Any]] = (),
    ) -> ResultT:
        """Run work in a write transaction, again when the database asks for it or the connection was lost.

        After a lost connection nobody can know whether the commit took place; keyed work that runs again finds its key.
        """
        for attempt in range(1, _attempts_max + 1):
            try:
                async with self.write(*communities, wait_seconds=wait_seconds, seen=seen, ahead=ahead) as session:
                    return await work(session)
            except Unavailable as error:
                if attempt == _attempts_max or not _worth_retrying(error.__cause__):
                    raise
        raise AssertionError  # the loop returns or raises

    async def close(self) -> None:
        """Close every connection."""
        await self._writing.close()
        await self._reading.close()

    @asynccontextmanager
    async def _transaction(self, channels: Channels, *opening: str) -> AsyncIterator[Session]:
        """Open a transaction; `opening` goes with the first that is sent."""
        began = time.perf_counter()
        try:
            async with channels.channel() as channel:
                channel.first(*opening)
                yield Session(
                    channel,
                    self.dialect,
                    clock=self.clock,
                    vault=self.vault,
                    signer=self.signer,
                    role=self.role,
                )
        except AbandonedError:
            pass
        except DBAPIError as error:
            if _is_outage(error) or _worth_retrying(error):
                raise Unavailable from error
            raise
        except (PoolTimeout, TimeoutError, OSError) as error:
            raise Unavailable from error
        metrics.transaction_seconds.observe(time.perf_counter() - began)


def is_contention(error: Unavailable) -> bool:
    """Whether somebody else held a community for too long, while the database is well."""
    return isinstance(error.__cause__, TimeoutError) or _state_of(error.__cause__) == _lock_timeout_state


def _state_of(error: BaseException | None) -> str | None:
    """The SQLSTATE that PostgreSQL gave."""
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None


def _worth_retrying(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and (error.connection_invalidated or _state_of(error) in _retried_states)


def _is_outage(error: DBAPIError) -> bool:
    state = _state_of(error)
    if state is not None:
        return state in _busy_states or state.startswith(_busy_classes) or _is_of_storage(error)
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)


def _is_of_storage(error: DBAPIError) -> bool:
    """Whether PostgreSQL could not read or write a table's file, for a reason that has no code of its own."""
    source = getattr(getattr(error.orig, "diag", None), "source_file", None)
    return (_state_of(error), source) == (_internal_state, _storage)
