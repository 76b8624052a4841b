"""What is sent to a database, seen where it leaves: SQLAlchemy's statements, and the messages of a channel below it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import sqlalchemy as sa

from app.kernel.postgresql_channel import PostgresqlChannel
from app.kernel.sqlite_channel import SqliteChannel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_execution = re.compile(r"EXECUTE (\w+)\(.*\)", re.DOTALL)


def text_of(statement: str | bytes) -> str:
    """What a channel is to send, as text."""
    return statement if isinstance(statement, str) else statement.decode()


@contextmanager
def sent() -> Iterator[list[str]]:
    """Collect what any connection sends within the block; a message is its statements with what was prepared."""
    collected: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        collected.append(statement)

    async def rows(self: PostgresqlChannel, *statements: str | bytes) -> list[tuple[Any, ...]]:
        texts = {prepared.name: text for text, prepared in self._prepared.items()}
        message = [*self._first, *(one for one in map(text_of, statements) if not one.startswith("PREPARE"))]
        collected.append("; ".join(_execution.sub(lambda found: texts[found[1]], one) for one in message))
        return await whole(self, *statements)

    async def run(self: SqliteChannel, statements: Sequence[tuple[str, Any]]) -> list[tuple[Any, ...]]:
        texts = [*self._first, *(text for text, _ in statements)]
        collected.extend(text for text in texts if not text.startswith("PRAGMA"))
        return await in_one_turn(self, statements)

    whole, in_one_turn = PostgresqlChannel.rows, SqliteChannel.run
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        with patch.object(PostgresqlChannel, "rows", rows), patch.object(SqliteChannel, "run", run):
            yield collected
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


@contextmanager
def replayable() -> Iterator[dict[sa.Connection, list[tuple[str, Any]]]]:
    """Collect what SQLite is sent within the block, with the values: for each connection all of it, in order."""
    collected: dict[sa.Connection, list[tuple[str, Any]]] = {}

    def note(connection: sa.Connection, _cursor: Any, statement: str, values: Any, _context: Any, many: Any) -> None:
        collected.setdefault(connection, []).extend((statement, one) for one in (values if many else [values]))

    async def run(self: SqliteChannel, statements: Sequence[tuple[str, Any]]) -> list[tuple[Any, ...]]:
        sent_before = collected.setdefault(self.connection._connection, [])  # noqa: SLF001  as its own events name it
        sent_before.extend([*((text, {}) for text in self._first), *statements])
        return await in_one_turn(self, statements)

    in_one_turn = SqliteChannel.run
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        with patch.object(SqliteChannel, "run", run):
            yield collected
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
