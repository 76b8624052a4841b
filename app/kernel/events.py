"""What happened, in the order of commits: one event for each change of state, appended in the change's own commit.

An event carries a type (a noun and what became of it), a time and ids; nothing personal. Its number is the head's, so
a reader that has seen number N has seen every event up to N for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from app.kernel.rows import insert_rows
from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Document, Instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.kernel.database import Session

events = sa.Table(
    "events",
    metadata,
    tenant_key(),
    sa.Column("number", Count, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("occurred_at", Instant, nullable=False),
    sa.Column("data", Document, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "number", name="events_pkey"),
    # Not on PostgreSQL, where it would cost more than it says: whoever inserts here holds the head's lock.
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="events_head_fkey").ddl_if(
        dialect="sqlite"
    ),
    sqlite_strict=True,
)


class Event(NamedTuple):
    """A change of state to announce: its community's small number, its type, and the ids it concerns."""

    community: int
    type: str
    data: dict[str, Any]


class Announced(NamedTuple):
    """An event as readers see it."""

    number: int
    type: str
    occurred_at: datetime
    data: dict[str, Any]


async def append(session: Session, happened: Sequence[Event]) -> list[int]:
    """Append events in order and give their numbers. The heads of their communities must be held."""
    numbers = [session.heads[event.community].next_event() for event in happened]
    rows = [
        {
            "community_id": event.community,
            "number": number,
            "type": event.type,
            "occurred_at": session.now(event.community),
            "data": event.data,
        }
        for event, number in zip(happened, numbers, strict=True)
    ]
    await insert_rows(session, events, rows)
    return numbers


async def read_after(session: Session, community: int, *, after: int, limit: int) -> list[Announced]:
    """Read events with a number above `after`, in order, at most `limit`."""
    found = await session.execute(
        sa.select(events.c.number, events.c.type, events.c.occurred_at, events.c.data)
        .where(events.c.community_id == community, events.c.number > after)
        .order_by(events.c.number)
        .limit(limit)
    )
    return [Announced(*row) for row in found]


async def number_gap(session: Session, community: int) -> tuple[int, int]:
    """Give how many numbers from 1 events have, and the highest: both the head's number when none is lost."""
    found = await session.execute(
        sa.select(sa.func.count(events.c.number.distinct()), sa.func.coalesce(sa.func.max(events.c.number), 0)).where(
            events.c.community_id == community, events.c.number > 0
        )
    )
    row = found.one()
    return row[0], row[1]
