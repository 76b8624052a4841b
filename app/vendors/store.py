"""All SQL of vendors. Who they are comes and goes sealed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from app.kernel.rows import insert_rows, looked_up, rows_of, update_rows
from app.vendors.rules import ACTIVE, ERASED
from app.vendors.tables import vendors

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row

VendorKey = tuple[int, UUID]
"""A vendor: the community's small number and the vendor's id."""

_v = vendors.c


async def insert(session: Session, rows: Sequence[Row]) -> None:
    """Insert vendors."""
    await insert_rows(session, vendors, rows)


async def update(session: Session, rows: Sequence[Row]) -> None:
    """Store vendors as they ended or were erased: each row with its key, all with the same columns."""
    await update_rows(session, vendors, ("community_id", "vendor_id"), rows)


@cache
def _holders(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_v.community_id, _v.phone_hash])
    matches = (_v.community_id == asked.c.community_id) & (_v.phone_hash == asked.c.phone_hash)
    return looked_up(dialect, asked, sa.select(_v.community_id, _v.phone_hash).where(_v.status == ACTIVE), matches)


async def taken(session: Session, hashes: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Find which of these (community, phone hash) belong to vendors who come."""
    asked = [{"community_id": community, "phone_hash": value} for community, value in sorted(set(hashes))]
    return {(row[0], row[1]) for row in await session.execute_rows(_holders(session.dialect), asked)}


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_v.community_id, _v.vendor_id])
    matches = (_v.community_id == asked.c.community_id) & (_v.vendor_id == asked.c.vendor_id)
    return looked_up(dialect, asked, sa.select(vendors), matches)


@cache
def _active(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_v.community_id, _v.vendor_id])
    matches = (_v.community_id == asked.c.community_id) & (_v.vendor_id == asked.c.vendor_id)
    return looked_up(dialect, asked, sa.select(_v.community_id, _v.vendor_id).where(_v.status == ACTIVE), matches)


def _asked(keys: Collection[VendorKey]) -> list[Row]:
    return [{"community_id": community, "vendor_id": vendor_id} for community, vendor_id in sorted(set(keys))]


async def load(session: Session, keys: Collection[VendorKey]) -> dict[VendorKey, AnyRow]:
    """Load vendors' rows, erased ones too; unknown ones are missing."""
    found = await session.execute_rows(_by_id(session.dialect), _asked(keys)) if keys else []
    return {(row.community_id, row.vendor_id): row for row in found}


async def active(session: Session, keys: Collection[VendorKey]) -> set[VendorKey]:
    """Find which of these vendors come: neither ended nor erased."""
    found = await session.execute_rows(_active(session.dialect), _asked(keys)) if keys else []
    return {(row[0], row[1]) for row in found}


async def page(session: Session, community: int, paging: Paging, phone_hash: str | None) -> list[AnyRow]:
    """Load vendors, newest first, without erased ones; filters: `status`, and a phone's hash."""
    statement = sa.select(vendors).where(_v.community_id == community, _v.status != ERASED)
    if status := paging.filters.get("status"):
        statement = statement.where(_v.status == status)
    if phone_hash is not None:
        statement = statement.where(_v.phone_hash == phone_hash)
    return list(await session.execute(paging.newest_first(statement, _v.number)))
