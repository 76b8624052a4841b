"""What sealing and its audit read of the ledger: leaves as they are stored, and as rows would make them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.kernel.heads import ledger_heads
from app.kernel.rows import Read, looked_up, rows_of
from app.ledger.errors import InconsistentError
from app.ledger.leaves import Leaf, digest, hash_of
from app.ledger.store import lines_of_transactions, same
from app.ledger.tables import ledger_accounts, ledger_postings, ledger_transactions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query
    from app.ledger.store import Line

UNSEALED_MAX = 10_000
"""How many transactions of a community are sealed at once."""

_asked_max = 5000

_t, _h, _p, _a = ledger_transactions.c, ledger_heads.c, ledger_postings.c, ledger_accounts.c

Unsealed = dict[int, list[tuple[int, bytes | None]]]
"""By community, what its tree lacks: numbers and leaves, in order; None for transactions of before there were any."""


@cache
def unsealed(dialect: str) -> Query:
    """Find what the trees of the communities of `rows` lack, of each at most `UNSEALED_MAX`."""
    asked = rows_of(dialect, "rows", [_h.community_id])
    found = (
        sa.select(_t.community_id, _t.transaction_number, _t.leaf)
        .join_from(
            ledger_heads,
            ledger_transactions,
            (_t.community_id == _h.community_id)
            & (_t.transaction_number > _h.sealed_number)
            & (_t.transaction_number <= _h.sealed_number + sa.literal_column(str(UNSEALED_MAX))),
        )
        .order_by(_t.transaction_number)
    )
    return looked_up(dialect, asked, found, same(asked, ledger_heads, "community_id"))


def ask_unsealed(dialect: str, communities: Sequence[int]) -> Read[Unsealed]:
    """Ask what the trees of communities lack, of each at most `UNSEALED_MAX`."""

    def understand(rows: list[Sequence[Any]]) -> Unsealed:
        found: Unsealed = {}
        for community, number, leaf in rows:
            found.setdefault(community, []).append((number, leaf))
        return found

    return Read(unsealed(dialect), [{"community_id": community} for community in communities], understand)


async def leaves(session: Session, community: int, first: int, last: int) -> list[bytes]:
    """Give the leaves of transactions from `first` to `last`. Raises `InconsistentError` if one is missing."""
    found = await session.execute(
        sa.select(_t.transaction_number, _t.leaf)
        .where(_t.community_id == community, _t.transaction_number >= first, _t.transaction_number <= last)
        .order_by(_t.transaction_number)
    )
    return await whole_leaves(session, community, first, [(row[0], row[1]) for row in found], count=last - first + 1)


async def whole_leaves(
    session: Session, community: int, first: int, found: Sequence[tuple[int, bytes | None]], *, count: int
) -> list[bytes]:
    """Work out leaves that were not stored. Raises `InconsistentError` if these are not `count` from `first` on."""
    if [number for number, _ in found] != list(range(first, first + count)):
        message = f"transactions {first} to {first + count - 1} of community {community} are not all there"
        raise InconsistentError(message)
    missing = [number for number, leaf in found if leaf is None]
    worked_out = await bound(session, community, missing) if missing else {}
    return [hash_of(worked_out[number]) if leaf is None else leaf for number, leaf in found]


async def stored_leaves(session: Session, community: int, numbers: Sequence[int]) -> dict[int, bytes]:
    """Give the leaves that transactions carry, by number; those of before there were leaves are missing."""
    stored: dict[int, bytes] = {}
    for at in range(0, len(numbers), _asked_max):
        found = await session.execute(
            sa.select(_t.transaction_number, _t.leaf).where(
                _t.community_id == community,
                _t.transaction_number.in_(numbers[at : at + _asked_max]),
                _t.leaf.is_not(None),
            )
        )
        stored |= {row[0]: row[1] for row in found}
    return stored


async def touching(session: Session, community: int, addresses: Sequence[str], paging: Paging) -> list[int]:
    """Give the numbers of transactions that moved something on any of these accounts, newest first."""
    numbers = sa.select(_a.account_number).where(_a.community_id == community, _a.address.in_(addresses))
    query = sa.select(_p.transaction_number).where(_p.community_id == community, _p.account_number.in_(numbers))
    return list((await session.execute(paging.newest_first(query.distinct(), _p.transaction_number))).scalars())


async def bound(session: Session, community: int, numbers: Sequence[int]) -> dict[int, Leaf]:
    """Work out from the rows what transactions are bound to be, by number; unknown ones are missing."""
    lines = await lines_of_transactions(session, community, numbers)
    found = await _transactions(session, community, _t.transaction_number.in_(numbers))
    return {row.transaction_number: _leaf(row, lines.get(row.transaction_number, ())) for row in found}


async def _transactions(session: Session, community: int, chosen: sa.ColumnElement[bool]) -> list[AnyRow]:
    query = sa.select(ledger_transactions).where(_t.community_id == community, chosen)
    return list(await session.execute(query.order_by(_t.transaction_number)))


def _leaf(row: AnyRow, lines: Sequence[Line]) -> Leaf:
    return Leaf(
        community=row.community_id,
        number=row.transaction_number,
        kind=row.kind,
        posted_at=row.posted_at,
        posted_by=row.posted_by,
        reference=row.reference,
        reverses=row.reverses,
        reason=None if row.reason is None or row.salt is None else digest(row.salt, row.reason.encode()),
        evidence=row.evidence,
        postings=[(line.account, line.unit, line.amount, line.version, line.balance_after) for line in lines],
    )
