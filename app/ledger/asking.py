"""The SQL of what is asked of accounts for many at once: what they hold, and their newest postings."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.kernel.rows import looked_up, routed, rows_of
from app.ledger.store import same
from app.ledger.tables import ledger_accounts, ledger_balances, ledger_postings, ledger_transactions

if TYPE_CHECKING:
    from app.kernel.rows import Query

ALL_LINES = 2**31 - 1
"""As many lines as one may ask for."""


def _bounded(dialect: str) -> Query:
    """Find accounts of `rows` with the range of versions that is asked for of each.

    In a query of its own: behind row level security PostgreSQL keeps conditions that compute something out of indexes.
    """
    a, b = ledger_accounts.c, ledger_balances.c
    bounds = [sa.column(name, ledger_postings.c.version.type) for name in ("item", "place", "before", "most")]
    asked = rows_of(dialect, "rows", [a.community_id, a.address, *bounds])
    newest = b.version + 1
    before = sa.case((asked.c.before < newest, asked.c.before), else_=newest)
    found = sa.select(
        a.community_id,
        a.account_number,
        a.unit,
        *(asked.c[name].label(name) for name in ("item", "place", "most")),
        before.label("before"),
        # Versions have no gaps, so that a count of postings is a range of versions.
        (before - asked.c.most).label("first"),
    ).join_from(
        ledger_accounts, ledger_balances, same(ledger_accounts, ledger_balances, "community_id", "account_number")
    )
    return looked_up(dialect, asked, found, same(asked, ledger_accounts, "community_id", "address"))


@cache
def newest_lines(dialect: str) -> Query:
    """Find the newest postings of a few accounts together, for each `item` of `rows` at most `most` of them.

    `rows` has each account of an item with its `place` among them and the version `before` which to read (null: all).
    Of each account its newest posting is there in any case, and one without postings has a row without a version.
    Of several postings of a transaction only the first, from the newest on, says what the transaction was: each is
    looked up once.
    """
    p, t = ledger_postings.c, ledger_transactions.c
    accounts = _bounded(dialect).subquery("bounded")
    within = (p.version >= accounts.c.first) & (p.version < accounts.c.before)
    lines = (
        sa.select(accounts, *(p[name] for name in ("version", "transaction_number", "amount", "balance_after")))
        .join_from(
            accounts,
            ledger_postings,
            same(accounts, ledger_postings, "community_id", "account_number") & within,
            isouter=True,
        )
        .subquery("lines")
    )
    newest_first: dict[str, Any] = {
        "partition_by": (lines.c.community_id, lines.c.item),
        "order_by": (lines.c.transaction_number.desc().nulls_last(), lines.c.place),
    }
    number = lines.c.transaction_number
    rank = sa.func.row_number().over(**newest_first)
    is_first = sa.func.lag(number, 1, 0).over(**newest_first) != number
    told = sa.case((is_first & (rank <= lines.c.most), number))
    found = sa.select(lines, rank.label("rank"), told.label("told")).subquery("found")
    f = found.c
    at_number = (t.community_id == f.community_id) & (t.transaction_number == f.told)
    return (
        sa.select(
            f.item,
            f.place,
            f.before,
            f.transaction_number,
            f.unit,
            f.amount,
            f.balance_after,
            f.version,
            t.posted_at,
            t.kind,
            t.reference,
        )
        .select_from(found.outerjoin(ledger_transactions, at_number & routed(dialect, ledger_transactions)))
        .where((f.rank <= f.most) | f.version.is_(None) | (f.version == f.before - 1))
    )


@cache
def held(dialect: str, names: tuple[str, ...]) -> Query:
    """Find for each `item` of `rows`, an owner, the balance and the version of each of its accounts by last name."""
    a, b = ledger_accounts.c, ledger_balances.c
    columns: list[sa.ColumnClause[Any]] = [
        a.community_id,
        sa.column("owner", sa.Text()),
        sa.column("item", sa.Integer()),
    ]
    asked = rows_of(dialect, "rows", columns)
    addresses = [asked.c.owner.concat(f"/{name}") for name in names]
    found = (
        sa.select(
            asked.c.item.label("item"),
            *(
                sa.func.max(column).filter(a.address == address)
                for address in addresses
                for column in (b.balance, b.version)
            ),
        )
        .join_from(
            ledger_accounts, ledger_balances, same(ledger_accounts, ledger_balances, "community_id", "account_number")
        )
        .group_by(asked.c.item)
    )
    return looked_up(dialect, asked, found, (a.community_id == asked.c.community_id) & a.address.in_(addresses))
