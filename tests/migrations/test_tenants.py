"""On PostgreSQL the app's role sees and writes rows of the communities that its transaction names, and no others."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import ProgrammingError

from tests.ledger.furnished import furnish
from tests.migrations.guarded import APPEND_ONLY, OF_ALL_COMMUNITIES, OF_THE_CITY, RIGHTS
from tests.migrations.schema import connected

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import sqlalchemy as sa

    from app.settings import Settings
    from tests.bank import Bank

TENANTS = sorted(set(RIGHTS) - OF_ALL_COMMUNITIES - OF_THE_CITY - {"due_work"})

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@contextmanager
def acting_as_the_app(connection: sa.Connection, communities: str | None) -> Iterator[None]:
    """Take on the app's role for a list of communities, as a transaction of the app does, and undo all it did."""
    attempt = connection.begin_nested()
    connection.exec_driver_sql("SET LOCAL ROLE lovebank_app")
    if communities is not None:
        connection.exec_driver_sql(f"SET LOCAL lovebank.communities = '{communities}'")
    yield
    attempt.rollback()


def counts(
    connection: sa.Connection, communities: str | None, tables: Collection[str] = TENANTS
) -> dict[str, dict[int, int]]:
    """How many rows of each community the app's role sees, by table."""
    with acting_as_the_app(connection, communities):
        return {
            table: {
                row[0]: row[1]
                for row in connection.exec_driver_sql(
                    f"SELECT community_id, count(*) FROM {table} GROUP BY community_id"  # noqa: S608  names alone
                )
            }
            for table in tables
        }


def refusal(connection: sa.Connection, statement: str, communities: str = "1") -> str | None:
    """Why the app's role may not run a statement: the database's sentence, or None when it may."""
    with acting_as_the_app(connection, communities):
        try:
            connection.exec_driver_sql(statement)
        except ProgrammingError as error:
            return str(error.orig).splitlines()[0]
    return None


async def test_no_row_of_another_community_is_seen_changed_or_written(bank: Bank, settings: Settings) -> None:
    await furnish(bank)
    await bank.open_community()
    await furnish(bank)
    with connected(settings) as connection:
        there = {table: set(found) for table, found in counts(connection, "0,1,2").items()}
        assert {table: found & {1, 2} for table, found in there.items()} == {table: {1, 2} for table in TENANTS}
        for listed, visible in (("1", {1}), ("2", {2}), ("2,1", {1, 2}), ("12", set()), ("", set()), (None, set())):
            seen = {table: set(found) for table, found in counts(connection, listed).items()}
            assert seen == dict.fromkeys(TENANTS, visible), listed
        for listed, visible in (("0,1,2", {0}), ("1,2", set())):
            assert {frozenset(found) for found in counts(connection, listed, OF_THE_CITY).values()} == {
                frozenset(visible)
            }
        for table in TENANTS:
            foreign = "jsonb_populate_record(mine, '{\"community_id\": 2}')"
            insert = f"INSERT INTO {table} SELECT ({foreign}).* FROM {table} mine LIMIT 1"  # noqa: S608  names
            assert refusal(connection, insert) == f'new row violates row-level security policy for table "{table}"'
        for table in TENANTS:
            if "UPDATE" in RIGHTS[table].split(", "):
                moving = f"UPDATE {table} SET community_id = 2"  # noqa: S608  names alone
                assert refusal(connection, moving) == f'new row violates row-level security policy for table "{table}"'


async def test_the_app_may_not_change_what_is_append_only_nor_switch_its_guards_off(
    bank: Bank, settings: Settings
) -> None:
    await furnish(bank)
    with connected(settings) as connection:
        for table in APPEND_ONLY:
            for statement in (
                f"UPDATE {table} SET community_id = community_id",  # noqa: S608  names alone
                f"DELETE FROM {table}",  # noqa: S608  names alone
                f"TRUNCATE {table}",
            ):
                assert refusal(connection, statement) == f"permission denied for table {table}"
            for statement in (
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
                f"DROP TABLE {table}",
            ):
                assert refusal(connection, statement) == f"must be owner of table {table}"
        for statement in ("UPDATE service_records SET minutes = 1", "UPDATE redemptions SET points = 1"):
            assert refusal(connection, statement) == f"permission denied for table {statement.split()[1]}"
        assert refusal(connection, "UPDATE clients SET role = 'manager'") == "permission denied for table clients"
        assert refusal(connection, "UPDATE service_records SET status = status") is None
        replicating = refusal(connection, "SET session_replication_role = replica")
        assert replicating == 'permission denied to set parameter "session_replication_role"'
