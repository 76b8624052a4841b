"""A channel to SQLite, which works in a thread of this process: what is sent together costs one turn of it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from app.kernel.channels import Asked, Channel
from app.kernel.connections import connect
from app.kernel.rows import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import aiosqlite
    import sqlalchemy as sa

    from app.kernel.connections import Connection
    from app.kernel.rows import Questions, Write

_Statement = tuple[str, "Mapping[str, Any]"]


class SqliteChannel(Channel):
    """A channel to SQLite: SQLAlchemy's connection, and the driver's own below it for what is sent often."""

    def __init__(self, connection: Connection, driver: aiosqlite.Connection) -> None:
        """Take a connection that begins no transaction by itself."""
        super().__init__(connection)
        self._driver = driver

    @property
    def is_idle(self) -> bool:
        """Whether it is in no transaction."""
        return not self._driver.in_transaction

    async def rows(self, *statements: str) -> list[tuple[Any, ...]]:
        """Send statements in one turn, after what waits to go first, and give all rows that they find."""
        return await self.run([(statement, {}) for statement in statements])

    async def ask(self, asked: Questions, values: Mapping[str, Any], *then: str) -> Asked:
        """Ask questions, after what waits to go first; `then` follows in the same turn."""
        question = (asked.text, {**asked.constants, **values})
        *before, found = await self.run([question, *((statement, {}) for statement in then)])
        return Asked(found, before)

    async def write(self, writes: Sequence[Write], documents: Sequence[bytes], *then: str) -> None:
        """Write rows, each write's as its document; `then` follows in the same turn."""
        statements = [
            (text_of(write), {"rows": document.decode()}) for write, document in zip(writes, documents, strict=True)
        ]
        # What waits may have overtaken what it refers to.
        await self.run([("PRAGMA defer_foreign_keys = ON", {}), *statements, *((statement, {}) for statement in then)])

    async def run(self, statements: Sequence[_Statement]) -> list[tuple[Any, ...]]:
        """Send statements with their parameters, after what waits to go first, and give all rows that they find."""
        self.check()
        turn: list[_Statement] = [*((statement, {}) for statement in self._first), *statements]
        self._first.clear()

        def work() -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = []
            for statement in turn:
                found += self._driver._conn.execute(*statement)  # noqa: SLF001
            return found

        try:
            # The one way into its thread; what it offers besides takes a statement at a time.
            found: list[tuple[Any, ...]] = await self._driver._execute(work)  # type: ignore[no-untyped-call]  # noqa: SLF001
        except sqlite3.Error as error:
            self._has_failed = True
            raise DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True) from error
        return found

    async def cut_off(self) -> None:
        """Close the connection, and break off what it may still be at."""
        # Only here: told to stop, a connection does not write its log into the file as it closes.
        # SQLAlchemy has closed it when it was what waited; the driver's complaint would pass for the cancellation.
        with suppress(ValueError):
            await self._driver.interrupt()
        await self.close()


async def open_channel(engine: sa.Engine) -> SqliteChannel:
    """Open a channel on a connection of its own."""
    connection = await connect(engine)
    return SqliteChannel(connection, await connection.driver_connection())
