"""How statements reach a database: a channel carries one transaction at a time.

SQLAlchemy takes some 200 µs of Python to send a statement, psycopg below it 90. What is sent often goes to PostgreSQL
as text, prepared once a connection, and several statements to a message: what opens a transaction travels with its
first question, and COMMIT with its last writes.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    import aiosqlite
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from app.kernel.rows import Questions

Statement = str | list[bytes]
"""A statement to send. One with long constants comes in parts: each time that it was put together would copy them."""

_prepared_max = 500
_parameter = re.compile(r"%\((\w+)\)s")


class RolledBackError(Exception):
    """A commit was answered with a rollback: an error before it had been passed over."""


class Channel(Protocol):
    """What a transaction's statements are sent over. `connection` is for statements of SQLAlchemy, once `ready`."""

    connection: AsyncConnection

    async def ready(self) -> None:
        """Send what waits to go first."""

    async def ask(self, asked: Questions, values: Mapping[str, Any]) -> Sequence[Any]:
        """Ask questions: for each the JSON array of its rows."""


class Channels(Protocol):
    """Connections to a database, each a channel for one transaction after the other."""

    def channel(self) -> AbstractAsyncContextManager[Channel]:
        """Lend a channel; at the end its transaction is committed, or rolled back when an exception passes."""

    async def close(self) -> None:
        """Close all connections."""


class PlainChannel:
    """A channel that sends all by SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Take a connection on which a transaction has begun."""
        self.connection = connection

    async def ready(self) -> None:
        """Nothing waits."""

    async def ask(self, asked: Questions, values: Mapping[str, Any]) -> Sequence[Any]:
        """Ask questions: for each the JSON array of its rows."""
        found = await self.connection.exec_driver_sql(asked.text, {**asked.constants, **values})
        return found.one()


class SqliteChannel(PlainChannel):
    """A channel to SQLite, which works in a thread of this process: statements sent together cost one turn of it."""

    def __init__(self, connection: AsyncConnection, driver: aiosqlite.Connection) -> None:
        """Take a connection on which a transaction has begun, and the driver's own below it."""
        super().__init__(connection)
        self._driver = driver

    async def ask(self, asked: Questions, values: Mapping[str, Any]) -> Sequence[Any]:
        """Ask questions: for each the JSON array of its rows."""
        ((found,),) = await self.run((asked.text, {**asked.constants, **values}))
        return found

    async def run(self, *statements: tuple[str, Mapping[str, Any]]) -> list[list[tuple[Any, ...]]]:
        """Send statements with their parameters, in order, and give the rows that each finds."""

        def work() -> list[list[tuple[Any, ...]]]:
            return [self._driver._conn.execute(*statement).fetchall() for statement in statements]  # noqa: SLF001

        try:
            # The one way into its thread; what it offers besides takes a statement at a time.
            found: list[list[tuple[Any, ...]]] = await self._driver._execute(work)  # type: ignore[no-untyped-call]  # noqa: SLF001
        except sqlite3.Error as error:
            raise DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True) from error
        return found


class SqliteChannels:
    """The connections of one of SQLite's engines."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take the engine, whose pool makes the connections."""
        self._engine = engine

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[SqliteChannel]:
        """Lend a channel; at the end its transaction is committed, or rolled back when an exception passes."""
        async with self._engine.connect() as connection, connection.begin():
            raw = await connection.get_raw_connection()
            yield SqliteChannel(connection, cast("aiosqlite.Connection", raw.driver_connection))

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


class _Prepared(NamedTuple):
    """A statement that a connection knows by a name, and its parameters in their order."""

    name: str
    parameters: tuple[str, ...]


class PostgresqlChannel:
    """A channel to PostgreSQL: SQLAlchemy's connection, and psycopg's own below it for what is sent often."""

    def __init__(self, connection: AsyncConnection, driver: psycopg.AsyncConnection[Any], *, prepares: bool) -> None:
        """Take a connection in autocommit mode; unless it `prepares`, questions go through SQLAlchemy."""
        self.connection = connection
        self._driver = driver
        self._cursor = driver.cursor()
        self._prepares = prepares
        self._prepared: dict[str, _Prepared] = {}
        self._names = 0
        self._first: list[str] = []
        self._has_failed = False
        self._unsure = False

    @property
    def is_idle(self) -> bool:
        """Whether it is open, and in no transaction."""
        return self._driver.pgconn.transaction_status == TransactionStatus.IDLE

    def first(self, *statements: str) -> None:
        """Have statements sent before whatever is sent next, in the same message."""
        self._first += statements

    async def ready(self) -> None:
        """Send what waits to go first."""
        if self._first or self._has_failed:
            await self.rows()

    async def ask(self, asked: Questions, values: Mapping[str, Any], *then: str) -> Sequence[Any]:
        """Ask questions: for each the JSON array of its rows. `then` follows in the same message."""
        if self._prepares:
            (found,) = await self.rows(*self._execution(asked.text, values), *then)
            return found
        await self.ready()
        answer = await self.connection.exec_driver_sql(asked.text, dict(values))
        return answer.one()

    async def write(self, text: str, values: Mapping[str, Any], *then: str) -> None:
        """Send a statement that finds nothing. `then` follows in the same message."""
        await self.rows(*self._execution(text, values), *then)

    async def rows(self, *statements: Statement) -> list[tuple[Any, ...]]:
        """Send statements as one message, after what waits to go first, and give all rows that they find.

        After one that failed none is sent: it may not even have begun the transaction.
        """
        if self._has_failed:
            raise RolledBackError
        parts: list[bytes] = []
        for statement in (*self._first, *statements):
            parts += (*([statement.encode()] if isinstance(statement, str) else statement), b"; ")
        message = b"".join(parts)
        self._first.clear()
        found: list[tuple[Any, ...]] = []
        try:
            await self._cursor.execute(message, prepare=False)
            more: bool | None = True
            while more:
                if self._cursor.description is not None:
                    found += await self._cursor.fetchall()
                more = self._cursor.nextset()
        except psycopg.Error as error:
            self._has_failed = True
            texts = [statement for statement in statements if isinstance(statement, str)]
            self._unsure |= any(text.startswith(("PREPARE", "DEALLOCATE")) for text in texts)
            # As SQLAlchemy's own statements fail. Its text would have the values in it.
            raise DBAPIError.instance(
                None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=self._driver.closed
            ) from error
        return found

    def _execution(self, text: str, values: Mapping[str, Any]) -> list[Statement]:
        """Write what executes a statement with named parameters, and prepares it the first time."""
        statements: list[Statement] = []
        prepared = self._prepared.get(text)
        if prepared is None:
            if len(self._prepared) >= _prepared_max:
                statements.append(f"DEALLOCATE {self._prepared.pop(next(iter(self._prepared))).name}")
            names = list(dict.fromkeys(_parameter.findall(text)))
            places = {name: f"${place}" for place, name in enumerate(names, 1)}
            body = _parameter.sub(lambda found: places[found[1]], text).replace("%%", "%")
            self._names += 1
            prepared = self._prepared[text] = _Prepared(f"hot{self._names}", tuple(names))
            statements.append(f"PREPARE {prepared.name} AS {body}")
        execution = [f"EXECUTE {prepared.name}(".encode()]
        for place, name in enumerate(prepared.parameters):
            execution += ((b", " if place else b""), *_literal(values[name]))
        return [*statements, [*execution, b")"]]

    async def end(self) -> None:
        """Commit, unless that went with the last message or nothing was ever sent."""
        self._first.clear()
        if self._has_failed:
            raise RolledBackError
        if not self.is_idle:
            await self.rows("COMMIT")
            if self._cursor.statusmessage != "COMMIT":
                raise RolledBackError
        if self.connection.in_transaction():
            # Only SQLAlchemy's own books: the database is done.
            await self.connection.commit()

    async def break_off(self) -> None:
        """Roll back."""
        self._first.clear()
        self._has_failed = False
        if not self.is_idle:
            await self.rows("ROLLBACK")
        if self._unsure:
            # What the failed message prepared may be there or not: neither names nor memory are to pile up.
            await self.rows("DEALLOCATE ALL")
            self._prepared.clear()
            self._unsure = False
        if self.connection.in_transaction():
            await self.connection.rollback()

    async def close(self) -> None:
        """Close the connection, without a word if it does not answer."""
        await self._driver.close()
        await self.connection.invalidate()
        await self.connection.close()


def _literal(value: str | bytes | int) -> tuple[bytes, ...]:
    """Write a constant; the connection takes backslashes for what they are (standard_conforming_strings)."""
    if isinstance(value, int):
        return (b"%d" % value,)
    text = value.encode() if isinstance(value, str) else value
    return b"'", text.replace(b"'", b"''"), b"'"


class PostgresqlChannels:
    """A bounded number of connections to PostgreSQL, kept between transactions."""

    def __init__(self, engine: AsyncEngine, *, size: int, wait_seconds: float, prepares: bool) -> None:
        """Take an engine without a pool, how many connections it may make, and how long to wait for one of them."""
        self._engine = engine
        self._turns = asyncio.Semaphore(size)
        self._wait_seconds = wait_seconds
        self._prepares = prepares
        self._free: list[PostgresqlChannel] = []

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[PostgresqlChannel]:
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
                await channel.close()
                raise
            self._free.append(channel)
        finally:
            self._turns.release()

    async def _open(self) -> PostgresqlChannel:
        connection = await self._engine.connect()
        raw = await connection.get_raw_connection()
        driver = cast("psycopg.AsyncConnection[Any]", raw.driver_connection)
        return PostgresqlChannel(connection, driver, prepares=self._prepares)

    async def _undo(self, channel: PostgresqlChannel) -> None:
        try:
            await channel.break_off()
        except DBAPIError:
            # Where one connection was cut the others may be as well.
            await channel.close()
            await self.close()
        else:
            self._free.append(channel)

    async def close(self) -> None:
        """Close the connections that are not lent."""
        while self._free:
            await self._free.pop().close()
