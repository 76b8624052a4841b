"""Counts the SQL statements that a piece of work sends, so that nothing sends one a row."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.kernel.database import Session


@asynccontextmanager
async def statements(session: Session) -> AsyncIterator[list[str]]:
    """Collect the statements that are sent to the session's database within the block, or wait to be sent after it."""
    engine = session.connection.sync_engine
    sent: list[str] = []

    def keep(*arguments: Any) -> None:
        sent.append(arguments[2])

    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield sent
        await session.flush()
    finally:
        event.remove(engine, "before_cursor_execute", keep)
