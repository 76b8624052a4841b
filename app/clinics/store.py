"""All SQL of free clinics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.clinics.rules import HeadCount, Partner
from app.clinics.tables import head_counts, partners
from app.kernel.rows import insert_rows, update_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging

_p, _h = partners.c, head_counts.c
_later = head_counts.alias("later")
_columns = ("partner_id", "community_id", "number", "revision", "name", "kind", "uscc", "created_by", "created_at")
_partners = sa.select(*(_p[name] for name in _columns))


_corrected = (
    sa.exists()
    .where(
        _later.c.community_id == _h.community_id,
        _later.c.shift_id == _h.shift_id,
        _later.c.number > _h.number,
    )
    .correlate(head_counts)
)
_counted = sa.select(
    _h.head_count_id,
    _h.community_id,
    _h.number,
    _h.shift_id,
    _h.held_on,
    _h.counts,
    _h.counted_by,
    _h.counted_at,
)


async def insert_partners(session: Session, new: Sequence[Partner]) -> None:
    """Insert partners."""
    rows = [
        {
            "community_id": one.community,
            "partner_id": one.id,
            "number": one.number,
            "revision": one.revision,
            "name": one.name,
            "kind": one.kind,
            "uscc": one.uscc,
            "created_by": one.created_by,
            "created_at": one.created_at,
        }
        for one in new
    ]
    await insert_rows(session, partners, rows)


async def update_partners(session: Session, changed: Sequence[Partner]) -> None:
    """Store what is said of partners now."""
    rows = [
        {
            "community_id": one.community,
            "partner_id": one.id,
            "revision": one.revision,
            "name": one.name,
            "kind": one.kind,
            "uscc": one.uscc,
        }
        for one in changed
    ]
    await update_rows(session, partners, ("community_id", "partner_id"), rows)


async def load_partners(session: Session, community: int, ids: Collection[UUID]) -> dict[UUID, Partner]:
    """Load partners of a community; unknown ones are missing."""
    found = await session.execute(_partners.where(_p.community_id == community, _p.partner_id.in_(list(ids))))
    return {row.partner_id: Partner(*row) for row in found}


async def holders(session: Session, community: int, identifiers: Collection[str]) -> dict[str, UUID]:
    """Find which partners have these unified social credit identifiers."""
    found = await session.execute(_partners.where(_p.community_id == community, _p.uscc.in_(sorted(identifiers))))
    return {row.uscc: row.partner_id for row in found}


async def page_of_partners(session: Session, community: int, paging: Paging) -> list[Partner]:
    """Load partners, newest first."""
    statement = paging.newest_first(_partners.where(_p.community_id == community), _p.number)
    return [Partner(*row) for row in await session.execute(statement)]


async def insert_head_counts(session: Session, new: Sequence[HeadCount]) -> None:
    """Insert head-counts."""
    rows = [
        {
            "community_id": one.community,
            "head_count_id": one.id,
            "number": one.number,
            "shift_id": one.shift_id,
            "held_on": one.held_on,
            "counts": dict(one.counts),
            "counted_by": one.counted_by,
            "counted_at": one.counted_at,
        }
        for one in new
    ]
    await insert_rows(session, head_counts, rows)


async def page_of_head_counts(session: Session, community: int, shift_id: UUID, paging: Paging) -> list[HeadCount]:
    """Load the head-counts of a shift, newest first."""
    statement = paging.newest_first(_counted.where(_h.community_id == community, _h.shift_id == shift_id), _h.number)
    return [HeadCount(*row) for row in await session.execute(statement)]


async def standing_of(session: Session, community: int, shift_ids: Collection[UUID]) -> dict[UUID, HeadCount]:
    """Load the head-counts that stand of these shifts; shifts without one are missing."""
    found = await session.execute(
        _counted.where(_h.community_id == community, _h.shift_id.in_(list(shift_ids)), ~_corrected)
    )
    return {row.shift_id: HeadCount(*row) for row in found}


async def standing_between(session: Session, community: int, first: dt.date, last: dt.date) -> list[HeadCount]:
    """Load the head-counts that stand of the clinics held from one day to another, both included."""
    held = _counted.where(_h.community_id == community, _h.held_on >= first, _h.held_on <= last, ~_corrected)
    return [HeadCount(*row) for row in await session.execute(held.order_by(_h.held_on, _h.number))]
