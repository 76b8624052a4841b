"""A sender's reference is decided once: the same content again is a replay, other content is refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from app.kernel.errors import Refusal
from app.kernel.references import (
    NewlySeen,
    ReferenceReused,
    Seen,
    Told,
    content_hash,
    keep_seen,
    load_seen,
    replay,
    told,
)
from tests.kernel.grounds import as_owner, open_communities

if TYPE_CHECKING:
    from app.kernel.database import Database
    from app.settings import Settings

RECORD = UUID("0195d0e2-7b6a-7c3d-8e4f-5a6b7c8d9e0f")


@dataclass(frozen=True, slots=True)
class TooLong(Refusal):
    """A refusal with facts of several types."""

    code: ClassVar[str] = "too-long"
    record: UUID
    day: date
    minutes: int
    unknown: str | None = None

    @property
    def detail(self) -> str:
        return f"{self.minutes} minutes are too long."


def content(started_at: datetime, minutes: int, note: str | None = None) -> dict[str, Any]:
    """Parsed values of a row."""
    return {"started_at": started_at, "minutes": minutes, "note": note}


SEEN = {
    "QL-1": Seen("volunteer 1", "hash 1", RECORD, None),
    "编号 '2\" 𠮷": Seen("volunteer 2", "hash 2", None, told(TooLong(RECORD, date(2026, 3, 1), 1441))),
}


async def keep(database: Database, community: int = 1, resource: str = "service_record") -> None:
    async with database.write(community) as session:
        await keep_seen(session, resource, [NewlySeen(community, name, seen) for name, seen in SEEN.items()])


async def test_what_was_decided_about_references_is_loaded_as_it_was_and_new_ones_are_missing(
    database: Database,
) -> None:
    await open_communities(database, 1)
    await keep(database)
    places = [(1, name) for name in [*SEEN, "QL-9", "QL-1"]]
    async with database.read(1) as session:
        found = await load_seen(session, "service_record", places)
        assert await load_seen(session, "service_record", []) == {}
    assert found == {(1, name): seen for name, seen in SEEN.items()}


async def test_a_reference_belongs_to_its_community_and_its_resource(database: Database) -> None:
    await open_communities(database, 1, 2)
    await keep(database, 1)
    await keep(database, 2, "redemption")
    async with database.read(1, 2) as session:
        both = [(1, "QL-1"), (2, "QL-1")]
        assert list(await load_seen(session, "service_record", both)) == [(1, "QL-1")]
        assert list(await load_seen(session, "redemption", both)) == [(2, "QL-1")]


async def test_a_reference_is_never_decided_twice(database: Database, settings: Settings) -> None:
    await open_communities(database, 1)
    await keep(database)
    with pytest.raises(IntegrityError):
        await keep(database)
    assert as_owner(settings, "SELECT count(*) FROM seen_references") == [(2,)]


def test_a_refusal_is_told_again_in_the_same_words_with_the_same_facts() -> None:
    facts: dict[str, Any] = {"record": str(RECORD), "day": "2026-03-01", "minutes": 1441}
    assert told(TooLong(RECORD, date(2026, 3, 1), 1441)) == Told("too-long", "1441 minutes are too long.", facts)


def test_the_same_content_is_a_replay_for_whoever_it_stands_for() -> None:
    known = SEEN["QL-1"]
    assert replay(known, "QL-1", who={"volunteer 1", "phone hash"}, content="hash 1") is known


@pytest.mark.parametrize(("who", "content"), [({"volunteer 2"}, "hash 1"), ({"volunteer 1"}, "hash 2"), (set(), "")])
def test_other_content_under_a_known_reference_is_refused(who: set[str], content: str) -> None:
    refusal = replay(SEEN["QL-1"], "QL-1", who=who, content=content)
    assert refusal == ReferenceReused(reference="QL-1")
    assert refusal.kept


def test_two_spellings_of_one_value_hash_the_same_and_other_values_do_not() -> None:
    here = datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=8)))
    same = content(here, 90, "早")
    assert content_hash(same) == content_hash(content(here.astimezone(UTC), 90, "早"))
    others = [content(here, 91, "早"), content(here, 90), content(here + timedelta(microseconds=1), 90, "早")]
    assert len({content_hash(one) for one in [same, *others]}) == 4


def test_content_hashes_as_it_did_when_references_were_first_kept() -> None:
    """Hashes are stored for good: one that came out differently would make every old reference a reused one."""
    here = datetime(2026, 3, 1, 9, 0, 0, 120, tzinfo=timezone(timedelta(hours=8)))
    text = '{"started_at":"2026-03-01T01:00:00.000120+00:00","minutes":90,"note":"早"}'
    assert content_hash(content(here, 90, "早")) == hashlib.sha256(text.encode()).hexdigest()
