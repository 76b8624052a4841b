"""The audit finds whatever was changed behind the ledger's back, once the guards are out of the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import sqlalchemy as sa

from app import ledger
from app.kernel.heads import ledger_heads as heads
from app.kernel.paging import Paging
from app.ledger import Discrepancy
from app.ledger.audit import _checks
from app.ledger.tables import ledger_accounts as accounts
from app.ledger.tables import ledger_balances as held
from app.ledger.tables import ledger_postings as postings
from app.ledger.tables import ledger_transactions as transactions
from tests.ledger.books import FRIEND, ISSUED, MINUTES, NUMBERS, OWED, POINTS, POOL, deposit, entry, gift, post
from tests.tampering import Statement, tampered

if TYPE_CHECKING:
    from app.kernel.database import Database, Session
    from app.settings import Settings
    from tests.bank import TestClock


class Tampering(NamedTuple):
    """What somebody does to the tables, the check that has to notice, and those that notice as well."""

    check: str
    statements: tuple[Statement, ...]
    also: frozenset[str] = frozenset()


def rows_where(table: sa.Table, account: str | None, **values: int) -> sa.ColumnElement[bool]:
    """The rows of community 1 with these values."""
    wanted = {"community_id": 1, **values, **({"account_number": NUMBERS[account]} if account else {})}
    return sa.and_(*(table.c[name] == value for name, value in wanted.items()))


def change(table: sa.Table, values: dict[str, Any], account: str | None = None, **where: int) -> Statement:
    """Change rows of community 1."""
    return sa.update(table).where(rows_where(table, account, **where)).values(values)


def lose(table: sa.Table, account: str | None = None, **where: int) -> Statement:
    """Delete rows of community 1."""
    return sa.delete(table).where(rows_where(table, account, **where))


def posted_at(number: int) -> sa.ScalarSelect[Any]:
    """The time of a transaction of community 1."""
    there = transactions.alias("there").c
    is_it = (there.community_id == 1) & (there.transaction_number == number)
    return sa.select(there.posted_at).where(is_it).scalar_subquery()


# The books: 1 deposit of 10 points and 60 minutes, 2 gift of 4 points, an hour later 3 deposit of 5 points and 60
# minutes, 4 reversal of 2, 5 one point owed, 6 that point settled; in community 1, and the same in community 2.
TAMPERINGS = {
    "a posting given another version": Tampering(
        "version-gap",
        (change(postings, {"version": 9}, POINTS, version=4),),
        frozenset({"balance-stale"}),
    ),
    "a posting in the middle lost": Tampering(
        "version-gap",
        (lose(postings, POINTS, version=2),),
        frozenset({"balance-jump", "balance-stale", "unit-not-zero", "postings-missing", "reversal-not-opposite"}),
    ),
    "two postings of an account exchanged in time": Tampering(
        "version-gap",
        (
            change(postings, {"transaction_number": 99}, MINUTES, version=1),
            change(postings, {"transaction_number": 1}, MINUTES, version=2),
            change(postings, {"transaction_number": 3}, MINUTES, version=1),
        ),
    ),
    "a running balance changed": Tampering(
        "balance-jump",
        (change(postings, {"balance_after": 11}, POINTS, version=1),),
    ),
    "an amount changed with its running balance": Tampering(
        "balance-jump",
        (change(postings, {"amount": 6, "balance_after": 12}, POINTS, version=3),),
        frozenset({"balance-stale", "unit-not-zero"}),
    ),
    "a balance raised": Tampering("balance-stale", (change(held, {"balance": 16}, POINTS),)),
    "a balance given another version": Tampering("balance-stale", (change(held, {"version": 5}, POINTS),)),
    "a balance without a posting": Tampering("balance-stale", (change(held, {"balance": 5}, POOL),)),
    "the newest posting lost": Tampering(
        "balance-stale",
        (lose(postings, POINTS, version=4),),
        frozenset({"unit-not-zero", "postings-missing", "reversal-not-opposite"}),
    ),
    "a running balance below the floor": Tampering(
        "balance-out-of-bounds",
        (change(postings, {"balance_after": -1}, POINTS, version=2),),
        frozenset({"balance-jump"}),
    ),
    "a running balance above the ceiling": Tampering(
        "balance-out-of-bounds",
        (change(postings, {"balance_after": 1}, OWED, version=1),),
        frozenset({"balance-jump"}),
    ),
    "an account's floor made a ceiling": Tampering(
        "balance-out-of-bounds",
        (change(accounts, {"bound": -1}, POINTS),),
        frozenset({"balance-missing"}),
    ),
    "a balance lost": Tampering("balance-missing", (lose(held, POINTS),)),
    "a balance without its floor": Tampering("balance-missing", (change(held, {"bound": 0}, POINTS),)),
    "an account with postings lost": Tampering(
        "balance-missing",
        (lose(accounts, FRIEND), lose(held, FRIEND)),
        frozenset({"account-gap", "unit-not-zero"}),
    ),
    "an unused account lost": Tampering("account-gap", (lose(accounts, POOL), lose(held, POOL))),
    "an unused account given another number": Tampering(
        "account-gap", (change(accounts, {"account_number": 9}, POOL), change(held, {"account_number": 9}, POOL))
    ),
    "a head that opened another account": Tampering("account-gap", (change(heads, {"account_number": 8}),)),
    "an account of another unit": Tampering("unit-not-zero", (change(accounts, {"unit": "MINUTE"}, FRIEND),)),
    "points made of nothing": Tampering(
        "unit-not-zero",
        (
            sa.insert(postings).values((1, NUMBERS[FRIEND], 3, 6, 100, 100)),
            change(held, {"version": 3, "balance": 100}, FRIEND),
        ),
        frozenset({"postings-missing"}),
    ),
    "a transaction that states more postings": Tampering(
        "postings-missing",
        (change(transactions, {"postings_count": 6}, transaction_number=1),),
    ),
    "a transaction without postings": Tampering(
        "postings-missing",
        (
            sa.insert(transactions).values((1, 7, "made up", posted_at(6), "x", "x", 2, None, None)),
            change(heads, {"transaction_number": 7}),
        ),
    ),
    "a transaction lost, its postings not": Tampering(
        "transaction-missing",
        (lose(transactions, transaction_number=1),),
        frozenset({"transaction-gap"}),
    ),
    "the newest transaction lost with all its traces": Tampering(
        "transaction-gap",
        (
            lose(transactions, transaction_number=6),
            lose(postings, transaction_number=6),
            change(held, {"version": 1, "balance": -1}, OWED),
            change(held, {"version": 3, "balance": -14}, ISSUED),
        ),
    ),
    "a head that handed out another number": Tampering("transaction-gap", (change(heads, {"transaction_number": 7}),)),
    "the newest transaction given another number": Tampering(
        "transaction-gap",
        (
            change(transactions, {"transaction_number": 9}, transaction_number=6),
            change(postings, {"transaction_number": 9}, transaction_number=6),
        ),
    ),
    "a transaction dated back": Tampering(
        "time-runs-back",
        (change(transactions, {"posted_at": posted_at(1)}, transaction_number=4),),
    ),
    "a transaction dated ahead": Tampering(
        "time-runs-back",
        (change(transactions, {"posted_at": posted_at(3)}, transaction_number=1),),
    ),
    "a reversal made that of another": Tampering(
        "reversal-not-opposite",
        (change(transactions, {"reverses": 1}, transaction_number=4),),
    ),
    "another transaction made a reversal": Tampering(
        "reversal-not-opposite",
        (change(transactions, {"kind": "reversal", "reverses": 3}, transaction_number=5),),
    ),
}


async def checks_that_notice(session: Session, community: int) -> set[str]:
    return {discrepancy.check for discrepancy in await ledger.audit(session, community)}


@pytest.fixture
async def kept(books: Database, clock: TestClock) -> Database:
    """Books of two communities with the same history, the one written down above."""
    for community in (1, 2):
        await post(books, deposit(10, community=community), gift(4, community=community))
    clock.move(hours=1)
    for community in (1, 2):
        await post(books, deposit(5, community=community))
        async with books.write(community) as session:
            await ledger.reverse(session, community, [2], reason="mistake", posted_by="1-manager")
        owe, settle = entry((OWED, -1), (ISSUED, 1), community=community), entry((OWED, 1), (ISSUED, -1))
        await post(books, owe, settle._replace(community=community))
    return books


def test_there_is_a_tampering_for_every_check() -> None:
    assert {tampering.check for tampering in TAMPERINGS.values()} == set(_checks())


async def test_books_that_nobody_touched_have_nothing_to_find(kept: Database) -> None:
    async with kept.read(1, 2) as session:
        for community in (1, 2):
            assert await ledger.audit(session, community) == []
            assert len(await ledger.transactions(session, community, Paging())) == 6


async def test_every_tampering_is_noticed_in_its_community_and_in_no_other(kept: Database, settings: Settings) -> None:
    noticed = {}
    for name, tampering in TAMPERINGS.items():
        async with tampered(kept, settings, *tampering.statements) as session:
            noticed[name] = await checks_that_notice(session, 1)
            assert await checks_that_notice(session, 2) == set(), name
    assert noticed == {name: {tampering.check, *tampering.also} for name, tampering in TAMPERINGS.items()}


async def test_a_discrepancy_says_where_and_by_how_much(kept: Database, settings: Settings) -> None:
    async with tampered(kept, settings, change(held, {"balance": 16}, POINTS)) as session:
        assert await ledger.audit(session, 1) == [
            Discrepancy("balance-stale", "account/1", "balance 16, postings_sum 15, version 4")
        ]


async def test_a_check_lists_a_thousand_discrepancies_at_most(books: Database, settings: Settings) -> None:
    await post(books, *[entry((POINTS, 1), (ISSUED, -1))] * 1001)
    async with tampered(books, settings, change(accounts, {"unit": "MINUTE"}, POINTS)) as session:
        found = await ledger.audit(session, 1)
    # Both units of a transaction are off, so that twice as many are wrong.
    assert [discrepancy.check for discrepancy in found] == ["unit-not-zero"] * 1000
