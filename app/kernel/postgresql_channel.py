"""A channel to PostgreSQL: what is sent often goes as text, prepared once, several statements to a message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import DBAPIError

from app.kernel.channels import Asked, Channel, RolledBackError
from app.kernel.connections import connect
from app.kernel.rows import together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa

    from app.kernel.connections import Connection
    from app.kernel.rows import Questions, Write

_prepared_max = 500
_parameter = re.compile(r"%\((\w+)\)s")


class _Prepared(NamedTuple):
    """A statement that a connection knows by a name, and its parameters in their order."""

    name: str
    parameters: tuple[str, ...]


class PostgresqlChannel(Channel):
    """A channel to PostgreSQL: SQLAlchemy's connection, and psycopg's own below it for what is sent often."""

    def __init__(self, connection: Connection, driver: psycopg.AsyncConnection[Any], *, prepares: bool) -> None:
        """Take a connection in autocommit mode; unless it `prepares`, questions go through SQLAlchemy."""
        super().__init__(connection)
        self._driver = driver
        self._cursor = driver.cursor()
        self._prepares = prepares
        self._prepared: dict[str, _Prepared] = {}
        self._names = 0
        self._unsure = False

    @property
    def is_idle(self) -> bool:
        """Whether it is open, and in no transaction."""
        return self._driver.pgconn.transaction_status == TransactionStatus.IDLE

    async def ask(self, asked: Questions, values: Mapping[str, Any], *then: str) -> Asked:
        """Ask questions, after what waits to go first; `then` follows in the same message."""
        if self._prepares:
            *before, found = await self.rows(*self._execution(asked.text, values), *then)
            return Asked(found, before)
        before = await self.rows()
        answer = await self.connection.exec_driver_sql(asked.text, dict(values))
        if then:
            await self.rows(*then)
        return Asked(answer.one(), before)

    async def write(self, writes: Sequence[Write], documents: Sequence[bytes], *then: str) -> None:
        """Write rows, each write's as its document, in one statement; `then` follows in the same message."""
        values = {f"rows{place}": document for place, document in enumerate(documents)}
        await self.rows(*self._execution(together(tuple(writes)), values), *then)

    async def rows(self, *statements: str | bytes) -> list[tuple[Any, ...]]:
        """Send statements as one message, after what waits to go first, and give all rows that they find.

        After one that failed none is sent: it may not even have begun the transaction.
        """
        self.check()
        message = b"; ".join(_encoded(statement) for statement in (*self._first, *statements))
        self._first.clear()
        found: list[tuple[Any, ...]] = []
        if not message:
            return found
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

    def _execution(self, text: str, values: Mapping[str, Any]) -> list[str | bytes]:
        """Write what executes a statement with named parameters, and prepares it the first time."""
        statements: list[str | bytes] = []
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
        arguments = b", ".join(_literal(values[name]) for name in prepared.parameters)
        return [*statements, b"EXECUTE %b(%b)" % (prepared.name.encode(), arguments)]

    async def end(self) -> None:
        """Commit, unless that went with the last message or nothing was ever sent."""
        ended = self.is_idle
        await super().end()
        if not ended and self._cursor.statusmessage != "COMMIT":
            raise RolledBackError

    async def break_off(self) -> None:
        """Roll back."""
        await super().break_off()
        if self._unsure:
            # What the failed message prepared may be there or not: neither names nor memory are to pile up.
            await self.rows("DEALLOCATE ALL")
            self._prepared.clear()
            self._unsure = False

    async def close(self) -> None:
        """Close the connection, without a word if it does not answer."""
        await self._driver.close()
        await super().close()


async def open_channel(engine: sa.Engine, *, prepares: bool) -> PostgresqlChannel:
    """Open a channel on a connection of its own."""
    connection = await connect(engine)
    return PostgresqlChannel(connection, await connection.driver_connection(), prepares=prepares)


def _literal(value: str | bytes | int) -> bytes:
    """Write a constant; the connection takes backslashes for what they are (standard_conforming_strings)."""
    return b"%d" % value if isinstance(value, int) else b"'%b'" % _encoded(value).replace(b"'", b"''")


def _encoded(text: str | bytes) -> bytes:
    """Give a text as it is sent: long ones come as bytes, and were never anything else."""
    return text if isinstance(text, bytes) else text.encode()
