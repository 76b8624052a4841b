"""All SQL of beneficiaries. Who they are comes and goes sealed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from app.beneficiaries.rules import ACTIVE, ERASED
from app.beneficiaries.tables import beneficiaries
from app.kernel.rows import Read, insert_rows, looked_up, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row

BeneficiaryKey = tuple[int, UUID]
"""A beneficiary: the community's small number and the beneficiary's id."""

_b = beneficiaries.c


async def insert(session: Session, rows: Sequence[Row]) -> None:
    """Insert beneficiaries."""
    await insert_rows(session, beneficiaries, rows)


async def update(session: Session, key: BeneficiaryKey, values: Row) -> None:
    """Store a beneficiary as it was changed."""
    await session.execute(
        sa.update(beneficiaries).where(_b.community_id == key[0], _b.beneficiary_id == key[1]).values(**values)
    )


@cache
def _holders(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_b.community_id, _b.identity_hash])
    matches = (_b.community_id == asked.c.community_id) & (_b.identity_hash == asked.c.identity_hash)
    found = sa.select(_b.community_id, _b.identity_hash, _b.beneficiary_id).where(_b.status == ACTIVE)
    return looked_up(dialect, asked, found, matches)


async def holders(session: Session, hashes: Collection[tuple[int, str]]) -> dict[tuple[int, str], UUID]:
    """Find which of these (community, identity hash) are being served, and their ids."""
    asked = [{"community_id": community, "identity_hash": value} for community, value in sorted(set(hashes))]
    return {(row[0], row[1]): row[2] for row in await session.execute_rows(_holders(session.dialect), asked)}


@cache
def _active(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_b.community_id, _b.beneficiary_id])
    matches = (_b.community_id == asked.c.community_id) & (_b.beneficiary_id == asked.c.beneficiary_id)
    found = sa.select(_b.community_id, _b.beneficiary_id).where(_b.status == ACTIVE)
    return looked_up(dialect, asked, found, matches)


def active(dialect: str, keys: Collection[BeneficiaryKey]) -> Read[set[BeneficiaryKey]]:
    """Ask which of these beneficiaries are there and being served."""
    asked = [{"community_id": community, "beneficiary_id": one} for community, one in sorted(set(keys))]
    return Read(_active(dialect), asked, lambda found: {(row[0], row[1]) for row in found})


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_b.community_id, _b.beneficiary_id])
    matches = (_b.community_id == asked.c.community_id) & (_b.beneficiary_id == asked.c.beneficiary_id)
    return looked_up(dialect, asked, sa.select(beneficiaries), matches)


async def load(session: Session, keys: Collection[BeneficiaryKey]) -> dict[BeneficiaryKey, AnyRow]:
    """Load beneficiaries' rows, erased ones too; unknown ones are missing."""
    asked = [{"community_id": community, "beneficiary_id": one} for community, one in sorted(set(keys))]
    found = await session.execute_rows(_by_id(session.dialect), asked)
    return {(row.community_id, row.beneficiary_id): row for row in found}


async def page(session: Session, community: int, paging: Paging) -> list[AnyRow]:
    """Load beneficiaries, newest first, without erased ones; filters: `status`, `living_alone`, `need`."""
    statement = sa.select(beneficiaries).where(_b.community_id == community, _b.status != ERASED)
    if status := paging.filters.get("status"):
        statement = statement.where(_b.status == status)
    if (living_alone := paging.filters.get("living_alone")) is not None:
        statement = statement.where(_b.living_alone == living_alone)
    if need := paging.filters.get("need"):
        # A code in its quotes stands in the list's text only as itself.
        statement = statement.where(sa.cast(_b.needs, sa.Text).contains(f'"{need}"', autoescape=True))
    return list(await session.execute(paging.newest_first(statement, _b.number)))
