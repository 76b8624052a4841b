"""The one owner of transactions, over SQLite and PostgreSQL alike.

Entry points open a transaction and hand the session down; nothing below begins, commits or rolls back.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.kernel import metrics
from app.kernel.errors import Unavailable
from app.kernel.heads import Head, ledger_heads
from app.kernel.rows import document_of, rows_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from app.kernel.clock import Clock
    from app.kernel.rows import Found
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
# What is deleted is overwritten, so that an erased person's key is gone from the file.
_pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "secure_delete=ON")


class _AbandonedError(Exception):
    """Ends a transaction that is to leave no trace."""


class Session:
    """One transaction: the connection, the locked heads, the community's time and the keys of personal data."""

    def __init__(self, connection: AsyncConnection, *, clock: Clock, vault: Vault) -> None:
        """Wrap a connection on which a transaction has begun."""
        self.connection = connection
        self.dialect: str = connection.dialect.name
        self.vault = vault
        self.heads: dict[int, Head] = {}
        self._clock = clock
        self._abandoned = False

    def now(self, community: int) -> datetime:
        """Give the community's time: fixed for the transaction that holds its head, else its clock's."""
        head = self.heads.get(community)
        return head.now if head else self._clock.now(community)

    def abandon(self) -> None:
        """Make the transaction leave nothing behind: a dry run."""
        self._abandoned = True

    async def execute(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Found:
        """Run one statement."""
        return await self.connection.execute(statement, parameters)

    async def execute_rows(
        self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]], **parameters: object
    ) -> Found:
        """Run one statement over the rows that it reads as `rows` (see `app.kernel.rows`)."""
        return await self.execute(statement, {"rows": document_of(self.dialect, rows), **parameters})

    async def show(self, *communities: int, lock_seconds: float | None = None) -> None:
        """Name the communities whose rows row level security lets this transaction see.

        `lock_seconds` is how long to wait for a lock, when that is less than usual.
        """
        if self.dialect == "postgresql":
            listed = ",".join(str(int(community)) for community in communities)
            # In one message; both are literals of ours, and SET takes no parameters.
            message = f"SET LOCAL ROLE {APP_ROLE}; SET LOCAL lovebank.communities = '{listed}'"
            if lock_seconds is not None:
                message += f"; SET LOCAL lock_timeout = {int(lock_seconds * 1000)}"
            await self.connection.exec_driver_sql(message)

    async def lock_heads(self, *communities: int) -> None:
        """Lock the heads of these communities in ascending order, so that two writers never wait for each other."""
        found = await self.execute(
            sa.select(ledger_heads)
            .where(ledger_heads.c.community_id.in_(sorted(set(communities))))
            .order_by(ledger_heads.c.community_id)
            .with_for_update()
        )
        for row in found:
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
        """Write the heads that handed out numbers; raise when the transaction is to leave nothing behind."""
        if self._abandoned:
            raise _AbandonedError
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
        if changed:
            new = rows_of(self.dialect, "rows", list(ledger_heads.c))
            values = {column.name: column for column in new.c if column.name != "community_id"}
            matches = ledger_heads.c.community_id == new.c.community_id
            await self.execute_rows(sa.update(ledger_heads).where(matches).values(values), changed)


class Database:
    """The database of one running service, and the only place where a transaction begins or ends."""

    def __init__(self, settings: Settings, *, clock: Clock, vault: Vault) -> None:
        """Make the pools; nothing connects before the first transaction."""
        self.clock = clock
        self.vault = vault
        self._engines = _engines(settings)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engines[0].dialect.name

    @asynccontextmanager
    async def write(self, *communities: int, wait_seconds: float | None = None) -> AsyncIterator[Session]:
        """Open a transaction that changes these communities: their heads are locked, and it commits at the end.

        `wait_seconds` is how long to wait for heads that others hold, when that is less than usual.
        """
        async with (
            self._turn(communities, wait_seconds or _wait_seconds),
            self._transaction(self._engines[0]) as session,
        ):
            await session.show(*communities, lock_seconds=wait_seconds)
            await session.lock_heads(*communities)
            yield session
            await session.finish()

    @asynccontextmanager
    async def read(self, *communities: int) -> AsyncIterator[Session]:
        """Open a read-only transaction over one unchanging picture of these communities."""
        async with self._transaction(self._engines[1]) as session:
            await session.show(*communities)
            yield session

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Session]:
        """Open a read-only transaction with the connection's own rights: it works before the first migration too."""
        async with self._transaction(self._engines[1]) as session:
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
    ) -> ResultT:
        """Run work in a write transaction, again when the database asks for it or the connection was lost.

        After a lost connection nobody can know whether the commit took place; keyed work that runs again finds its key.
        """
        for attempt in range(1, _attempts_max + 1):
            try:
                async with self.write(*communities, wait_seconds=wait_seconds) as session:
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
                yield Session(connection, clock=self.clock, vault=self.vault)
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


def _engines(settings: Settings) -> tuple[AsyncEngine, AsyncEngine]:
    """Make the engines for writing and for reading: on SQLite one connection writes and the others only read."""
    if not settings.on_sqlite:
        url = settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        options = f"-c TimeZone=UTC -c lock_timeout={int(_wait_seconds * 1000)}"
        pool: dict[str, Any] = {
            "pool_size": settings.database_pool_size,
            "max_overflow": 0,
            "pool_timeout": _wait_seconds,
            "connect_args": {"options": options, "connect_timeout": 2},
            "hide_parameters": True,
        }
        # A pool of its own for reads, so that they do not wait for writers.
        reading = create_async_engine(url, **pool)
        return create_async_engine(url, **pool), reading.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    url = settings.database_url.replace("sqlite://", "sqlite+aiosqlite://", 1)
    busy: dict[str, Any] = {
        "connect_args": {"timeout": _wait_seconds},
        "pool_timeout": _wait_seconds,
        "max_overflow": 0,
        "hide_parameters": True,
    }
    writer = create_async_engine(url, poolclass=sa.AsyncAdaptedQueuePool, pool_size=1, **busy)
    readers = create_async_engine(
        url, poolclass=sa.AsyncAdaptedQueuePool, pool_size=settings.database_pool_size, **busy
    )
    prepare_sqlite(writer.sync_engine, begin="BEGIN IMMEDIATE")
    prepare_sqlite(readers.sync_engine, begin="BEGIN", pragmas=("query_only=ON",))
    return writer, readers


def prepare_sqlite(engine: sa.Engine, *, begin: str, pragmas: Sequence[str] = ()) -> None:
    """Make an engine's SQLite connections durable and strict, and begin their transactions with this statement."""

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # Without this the driver begins transactions by itself, and later than it should.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*_pragmas, *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)
