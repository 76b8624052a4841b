"""The one owner of transactions, over SQLite and PostgreSQL alike.

Entry points open a transaction and hand the session down; nothing below begins, commits or rolls back.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, asynccontextmanager
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from weakref import WeakValueDictionary

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql.visitors import iterate

from app.kernel import metrics
from app.kernel.engines import engines_of
from app.kernel.errors import Unavailable
from app.kernel.heads import Head, ledger_heads
from app.kernel.rows import (
    CITUS,
    COMMUNITY,
    POSTGRESQL,
    SQLITE,
    answers,
    document_of,
    parted,
    questions,
    rows_of,
    statement_of,
    together,
    update_rows,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.sql.elements import ClauseElement

    from app.kernel.clock import Clock
    from app.kernel.rows import AnyRow, Found, Query, Read, Row, Write
    from app.kernel.vault import Vault
    from app.settings import Settings

ResultT = TypeVar("ResultT")

APP_ROLE = "lovebank_app"
"""PostgreSQL role that the app takes on in every transaction: row level security and the missing grants bind it."""

_attempts_max = 5
_retried_states = {"40001", "40P01"}  # serialization_failure, deadlock_detected
# A lock's timeout; a server that reads only, as after a change of the primary.
_lock_timeout_state = "55P03"
_busy_states = {_lock_timeout_state, "25006"}
# Connection failures; no disk, memory or connection left; cancelled, shutting down or starting up; system errors.
_busy_classes = ("08", "53", "57", "58")
# With what a request needs beside it, below the three seconds within which an answer is due.
_wait_seconds = 2.0


_begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class _AbandonedError(Exception):
    """Ends a transaction that is to leave no trace."""


class _Part(NamedTuple):
    """What of a question one statement may ask, and the community that it names where the database is distributed."""

    statement: Query
    document: str
    community: int | None


class Session:
    """One transaction: the connection, the locked heads, the community's time and the keys of personal data."""

    def __init__(self, connection: AsyncConnection, dialect: str, *, clock: Clock, vault: Vault) -> None:
        """Wrap a connection on which a transaction has begun; `dialect` is the database's (see `app.kernel.rows`)."""
        self.connection = connection
        self.dialect = dialect
        self.vault = vault
        self.heads: dict[int, Head] = {}
        self._clock = clock
        self._abandoned = False
        self.seen: set[int] = set()
        self._waiting: dict[Write, dict[object, Row]] = {}
        self._foreseen: dict[_Part, list[Sequence[Any]]] = {}

    def now(self, community: int) -> datetime:
        """Give the community's time: fixed for the transaction that holds its head, else its clock's."""
        head = self.heads.get(community)
        return head.now if head else self._clock.now(community)

    def abandon(self) -> None:
        """Make the transaction leave nothing behind: a dry run."""
        self._abandoned = True

    async def execute(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Found:
        """Run one statement; it sees all that was written before."""
        await self._make_way(statement)
        return await self.connection.execute(statement, parameters)

    async def _make_way(self, statement: sa.Executable) -> None:
        """Send what waits before a statement that looks there, and forget what one may change."""
        if not isinstance(statement, sa.Select):
            self._foreseen.clear()
            await self.flush()
        elif not self._waiting_tables().isdisjoint(_tables_of(statement)):
            await self.flush()

    async def load(self, *reads: Read[Any]) -> tuple[Any, ...]:
        """Ask several questions in one statement: for each what its answer means."""
        parts = [self._parts(read) for read in reads]
        await self._look_up([part for part in chain.from_iterable(parts) if part not in self._foreseen])
        return tuple(
            read.understand([*chain.from_iterable(self._foreseen[part] for part in of_read)])
            for read, of_read in zip(reads, parts, strict=True)
        )

    async def foresee(self, *reads: Read[Any]) -> None:
        """Ask in one statement what will be asked one by one; it is answered from here until its tables change."""
        await self._look_up([part for read in reads for part in self._parts(read)])

    def _parts(self, read: Read[Any]) -> list[_Part]:
        return [
            _Part(read.statement, document_of(self.dialect, rows), community)
            for community, rows in parted(self.dialect, read.rows)
        ]

    async def _look_up(self, parts: Sequence[_Part]) -> None:
        """Ask in one statement; where the database is distributed, in one for each community."""
        if self._waiting and not self._waiting_tables().isdisjoint(
            chain.from_iterable(_tables_of(part.statement) for part in parts)
        ):
            await self.flush()
        for community in dict.fromkeys(part.community for part in parts):
            ours = [part for part in parts if part.community == community]
            asked = questions(self.dialect, tuple(part.statement for part in ours))
            values: dict[str, Any] = {f"rows_{place}": part.document for place, part in enumerate(ours)}
            if community is not None:
                values |= {f"{COMMUNITY}_{place}": community for place in range(len(ours))}
            found = await self.connection.exec_driver_sql(asked.text, {**asked.constants, **values})
            for part, text, columns in zip(ours, found.one(), asked.columns, strict=True):
                self._foreseen[part] = answers(text, columns)

    async def ask(self, read: Read[ResultT]) -> ResultT:
        """Ask one question."""
        (answer,) = await self.load(read)
        return cast("ResultT", answer)

    async def write_later(self, write: Write, rows: Sequence[Row]) -> None:
        """Keep rows to write, until something needs to see them or the transaction ends: all in one go is cheaper.

        SQLite, which has no such statement and is not far away, gets them at once; so does Citus, which would carry
        out the parts of such a statement one after the other on its coordinator.
        """
        self._foreseen = {
            part: found for part, found in self._foreseen.items() if write.table not in _tables_of(part.statement)
        }
        if self.dialect != POSTGRESQL:
            await self._send_rows(statement_of(self.dialect, write, "rows"), rows)
            return
        if write not in self._waiting and write.table in self._waiting_tables():
            await self.flush()
        waiting = self._waiting.setdefault(write, {})
        for row in rows:
            # Of two updates of a row the later holds; an inserted row is one of its own.
            waiting[write.key_of(row) if write.key else len(waiting)] = row

    async def flush(self) -> None:
        """Send what waits to be written, as one statement."""
        if self._waiting:
            writes, lists = tuple(self._waiting), list(self._waiting.values())
            self._waiting = {}
            documents = {
                f"rows{place}": document_of(self.dialect, list(rows.values())) for place, rows in enumerate(lists)
            }
            await self.connection.exec_driver_sql(together(writes), documents)

    def _waiting_tables(self) -> set[sa.FromClause]:
        return {write.table for write in self._waiting}

    async def execute_rows(self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> list[AnyRow]:
        """Run a statement over the rows that it reads as `rows` (see `app.kernel.rows`), and give what it finds.

        Where the database is distributed it runs once for each community; an order holds within one.
        """
        await self._make_way(statement)
        return await self._send_rows(statement, rows)

    async def _send_rows(self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> list[AnyRow]:
        found: list[AnyRow] = []
        for community, of_community in parted(self.dialect, rows):
            values = {"rows": document_of(self.dialect, of_community)}
            bound = {} if community is None else {COMMUNITY: community}
            result = await self.connection.execute(statement, {**values, **bound})
            if result.returns_rows:
                found += result
        return found

    async def show(self, *communities: int, opening: str = "") -> None:
        """Name the communities whose rows row level security lets this transaction see.

        `opening` is what PostgreSQL gets before, in the same message.
        """
        self.seen = set(communities)
        # What was not visible may be now.
        self._foreseen.clear()
        if self.dialect != SQLITE:
            listed = ",".join(str(int(community)) for community in communities)
            # Literals of ours: SET takes no parameters.
            await self.connection.exec_driver_sql(
                f"{opening}SET LOCAL ROLE {APP_ROLE}; SET LOCAL lovebank.communities = '{listed}'"
            )

    async def lock_heads(self, *communities: int) -> None:
        """Lock the heads of these communities in ascending order, so that two writers never wait for each other."""
        asked = [{"community_id": community} for community in sorted(set(communities))]
        for row in await self.execute_rows(_locked_heads(self.dialect), asked):
            now = max(self._clock.now(row.community_id), row.last_at)
            self.heads[row.community_id] = Head(
                row.community_id, row.transaction_number, row.event_number, row.account_number, now
            )

    async def open_head(self, community: int) -> Head:
        """Begin the ledger of a new community and let this transaction go on in it."""
        await self.show(*self.heads, community)
        head = Head(community, 0, 0, 0, self._clock.now(community))
        await self.execute(
            sa.insert(ledger_heads).values(
                community_id=community, transaction_number=0, event_number=0, account_number=0, last_at=head.now
            )
        )
        self.heads[community] = head
        return head

    async def finish(self) -> None:
        """Write what waits and the heads that handed out numbers; raise when it is all to leave nothing behind."""
        changed = [
            {
                "community_id": head.community,
                "transaction_number": head.transaction_number,
                "event_number": head.event_number,
                "account_number": head.account_number,
                "last_at": head.now,
            }
            for head in self.heads.values()
            if head.changed
        ]
        await update_rows(self, ledger_heads, ("community_id",), changed)
        await self.flush()
        if self._abandoned:
            raise _AbandonedError


@cache
def _locked_heads(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [ledger_heads.c.community_id])
    return (
        sa.select(ledger_heads)
        .join_from(asked, ledger_heads, ledger_heads.c.community_id == asked.c.community_id)
        .order_by(ledger_heads.c.community_id)
        .with_for_update(of=ledger_heads)
    )


@lru_cache(maxsize=1000)
def _tables_of(statement: sa.Executable) -> frozenset[sa.FromClause]:
    """All tables that a statement names, wherever."""
    return frozenset(element for element in iterate(cast("ClauseElement", statement)) if isinstance(element, sa.Table))


class Database:
    """The database of one running service, and the only place where a transaction begins or ends."""

    def __init__(self, settings: Settings, *, clock: Clock, vault: Vault) -> None:
        """Make the pools; nothing connects before the first transaction."""
        self.clock = clock
        self.vault = vault
        self._engines = engines_of(settings, wait_seconds=_wait_seconds)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self.dialect: str = CITUS if settings.database_distributed else self._engines[0].dialect.name
        """What the database speaks (see `app.kernel.rows`)."""

    @asynccontextmanager
    async def write(
        self, *communities: int, wait_seconds: float | None = None, seen: Collection[int] = ()
    ) -> AsyncIterator[Session]:
        """Open a transaction that changes these communities: their heads are locked, and it commits at the end.

        `wait_seconds` is how long to wait for heads that others hold, when that is less than usual; `seen` are
        communities that it may look at besides.
        """
        opening = "BEGIN; "
        if wait_seconds is not None:
            opening += f"SET LOCAL lock_timeout = {int(wait_seconds * 1000)}; "
        async with (
            self._turn(communities, wait_seconds or _wait_seconds),
            self._transaction(self._engines[0]) as session,
        ):
            await session.show(*{*communities, *seen}, opening=opening)
            await session.lock_heads(*communities)
            yield session
            await session.finish()

    @asynccontextmanager
    async def read(self, *communities: int) -> AsyncIterator[Session]:
        """Open a read-only transaction over one unchanging picture of these communities."""
        async with self._transaction(self._engines[1]) as session:
            await session.show(*communities, opening=f"{_begin_reading}; ")
            yield session

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Session]:
        """Open a read-only transaction with the connection's own rights: it works before the first migration too."""
        async with self._transaction(self._engines[1]) as session:
            if self.dialect != SQLITE:
                await session.connection.exec_driver_sql(_begin_reading)
            yield session

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
    ) -> ResultT:
        """Run work in a write transaction, again when the database asks for it or the connection was lost.

        After a lost connection nobody can know whether the commit took place; keyed work that runs again finds its key.
        """
        for attempt in range(1, _attempts_max + 1):
            try:
                async with self.write(*communities, wait_seconds=wait_seconds, seen=seen) as session:
                    return await work(session)
            except Unavailable as error:
                if attempt == _attempts_max or not _worth_retrying(error.__cause__):
                    raise
        raise AssertionError  # the loop returns or raises

    async def close(self) -> None:
        """Close every connection."""
        for engine in self._engines:
            await engine.dispose()

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[Session]:
        began = time.perf_counter()
        try:
            async with engine.connect() as connection, connection.begin():
                yield Session(connection, self.dialect, clock=self.clock, vault=self.vault)
        except _AbandonedError:
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
    cause = error.__cause__
    return isinstance(cause, TimeoutError) or (
        isinstance(cause, DBAPIError) and getattr(cause.orig, "sqlstate", None) == _lock_timeout_state
    )


def _worth_retrying(error: BaseException | None) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _retried_states


def _is_outage(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _busy_states or state.startswith(_busy_classes)
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
