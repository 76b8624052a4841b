"""Checks that whatever stands in for something else in a bank's books leads to a row that is there."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.goods.tables import stock_movements
from app.hours.tables import corrections, service_records, verifications
from app.ledger import Discrepancy, ledger_balances, ledger_transactions
from app.redemptions.tables import redemption_lines, redemption_returns, redemptions
from app.seals.tables import witness_signatures
from app.transfers.tables import transfers

if TYPE_CHECKING:
    from app.kernel.database import Session
    from app.kernel.rows import Query

_shown_max = 1000

_referring = (
    ledger_balances,
    ledger_transactions,
    service_records,
    verifications,
    corrections,
    redemptions,
    redemption_lines,
    redemption_returns,
    transfers,
    stock_movements,
    witness_signatures,
)
"""What refers to something; that postings do is checked by the ledger."""

_claimed = (verifications, corrections, transfers, stock_movements)
"""Whose transactions are looked at one by one by their features."""

_subjects = {"account_number": "account", "transaction_number": "transaction", "tree_size": "checkpoint"}

_community: sa.BindParameter[int] = sa.bindparam("community", type_=sa.Integer)


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Find the rows that refer to what is not there."""
    found: list[Discrepancy] = []
    for key in _keys():
        for named, *values in await session.execute(_broken(key).limit(_shown_max), {"community": community}):
            subject = f"{_subject(_named_by(key.table))}/{named}"
            target = key.elements[0].column.table.name
            detail = ", ".join(f"{name} {value}" for name, value in zip(_names(key), values, strict=True))
            found.append(Discrepancy("reference-broken", subject, f"{key.table.name}: no {target} of {detail}"))
    return found


@cache
def _keys() -> list[sa.ForeignKeyConstraint]:
    """The references of these tables, on whichever database they are made, to more than the community."""
    return [
        key
        for table in _referring
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
        if len(key.elements) > 1 and not (table in _claimed and key.elements[0].column.table is ledger_transactions)
    ]


def _names(key: sa.ForeignKeyConstraint) -> list[str]:
    return [name for name in key.column_keys if name != "community_id"]


def _named_by(table: sa.Table) -> sa.Column[Any]:
    return next(column for column in table.primary_key if column.name != "community_id")


def _subject(column: sa.Column[Any]) -> str:
    return _subjects.get(column.name, column.name.removesuffix("_id").replace("_", "-"))


@cache
def _broken(key: sa.ForeignKeyConstraint) -> Query:
    table = key.table
    target = key.elements[0].column.table.alias("target")
    pairs = [(element.parent, target.c[element.column.name]) for element in key.elements]
    there = sa.select(sa.literal(1)).where(
        target.c.community_id == _community,
        *(to == own for own, to in pairs if own.name != "community_id"),
    )
    values = [table.c[name] for name in _names(key)]
    return sa.select(_named_by(table), *values).where(
        table.c.community_id == _community, *(value.is_not(None) for value in values), ~there.exists()
    )
