"""Whoever writes past the app, even as the database's owner, is held to double entry by the database itself."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app import ledger
from app.kernel.paging import Paging
from app.ledger.tables import ledger_postings
from tests.ledger.books import FRIEND, GIVEN, ISSUED, MINUTES, NUMBERS, OWED, POINTS, deposit, held, owner, post

if TYPE_CHECKING:
    from app.kernel.database import Database
    from app.settings import Settings

Row = tuple[str, int, int, int]
"""A posting to forge: address, version, amount, balance after it."""

GOOD: list[Row] = [(POINTS, 2, 5, 15), (ISSUED, 2, -5, -15)]
"""What may follow the deposit of 10 points and 60 minutes that every test begins with."""

REFUSED: dict[str, tuple[list[Row], dict[str, Any]]] = {
    "does not sum to zero": ([(POINTS, 2, 5, 15), (ISSUED, 2, -4, -14)], {}),
    "sums to zero over two units only": ([(POINTS, 2, 5, 15), (GIVEN, 2, -5, -65)], {}),
    "leaves out a version": ([(POINTS, 3, 5, 15), (ISSUED, 2, -5, -15)], {}),
    "takes a version again": ([(POINTS, 1, 5, 5), (ISSUED, 2, -5, -15)], {}),
    "begins with version two": ([(FRIEND, 2, 5, 5), (ISSUED, 2, -5, -15)], {}),
    "begins with version zero": ([(FRIEND, 0, 5, 5), (ISSUED, 2, -5, -15)], {}),
    "states a balance too high": ([(POINTS, 2, 5, 16), (ISSUED, 2, -5, -15)], {}),
    "states a balance that ignores the one before": ([(POINTS, 2, 5, 5), (ISSUED, 2, -5, -15)], {}),
    "begins with a balance that came from nowhere": ([(FRIEND, 1, 5, 6), (ISSUED, 2, -5, -15)], {}),
    "has more postings than it states": (
        [*GOOD, (MINUTES, 2, 1, 61), (GIVEN, 2, -1, -61)],
        {"stated": 2},
    ),
    "has fewer postings than it states": (GOOD, {"stated": 3}),
    "is one posting": ([(POINTS, 2, 5, 15)], {}),
    "moves nothing": ([(POINTS, 2, 0, 10), (ISSUED, 2, 0, -10)], {}),
    "moves an account twice": ([(POINTS, 2, 5, 15), (POINTS, 3, -5, 10)], {}),
    "moves an account that is not there": ([("nobody", 1, 5, 5), (ISSUED, 2, -5, -15)], {}),
    "takes the number of another": (GOOD, {"number": 1}),
    "takes number zero": (GOOD, {"number": 0}),
    "reverses itself": (GOOD, {"reverses": 2}),
    "reverses what is to come": (GOOD, {"number": 2, "reverses": 3}),
    "belongs to a community that is not there": (GOOD, {"community": 9}),
}

transaction = sa.text(
    "INSERT INTO ledger_transactions"
    " (community_id, transaction_number, kind, posted_at, posted_by, reference, postings_count, reverses)"
    " SELECT :community, :number, 'forged', last_at, 'x', 'x', :stated, :reverses FROM ledger_heads"
    " WHERE community_id = 1"
)


def forge_postings(connection: sa.Connection, rows: list[Row], *, number: int = 2, community: int = 1) -> None:
    """Insert postings with one INSERT, as the app does."""
    values = [
        {
            "community_id": community,
            "account_number": NUMBERS.get(address, 99),
            "version": version,
            "transaction_number": number,
            "amount": amount,
            "balance_after": after,
        }
        for address, version, amount, after in rows
    ]
    connection.execute(sa.insert(ledger_postings).values(values))


def forge(
    connection: sa.Connection,
    rows: list[Row],
    *,
    number: int = 2,
    stated: int | None = None,
    reverses: int | None = None,
    community: int = 1,
) -> None:
    """Insert a transaction with its postings in the order in which each database wants them."""
    facts = {"community": community, "number": number, "stated": stated or len(rows), "reverses": reverses}
    if connection.dialect.name == "sqlite":
        forge_postings(connection, rows, number=number, community=community)
        connection.execute(transaction, facts)
    else:
        connection.execute(transaction, facts)
        forge_postings(connection, rows, number=number, community=community)


def is_refused(settings: Settings, rows: list[Row], **facts: Any) -> bool:
    """Whether the database keeps a forged transaction out, at the latest when it is committed."""
    try:
        with owner(settings) as connection:
            forge(connection, rows, **facts)
    except IntegrityError:
        return True
    return False


def sql_is_refused(settings: Settings, *statements: str) -> bool:
    """Whether the database keeps a transaction of these statements out."""
    try:
        with owner(settings) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    except IntegrityError:
        return True
    return False


@pytest.fixture
async def begun(books: Database) -> Database:
    """Books with one deposit."""
    await post(books, deposit(10, 60))
    return books


async def test_a_transaction_that_adds_up_is_taken_from_anyone(begun: Database, settings: Settings) -> None:
    assert not is_refused(settings, GOOD)
    assert not is_refused(settings, [(POINTS, 3, -5, 10), (FRIEND, 1, 5, 5)], number=3)
    async with begun.read(1) as session:
        found = await ledger.audit(session, 1)
    # Right by itself, but nobody told the head and the balances: that is for the audit to find.
    assert {discrepancy.check for discrepancy in found} == {"balance-stale", "transaction-gap"}


async def test_a_transaction_that_does_not_add_up_is_refused(begun: Database, settings: Settings) -> None:
    outcomes = {name: is_refused(settings, rows, **facts) for name, (rows, facts) in REFUSED.items()}
    assert outcomes == dict.fromkeys(REFUSED, True)
    await assert_untouched(begun)


async def test_an_account_stands_once_in_a_transaction_also_when_another_lies_between(
    begun: Database, settings: Settings
) -> None:
    """Two transactions of one INSERT: the first moves an account before and after the second does."""
    postings = [
        *((2, row) for row in [(POINTS, 2, 5, 15), (POINTS, 4, 5, 21), (ISSUED, 2, -10, -20)]),
        *((3, row) for row in [(POINTS, 3, 1, 16), (ISSUED, 3, -1, -21)]),
    ]
    values = [
        {
            "community_id": 1,
            "account_number": NUMBERS[address],
            "version": version,
            "transaction_number": number,
            "amount": amount,
            "balance_after": after,
        }
        for number, (address, version, amount, after) in postings
    ]
    facts = [
        {"community": 1, "number": number, "stated": stated, "reverses": None} for number, stated in ((2, 3), (3, 2))
    ]

    def both() -> None:
        with owner(settings) as connection:
            if not settings.on_sqlite:
                connection.execute(transaction, facts)
            connection.execute(sa.insert(ledger_postings).values(values))
            if settings.on_sqlite:
                connection.execute(transaction, facts)

    with pytest.raises(IntegrityError):
        both()
    await assert_untouched(begun)


async def assert_untouched(database: Database) -> None:
    """The books hold the deposit and nothing else."""
    assert await held(database) == {MINUTES: 60, GIVEN: -60, POINTS: 10, ISSUED: -10}
    async with database.read(1) as session:
        assert await ledger.audit(session, 1) == []
        assert len(await ledger.transactions(session, 1, Paging())) == 1


async def test_a_transaction_that_was_posted_takes_no_more_postings(begun: Database, settings: Settings) -> None:
    def add(number: int) -> bool:
        try:
            with owner(settings) as connection:
                forge_postings(connection, [(FRIEND, 1, 5, 5), (OWED, 1, -5, -5)], number=number)
        except IntegrityError:
            return True
        return False

    assert add(1)
    # Nor are there postings of a transaction that does not exist.
    assert add(2)
    await assert_untouched(begun)


async def test_postings_that_come_one_by_one_are_refused_where_the_transaction_stands_before_them(
    begun: Database, settings: Settings
) -> None:
    def one_by_one() -> None:
        with owner(settings) as connection:
            connection.execute(transaction, {"community": 1, "number": 2, "stated": 2, "reverses": None})
            for row in GOOD:
                forge_postings(connection, [row])

    with pytest.raises(IntegrityError):
        one_by_one()
    await assert_untouched(begun)


async def test_a_transaction_is_reversed_once_whoever_writes_it(begun: Database, settings: Settings) -> None:
    back = [(POINTS, 2, -10, 0), (ISSUED, 2, 10, 0), (MINUTES, 2, -60, 0), (GIVEN, 2, 60, 0)]
    again = [(FRIEND, 1, 1, 1), (ISSUED, 3, -1, -1)]
    assert not is_refused(settings, back, reverses=1)
    assert is_refused(settings, again, number=3, reverses=1)
    assert not is_refused(settings, again, number=3)
    async with begun.read(1) as session:
        assert [row["reverses"] for row in await ledger.transactions(session, 1, Paging())] == [
            None,
            1,
            None,
        ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("begun")
async def test_a_second_reversal_does_not_replace_the_first(settings: Settings) -> None:
    back = [(POINTS, 2, -10, 0), (ISSUED, 2, 10, 0), (MINUTES, 2, -60, 0), (GIVEN, 2, 60, 0)]
    assert not is_refused(settings, back, reverses=1)
    # As a tool would open it: a row that is replaced fires no delete trigger.
    opened = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    with contextlib.closing(opened) as connection:
        friend, issued = NUMBERS[FRIEND], NUMBERS[ISSUED]
        connection.execute("BEGIN")
        posting = "INSERT INTO ledger_postings VALUES (1, ?, ?, 3, ?, ?)"
        connection.executemany(posting, [(friend, 1, 1, 1), (issued, 3, -1, -1)])
        with pytest.raises(sqlite3.IntegrityError, match="ledger_transactions keeps its rows as they are"):
            connection.execute(
                "INSERT OR REPLACE INTO ledger_transactions"
                " SELECT 1, 3, kind, posted_at, posted_by, reference, 2, reverses, reason, salt, evidence,"
                " leaf"
                " FROM ledger_transactions WHERE transaction_number = 2"
            )


CHANGES = {
    (POINTS, "balance = 0"): "taken",
    (POINTS, "balance = -1"): "refused",
    (OWED, "balance = -1"): "taken",
    (OWED, "balance = 1"): "refused",
    (ISSUED, "balance = 5"): "taken",
    (ISSUED, "balance = -5"): "taken",
    (POINTS, "version = -1"): "refused",
    (POINTS, "bound = 0"): "refused",
    (POINTS, "bound = 0, balance = -1"): "refused",
    (OWED, "account_number = 99"): "refused",
    (OWED, "balance = NULL"): "refused",
}


async def test_a_balance_stays_within_the_bounds_of_its_account(begun: Database, settings: Settings) -> None:
    outcomes = {}
    for account, change in CHANGES:
        where = f"WHERE community_id = 2 AND account_number = {NUMBERS[account]}"
        update = f"UPDATE ledger_balances SET {change} {where}"  # noqa: S608  literals of this file
        refused = sql_is_refused(settings, update)
        outcomes[account, change] = "refused" if refused else "taken"
    assert outcomes == CHANGES
    await assert_untouched(begun)


async def test_accounts_have_a_bound_a_head_and_an_address_of_their_own(begun: Database, settings: Settings) -> None:
    inserting = "INSERT INTO ledger_accounts (community_id, account_number, address, unit, bound) VALUES "
    outcomes = [
        sql_is_refused(settings, inserting + values)
        for values in [
            "(1, 8, 'new', 'POINT', 2)",
            "(1, 8, 'new', 'POINT', -2)",
            "(9, 1, 'new', 'POINT', 0)",
            f"(1, 8, '{POINTS}', 'POINT', 0)",
            "(1, 1, 'new', 'POINT', 0)",
        ]
    ]
    assert outcomes == [True] * 5
    assert sql_is_refused(settings, "DELETE FROM ledger_heads WHERE community_id = 1")
    await assert_untouched(begun)
