"""Counts the SQL statements that a piece of work sends, so that nothing sends one a row."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.sending import sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.kernel.database import Session


@asynccontextmanager
async def statements(session: Session) -> AsyncIterator[list[str]]:
    """Collect the statements that are sent to the session's database within the block, or wait to be sent after it."""
    with sent() as collected:
        yield collected
        await session.flush()
