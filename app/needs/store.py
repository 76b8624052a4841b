"""All SQL of needs. What is personal comes and goes sealed."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.kernel.rows import insert_rows, looked_up, rows_of, update_rows
from app.kernel.types import Instant
from app.needs.rules import COMPLAINT, OLD_ABOVE, OPEN, TOLD_OF, WITHDRAWN, YOUNG_BELOW, Ages, Decision, Need, Telling
from app.needs.tables import needs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query

NeedKey = tuple[int, UUID]
"""A need: the community's small number and the need's id."""

_n = needs.c
_key = ("community_id", "need_id")


class Stored(NamedTuple):
    """A need without its asker, the decision's reason sealed, and what is sealed of the filing."""

    need: Need
    sealed: str


async def insert(session: Session, filed: Sequence[Stored]) -> None:
    """Insert new needs."""
    rows = [
        {
            "community_id": one.community,
            "need_id": one.id,
            "number": one.number,
            "kind": one.kind,
            "category": one.category,
            "place": one.counted_place or "",
            "sealed": sealed,
            "anonymous": one.anonymous,
            "volunteer_id": one.volunteer_id,
            "beneficiary_id": one.beneficiary_id,
            "filed_by": one.filed_by,
            "filed_at": one.filed_at,
            "status": one.status,
        }
        for one, sealed in filed
    ]
    await insert_rows(session, needs, rows)


async def decide(session: Session, decided: Sequence[tuple[NeedKey, Decision]]) -> None:
    """Store what became of needs, the reasons sealed."""
    rows = [
        {
            "community_id": key[0],
            "need_id": key[1],
            "status": decision.status,
            "activity_id": decision.activity_id,
            "reason": decision.reason,
            "decided_by": decision.decided_by,
            "decided_at": decision.decided_at,
        }
        for key, decision in decided
    ]
    await update_rows(session, needs, _key, rows)


async def tell(session: Session, told: Sequence[tuple[NeedKey, Telling]]) -> None:
    """Store that whoever asked was told."""
    rows = [
        {
            "community_id": key[0],
            "need_id": key[1],
            "told_by": telling.told_by,
            "told_at": telling.told_at,
            "channel": telling.channel,
        }
        for key, telling in told
    ]
    await update_rows(session, needs, _key, rows)


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_n.community_id, _n.need_id])
    matches = (_n.community_id == asked.c.community_id) & (_n.need_id == asked.c.need_id)
    return looked_up(dialect, asked, sa.select(needs), matches)


async def load(session: Session, keys: Collection[NeedKey]) -> dict[NeedKey, Stored]:
    """Load needs; unknown ones are missing."""
    asked = [{"community_id": community, "need_id": need_id} for community, need_id in sorted(set(keys))]
    found = [_stored(row) for row in await session.execute_rows(_by_id(session.dialect), asked)]
    return {(one.need.community, one.need.id): one for one in found}


async def page(
    session: Session, community: int, paging: Paging, now: datetime, *, volunteer_id: UUID | None = None
) -> list[Stored]:
    """Load needs, newest first, of one volunteer if one is given.

    Filters: `status`, `kind`, `place`, `beneficiary_id`, `untold` (decided, and who asked not told), `open_for_days`.
    """
    statement = sa.select(needs).where(_n.community_id == community)
    if volunteer_id is not None:
        statement = statement.where(_n.volunteer_id == volunteer_id)
    for name in ("status", "kind", "place"):
        if value := paging.filters.get(name):
            statement = statement.where(_n[name] == value)
    if beneficiary_id := paging.filtered_id("beneficiary_id"):
        statement = statement.where(_n.beneficiary_id == beneficiary_id)
    if (untold := paging.filters.get("untold")) is not None:
        waiting = _n.status.in_(TOLD_OF) & _n.told_at.is_(None) & ~_n.anonymous
        statement = statement.where(waiting if untold else ~waiting)
    if (days := paging.filters.get("open_for_days")) is not None:
        statement = statement.where(_n.status == OPEN, _n.filed_at <= now - dt.timedelta(days=days))
    return [_stored(row) for row in await session.execute(paging.newest_first(statement, _n.number))]


async def ages(session: Session, community: int, now: datetime) -> Ages:
    """Count a community's open needs by their age."""
    young, old = _n.filed_at > now - YOUNG_BELOW, _n.filed_at < now - OLD_ABOVE
    counted = [sa.func.count(sa.case((part, 1))) for part in (young, ~young & ~old, old)]
    oldest = sa.func.min(_n.filed_at, type_=Instant())
    found = await session.execute(sa.select(*counted, oldest).where(_n.community_id == community, _n.status == OPEN))
    return Ages(*found.one())


async def complaints_by_place(session: Session, community: int, begin: datetime, end: datetime) -> dict[str, int]:
    """Count the complaints filed from `begin` to before `end`, by place, without those that were withdrawn."""
    found = await session.execute(
        sa.select(_n.place, sa.func.count())
        .where(
            _n.community_id == community,
            _n.kind == COMPLAINT,
            _n.status != WITHDRAWN,
            _n.filed_at >= begin,
            _n.filed_at < end,
        )
        .group_by(_n.place)
    )
    return {row[0]: row[1] for row in found}


def _stored(row: AnyRow) -> Stored:
    decision = telling = None
    if row.decided_at is not None:
        decision = Decision(row.status, row.decided_by, row.decided_at, row.activity_id, row.reason)
    if row.told_at is not None:
        telling = Telling(row.told_by, row.told_at, row.channel)
    need = Need(
        id=row.need_id,
        community=row.community_id,
        number=row.number,
        kind=row.kind,
        category=row.category,
        place=row.place or None,
        text=None,
        asker=None,
        anonymous=row.anonymous,
        volunteer_id=row.volunteer_id,
        beneficiary_id=row.beneficiary_id,
        filed_by=row.filed_by,
        filed_at=row.filed_at,
        decision=decision,
        telling=telling,
    )
    return Stored(need, row.sealed)
