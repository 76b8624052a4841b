"""All SQL of disputes. Reasons come and go sealed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from app.disputes.rules import OPEN, Dispute, Step
from app.disputes.tables import dispute_steps, disputes
from app.kernel.rows import insert_rows, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query

DisputeKey = tuple[int, UUID]
"""A dispute: the community's small number and the dispute's id."""

_d, _s = disputes.c, dispute_steps.c


async def insert(session: Session, filed: Sequence[Dispute]) -> None:
    """Insert new disputes with their first steps."""
    rows = [
        {
            "community_id": one.community,
            "dispute_id": one.id,
            "number": one.number,
            "volunteer_id": one.volunteer_id,
            "service_record_id": one.service_record_id,
            "transaction_number": one.transaction_id,
            "reference": one.reference,
            "due_at": one.due_at,
            "status": one.status,
        }
        for one in filed
    ]
    await insert_rows(session, disputes, rows)
    await _insert_last_steps(session, filed)


async def move_on(session: Session, moved: Sequence[Dispute]) -> None:
    """Store the new status of disputes and the step that led there."""
    rows = [{"community_id": one.community, "dispute_id": one.id, "status": one.status} for one in moved]
    await session.execute_rows(_move(session.dialect), rows)
    await _insert_last_steps(session, moved)


@cache
def _move(dialect: str) -> sa.Update:
    new = rows_of(dialect, "rows", [_d.community_id, _d.dispute_id, _d.status])
    matches = (_d.community_id == new.c.community_id) & (_d.dispute_id == new.c.dispute_id)
    return sa.update(disputes).where(matches).values(status=new.c.status)


async def _insert_last_steps(session: Session, changed: Sequence[Dispute]) -> None:
    rows = [
        {
            "community_id": one.community,
            "dispute_id": one.id,
            "step": len(one.steps),
            "status": one.steps[-1].status,
            "taken_by": one.steps[-1].taken_by,
            "taken_at": one.steps[-1].taken_at,
            "reason": one.steps[-1].reason,
        }
        for one in changed
    ]
    await insert_rows(session, dispute_steps, rows)


@cache
def _open(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_d.community_id, _d.volunteer_id])
    matches = (_d.community_id == asked.c.community_id) & (_d.volunteer_id == asked.c.volunteer_id)
    columns = (_d.community_id, _d.volunteer_id, _d.service_record_id, _d.transaction_number, _d.dispute_id)
    return sa.select(*columns).join_from(asked, disputes, matches).where(_d.status == OPEN)


async def open_ones(
    session: Session, volunteers: Collection[tuple[int, UUID]]
) -> dict[tuple[int, UUID, UUID | int], UUID]:
    """Find what these volunteers contest now: (community, volunteer, record or transaction) to the dispute's id."""
    asked = [{"community_id": community, "volunteer_id": volunteer_id} for community, volunteer_id in set(volunteers)]
    found = await session.execute_rows(_open(session.dialect), asked)
    return {(row[0], row[1], row[2] or row[3]): row[4] for row in found}


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_d.community_id, _d.dispute_id])
    matches = (_d.community_id == asked.c.community_id) & (_d.dispute_id == asked.c.dispute_id)
    return sa.select(disputes).join_from(asked, disputes, matches)


@cache
def _steps(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_s.community_id, _s.dispute_id])
    matches = (_s.community_id == asked.c.community_id) & (_s.dispute_id == asked.c.dispute_id)
    return sa.select(dispute_steps).join_from(asked, dispute_steps, matches).order_by(_s.step)


async def load(session: Session, keys: Collection[DisputeKey]) -> dict[DisputeKey, Dispute]:
    """Load disputes; unknown ones are missing."""
    asked = [{"community_id": community, "dispute_id": dispute_id} for community, dispute_id in set(keys)]
    rows = list(await session.execute_rows(_by_id(session.dialect), asked))
    return {(one.community, one.id): one for one in await _with_steps(session, rows)}


async def page(session: Session, community: int, paging: Paging, now: datetime) -> list[Dispute]:
    """Load disputes, newest first; filters: `status`, `volunteer_id`, `overdue` (at the moment `now`)."""
    statement = sa.select(disputes).where(_d.community_id == community)
    if status := paging.filters.get("status"):
        statement = statement.where(_d.status == status)
    if volunteer_id := paging.filtered_id("volunteer_id"):
        statement = statement.where(_d.volunteer_id == volunteer_id)
    if (overdue := paging.filters.get("overdue")) is not None:
        late = (_d.status == OPEN) & (_d.due_at <= now)
        statement = statement.where(late if overdue else ~late)
    return await _with_steps(session, list(await session.execute(paging.newest_first(statement, _d.number))))


async def _with_steps(session: Session, rows: Sequence[AnyRow]) -> list[Dispute]:
    asked = [{"community_id": row.community_id, "dispute_id": row.dispute_id} for row in rows]
    steps: dict[UUID, list[Step]] = {}
    for row in await session.execute_rows(_steps(session.dialect), asked):
        steps.setdefault(row.dispute_id, []).append(Step(row.status, row.taken_by, row.taken_at, row.reason))
    return [
        Dispute(
            id=row.dispute_id,
            community=row.community_id,
            number=row.number,
            volunteer_id=row.volunteer_id,
            service_record_id=row.service_record_id,
            transaction_id=row.transaction_number,
            reference=row.reference,
            due_at=row.due_at,
            status=row.status,
            steps=tuple(steps[row.dispute_id]),
        )
        for row in rows
    ]
