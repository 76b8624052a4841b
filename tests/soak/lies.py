"""Lies about a bank: rows of its books changed, swapped, deleted, invented and cut off, as chance has it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa

from app.kernel.events import events
from app.kernel.ids import new_id
from app.kernel.tables import metadata
from app.kernel.types import Id
from app.ledger.tables import ledger_accounts, ledger_postings, ledger_transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from app.kernel.database import Database

Row: TypeAlias = dict[str, Any]

DELETED, INSERTED, TRUNCATED = "deleted", "inserted", "truncated"

_records = ("service_records", "redemptions", "redemption_lines", "events", "checkpoints")
# As they were and as they are.
_rows_of_a_swap = 4
# It says what is contested, and moves nothing.
_beside = ("disputes",)

TABLES = tuple(
    table
    for table in metadata.sorted_tables
    if (table.name.startswith("ledger_") or "transaction_number" in table.c or table.name in _records)
    and table.name not in _beside
)
"""The ledger's tables, and those of what the ledger is about."""


@dataclass(frozen=True, slots=True)
class Lie:
    """A change of rows of a table: of which column or of what kind, the statements, and the rows that it is about."""

    table: str
    about: str
    statements: tuple[sa.Executable, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Books:
    """All rows of a bank by table, and the community about which lies are told."""

    community: int
    rows: dict[str, list[Row]]

    @classmethod
    async def read(cls, database: Database, community: int) -> Books:
        """Read all rows of the tables."""
        async with database.look() as session:
            found = {table.name: await session.execute(sa.select(table)) for table in TABLES}
            return cls(community, {name: [dict(row._mapping) for row in rows] for name, rows in found.items()})

    def lies(self, free: dict[str, frozenset[str]]) -> Iterator[Callable[[Random], Lie]]:
        """Every kind of lie there is, but about columns that are free; chance says of which rows and what."""
        for table in TABLES:
            yield partial(self._deleted, table)
            yield partial(self._inserted, table)
            yield partial(self._truncated, table)
            for column in table.c:
                if column.name not in free.get(table.name, ()):
                    yield partial(self._changed, table, column)
                    yield partial(self._swapped, table, column)

    @cached_property
    def about(self) -> dict[int, set[str]]:
        """What the community's transactions are about, as findings name it."""
        return {row["transaction_number"]: referred_to(row["reference"]) for row in self._own(ledger_transactions)}

    def names_of(self, row: Row) -> set[str]:
        """The ways in which a finding may name a row: itself, or what it is part of, or what is part of it."""
        numbers = {row[key] for key in ("transaction_number", "reverses") if row.get(key) is not None}
        named = {f"{what}/{row[key]}" for key, what in _subjects.items() if row.get(key) is not None}
        if "last_at" in row:
            named |= {"community", f"community/{row['community_id']}"}
        if "address" in row:
            postings = self._own(ledger_postings)
            numbers |= {one["transaction_number"] for one in postings if one["account_number"] == row["account_number"]}
            named.add(row["address"])
        numbers |= {number for number, about in self.about.items() if not about.isdisjoint(named)}
        for number in numbers:
            named |= {f"transaction/{number}", *self.about.get(number, ())}
        return named | (referred_to(row["reference"]) if "reference" in row else set())

    def says_nothing(self, lie: Lie) -> bool:
        """Whether two rows have each other's number, by which nothing goes: of a moment's events, of idle accounts."""
        if len(lie.rows) != _rows_of_a_swap:
            return False
        if (lie.table, lie.about) == (events.name, "number"):
            return len({row["occurred_at"] for row in lie.rows}) == 1
        moved = {row["account_number"] for row in self._own(ledger_postings)}
        numbers = {row["account_number"] for row in lie.rows} if lie.table == ledger_accounts.name else moved
        return lie.about == "account_number" and moved.isdisjoint(numbers)

    def _own(self, table: sa.Table) -> list[Row]:
        """The community's rows, of records those that moved something."""
        rows = [row for row in self.rows[table.name] if row["community_id"] == self.community]
        if table.name == "service_records":
            return [row for row in rows if row["status"] in {"approved", "corrected"}]
        return [row for row in rows if row.get("transaction_number", 0) is not None]

    def _changed(self, table: sa.Table, column: sa.Column[Any], chance: Random) -> Lie:
        row = chance.choice(self._own(table))
        others = [one[column.name] for one in self.rows[table.name]]
        lie = {**row, column.name: _another(row[column.name], column, others, chance)}
        return Lie(table.name, column.name, (_update(table, row, lie),), (row, lie))

    def _swapped(self, table: sa.Table, column: sa.Column[Any], chance: Random) -> Lie:
        """Give two rows each other's value of a column; where all have the same one, change it."""
        rows = self._own(table)
        one = chance.choice(rows)
        others = [row for row in rows if row[column.name] != one[column.name]]
        if not others:
            return self._changed(table, column, chance)
        other = chance.choice(others)
        lies = {**one, column.name: other[column.name]}, {**other, column.name: one[column.name]}
        if lies == (other, one):
            # The same rows again.
            return self._changed(table, column, chance)
        updates = [_update(table, row, lie) for row, lie in zip((one, other), lies, strict=True)]
        if column.primary_key:
            # Else the second would find both.
            away = {**other, column.name: _out_of_the_way(other[column.name])}
            updates = [_update(table, other, away), updates[0], _update(table, away, lies[1])]
        return Lie(table.name, column.name, tuple(updates), (one, other, *lies))

    def _deleted(self, table: sa.Table, chance: Random) -> Lie:
        row = chance.choice(self._own(table))
        return Lie(table.name, DELETED, (sa.delete(table).where(_is(table, row)),), (row,))

    def _inserted(self, table: sa.Table, chance: Random) -> Lie:
        """A row like another, under the next key."""
        lie = dict(chance.choice(self._own(table)))
        last = [*table.primary_key][-1].name
        if last != "community_id":
            lie[last] = new_id() if isinstance(lie[last], UUID) else 1 + max(row[last] for row in self._own(table))
        return Lie(table.name, INSERTED, (sa.insert(table).values(lie),), (lie,))

    def _truncated(self, table: sa.Table, chance: Random) -> Lie:
        """A row and all that came after it taken away, or all there are."""
        rows = self._own(table)
        rows = rows[chance.choice((0, chance.randrange(len(rows)))) :]
        return Lie(table.name, TRUNCATED, tuple(sa.delete(table).where(_is(table, row)) for row in rows), tuple(rows))


_subjects = {
    "account_number": "account",
    "service_record_id": "service-record",
    "redemption_id": "redemption",
    "transfer_id": "transfer",
    "stock_movement_id": "stock-movement",
    "tree_size": "checkpoint",
    # Of the event, or of what carries the number of the event that announced it.
    "number": "event",
}


def referred_to(reference: str) -> set[str]:
    """The subjects that a transaction's reference stands for."""
    path, _, key = reference.rpartition("/")
    return {reference, f"{path.rpartition('/')[2].removesuffix('s')}/{key}"}


def _is(table: sa.Table, row: Row) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == row[column.name] for column in table.primary_key))


def _update(table: sa.Table, row: Row, lie: Row) -> sa.Executable:
    return sa.update(table).where(_is(table, row)).values(lie)


def _out_of_the_way(value: Any) -> Any:
    """A value that no row has."""
    return UUID(int=0) if isinstance(value, UUID) else -value


def _another(value: Any, column: sa.Column[Any], others: list[Any], chance: Random) -> Any:
    """Another value for a column: another row's, a little off, or made up."""
    lies = [one for one in others if one is not None and one != value]
    if lies and (value is None or chance.random() < 0.4):
        return chance.choice(lies)
    if value is None:
        return new_id() if isinstance(column.type, Id) else {int: 1, str: "forged"}[column.type.python_type]
    off = chance.choice((-1, 1)) * chance.choice((1, 1, 7, 1000))
    steps: dict[type, Callable[[], Any]] = {
        bool: lambda: not value,
        int: lambda: value + off,
        dt.datetime: lambda: value + dt.timedelta(seconds=off),
        dt.date: lambda: value + dt.timedelta(days=off),
        UUID: new_id,
        str: lambda: f"{value}{chance.randrange(10)}",
        bytes: lambda: bytes([value[0] ^ 1]) + value[1:],
        dict: lambda: {**value, "forged": off},
        list: lambda: [*value, "forged"],
    }
    return steps[type(value)]()
