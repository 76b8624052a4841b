"""Rows that are evidence stay as they were written, whatever is tried by whom."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.volunteers.tables import volunteers
from tests.ledger.books import owner
from tests.ledger.furnished import furnish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings
    from tests.bank import Bank

APPEND_ONLY = (
    "earning_rules",
    "events",
    "idempotency_keys",
    "ledger_accounts",
    "ledger_postings",
    "ledger_transactions",
    "redemption_lines",
    "seen_references",
    "service_kinds",
    "stock_movements",
    "verifications",
)
MOVES_ON = {
    "service_records": {"status"},
    "redemptions": {"status", "closed_at", "closed_by", "reason"},
    "volunteers": set(volunteers.c.keys()) - {"community_id", "volunteer_id"},
}
"""Tables whose rows stay, and the columns in them that do not."""

CLOSED = "a transaction has other postings than it states"

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def goes_through(connection: sa.Connection, statement: str) -> bool:
    """Try a statement, and undo it again."""
    attempt = connection.begin_nested()
    try:
        return connection.exec_driver_sql(statement).rowcount != 0
    except IntegrityError:
        return False
    finally:
        attempt.rollback()


def updates(connection: sa.Connection, table: str) -> dict[str, str]:
    """For each column of a table an UPDATE that would not even change it."""
    columns = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    return {column: f"UPDATE {table} SET {column} = {column}" for column in columns}  # noqa: S608  names


def deletions(connection: sa.Connection, table: str) -> Iterator[str]:
    """Every way of losing rows of a table."""
    yield f"DELETE FROM {table}"  # noqa: S608  names alone
    if connection.dialect.name == "postgresql":
        yield f"TRUNCATE {table} CASCADE"


async def test_no_row_of_an_append_only_table_can_be_changed_or_lost(bank: Bank, settings: Settings) -> None:
    await furnish(bank)
    with owner(settings) as connection:
        for table in APPEND_ONLY:
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() > 0, table  # noqa: S608
        attacks = [
            statement
            for table in APPEND_ONLY
            for statement in [*updates(connection, table).values(), *deletions(connection, table)]
        ]
        assert len(attacks) > 70
        assert [statement for statement in attacks if goes_through(connection, statement)] == []


async def test_of_records_redemptions_and_volunteers_nothing_moves_on_but_what_may(
    bank: Bank, settings: Settings
) -> None:
    await furnish(bank)
    with owner(settings) as connection:
        for table, columns in MOVES_ON.items():
            changes = updates(connection, table)
            changeable = {column for column, statement in changes.items() if goes_through(connection, statement)}
            assert changeable == columns
            assert [one for one in deletions(connection, table) if goes_through(connection, one)] == []


@on_postgresql
async def test_guards_hold_for_a_session_that_replicates_as_well(bank: Bank, settings: Settings) -> None:
    await furnish(bank)
    with owner(settings) as connection:
        # This is how tools switch triggers and foreign keys off.
        connection.exec_driver_sql("SET session_replication_role = replica")
        for table in APPEND_ONLY:
            assert not goes_through(connection, f"DELETE FROM {table}")  # noqa: S608  names alone
            assert not goes_through(connection, f"UPDATE {table} SET community_id = 1")  # noqa: S608  names alone
        for table in MOVES_ON:
            assert not goes_through(connection, f"DELETE FROM {table}")  # noqa: S608  names alone
        unbalanced = "INSERT INTO ledger_postings VALUES (1, 1, 99, 1, 5, 5)"
        assert not goes_through(connection, unbalanced)


def unique_keys(connection: sqlite3.Connection, table: str) -> list[list[str]]:
    """The columns of each unique key of a table, its primary key among them."""
    keys = [row[1] for row in connection.execute(f"PRAGMA index_list({table})") if row[2]]
    return [[row[2] for row in connection.execute(f"PRAGMA index_info({key})")] for key in keys]


def replacements(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """For each unique key of a table an INSERT OR REPLACE of a row that meets an old one on that key alone."""
    keys = unique_keys(connection, table)
    types = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table})")}
    for key in keys:
        others = {name for other in keys for name in other} - set(key)
        listed = ", ".join(
            name if name not in others else f"{name} + 1000" if types[name] == "INTEGER" else f"{name} || 'x'"
            for name in types
        )
        filled = " AND ".join(f"{name} IS NOT NULL" for name in key)
        yield f"INSERT OR REPLACE INTO {table} SELECT {listed} FROM {table} WHERE {filled} LIMIT 1"  # noqa: S608


@on_sqlite
async def test_no_row_is_replaced_by_way_of_any_of_its_keys(bank: Bank, settings: Settings) -> None:
    await furnish(bank)
    # As a tool would open it: neither delete triggers for replaced rows nor foreign keys stand in the way.
    opened = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    with contextlib.closing(opened) as connection:
        tried = 0
        for table in (*APPEND_ONLY, *MOVES_ON):
            assert unique_keys(connection, table)
            for statement in replacements(connection, table):
                tried += 1
                with pytest.raises(sqlite3.IntegrityError, match=f"{table} keeps its rows as they are|{CLOSED}"):
                    connection.execute(statement)
        assert tried > len(APPEND_ONLY) + len(MOVES_ON)


@on_sqlite
async def test_on_connections_of_the_service_not_even_the_hidden_row_number_replaces_a_row(
    bank: Bank, settings: Settings
) -> None:
    await furnish(bank)
    with owner(settings) as connection:
        statement = (
            "INSERT OR REPLACE INTO events (rowid, community_id, number, type, occurred_at, data)"
            " SELECT rowid, community_id, number + 1000, type, occurred_at, data FROM events LIMIT 1"
        )
        assert not goes_through(connection, statement)
