"""Requests that arrive while a commit is under way share the next one; what fails, fails alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from app.kernel.coalesce import BATCH_MAX, Commands
from app.kernel.errors import Refused, Unavailable
from app.kernel.events import Event, append, read_after
from app.kernel.idempotency import Answer, Keyed
from app.kernel.submission import Command, Outcome, Submission
from app.main import open_database
from tests.kernel.grounds import Desk, Withdrawn, open_communities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Database, Session
    from app.kernel.errors import Refusal
    from app.settings import Settings
    from tests.bank import TestClock

COMMUNITIES = (1, 2, 3)


def written(text: str) -> Answer:
    return Answer(201, text.encode())


@dataclass
class Door:
    """A coalescer over a command that announces its items and keeps the sizes and the order of its batches."""

    database: Database
    length_max: int = 10_000
    batches: list[list[tuple[int, str]]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    def __post_init__(self) -> None:
        self.coalescer = Commands(self.database, length_max=self.length_max)
        self.command = Command(self.announce, lambda refusal: Answer(409, refusal.code.encode()))

    async def announce(self, session: Session, items: Sequence[tuple[int, str]]) -> list[str | Refusal]:
        self.batches.append(list(items))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0.01)
        self.under_way -= 1
        if any(text == "poison" for _, text in items):
            message = "the database refuses this batch"
            raise ValueError(message)
        await append(session, [Event(community, text, {}) for community, text in items])
        return [text for _, text in items]

    async def send(self, community: int, text: str, key: str | None = None, caller: str = "desk") -> Outcome:
        keyed = Keyed(community, caller, key or f"key of {text}", text)
        item = (community, text)
        submission = Submission(Desk(caller, community), keyed, item, written)
        return await self.coalescer.submit(self.command, submission)

    async def happened(self, community: int) -> list[str]:
        async with self.database.read(community) as session:
            return [event.type for event in await read_after(session, community, after=0, limit=10_000)]


@pytest.fixture
async def door(database: Database) -> Door:
    await open_communities(database, *COMMUNITIES)
    return Door(database)


async def test_those_who_come_during_a_commit_share_the_next_one(door: Door) -> None:
    outcomes = await asyncio.gather(*(door.send(1, f"item-{number}") for number in range(20)))
    assert [outcome.answer.body for outcome in outcomes] == [f"item-{number}".encode() for number in range(20)]
    # In halves: while the first are in the database, the second could be read.
    assert [len(batch) for batch in door.batches] == [1, 10, 9]
    assert await door.happened(1) == [f"item-{number}" for number in range(20)]


async def test_one_who_comes_alone_does_not_wait_for_others(door: Door) -> None:
    async with asyncio.timeout(2):
        assert (await door.send(1, "alone")).answer.status == 201
    assert [len(batch) for batch in door.batches] == [1]


async def test_no_community_is_in_two_transactions_and_no_batch_is_too_large(door: Door) -> None:
    number = BATCH_MAX * 2 + 200
    await asyncio.gather(*(door.send(1, f"item-{one}") for one in range(number)))
    assert [len(batch) for batch in door.batches] == [1, BATCH_MAX, BATCH_MAX, 199]
    assert door.most_under_way == 1
    assert len(set(await door.happened(1))) == number


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_where_the_database_is_distributed_each_batch_is_of_one_community(
    settings: Settings, clock: TestClock
) -> None:
    database = open_database(settings.model_copy(update={"database_distributed": True}), clock)
    await open_communities(database, *COMMUNITIES)
    door = Door(database)
    await asyncio.gather(*(door.send(1 + one % 3, f"item-{one}") for one in range(30)))
    assert {len({community for community, _ in batch}) for batch in door.batches} == {1}
    assert max(len(batch) for batch in door.batches) > 1
    assert [len(await door.happened(community)) for community in COMMUNITIES] == [10, 10, 10]
    await database.close()


async def test_a_quiet_community_is_served_in_the_next_batch_of_a_busy_one(door: Door) -> None:
    first = [asyncio.create_task(door.send(community, f"first-{community}")) for community in (1, 2)]
    await asyncio.sleep(0)
    many = [asyncio.create_task(door.send(1, f"item-{number}")) for number in range(BATCH_MAX * 2)]
    quiet = asyncio.create_task(door.send(3, "quiet"))
    await quiet
    assert not all(task.done() for task in many)
    await asyncio.gather(*first, *many)


async def test_a_key_within_a_batch_takes_effect_once_and_another_request_under_it_is_refused(door: Door) -> None:
    opening = asyncio.create_task(door.send(1, "opening"))
    await asyncio.sleep(0)
    first, again, other = await asyncio.gather(
        door.send(1, "towel", "k"), door.send(1, "towel", "k"), door.send(1, "soap", "k")
    )
    await opening
    assert (first.replayed, again.replayed, again.answer.body) == (False, True, b"towel")
    assert other.answer.body == b"idempotency-key-reused"
    assert await door.happened(1) == ["opening", "towel"]


async def test_what_the_database_refuses_fails_alone(door: Door) -> None:
    texts = [
        "opening",
        *(f"item-{number}" for number in range(7)),
        "poison",
        *(f"more-{number}" for number in range(7)),
    ]
    outcomes = await asyncio.gather(*(door.send(1, text) for text in texts), return_exceptions=True)
    failed = [text for text, outcome in zip(texts, outcomes, strict=True) if isinstance(outcome, BaseException)]
    assert failed == ["poison"]
    assert isinstance(outcomes[texts.index("poison")], ValueError)
    assert await door.happened(1) == [text for text in texts if text != "poison"]


async def test_whose_right_was_withdrawn_is_refused_alone(door: Door) -> None:
    opening = asyncio.create_task(door.send(1, "opening"))
    await asyncio.sleep(0)
    gone, stays = await asyncio.gather(
        door.send(1, "gone", caller="gone"), door.send(1, "stays"), return_exceptions=True
    )
    await opening
    assert isinstance(gone, Refused)
    assert isinstance(gone.refusal, Withdrawn)
    assert isinstance(stays, Outcome)
    assert await door.happened(1) == ["opening", "stays"]


async def test_the_queue_has_an_end_and_who_gave_up_leaves_it(door: Door) -> None:
    door = Door(door.database, length_max=3)
    opening = asyncio.create_task(door.send(1, "opening"))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(door.send(1, f"item-{number}")) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await door.send(1, "too many")
    waiting[0].cancel()
    await asyncio.sleep(0)
    late = await door.send(1, "late")
    assert late.answer.status == 201
    await asyncio.gather(opening, *waiting[1:])
    assert await door.happened(1) == ["opening", "item-1", "item-2", "late"]


async def test_a_batch_that_everybody_gave_up_is_cut_off_and_leaves_nothing(door: Door) -> None:
    alone = asyncio.create_task(door.send(1, "given up"))
    while not door.under_way:  # noqa: ASYNC110  it is under way when the command says so
        await asyncio.sleep(0)
    alone.cancel()
    await asyncio.gather(alone, return_exceptions=True)
    assert (await door.send(1, "next")).answer.status == 201
    assert await door.happened(1) == ["next"]


async def test_a_community_that_others_hold_does_not_hold_up_the_batch(door: Door) -> None:
    async with door.database.write(1) if door.database.dialect == "postgresql" else door.database.read(1):
        first = [asyncio.create_task(door.send(community, "first")) for community in (2, 3)]
        await asyncio.sleep(0)
        held = asyncio.create_task(door.send(1, "held"))
        others = [asyncio.create_task(door.send(community, f"other-{community}")) for community in (2, 3)]
        async with asyncio.timeout(5):
            await asyncio.gather(*first, *others)
        if door.database.dialect == "postgresql":
            assert not held.done()
    assert (await held).answer.status == 201
