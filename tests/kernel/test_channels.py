"""What is sent below SQLAlchemy: prepared once, several statements to a message, each transaction by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.kernel import postgresql_channel
from app.kernel.channels import Channel, RolledBackError
from app.kernel.events import Event, append, read_after
from app.kernel.idempotency import Answer, Keyed, keep_answers, known, known_answers
from app.kernel.postgresql_channel import PostgresqlChannel
from app.kernel.sqlite_channel import SqliteChannel
from app.main import open_database
from tests.kernel.grounds import open_communities
from tests.sending import sent

if TYPE_CHECKING:
    from app.kernel.database import Database
    from app.settings import Settings
    from tests.bank import TestClock

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

A_MINUTE_LONG = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}
ODD = 'it\'s \\ "odd"; DROP TABLE events; -- %s %(x)s %% $1 :x 𠮷 \u2028 {\n}\t'
KEY = Keyed(1, "1-desk", "k", "h" * 64)


async def types(database: Database) -> list[str]:
    async with database.read(1) as session:
        return [event.type for event in await read_after(session, 1, after=0, limit=100)]


async def test_any_text_arrives_as_it_was_sent(database: Database) -> None:
    await open_communities(database, 1)
    odd = KEY._replace(caller="1-" + ODD, key="'; --")
    async with database.write(1) as session:
        await append(session, [Event(1, ODD, {ODD: [ODD]})])
        await keep_answers(session, [(odd, Answer(200, ODD.encode()))])
    async with database.read(1) as session:
        (event,) = await read_after(session, 1, after=0, limit=9)
        assert (event.type, event.data) == (ODD, {ODD: [ODD]})
        assert (await known_answers(session, [odd]))[odd] == Answer(200, ODD.encode())
        assert await known_answers(session, [odd._replace(caller="1-other")]) == {}


@on_postgresql
async def test_a_message_that_fails_leaves_nothing_and_its_statements_can_be_sent_again(database: Database) -> None:
    await open_communities(database, 1)
    answer = [(KEY, Answer(200, b"{}"))]
    async with database.write(1) as session:
        await keep_answers(session, answer)

    async def again() -> None:
        async with database.write(1) as session:
            await append(session, [Event(1, "with a key that is taken", {})])
            await keep_answers(session, answer)

    for _ in range(3):
        # What the message prepared and wrote goes with it.
        with pytest.raises(IntegrityError):
            await again()
        async with database.write(1) as session:
            await append(session, [Event(1, "alone", {})])
    assert await types(database) == ["alone"] * 3


@on_postgresql
async def test_a_connection_knows_a_bounded_number_of_statements(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_channel, "_prepared_max", 2)
    await open_communities(database, 1)
    for _ in range(3):
        async with database.write(1) as session:
            await append(session, [Event(1, "one", {})])
            await session.flush()
            await keep_answers(session, [(KEY._replace(key=str(session.heads[1].event_number)), Answer(200, b"{}"))])
            await session.flush()
            assert await known_answers(session, [KEY]) == {}
            found = await session.execute(sa.text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'hot%'"))
            assert found.scalar_one() <= 2
    assert await types(database) == ["one"] * 3


@on_postgresql
async def test_failures_leave_no_statements_behind_on_a_connection(database: Database) -> None:
    await open_communities(database, 1)
    answer = [(KEY, Answer(200, b"{}"))]

    async def again() -> None:
        async with database.write(1) as session:
            await append(session, [Event(1, "with a key that is taken", {})])
            await keep_answers(session, answer)

    async def prepared() -> int:
        async with database.write(1) as session:
            found = await session.execute(sa.text("SELECT count(*) FROM pg_prepared_statements"))
            return int(found.scalar_one())

    await again()
    counts = []
    for _ in range(4):
        with pytest.raises(IntegrityError):
            await again()
        counts.append(await prepared())
    assert counts == [counts[0]] * 4


@on_postgresql
async def test_after_a_message_that_failed_none_is_sent_outside_a_transaction(database: Database) -> None:
    await open_communities(database, 1)

    async def careless() -> None:
        async with database.read(1) as session:
            with pytest.raises(ProgrammingError):
                # It fails as a whole, before it has begun the transaction.
                await session._channel.rows("SELECT 'not ended")  # noqa: SLF001
            await session.execute(sa.text("SELECT current_user"))

    with pytest.raises(RolledBackError):
        await careless()
    assert await types(database) == []


@on_postgresql
async def test_texts_arrive_whatever_encoding_the_user_has_set(
    settings: Settings, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "GB18030")
    database = open_database(settings, clock)
    await open_communities(database, 1)
    async with database.write(1) as session:
        await append(session, [Event(1, '量血压"', {"中": "中\\"})])
    assert await types(database) == ['量血压"']
    await database.close()


async def test_who_is_cancelled_leaves_nothing_and_the_next_need_not_wait(database: Database) -> None:
    await open_communities(database, 1)
    waiting = asyncio.Event()

    async def slow() -> None:
        async with database.write(1) as session:
            await append(session, [Event(1, "never", {})])
            await session.flush()
            waiting.set()
            await session._channel.rows(A_MINUTE_LONG[database.dialect])  # noqa: SLF001

    task = asyncio.create_task(slow())
    await waiting.wait()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10), database.write(1) as session:
        await append(session, [Event(1, "next", {})])
    assert await types(database) == ["next"]


async def test_who_is_cancelled_while_sqlalchemy_waits_gets_no_other_error(database: Database) -> None:
    waiting = asyncio.Event()

    async def again_and_again() -> None:
        async with database.read() as session:
            while True:
                await session.execute(sa.text("SELECT 1"))
                waiting.set()

    for _ in range(5):
        waiting.clear()
        task = asyncio.create_task(again_and_again())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@on_postgresql
async def test_an_error_that_was_passed_over_is_not_taken_for_a_commit(database: Database) -> None:
    await open_communities(database, 1)

    async def careless() -> None:
        async with database.read(1) as session:
            with pytest.raises(ProgrammingError):
                await session.execute(sa.text("SELECT nothing FROM nowhere"))

    with pytest.raises(RolledBackError):
        await careless()
    assert await types(database) == []


@on_postgresql
async def test_a_transaction_begins_with_its_first_question_and_ends_with_its_last_writes(database: Database) -> None:
    await open_communities(database, 1)
    with sent() as messages:
        async with database.write(1) as session:
            await append(session, [Event(1, "one", {})])
        async with database.read(1):
            pass
    begun, written = messages
    assert begun.startswith("BEGIN; SET LOCAL ROLE lovebank_app; SET LOCAL lovebank.communities = '1'; SELECT ")
    assert begun.endswith(" FOR UPDATE")
    assert written.endswith("; COMMIT")


@on_postgresql
async def test_no_transaction_sees_what_the_one_before_on_its_connection_named(database: Database) -> None:
    await open_communities(database, 1, 2)
    for community in (1, 2):
        async with database.write(community) as session:
            await append(session, [Event(community, f"of {community}", {})])
    for community in (1, 2, 1):
        async with database.read(community) as session:
            found = await session.execute(sa.text("SELECT type FROM events"))
            assert found.scalars().all() == [f"of {community}"]
    async with database.read() as session:
        assert (await session.execute(sa.text("SELECT type FROM events"))).scalars().all() == []


async def test_a_write_that_failed_and_was_passed_over_takes_the_others_with_it(database: Database) -> None:
    await open_communities(database, 1)
    answer = [(KEY, Answer(200, b"{}"))]
    async with database.write(1) as session:
        await keep_answers(session, answer)

    async def careless() -> None:
        async with database.write(1) as session:
            await append(session, [Event(1, "before", {})])
            await session.flush()
            await keep_answers(session, answer)
            with pytest.raises(IntegrityError):
                await session.flush()
            await append(session, [Event(1, "after", {})])

    with pytest.raises(RolledBackError):
        await careless()
    assert await types(database) == []


async def test_who_is_cancelled_while_rolling_back_leaves_no_connection_behind(database: Database) -> None:
    await open_communities(database, 1)
    rolling_back = asyncio.Event()
    closed = []
    cut_off = Channel.cut_off

    async def stuck(_: Channel) -> None:
        rolling_back.set()
        await asyncio.sleep(60)

    async def noting(self: Channel) -> None:
        await cut_off(self)
        closed.append(self)

    async def fail() -> None:
        async with database.write(1) as session:
            await append(session, [Event(1, "never", {})])
            await session.flush()
            raise ZeroDivisionError

    with (
        patch.multiple(PostgresqlChannel, break_off=stuck, cut_off=noting),
        patch.multiple(SqliteChannel, break_off=stuck, cut_off=noting),
    ):
        task = asyncio.create_task(fail())
        await rolling_back.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(closed) == 1
    assert await types(database) == []


async def test_heads_are_locked_whatever_is_asked_ahead(database: Database) -> None:
    await open_communities(database, 1)
    async with database.write(1, ahead=[known(database.dialect, [])]) as session:
        assert list(session.heads) == [1]
