"""What is posted is there for good, in order, and what is refused left no trace."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app import ledger
from app.kernel.errors import Refusal
from app.kernel.paging import Paging
from app.ledger import Account, BalanceOutOfBounds, Entry, ExtractAsked, InconsistentError, Posted, rules
from tests.bank import NOW
from tests.ledger.books import (
    ACCOUNTS,
    FRIEND,
    GIVEN,
    ISSUED,
    MINUTES,
    NEWEST,
    NUMBERS,
    OWED,
    POINTS,
    codes,
    deposit,
    entry,
    gift,
    held,
    post,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.kernel.database import Database, Session
    from app.ledger import Line
    from tests.bank import TestClock


async def test_a_deposit_moves_minutes_and_points_in_one_transaction(books: Database) -> None:
    (posted,) = await post(books, deposit(15, 90))
    assert isinstance(posted, Posted)
    assert (posted.transaction_id, posted.posted_at) == (1, NOW)
    assert [tuple(change) for change in posted.changes] == [
        (Account(1, MINUTES), NUMBERS[MINUTES], 90, 1, 90),
        (Account(1, GIVEN), NUMBERS[GIVEN], -90, 1, -90),
        (Account(1, POINTS), NUMBERS[POINTS], 15, 1, 15),
        (Account(1, ISSUED), NUMBERS[ISSUED], -15, 1, -15),
    ]
    assert await held(books) == {MINUTES: 90, GIVEN: -90, POINTS: 15, ISSUED: -15}
    async with books.read(1) as session:
        (row,) = await ledger.transactions(session, 1, Paging())
    assert (row["kind"], row["posted_by"], row["reference"]) == ("deposit", "1-desk", "service-records/1")
    assert (row["postings_count"], row["reverses"], row["reason"]) == (4, None, None)


async def test_entries_of_one_batch_see_each_other_and_those_refused_take_no_number(books: Database) -> None:
    outcomes = await post(
        books, gift(1), deposit(10), gift(4), gift(7), entry((POINTS, 1)), entry(("nobody", 1), (POINTS, -1)), gift(6)
    )
    assert codes(outcomes) == [
        "balance-out-of-bounds",
        1,
        2,
        "balance-out-of-bounds",
        "unbalanced-entry",
        "unknown-account",
        3,
    ]
    assert outcomes[3] == BalanceOutOfBounds(account=POINTS, balance=6, amount=-7)
    assert await held(books) == {MINUTES: 60, GIVEN: -60, ISSUED: -10, FRIEND: 10}
    async with books.read(1) as session:
        numbers = [row["transaction_number"] for row in await ledger.transactions(session, 1, Paging())]
        assert numbers == [3, 2, 1]
        assert [row["transaction_number"] for row in await ledger.transactions(session, 1, Paging(position=3))] == [
            2,
            1,
        ]
        (one,) = await ledger.transactions(session, 1, Paging(), number=2)
        assert one["kind"] == "gift"


async def test_linked_entries_are_posted_together_or_not_at_all(books: Database) -> None:
    outcomes = await post(
        books,
        deposit(10),
        gift(4, group="a"),
        gift(7, group="a"),
        gift(4, group="b"),
        gift(6, group="b"),
    )
    assert codes(outcomes) == [1, "linked-entry-refused", "balance-out-of-bounds", 2, 3]
    assert (await held(books))[FRIEND] == 10


async def test_nothing_to_post_is_nothing_posted(books: Database) -> None:
    async with books.write(1) as session:
        assert await ledger.post(session, []) == []
        await ledger.open_accounts(session, [])
    assert await held(books) == {}


async def test_one_batch_may_post_in_several_communities_each_with_its_own_numbers(books: Database) -> None:
    await post(books, deposit(1))
    outcomes = await post(books, deposit(5, community=2), deposit(7), deposit(6, community=2))
    assert codes(outcomes) == [1, 2, 2]
    assert (await held(books, 1))[POINTS] == 8
    assert (await held(books, 2))[POINTS] == 11


async def test_a_community_cannot_be_posted_in_without_its_head(books: Database) -> None:
    async def forgetful(session: Session) -> None:
        await session.show(1, 2)
        await ledger.post(session, [deposit(5, community=2)])

    with pytest.raises(KeyError):
        await books.run([1], forgetful)
    assert await held(books, 2) == {}


async def test_entries_that_were_decided_before_are_posted_or_the_whole_transaction_fails(books: Database) -> None:
    async with books.write(1) as session:
        (posted,) = await ledger.post_decided(session, [deposit(5)])
    assert posted.transaction_id == 1

    async def mistaken(session: Session) -> None:
        await ledger.post_decided(session, [deposit(5), gift(99)])

    with pytest.raises(InconsistentError, match="gift service-records/1: volunteer/1/points holds 10"):
        await books.run([1], mistaken)
    assert (await held(books))[POINTS] == 5


async def test_accounts_are_numbered_as_they_are_opened_and_hold_nothing(books: Database) -> None:
    async with books.read(1) as session:
        rows = await ledger.accounts(session, 1, Paging())
        assert [(row["account_number"], row["address"], row["unit"]) for row in rows] == [
            (NUMBERS[address], address, unit) for address, (unit, _) in ACCOUNTS.items()
        ]
        assert {(row["balance"], row["version"]) for row in rows} == {(0, 0)}
        assert [row["address"] for row in await ledger.accounts(session, 1, Paging(limit=1, position=2))] == [
            MINUTES,
            ISSUED,
        ]
        states = await ledger.states(session, [Account(1, OWED), Account(1, "nobody")])
        assert states == {Account(1, OWED): ledger.State(NUMBERS[OWED], "POINT", -1, 0, 0)}
        assert await ledger.balances(session, [Account(1, "nobody")]) == {}


async def test_what_is_taken_back_too_late_is_owed_and_never_more_than_that(books: Database) -> None:
    outcomes = await post(
        books, entry((OWED, -4), (ISSUED, 4)), entry((OWED, 5), (ISSUED, -5)), entry((OWED, 4), (ISSUED, -4))
    )
    assert codes(outcomes) == [1, "balance-out-of-bounds", 2]
    assert await held(books) == {}


async def test_a_past_balance_is_what_was_held_once_all_of_that_moment_was_posted(
    books: Database, clock: TestClock
) -> None:
    asked = [Account(1, POINTS), Account(1, FRIEND), Account(1, OWED), Account(1, "nobody")]
    await post(books, deposit(10))
    await post(books, gift(1))
    clock.move(hours=1)
    await post(books, gift(2))
    await post(books, deposit(5, community=2))
    seen = {}
    async with books.read(1) as session:
        for hours in (-1, 0, 0.5, 1, 9):
            past = await ledger.balances(session, asked, at=NOW + timedelta(hours=hours))
            seen[hours] = [past.get(account) for account in asked]
        assert await ledger.balances(session, [], at=NOW) == {}
        assert await ledger.balances(session, asked, at=NOW + timedelta(hours=1)) == await ledger.balances(
            session, asked
        )
    assert seen == {
        -1: [0, 0, 0, None],
        0: [9, 1, 0, None],
        0.5: [9, 1, 0, None],
        1: [7, 3, 0, None],
        9: [7, 3, 0, None],
    }


def shown(line: Line) -> tuple[int, str, int, int, int]:
    return line.transaction_id, line.account.rpartition("/")[2], line.amount, line.balance_after, line.version


async def extract(
    session: Session, accounts: tuple[Account, ...], *, limit: int | None, before: list[int] | None = None
) -> list[Line]:
    """An extract of accounts that are there, beside others that ask for other pages of the same."""
    asked = [ExtractAsked(accounts, before, limit), ExtractAsked(accounts, None, 1)]
    found, newest = await session.ask(ledger.ask_extracts(session.dialect, asked))
    assert found
    assert newest
    assert newest.lines == (await session.ask(ledger.ask_extracts(session.dialect, asked[1:])))[0].lines  # type: ignore[union-attr]
    return found.lines


async def test_a_statement_shows_the_newest_first_and_of_one_transaction_in_the_order_asked_for(
    books: Database,
) -> None:
    await post(books, deposit(10, 60), gift(3), deposit(5, 30))
    async with books.read(1) as session:
        lines = await extract(session, (Account(1, MINUTES), Account(1, POINTS)), limit=9)
        assert [shown(line) for line in lines] == [
            (3, "minutes", 30, 90, 2),
            (3, "points", 5, 12, 3),
            (2, "points", -3, 7, 2),
            (1, "minutes", 60, 60, 1),
            (1, "points", 10, 10, 1),
        ]
        first = lines[0]
        assert (first.posted_at, first.kind, first.account, first.unit) == (NOW, "deposit", MINUTES, "MINUTE")
        assert first.reference == "service-records/1"
        told = {(line.transaction_id, line.posted_at, line.kind, line.reference) for line in lines}
        kinds = ((1, "deposit"), (2, "gift"), (3, "deposit"))
        assert told == {(number, NOW, kind, "service-records/1") for number, kind in kinds}
        nobody = ledger.ask_extracts(session.dialect, [ExtractAsked((Account(1, "nobody"),), None, 9)])
        assert await session.ask(nobody) == [None]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_a_statement_read_in_pages_is_the_whole_of_it(books: Database, limit: int) -> None:
    await post(books, deposit(10, 60), gift(3), deposit(5, 30), gift(1))
    accounts = (Account(1, MINUTES), Account(1, POINTS))
    before = [NEWEST, NEWEST]
    read: list[Line] = []
    async with books.read(1) as session:
        whole = await extract(session, accounts, limit=None)
        assert whole == await extract(session, accounts, limit=100)
        for _ in range(len(whole) + 1):
            page = await extract(session, accounts, before=before, limit=limit)
            assert len(page) <= limit
            read += page
            for line in page:
                before[accounts.index(Account(1, line.account))] = line.version
    assert read == whole
    assert len(whole) == 6


async def test_books_add_up_by_unit_and_count_by_kind(books: Database) -> None:
    await post(books, deposit(10), gift(3), gift(4), deposit(9, community=2))
    async with books.read(1) as session:
        units = [(row["unit"], row["sum"], row["accounts"]) for row in await ledger.trial_balance(session, 1)]
        assert units == [("MINUTE", 0, 2), ("POINT", 0, 5)]
        assert await ledger.count_by_kind(session, 1) == {"deposit": 1, "gift": 2}
        lines = await ledger.lines_of_transactions(session, 1, [2, 9])
    assert {number: [(line.account, line.amount) for line in found] for number, found in lines.items()} == {
        2: [(POINTS, -3), (FRIEND, 3)]
    }


def random_entries(count: int) -> Iterator[Entry]:
    """The same random entries each time: many hold, some are refused, some are linked."""
    chance = random.Random(20260302)  # noqa: S311  nothing here is secret
    for _ in range(count):
        community, group = chance.choice([1, 1, 2]), chance.choice([None, None, None, "a", "b"])
        source, target = chance.sample([POINTS, OWED, ISSUED, FRIEND, "nobody"], 2)
        amount = chance.randint(1, 20)
        movements = [(source, -amount), (target, amount + chance.choice([0, 0, 0, 0, 0, 1]))]
        if chance.random() < 0.3:
            movements += [(MINUTES, amount), (GIVEN, -amount)]
        yield entry(*movements, community=community, group=group)


async def test_both_databases_decide_as_the_rules_do_and_keep_what_was_decided(books: Database) -> None:
    states = {
        Account(community, address): rules.State(NUMBERS[address], unit, bound, 0, 0)
        for community in (1, 2)
        for address, (unit, bound) in ACCOUNTS.items()
    }
    entries = list(random_entries(240))
    posted = 0
    for size, start in zip([1, 79, 160], [0, 1, 80], strict=True):
        batch = entries[start : start + size]
        outcomes = await post(books, *batch)
        decisions = rules.apply(states, batch)
        for outcome, decision in zip(outcomes, decisions, strict=True):
            assert (outcome if isinstance(outcome, Refusal) else outcome.changes) == decision
            for change in () if isinstance(decision, Refusal) else decision:
                states[change.account] = states[change.account]._replace(
                    version=change.version, balance=change.balance_after
                )
                posted += 1
    assert posted > 150
    async with books.read(1, 2) as session:
        assert await ledger.states(session, states) == states
        for community in (1, 2):
            assert await ledger.audit(session, community) == []
            assert {row["sum"] for row in await ledger.trial_balance(session, community)} == {0}
