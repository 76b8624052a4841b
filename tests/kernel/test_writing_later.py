"""Rows wait to be written together, and questions are asked ahead: neither can be told from doing it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from app.kernel import events
from app.kernel.events import Event, append, read_after
from app.kernel.heads import ledger_heads
from app.kernel.idempotency import Answer, Keyed, keep_answers, known, known_answers
from app.kernel.rows import insert_rows, update_rows
from tests.kernel.grounds import open_communities
from tests.sending import sent

if TYPE_CHECKING:
    from app.kernel.database import Database, Session

KEY = Keyed(1, "desk", "key", "hash")


@pytest.fixture
async def grounds(database: Database) -> Database:
    await open_communities(database, 1, 2)
    return database


async def types(session: Session) -> list[str]:
    return [event.type for event in await read_after(session, 1, after=0, limit=100)]


async def test_what_waits_is_seen_by_whatever_reads_its_table(grounds: Database) -> None:
    async with grounds.write(1) as session:
        await append(session, [Event(1, "first", {})])
        await append(session, [Event(1, "second", {})])
        assert await types(session) == ["first", "second"]
        await append(session, [Event(1, "third", {})])
    async with grounds.read(1) as session:
        assert await types(session) == ["first", "second", "third"]


async def test_of_two_updates_of_a_row_the_later_holds(grounds: Database) -> None:
    async with grounds.write(1, 2) as session:
        for number in (5, 7):
            rows = [{"community_id": 1, "account_number": number}, {"community_id": 2, "account_number": 1}]
            await update_rows(session, ledger_heads, ("community_id",), rows)
    async with grounds.write(1, 2) as session:
        assert [session.heads[community].account_number for community in (1, 2)] == [7, 1]


async def test_a_statement_that_changes_rows_comes_after_what_waits(grounds: Database) -> None:
    async with grounds.write(1) as session:
        await append(session, [Event(1, "first", {})])
        await session.execute(sa.update(ledger_heads).where(ledger_heads.c.community_id == 1).values(account_number=3))
        assert await types(session) == ["first"]


async def test_a_row_that_cannot_be_written_takes_the_whole_transaction_with_it(grounds: Database) -> None:
    row = {"community_id": 1, "number": 1, "type": "twice", "occurred_at": None, "data": {}}

    async def work(session: Session) -> None:
        await append(session, [Event(1, "first", {})])
        await insert_rows(session, events.events, [{**row, "occurred_at": session.now(1)}])

    with pytest.raises(sa.exc.IntegrityError):
        await grounds.run([1], work)
    async with grounds.read(1) as session:
        assert await types(session) == []


async def test_an_answer_asked_ahead_is_forgotten_once_its_table_changes(grounds: Database) -> None:
    async with grounds.write(1, ahead=[known(grounds.dialect, [KEY])]) as session:
        assert await known_answers(session, [KEY]) == {}
        await keep_answers(session, [(KEY, Answer(201, b"{}"))])
        assert await known_answers(session, [KEY]) == {KEY: Answer(201, b"{}")}


async def test_what_is_foreseen_is_not_asked_again(grounds: Database) -> None:
    async with grounds.write(1, ahead=[known(grounds.dialect, [KEY])]) as session:
        with sent() as collected:
            assert await known_answers(session, [KEY]) == {}
            assert collected == []
            assert await known_answers(session, [KEY._replace(key="other")]) == {}
            assert len(collected) == 1


async def test_what_is_foreseen_is_asked_again_when_more_becomes_visible(grounds: Database) -> None:
    async with grounds.write(2) as session:
        await keep_answers(session, [(KEY._replace(community=2), Answer(200, b"{}"))])
    there = KEY._replace(community=2)
    async with grounds.write(1, ahead=[known(grounds.dialect, [there])]) as session:
        await session.show(1, 2)
        assert list(await known_answers(session, [there])) == [there]
