"""A mistake is reversed once, by its exact opposite, and stays readable."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app import ledger
from app.kernel.paging import Paging
from app.ledger import AlreadyReversed, BalanceOutOfBounds, Posted, UnknownTransaction
from tests.ledger.books import FRIEND, GIVEN, ISSUED, MINUTES, POINTS, codes, deposit, gift, held, post

if TYPE_CHECKING:
    from app.kernel.database import Database
    from app.kernel.errors import Refusal


async def reverse(database: Database, *numbers: int, community: int = 1) -> list[Posted | Refusal]:
    """Reverse transactions in one committed transaction."""
    async with database.write(community) as session:
        return await ledger.reverse(session, community, numbers, reason="typed twice", posted_by="1-manager")


async def test_a_reversal_is_the_exact_opposite_and_names_what_it_reverses(books: Database) -> None:
    await post(books, deposit(10, 60), deposit(5, 30))
    (posted,) = await reverse(books, 1)
    assert isinstance(posted, Posted)
    assert {change.account.address: change.amount for change in posted.changes} == {
        MINUTES: -60,
        GIVEN: 60,
        POINTS: -10,
        ISSUED: 10,
    }
    assert await held(books) == {MINUTES: 30, GIVEN: -30, POINTS: 5, ISSUED: -5}
    async with books.read(1) as session:
        row, _, first = await ledger.transactions(session, 1, Paging())
        assert (row["kind"], row["reverses"], row["reason"]) == ("reversal", 1, "typed twice")
        assert (row["posted_by"], row["reference"]) == ("1-manager", "service-records/1")
        assert (first["transaction_number"], first["kind"]) == (1, "deposit")
        assert len((await ledger.lines_of_transactions(session, 1, [1]))[1]) == 4
        assert await ledger.audit(session, 1) == []


async def test_the_same_transaction_twice_in_one_batch_is_reversed_once(books: Database) -> None:
    await post(books, deposit(10), deposit(10))
    outcomes = await reverse(books, 1, 1, 2, 1)
    assert codes(outcomes) == [3, "already-reversed", 4, "already-reversed"]
    assert outcomes[1] == AlreadyReversed(transaction_id=1)
    assert await held(books) == {}


async def test_the_same_transaction_in_two_batches_is_reversed_once(books: Database) -> None:
    await post(books, deposit(10))
    assert codes(await reverse(books, 1)) == [2]
    assert codes(await reverse(books, 1)) == ["already-reversed"]
    assert await held(books) == {}


async def test_of_two_that_reverse_at_the_same_time_one_is_too_late(books: Database) -> None:
    await post(books, deposit(10))
    outcomes = await asyncio.gather(reverse(books, 1), reverse(books, 1))
    assert sorted(str(codes(found)[0]) for found in outcomes) == ["2", "already-reversed"]


async def test_a_transaction_that_is_not_there_cannot_be_reversed(books: Database) -> None:
    await post(books, deposit(10), deposit(10, community=2), deposit(10, community=2))
    outcomes = await reverse(books, 2, 1, 0)
    assert codes(outcomes) == ["unknown-transaction", 2, "unknown-transaction"]
    assert outcomes[0] == UnknownTransaction(transaction_id=2)
    assert (await held(books, 2))[POINTS] == 20


async def test_points_that_were_spent_cannot_be_taken_back_but_once_they_are_there_again_they_can(
    books: Database,
) -> None:
    await post(books, deposit(10), gift(4))
    refusal = BalanceOutOfBounds(account=POINTS, balance=6, amount=-10)
    assert await reverse(books, 1, 1) == [refusal, refusal]
    assert codes(await reverse(books, 2, 1)) == [3, 4]
    assert await held(books) == {}


async def test_a_reversal_can_itself_be_reversed_once(books: Database) -> None:
    await post(books, deposit(10))
    assert codes(await reverse(books, 1)) == [2]
    assert codes(await reverse(books, 2)) == [3]
    assert codes(await reverse(books, 1, 2, 3)) == ["already-reversed", "already-reversed", 4]
    assert await held(books) == {}
    async with books.read(1) as session:
        assert await ledger.audit(session, 1) == []


async def test_nothing_to_reverse_is_nothing_posted(books: Database) -> None:
    await post(books, gift(1))
    assert await reverse(books) == []
    assert FRIEND not in await held(books)
