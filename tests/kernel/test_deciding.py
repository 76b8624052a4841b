"""A batch of rows is decided in order, and each reference once, in whatever batch it comes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import pytest

from app.kernel.deciding import Before, Decided, Deciding, decide_rows, unreferenced
from app.kernel.errors import Fault, InvalidRequest, Refusal
from app.kernel.events import Event, append, read_after
from app.kernel.ids import new_id
from app.kernel.references import ReferenceReused, Seen, Told
from tests.kernel.grounds import open_communities

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.kernel.database import Database, Session

ANNA, BELA = UUID(int=1), UUID(int=2)
INVALID = InvalidRequest(errors=(Fault("/name", "is invalid"),))


@dataclass(frozen=True, slots=True)
class Closed(Refusal):
    """A refusal with a fact."""

    code: ClassVar[str] = "closed"
    name: str

    @property
    def detail(self) -> str:
        return f"{self.name} is closed."


@dataclass(frozen=True, slots=True)
class Thing:
    """What a row makes."""

    community: int
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ThingRow:
    """A row as a batch brings it."""

    content: dict[str, Any]
    reference: str | None = None
    volunteer_id: UUID | None = ANNA
    alias: str | None = None
    community: int = 1


def row(name: str, reference: str | None = None, *, who: UUID | None = ANNA, alias: str | None = None) -> ThingRow:
    return ThingRow({"name": name}, reference, who, alias)


def decide(item: ThingRow, before: Before) -> Thing | Seen | Refusal:
    """Refuse what is called invalid or closed, and make a thing of the rest."""
    if item.content["name"] == "invalid":
        return INVALID
    if before is not None:
        return before
    return Closed("it") if item.content["name"] == "closed" else Thing(item.community, new_id(), item.content["name"])


async def store(session: Session, things: Sequence[Thing]) -> Mapping[UUID, Thing]:
    """Keep things as events."""
    await append(session, [Event(thing.community, thing.name, {"id": str(thing.id)}) for thing in things])
    return {thing.id: thing for thing in things}


async def load(session: Session, wanted: set[tuple[int, UUID]]) -> Mapping[tuple[int, UUID], Thing]:
    """Find things among the events."""
    things = [
        Thing(1, UUID(event.data["id"]), event.type) for event in await read_after(session, 1, after=0, limit=100)
    ]
    return {(1, thing.id): thing for thing in things if (1, thing.id) in wanted}


THINGS = Deciding("thing", decide, store, load)


async def run(database: Database, *rows: ThingRow) -> list[Decided[Thing]]:
    """Decide a batch in one committed transaction."""
    async with database.write(1) as session:
        return await decide_rows(session, rows, THINGS)


async def made(database: Database) -> list[str]:
    async with database.read(1) as session:
        return [event.type for event in await read_after(session, 1, after=0, limit=100)]


def shown(decided: Decided[Thing]) -> tuple[str, bool]:
    """The name of the thing, or the code of the refusal, and whether it was decided before."""
    outcome = decided.outcome
    return outcome.name if isinstance(outcome, Thing) else outcome.code, decided.replayed


@pytest.fixture
async def ready(database: Database) -> Database:
    await open_communities(database, 1)
    return database


async def test_rows_without_a_reference_are_decided_each_time(ready: Database) -> None:
    decided = [*await run(ready, row("a"), row("closed"), row("a")), *await run(ready, row("a"))]
    assert [shown(one) for one in decided] == [("a", False), ("closed", False), ("a", False), ("a", False)]
    assert unreferenced(decided) == [one.outcome for one in decided]
    assert await made(ready) == ["a", "a", "a"]


@pytest.mark.parametrize("batches", [[2], [1, 1]])
async def test_a_reference_that_comes_again_gets_what_was_made_the_first_time(
    ready: Database, batches: list[int]
) -> None:
    decided = [one for size in batches for one in await run(ready, *[row("a", "QL-1")] * size)]
    assert [shown(one) for one in decided] == [("a", False), ("a", True)]
    assert decided[0].outcome == decided[1].outcome
    assert await made(ready) == ["a"]


@pytest.mark.parametrize("batches", [[2], [1, 1]])
async def test_a_refusal_is_told_again_under_its_reference(ready: Database, batches: list[int]) -> None:
    first, again = [one for size in batches for one in await run(ready, *[row("closed", "QL-1")] * size)]
    assert first == Decided(Closed("it"))
    assert again == Decided(Told("closed", "it is closed.", {"name": "it"}), replayed=True)
    assert await made(ready) == []


async def test_other_content_or_another_volunteer_under_a_reference_is_refused(ready: Database) -> None:
    decided = await run(ready, row("a", "QL-1"), row("b", "QL-1"), row("a", "QL-1", who=BELA), row("a", "QL-1"))
    reused: Decided[Thing] = Decided(ReferenceReused(reference="QL-1"))
    assert decided[1:3] == [reused, reused]
    assert [shown(decided[0]), shown(decided[3])] == [("a", False), ("a", True)]
    assert await run(ready, row("b", "QL-1")) == [reused]
    assert await made(ready) == ["a"]


async def test_an_invalid_row_uses_up_no_reference_and_is_told_so_even_under_a_known_one(ready: Database) -> None:
    decided = await run(ready, row("invalid", "QL-1"), row("a", "QL-1"), row("invalid", "QL-1"))
    assert [shown(one) for one in decided] == [("invalid-request", False), ("a", False), ("invalid-request", False)]
    assert await made(ready) == ["a"]


async def test_a_volunteer_named_by_an_alias_first_and_by_id_later_is_the_same(ready: Database) -> None:
    first = await run(ready, row("closed", "QL-1", who=None, alias="phone hash"))
    later = await run(ready, row("closed", "QL-1", who=ANNA, alias="phone hash"))
    other = await run(ready, row("closed", "QL-1", who=None, alias="other hash"))
    assert [shown(one) for one in (*first, *later, *other)] == [
        ("closed", False),
        ("closed", True),
        ("reference-reused", False),
    ]


async def test_old_and_new_rows_are_answered_in_their_places(ready: Database) -> None:
    await run(ready, row("a", "QL-1"), row("closed", "QL-2"))
    decided = await run(ready, row("b", "QL-3"), row("a", "QL-1"), row("c"), row("closed", "QL-2"), row("b", "QL-3"))
    assert [shown(one) for one in decided] == [("b", False), ("a", True), ("c", False), ("closed", True), ("b", True)]
    assert await made(ready) == ["a", "b", "c"]


async def test_no_rows_are_nothing_decided(ready: Database) -> None:
    assert await run(ready) == []
    assert await made(ready) == []
