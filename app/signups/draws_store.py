"""All SQL of draws."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.kernel.rows import insert_rows, looked_up, rows_of, update_rows
from app.signups.rules import Draw, Lot
from app.signups.tables import draws, lots

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.rows import Query

    Key = tuple[int, UUID]

_d, _l = draws.c, lots.c
_changes = ("draws_at", "drawn_at", "drawn_by")


async def insert(session: Session, new: Sequence[Draw]) -> None:
    """Insert draws that are to be made."""
    rows = [
        {
            "community_id": one.community,
            "shift_id": one.shift_id,
            "commitment": one.commitment,
            "opened_at": one.opened_at,
            "draws_at": one.draws_at,
        }
        for one in new
    ]
    await insert_rows(session, draws, rows)


async def update(session: Session, changed: Sequence[Draw]) -> None:
    """Store draws as they were put off or made."""
    rows = [
        {
            "community_id": one.community,
            "shift_id": one.shift_id,
            "revealed": one.secret,
            **{name: getattr(one, name) for name in _changes},
        }
        for one in changed
    ]
    await update_rows(session, draws, ("community_id", "shift_id"), rows)


async def insert_lots(session: Session, drawn: Sequence[Draw]) -> None:
    """Insert what draws gave to whom."""
    rows = [
        {"community_id": draw.community, "shift_id": draw.shift_id, **lot._asdict()}
        for draw in drawn
        for lot in draw.lots
    ]
    await insert_rows(session, lots, rows)


@cache
def _by_shift(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_d.community_id, _d.shift_id])
    matches = (_d.community_id == asked.c.community_id) & (_d.shift_id == asked.c.shift_id)
    return looked_up(dialect, asked, sa.select(draws), matches)


async def load(session: Session, keys: Collection[Key]) -> dict[Key, Draw]:
    """Load the draws of shifts, without lots and applicants; shifts without any are missing."""
    asked = [{"community_id": community, "shift_id": shift_id} for community, shift_id in sorted(set(keys))]
    found = await session.execute_rows(_by_shift(session.dialect), asked) if asked else []
    return {
        (row.community_id, row.shift_id): Draw(
            community=row.community_id,
            shift_id=row.shift_id,
            commitment=row.commitment,
            opened_at=row.opened_at,
            draws_at=row.draws_at,
            drawn_at=row.drawn_at,
            drawn_by=row.drawn_by,
            secret=row.revealed,
        )
        for row in found
    }


async def lots_of(session: Session, key: Key) -> tuple[Lot, ...]:
    """Load what a draw gave, by position and rank."""
    found = await session.execute(
        sa.select(_l.signup_id, _l.position_id, _l.participant_id, _l.rank, _l.seat)
        .where(_l.community_id == key[0], _l.shift_id == key[1])
        .order_by(_l.position_id, _l.rank)
    )
    return tuple(Lot(*row) for row in found)
