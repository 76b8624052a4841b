"""The SQL of the ledger's posting path and its reads. A list of any length takes the same number of statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from app.kernel.rows import Read, insert_rows, looked_up, rows_of, update_rows
from app.ledger.leaves import digest
from app.ledger.rules import Account, State
from app.ledger.tables import ledger_accounts, ledger_balances, ledger_postings, ledger_transactions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import Query, Row


class Line(NamedTuple):
    """A posting with its transaction, as a statement shows it. `version` is its place in its account."""

    transaction_id: int
    posted_at: datetime
    kind: str
    account: str
    unit: str
    amount: int
    balance_after: int
    version: int
    reference: str


class Act(NamedTuple):
    """By whom, when and why something was posted."""

    by: str | None
    at: datetime | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """A transaction as an audit compares it with its feature: kind, reference, and what it moved on each account.

    `salt` and `evidence` bind it to what it stands for (see `leaves`); None in those of before there were leaves.
    `act` is by whom, when and why it was posted, for an audit that compares that as well.
    """

    kind: str
    reference: str
    movements: dict[str, int]
    salt: bytes | None = field(default=None, compare=False, repr=False)
    evidence: bytes | None = field(default=None, compare=False, repr=False)
    act: Act | None = field(default=None, compare=False, repr=False)

    def stands_for(self, facts: bytes) -> bool:
        """Whether it is bound to these facts; before there were leaves none was bound to any."""
        if self.salt is None or self.evidence is None:
            return self.salt is self.evidence
        return compare_digest(self.evidence, digest(self.salt, facts))


@cache
def _states(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [ledger_accounts.c.community_id, ledger_accounts.c.address])
    found = sa.select(
        ledger_accounts.c.community_id,
        ledger_accounts.c.address,
        ledger_accounts.c.account_number,
        ledger_accounts.c.unit,
        ledger_accounts.c.bound,
        ledger_balances.c.version,
        ledger_balances.c.balance,
    ).join_from(
        ledger_accounts, ledger_balances, same(ledger_accounts, ledger_balances, "community_id", "account_number")
    )
    return looked_up(dialect, asked, found, same(asked, ledger_accounts, "community_id", "address"))


def same(left: sa.FromClause, right: sa.FromClause, *names: str) -> sa.ColumnElement[bool]:
    """Join two tables where these columns are the same."""
    return sa.and_(*(left.c[name] == right.c[name] for name in names))


async def load_states(session: Session, accounts: Iterable[Account]) -> dict[Account, State]:
    """Load what these accounts hold; one that was never opened is missing from the answer."""
    return await session.ask(ask_states(session.dialect, accounts))


def ask_states(dialect: str, accounts: Iterable[Account]) -> Read[dict[Account, State]]:
    """Ask what these accounts hold; one that was never opened is missing from the answer."""
    asked = [{"community_id": account.community, "address": account.address} for account in sorted(set(accounts))]
    return Read(_states(dialect), asked, lambda rows: {Account(row[0], row[1]): State(*row[2:]) for row in rows})


async def insert_accounts(session: Session, accounts: Sequence[Row]) -> None:
    """Insert opened accounts and their balances of zero."""
    await insert_rows(session, ledger_accounts, accounts)
    names = ("community_id", "account_number", "bound")
    empty = [{**{name: account[name] for name in names}, "version": 0, "balance": 0} for account in accounts]
    await insert_rows(session, ledger_balances, empty)


async def append(
    session: Session, transactions: Sequence[Row], postings: Sequence[Row], balances: Sequence[Row]
) -> None:
    """Append transactions with their postings, and bring the balances up to them.

    PostgreSQL checks when the postings come in, SQLite when the transaction's row does, so that goes in last there.
    """
    if session.dialect == "sqlite":
        await insert_rows(session, ledger_postings, postings)
        await insert_rows(session, ledger_transactions, transactions)
    else:
        await insert_rows(session, ledger_transactions, transactions)
        await insert_rows(session, ledger_postings, postings)
    await update_rows(session, ledger_balances, ("community_id", "account_number"), balances)


_lines = sa.select(
    ledger_transactions.c.community_id,
    ledger_transactions.c.transaction_number,
    ledger_transactions.c.posted_at,
    ledger_transactions.c.kind,
    ledger_accounts.c.address,
    ledger_accounts.c.unit,
    ledger_postings.c.amount,
    ledger_postings.c.balance_after,
    ledger_postings.c.version,
    ledger_transactions.c.reference,
).select_from(
    ledger_postings.join(
        ledger_transactions, same(ledger_postings, ledger_transactions, "community_id", "transaction_number")
    ).join(ledger_accounts, same(ledger_postings, ledger_accounts, "community_id", "account_number"))
)


async def lines_of_transactions(session: Session, community: int, numbers: Sequence[int]) -> dict[int, list[Line]]:
    """Load the postings of these transactions by number; unknown numbers are missing."""
    found = await session.execute(
        _lines.where(
            ledger_postings.c.community_id == community, ledger_postings.c.transaction_number.in_(numbers)
        ).order_by(ledger_postings.c.transaction_number, ledger_postings.c.account_number)
    )
    lines: dict[int, list[Line]] = {}
    for row in found:
        lines.setdefault(row.transaction_number, []).append(Line(*row[1:]))
    return lines


async def transactions(
    session: Session, community: int, paging: Paging, *, number: int | None = None
) -> list[RowMapping]:
    """Load transaction rows, newest first, or the one with this number."""
    statement = sa.select(ledger_transactions).where(ledger_transactions.c.community_id == community)
    if number is not None:
        statement = statement.where(ledger_transactions.c.transaction_number == number)
    found = await session.execute(paging.newest_first(statement, ledger_transactions.c.transaction_number))
    return [row._mapping for row in found]


async def reversed_already(session: Session, community: int, numbers: Sequence[int]) -> set[int]:
    """Tell which of these transactions have been reversed."""
    found = await session.execute(
        sa.select(ledger_transactions.c.reverses).where(
            ledger_transactions.c.community_id == community, ledger_transactions.c.reverses.in_(numbers)
        )
    )
    return set(found.scalars())


async def balances_at(session: Session, accounts: Sequence[Account], moment: datetime) -> dict[Account, int]:
    """Load what accounts of one community held once everything posted up to a moment had been posted."""
    if not accounts:
        return {}
    community = accounts[0].community
    last = (
        sa.select(sa.func.max(ledger_transactions.c.transaction_number))
        .where(ledger_transactions.c.community_id == community, ledger_transactions.c.posted_at <= moment)
        .scalar_subquery()
    )
    held = (
        sa.select(ledger_postings.c.balance_after)
        .where(
            ledger_postings.c.community_id == community,
            ledger_postings.c.account_number == ledger_accounts.c.account_number,
            ledger_postings.c.transaction_number <= last,
        )
        .order_by(ledger_postings.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = await session.execute(
        sa.select(ledger_accounts.c.address, sa.func.coalesce(held, 0)).where(
            ledger_accounts.c.community_id == community,
            ledger_accounts.c.address.in_([account.address for account in accounts]),
        )
    )
    return {Account(community, row[0]): row[1] for row in found}


async def accounts(session: Session, community: int, paging: Paging) -> list[RowMapping]:
    """Load accounts with what they hold, in the order of their opening."""
    found = await session.execute(
        sa.select(
            ledger_accounts.c.account_number,
            ledger_accounts.c.address,
            ledger_accounts.c.unit,
            ledger_balances.c.balance,
            ledger_balances.c.version,
        )
        .join(ledger_balances, same(ledger_accounts, ledger_balances, "community_id", "account_number"))
        .where(ledger_accounts.c.community_id == community, ledger_accounts.c.account_number > (paging.position or 0))
        .order_by(ledger_accounts.c.account_number)
        .limit(paging.wanted)
    )
    return [row._mapping for row in found]


async def trial_balance(session: Session, community: int) -> list[RowMapping]:
    """Sum the balances of all accounts by unit."""
    found = await session.execute(
        sa.select(
            ledger_accounts.c.unit,
            sa.cast(sa.func.sum(ledger_balances.c.balance), sa.BigInteger).label("sum"),
            sa.func.count().label("accounts"),
        )
        .join(ledger_balances, same(ledger_accounts, ledger_balances, "community_id", "account_number"))
        .where(ledger_accounts.c.community_id == community)
        .group_by(ledger_accounts.c.unit)
        .order_by(ledger_accounts.c.unit)
    )
    return [row._mapping for row in found]


_t = ledger_transactions.c


async def count_by_kind(session: Session, community: int) -> dict[str, int]:
    """Count transactions by kind."""
    found = await session.execute(
        sa.select(ledger_transactions.c.kind, sa.func.count())
        .where(ledger_transactions.c.community_id == community)
        .group_by(ledger_transactions.c.kind)
    )
    return {row[0]: row[1] for row in found}


async def booked(session: Session, community: int, numbers: Sequence[int]) -> dict[int, Booked]:
    """Load these transactions by number; unknown ones are missing, one without postings moves nothing."""
    found = await session.execute(
        sa.select(_t.transaction_number, _t.kind, _t.reference, _t.salt, _t.evidence).where(
            _t.community_id == community, _t.transaction_number.in_(numbers)
        )
    )
    lines = await lines_of_transactions(session, community, numbers)
    return {
        number: Booked(kind, reference, {line.account: line.amount for line in lines.get(number, [])}, salt, evidence)
        for number, kind, reference, salt, evidence in found
    }


async def references_of(session: Session, community: int, kind: str) -> set[str]:
    """Load what the transactions of a kind stand for."""
    found = await session.execute(sa.select(_t.reference).where(_t.community_id == community, _t.kind == kind))
    return set(found.scalars())


async def repeated(
    session: Session, community: int, kinds: Collection[str], *, limit: int
) -> list[tuple[str, str, int]]:
    """Find what was posted more than once with the same kind and reference: (kind, reference, how often)."""
    found = await session.execute(
        sa.select(_t.kind, _t.reference, sa.func.count())
        .where(_t.community_id == community, _t.kind.in_(sorted(kinds)))
        .group_by(_t.kind, _t.reference)
        .having(sa.func.count() > 1)
        .order_by(_t.reference, _t.kind)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in found]


async def unclaimed(session: Session, community: int, kinds: Collection[str], *, limit: int) -> list[tuple[int, str]]:
    """Find transactions that are neither of these kinds nor the reversal of one that exists: (number, kind)."""
    origin = ledger_transactions.alias("origin").c
    reversed_one = sa.select(sa.literal(1)).where(
        origin.community_id == community, origin.transaction_number == _t.reverses
    )
    found = await session.execute(
        sa.select(_t.transaction_number, _t.kind)
        .where(
            _t.community_id == community,
            _t.kind.not_in(sorted(kinds)),
            (_t.kind != "reversal") | ~reversed_one.exists(),
        )
        .order_by(_t.transaction_number)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in found]
