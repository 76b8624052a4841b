"""All SQL of audits that were asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from app.kernel.rows import insert_rows, rows_of
from app.reports.rules import PENDING, Audit, Found
from app.reports.tables import audits

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.kernel.database import Session
    from app.kernel.rows import AnyRow, Query

AuditKey = tuple[int, UUID]
"""An audit: the community's small number and the audit's id."""

_a = audits.c


async def insert(session: Session, requested: Sequence[Audit]) -> None:
    """Insert audits that were just asked for."""
    rows = [
        {
            "community_id": one.community,
            "audit_id": one.id,
            "requested_by": one.requested_by,
            "requested_at": one.requested_at,
            "status": one.status,
        }
        for one in requested
    ]
    await insert_rows(session, audits, rows)


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_a.community_id, _a.audit_id])
    matches = (_a.community_id == asked.c.community_id) & (_a.audit_id == asked.c.audit_id)
    return sa.select(audits).join_from(asked, audits, matches)


async def load(session: Session, keys: Collection[AuditKey]) -> dict[AuditKey, Audit]:
    """Load audits; unknown ones are missing."""
    asked = [{"community_id": community, "audit_id": audit_id} for community, audit_id in set(keys)]
    found = await session.execute_rows(_by_id(session.dialect), asked)
    return {(row.community_id, row.audit_id): _audit(row) for row in found}


async def pending(session: Session, communities: Collection[int]) -> dict[int, Audit]:
    """Load the audits of these communities that wait to be run."""
    found = await session.execute(
        sa.select(audits).where(_a.community_id.in_(sorted(communities)), _a.status == PENDING)
    )
    return {row.community_id: _audit(row) for row in found}


def _audit(row: AnyRow) -> Audit:
    return Audit(
        id=row.audit_id,
        community=row.community_id,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        status=row.status,
        started_at=row.started_at,
        finished_at=row.finished_at,
        last_transaction_id=row.last_transaction,
        discrepancies_count=row.discrepancies_count,
        discrepancies=None if row.discrepancies is None else tuple(Found(**found) for found in row.discrepancies),
    )


_moving = ("status", "started_at", "finished_at", "last_transaction", "discrepancies_count", "discrepancies")


@cache
def _update(dialect: str) -> sa.Update:
    new = rows_of(dialect, "rows", [_a.community_id, _a.audit_id, *(_a[name] for name in _moving)])
    matches = (_a.community_id == new.c.community_id) & (_a.audit_id == new.c.audit_id)
    return sa.update(audits).where(matches).values({name: new.c[name] for name in _moving})


async def update(session: Session, moved: Sequence[Audit]) -> None:
    """Store how far audits are, and what they found."""
    rows = [
        {
            "community_id": one.community,
            "audit_id": one.id,
            "status": one.status,
            "started_at": one.started_at,
            "finished_at": one.finished_at,
            "last_transaction": one.last_transaction_id,
            "discrepancies_count": one.discrepancies_count,
            "discrepancies": one.discrepancies,
        }
        for one in moved
    ]
    await session.execute_rows(_update(session.dialect), rows)
