"""SQLAlchemy's connections to drivers that are awaited.

`sqlalchemy.ext.asyncio` has such ones too, and loads the object mapper with them, as much again as is used here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.util import greenlet_spawn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from app.kernel.rows import Found


class Connection:
    """A connection, whose statements are awaited and have all their rows fetched."""

    def __init__(self, connection: sa.Connection) -> None:
        """Take a connection of an engine whose driver is awaited."""
        self._connection = connection
        self.dialect = connection.dialect

    async def execute(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Found:
        """Run a statement."""
        return await greenlet_spawn(self._connection.execute, statement, parameters)

    async def exec_driver_sql(self, text: str, parameters: Mapping[str, Any] | None = None) -> Found:
        """Run a statement as the driver takes it."""
        return await greenlet_spawn(self._connection.exec_driver_sql, text, parameters)

    async def driver_connection(self) -> Any:
        """The driver's own connection."""
        return (await greenlet_spawn(getattr, self._connection, "connection")).driver_connection

    def in_transaction(self) -> bool:
        """Whether SQLAlchemy thinks that a transaction is under way."""
        return self._connection.in_transaction()

    async def commit(self) -> None:
        """Commit the transaction."""
        await greenlet_spawn(self._connection.commit)

    async def rollback(self) -> None:
        """Roll the transaction back."""
        await greenlet_spawn(self._connection.rollback)

    async def invalidate(self) -> None:
        """Have nobody use the driver's connection again."""
        await greenlet_spawn(self._connection.invalidate)

    async def close(self) -> None:
        """Close the connection; what was not committed is rolled back."""
        await greenlet_spawn(self._connection.close)


async def connect(engine: sa.Engine) -> Connection:
    """Connect."""
    return Connection(await greenlet_spawn(engine.connect))
