"""All SQL of redemptions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from app.kernel.rows import insert_rows, looked_up, rows_of, update_rows
from app.kernel.types import LocalDate
from app.redemptions.rules import COLLECTED, RESERVED, Line, Redemption
from app.redemptions.tables import redemption_lines, redemption_returns, redemptions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query

RedemptionKey = tuple[int, "UUID"]
"""A redemption: the community's small number and the redemption's id."""

_r, _l, _b = redemptions.c, redemption_lines.c, redemption_returns.c

_whole = redemptions.outerjoin(
    redemption_returns, (_b.community_id == _r.community_id) & (_b.redemption_id == _r.redemption_id)
)
"""Redemptions with their returns."""

_columns = [*_r, _b.return_reason, _b.returned_at, _b.returned_by, _b.transaction_number]
_codeless = [sa.literal("").label(column.name) if column is _r.pickup_code else column for column in _columns]
"""The same without pickup codes, which auditors may not read."""


class Span(NamedTuple):
    """The days over which a volunteer's pieces of an article are asked for."""

    community: int
    volunteer_id: UUID
    goods_id: UUID
    first: dt.date
    last: dt.date


async def insert(session: Session, made: Sequence[Redemption]) -> None:
    """Insert redemptions with their lines."""
    rows = [
        {
            "community_id": one.community,
            "redemption_id": one.id,
            "number": one.number,
            "volunteer_id": one.volunteer_id,
            "points": one.points,
            "pickup_code": one.pickup_code,
            "occurred_at": one.occurred_at,
            "occurred_on": one.occurred_on,
            "reserved_by": one.reserved_by,
            "reserved_at": one.reserved_at,
            "lapses_at": one.lapses_at,
            "status": one.status,
        }
        for one in made
    ]
    lines = [
        {
            "community_id": one.community,
            "redemption_id": one.id,
            "goods_id": line.goods_id,
            "quantity": line.quantity,
            "points_each": line.points_each,
        }
        for one in made
        for line in one.lines
    ]
    await insert_rows(session, redemptions, rows)
    await insert_rows(session, redemption_lines, lines)


@cache
def _taken(dialect: str) -> Query:
    asked = rows_of(
        dialect,
        "rows",
        [
            _r.community_id,
            _r.volunteer_id,
            _l.goods_id,
            sa.Column("first", LocalDate),
            sa.Column("last", LocalDate),
        ],
    )
    who = (_r.community_id == asked.c.community_id) & (_r.volunteer_id == asked.c.volunteer_id)
    same = (_l.community_id == _r.community_id) & (_l.redemption_id == _r.redemption_id)
    what = _l.goods_id == asked.c.goods_id
    when = _r.occurred_on.between(asked.c.first, asked.c.last) & _r.status.in_((RESERVED, COLLECTED))
    found = sa.select(_r.community_id, _r.volunteer_id, _l.goods_id, _r.occurred_on, _l.quantity).join_from(
        redemptions, redemption_lines, same
    )
    return looked_up(dialect, asked, found, who & what & when)


async def taken(
    session: Session, spans: Collection[Span]
) -> dict[tuple[int, UUID], dict[UUID, list[tuple[dt.date, int]]]]:
    """Load the pieces that volunteers had or hold within these spans: by volunteer, article and day."""
    asked = [
        {
            "community_id": span.community,
            "volunteer_id": span.volunteer_id,
            "goods_id": span.goods_id,
            "first": span.first,
            "last": span.last,
        }
        for span in spans
    ]
    found: dict[tuple[int, UUID], dict[UUID, list[tuple[dt.date, int]]]] = {}
    for row in await session.execute_rows(_taken(session.dialect), asked):
        by_goods = found.setdefault((row.community_id, row.volunteer_id), {})
        by_goods.setdefault(row.goods_id, []).append((row.occurred_on, row.quantity))
    return found


@cache
def _by_id(dialect: str, *, codes: bool) -> Query:
    asked = rows_of(dialect, "rows", [_r.community_id, _r.redemption_id])
    matches = (_r.community_id == asked.c.community_id) & (_r.redemption_id == asked.c.redemption_id)
    found = sa.select(*(_columns if codes else _codeless)).select_from(_whole)
    return looked_up(dialect, asked, found, matches)


@cache
def _lines(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_r.community_id, _r.redemption_id])
    matches = (_l.community_id == asked.c.community_id) & (_l.redemption_id == asked.c.redemption_id)
    # By article within each redemption.
    return looked_up(dialect, asked, sa.select(redemption_lines), matches).order_by(sa.literal_column("goods_id"))


async def load(
    session: Session, keys: Collection[RedemptionKey], *, codes: bool = True
) -> dict[RedemptionKey, Redemption]:
    """Load redemptions; unknown ones are missing, and so are pickup codes that are not asked for."""
    if not keys:
        return {}
    asked = [{"community_id": community, "redemption_id": redemption_id} for community, redemption_id in set(keys)]
    rows = list(await session.execute_rows(_by_id(session.dialect, codes=codes), asked))
    return {(one.community, one.id): one for one in await _with_lines(session, rows)}


async def page(session: Session, community: int, paging: Paging, *, codes: bool = True) -> list[Redemption]:
    """Load redemptions, newest first; filters: `status`, `volunteer_id`. Pickup codes are missing unless asked for."""
    statement = sa.select(*(_columns if codes else _codeless)).select_from(_whole).where(_r.community_id == community)
    if status := paging.filters.get("status"):
        statement = statement.where(_r.status == status)
    if volunteer_id := paging.filtered_id("volunteer_id"):
        statement = statement.where(_r.volunteer_id == volunteer_id)
    return await _with_lines(session, list(await session.execute(paging.newest_first(statement, _r.number))))


async def _with_lines(session: Session, rows: Sequence[AnyRow]) -> list[Redemption]:
    asked = [{"community_id": row.community_id, "redemption_id": row.redemption_id} for row in rows]
    lines: dict[UUID, list[Line]] = {}
    for row in await session.execute_rows(_lines(session.dialect), asked):
        lines.setdefault(row.redemption_id, []).append(Line(row.goods_id, row.quantity, row.points_each))
    return [
        Redemption(
            id=row.redemption_id,
            community=row.community_id,
            number=row.number,
            volunteer_id=row.volunteer_id,
            lines=tuple(lines.get(row.redemption_id, ())),
            points=row.points,
            status=row.status,
            pickup_code=row.pickup_code,
            occurred_at=row.occurred_at,
            occurred_on=row.occurred_on,
            reserved_by=row.reserved_by,
            reserved_at=row.reserved_at,
            lapses_at=row.lapses_at,
            closed_at=row.closed_at,
            closed_by=row.closed_by,
            reason=row.reason or row.return_reason,
            returned_at=row.returned_at,
            returned_by=row.returned_by,
            return_transaction_id=row.transaction_number,
        )
        for row in rows
    ]


async def close(session: Session, closed: Sequence[Redemption]) -> None:
    """Store how redemptions were closed."""
    rows = [
        {
            "community_id": one.community,
            "redemption_id": one.id,
            "status": one.status,
            "closed_at": one.closed_at,
            "closed_by": one.closed_by,
            "reason": one.reason,
        }
        for one in closed
    ]
    await update_rows(session, redemptions, ("community_id", "redemption_id"), rows)


async def give_back(session: Session, returned: Sequence[Redemption]) -> None:
    """Store that redemptions were returned."""
    keys = [{"community_id": one.community, "redemption_id": one.id} for one in returned]
    rows = [
        {
            **key,
            "transaction_number": one.return_transaction_id,
            "return_reason": one.reason,
            "returned_by": one.returned_by,
            "returned_at": one.returned_at,
        }
        for key, one in zip(keys, returned, strict=True)
    ]
    statuses = [{**key, "status": one.status} for key, one in zip(keys, returned, strict=True)]
    await update_rows(session, redemptions, ("community_id", "redemption_id"), statuses)
    await insert_rows(session, redemption_returns, rows)


async def count_by_status(session: Session, community: int) -> dict[str, int]:
    """Count redemptions by status."""
    found = await session.execute(
        sa.select(_r.status, sa.func.count()).where(_r.community_id == community).group_by(_r.status)
    )
    return {row[0]: row[1] for row in found}


async def ids_by_status(session: Session, community: int, statuses: Collection[str]) -> list[UUID]:
    """Load the ids of the redemptions of these statuses, in their order."""
    chosen = (_r.community_id == community) & _r.status.in_(sorted(statuses))
    return list((await session.execute(sa.select(_r.redemption_id).where(chosen).order_by(_r.number))).scalars())
