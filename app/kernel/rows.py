"""Many rows in one statement: a list travels as one JSON document and is a table inside the statement.

The statement's text does not depend on how many rows there are, so it is compiled and prepared once.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from app.kernel.lazily import lazily
from app.kernel.moments import micros
from app.kernel.types import bytea, json_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import psycopg.sql
    from sqlalchemy import Dialect
    from sqlalchemy.dialects import postgresql

    from app.kernel.database import Session
else:
    psycopg = lazily("psycopg")
    postgresql = lazily("sqlalchemy.dialects.postgresql")

ResultT_co = TypeVar("ResultT_co", covariant=True)

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
CITUS = "citus"
"""PostgreSQL whose tables are spread over nodes by community: each statement names one community, which routes it."""

COMMUNITY = "community"
"""The parameter that names the community of a statement's rows, where the database is distributed."""


@cache
def _dialect_of(dialect: str) -> Dialect:
    """How statements are written for a database."""
    if dialect == SQLITE:
        return sqlite.dialect(paramstyle="named")
    return postgresql.psycopg.PGDialect_psycopg()  # type: ignore[no-untyped-call]


Row = dict[str, Any]
"""A row to insert: values by column name."""

Query: TypeAlias = "sa.Select[*tuple[Any, ...]]"
AnyRow: TypeAlias = "sa.Row[*tuple[Any, ...]]"
Found: TypeAlias = "sa.CursorResult[*tuple[Any, ...]]"


def rows_of(dialect: str, name: str, columns: Sequence[sa.ColumnClause[Any]]) -> sa.FromClause:
    """Make a table `name` of a JSON document bound under the same name, with these columns' names and types."""
    document = sa.bindparam(name, type_=sa.Text())
    if dialect != SQLITE:
        shape = [sa.column(column.name, column.type) for column in columns]
        source = sa.func.json_to_recordset(sa.cast(document, postgresql.JSON)).table_valued(*shape, name=name)
        rows = source.render_derived(with_types=True)
        if dialect == POSTGRESQL or "community_id" not in rows.c:
            return rows
        # What is joined on the community then has a constant there, by which the planner leaves all other shards out.
        mine = rows.c.community_id == sa.bindparam(COMMUNITY, type_=sa.Integer())
        return sa.select(*rows.c).where(mine).subquery(name)
    each = sa.func.json_each(document).table_valued("value", name=f"{name}_each")
    fields = [
        sa.func.json_extract(each.c.value, sa.literal_column(f"'$.{column.name}'"), type_=column.type).label(
            column.name
        )
        for column in columns
    ]
    return sa.select(*fields).select_from(each).subquery(name)


def looked_up(dialect: str, asked: sa.FromClause, found: Query, matches: sa.ColumnElement[bool]) -> Query:
    """Make `found`, a query without the rows `asked`, one that finds for each of these what matches it.

    PostgreSQL looks for each by itself, which the offset insists on: before it has counted the rows of a new database
    it would rather go through all of a community's for each of them, and keep doing so. Where the database is
    distributed that would hide the statement's community from what is found.
    """
    if dialect != POSTGRESQL:
        return found.select_from(asked).where(matches)
    one = found.where(matches).correlate(asked).offset(sa.literal_column("0")).lateral()
    return sa.select(*one.c).join_from(asked, one, sa.true())


def routed(dialect: str, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Name the statement's community for a table that is joined where `rows_of` does not reach, as behind a window.

    Where the database is not distributed this is no condition.
    """
    if dialect != CITUS:
        return sa.true()
    return table.c.community_id == sa.bindparam(COMMUNITY, type_=sa.Integer())


def document_of(dialect: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write rows as the JSON document that `rows_of` reads: ids and days as text, moments as the database has them."""
    if dialect == SQLITE:
        return orjson.dumps(rows, default=_for_sqlite, option=orjson.OPT_PASSTHROUGH_DATETIME)
    return orjson.dumps(rows, default=bytea)


def parted(dialect: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int | None, Sequence[Mapping[str, Any]]]]:
    """The rows as one statement each may carry them: all, or where the database is distributed one community's."""
    if rows and (dialect != CITUS or "community_id" not in rows[0]):
        yield None, rows
    elif rows:
        by_community: dict[int, list[Mapping[str, Any]]] = {}
        for row in rows:
            by_community.setdefault(row["community_id"], []).append(row)
        yield from sorted(by_community.items(), key=itemgetter(0))


def _for_sqlite(value: datetime | dt.date | bytes) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    # A date is no datetime, and passes through here as well once datetimes are passed through.
    return micros(value) if isinstance(value, datetime) else value.isoformat()


@dataclass(frozen=True, slots=True)
class Read(Generic[ResultT_co]):
    """A question about a list of rows, which its statement reads as `rows`, and what the found rows mean."""

    statement: Query
    rows: Sequence[Mapping[str, Any]]
    understand: Callable[[list[Sequence[Any]]], ResultT_co]


class Questions(NamedTuple):
    """One statement for several: its text, its constants by name, and for each how its columns come out of JSON.

    PostgreSQL's text has the constants in it.
    """

    text: str
    constants: dict[str, Any]
    columns: tuple[tuple[tuple[int, Callable[[Any], Any]], ...], ...]


class _Words(NamedTuple):
    """How a database writes a parameter, with a place behind its name, and an array of arrays."""

    parameter: re.Pattern[str]
    placed: str
    array: str


_on_sqlite = _Words(re.compile(r"(?<!:):(\w+)"), r":\1_{}", "json_group_array(json_array({}))")
_on_postgresql = _Words(re.compile(r"%\((\w+)\)s"), r"%(\1_{})s", "json_agg(json_build_array({}))::text")


@cache
def questions(dialect: str, statements: tuple[Query, ...]) -> Questions:
    """Write one statement that answers several, each with a JSON array of rows; each reads its list as `rows_N`.

    A list of constants (`IN`) is not known here: write `OR`.
    """
    words = _on_sqlite if dialect == SQLITE else _on_postgresql
    texts: list[str] = []
    constants: dict[str, Any] = {}
    columns: list[Any] = []
    for place, statement in enumerate(statements):
        compiled = statement.compile(dialect=_dialect_of(dialect))
        given = {name: value for name, value in compiled.params.items() if name not in ("rows", COMMUNITY)}
        text = str(compiled)
        if dialect == SQLITE:
            constants |= {f"{name}_{place}": value for name, value in given.items()}
        else:
            text = words.parameter.sub(partial(_with_constant, given), text)
        text = words.parameter.sub(words.placed.format(place), text)
        names = ", ".join(f"c{number}" for number in range(len(statement.selected_columns)))
        array = words.array.format(names)
        texts.append(f"(WITH found ({names}) AS ({text}) SELECT {array} FROM found)")  # noqa: S608  texts of ours
        readers = [json_reader(column.type, dialect) for column in statement.selected_columns]
        columns.append(tuple((number, reader) for number, reader in enumerate(readers) if reader is not None))
    return Questions("SELECT " + ", ".join(texts), constants, tuple(columns))


def _with_constant(given: Mapping[str, Any], found: re.Match[str]) -> str:
    return psycopg.sql.Literal(given[found[1]]).as_string().replace("%", "%%") if found[1] in given else found[0]


def answers(text: str | None, columns: Sequence[tuple[int, Callable[[Any], Any]]]) -> list[Sequence[Any]]:
    """Read the rows of one question out of its JSON array."""
    rows: list[Any] = orjson.loads(text) if text else []
    for number, reader in columns:
        for row in rows:
            if row[number] is not None:
                row[number] = reader(row[number])
    return rows


class Write(NamedTuple):
    """An INSERT of rows with these columns; or, with the columns of a key, an UPDATE of the others by it."""

    table: sa.Table
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()

    def key_of(self, row: Row) -> tuple[Any, ...]:
        """What an UPDATE finds the row by."""
        return tuple(row[name] for name in self.key)


@cache
def statement_of(dialect: str, write: Write, name: str) -> sa.Insert | sa.Update:
    """Make the statement of a write over the rows bound under a name."""
    table, source = write.table, rows_of(dialect, name, [write.table.c[column] for column in write.columns])
    if not write.key:
        return sa.insert(table).from_select(list(write.columns), sa.select(*source.c), include_defaults=False)
    values = {column: source.c[column] for column in write.columns if column not in write.key}
    return sa.update(table).where(*(table.c[column] == source.c[column] for column in write.key)).values(values)


@cache
def text_of(write: Write) -> str:
    """Write SQLite's statement of a write over the rows bound as `rows`."""
    return str(statement_of(SQLITE, write, "rows").compile(dialect=_dialect_of(SQLITE)))


@cache
def together(writes: tuple[Write, ...]) -> str:
    """Write PostgreSQL's one statement for several writes; the rows of the first are bound as `rows0`, and so on.

    None of them sees the others' rows, and what checks rows (keys, triggers) looks at them once all are in.
    """
    texts = [
        str(statement_of(POSTGRESQL, write, f"rows{place}").compile(dialect=_dialect_of(POSTGRESQL)))
        for place, write in enumerate(writes)
    ]
    before = ", ".join(f"write{place} AS ({text})" for place, text in enumerate(texts[:-1]))
    return f"WITH {before} {texts[-1]}" if before else texts[-1]


async def insert_rows(session: Session, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert all rows (the same columns in each), at the latest when a statement reads the table, or at the end."""
    if rows:
        await session.write_later(Write(table, tuple(rows[0])), rows)


async def update_rows(session: Session, table: sa.Table, key: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Update rows (the same columns in each) by a key, as late as `insert_rows` inserts."""
    if rows:
        await session.write_later(Write(table, tuple(rows[0]), key), rows)
