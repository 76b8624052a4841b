"""What goes into either database comes out the same, whether one by one or as a list in one statement."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.kernel.migrating import sync_engine
from app.kernel.rows import insert_rows, rows_of
from app.kernel.tables import tenant_key
from app.kernel.types import Count, Document, Flag, Id, Instant, LocalDate
from tests.kernel.grounds import as_owner, open_communities

if TYPE_CHECKING:
    from app.kernel.database import Database
    from app.settings import Settings

things = sa.Table(
    "things",
    sa.MetaData(),
    tenant_key(),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("count", Count),
    sa.Column("text", sa.Text),
    sa.Column("moment", Instant),
    sa.Column("day", LocalDate),
    sa.Column("id", Id),
    sa.Column("flag", Flag),
    sa.Column("document", Document),
    sa.PrimaryKeyConstraint("community_id", "place", name="things_pkey"),
    sqlite_strict=True,
)

PLAIN: dict[str, Any] = {
    "count": 7,
    "text": "毛巾",
    "moment": datetime(2026, 3, 2, 4, 0, tzinfo=UTC),
    "day": dt.date(2026, 3, 2),
    "id": UUID("0195d0e2-7b6a-7c3d-8e4f-5a6b7c8d9e0f"),
    "flag": True,
    "document": {"a": 1},
}

AWKWARD: list[dict[str, Any]] = [
    dict.fromkeys(PLAIN),
    {"count": 2**53 - 1},
    {"count": 2**53},
    {"count": -(2**53) - 1},
    {"count": 2**63 - 1},
    {"count": 0, "flag": False},
    {"text": ""},
    {"text": "𠮷野家 👩‍👩‍👧 é é"},
    {"text": '\'; DROP TABLE things; -- "quoted" \\ back\\u0041slash'},
    {"text": "line\nbreak\ttab\r%s :name ? $1 {x} $.text"},
    {"text": "null"},
    {"text": "12"},
    {"text": "x" * 100_000},
    {"moment": datetime(2026, 3, 2, 4, 0, 0, 1, tzinfo=UTC)},
    {"moment": datetime(2026, 3, 2, 4, 0, 0, 999_999, tzinfo=UTC)},
    {"moment": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)},
    {"moment": datetime(1900, 1, 1, tzinfo=UTC)},
    {"moment": datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)},
    {"moment": datetime(2026, 3, 2, 12, 0, tzinfo=timezone(timedelta(hours=8)))},
    {"day": dt.date(1, 1, 1)},
    {"day": dt.date(2024, 2, 29)},
    {"day": dt.date(9999, 12, 31)},
    {"id": UUID(int=0)},
    {"document": {}},
    {"document": []},
    {"document": [None, True, False, 1.5, 2**53 + 1, "𠮷", "'\"\\", "", {"b": [{"c": []}]}]},
    {"document": {"": None, "键": "值", "a.b": {"$": "$.document"}, "quote\"'": {"deep": [[[1]]]}}},
]


@pytest.fixture
async def ready(database: Database, settings: Settings) -> Database:
    """A database with the table of things and the community 1."""
    engine = sync_engine(settings)
    things.metadata.create_all(engine)
    engine.dispose()
    if not settings.on_sqlite:
        as_owner(settings, "GRANT SELECT, INSERT ON things TO lovebank_app")
    await open_communities(database, 1)
    return database


def wanted() -> list[dict[str, Any]]:
    """Plain rows, each with a few awkward values in it."""
    return [{"community_id": 1, "place": place, **PLAIN, **row} for place, row in enumerate(AWKWARD)]


async def stored(database: Database) -> list[dict[str, Any]]:
    async with database.read(1) as session:
        return [dict(row._mapping) for row in await session.execute(sa.select(things).order_by(things.c.place))]


async def test_a_list_inserted_in_one_statement_comes_back_as_it_was(ready: Database) -> None:
    async with ready.write(1) as session:
        await insert_rows(session, things, wanted())
    assert await stored(ready) == wanted()


async def test_rows_inserted_one_by_one_come_back_as_they_were(ready: Database) -> None:
    async with ready.write(1) as session:
        for row in wanted():
            await session.execute(sa.insert(things).values(**row))
    assert await stored(ready) == wanted()


async def test_values_come_back_in_types_of_ours(ready: Database) -> None:
    async with ready.write(1) as session:
        await insert_rows(session, things, wanted()[-1:])
    (row,) = await stored(ready)
    assert {name: type(row[name]) for name in PLAIN} == {name: type(value) for name, value in PLAIN.items()}
    assert row["moment"].tzinfo is UTC


@pytest.mark.parametrize("column", ["count", "text", "moment", "day", "id"])
async def test_what_one_statement_is_asked_for_as_a_list_finds_what_was_inserted(ready: Database, column: str) -> None:
    async with ready.write(1) as session:
        await insert_rows(session, things, wanted())
    asked = rows_of(ready.dialect, "rows", [things.c.community_id, things.c[column]])
    matches = (things.c.community_id == asked.c.community_id) & (things.c[column] == asked.c[column])
    statement = sa.select(things.c.place).join_from(asked, things, matches)
    for row in wanted()[1:]:
        async with ready.read(1) as session:
            found = await session.execute_rows(statement, [{"community_id": 1, column: row[column]}])
            assert row["place"] in {one.place for one in found}


async def test_an_empty_list_is_no_statement_and_a_long_one_is_one(ready: Database) -> None:
    async with ready.write(1) as session:
        await insert_rows(session, things, [])
        rows = [{"community_id": 1, "place": place, **PLAIN} for place in range(5_000)]
        await insert_rows(session, things, rows)
    assert len(await stored(ready)) == 5_000


async def test_the_order_of_moments_is_the_order_of_time(ready: Database) -> None:
    async with ready.write(1) as session:
        await insert_rows(session, things, wanted())
    async with ready.read(1) as session:
        moments = await session.execute(
            sa.select(things.c.moment).where(things.c.moment.is_not(None)).order_by(things.c.moment)
        )
        found: list[datetime] = list(moments.scalars())
    assert found == sorted(row["moment"] for row in wanted() if row["moment"] is not None)
