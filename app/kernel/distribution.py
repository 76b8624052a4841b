"""Spreading a migrated PostgreSQL over nodes by community, with the Citus extension.

Every tenant's table goes by `community_id` to where the community's `ledger_heads` row is; the tables of all
communities are copied to every node. What is needed around that was tried on Citus 13.2 with PostgreSQL 15.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from app.kernel.database import APP_ROLE, AUDITOR_ROLE
from app.kernel.errors import Unavailable
from app.kernel.heads import ledger_heads
from app.kernel.migrating import (
    SEQUENTIAL,
    UNSAFE_TRIGGERS,
    distributed_tables,
    has_citus,
    revision_of,
    sync_engine,
)
from app.kernel.revisions import expected_revision
from app.kernel.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings


class NotDistributableError(Exception):
    """The database is none that can be distributed; the message says why."""


class StepRefusedError(Exception):
    """The database, or one of its nodes, refused a step; the message says which and why."""


class Step(NamedTuple):
    """A statement, and the table that it distributes if it does."""

    statement: str
    table: str | None = None


def steps() -> list[Step]:
    """Every statement that distributes a migrated database, in order: settings first, then tables before references."""
    tables = sorted(metadata.sorted_tables, key=lambda table: table is not ledger_heads)
    return [
        Step(f"SET {SEQUENTIAL}"),
        Step("SET citus.enable_local_reference_table_foreign_keys TO off"),
        Step(f"SET {UNSAFE_TRIGGERS}"),
        *_of_the_database(),
        *_of_the_role(),
        *(_reference(table.name) for table in tables if "community_id" not in table.c),
        *(_distributed(table.name) for table in tables if "community_id" in table.c),
    ]


def _of_the_database() -> Iterator[Step]:
    """Sessions to come need the setting for triggers as well, on whichever node they are."""
    of_all = f"format('ALTER DATABASE %I SET {UNSAFE_TRIGGERS}', current_database())"
    yield Step(f"DO $$ BEGIN EXECUTE {of_all}; END $$")
    yield Step(_on_workers(of_all))


def _of_the_role() -> Iterator[Step]:
    """Citus connects to its nodes as the role that the app took on (citusdata/citus, issue 7719)."""
    for role in (APP_ROLE, AUDITOR_ROLE):
        yield Step(f"ALTER ROLE {role} LOGIN")
        yield Step(_on_workers(f"'ALTER ROLE {role} LOGIN'"))


def _on_workers(command: str) -> str:
    return f"SELECT nodename, nodeport, success, result FROM run_command_on_workers({command})"  # noqa: S608  ours


def _reference(table: str) -> Step:
    return Step(f"SELECT create_reference_table('{table}')", table)


def _distributed(table: str) -> Step:
    """The first table makes the group of shards that all others join."""
    beside = "" if table == ledger_heads.name else f", colocate_with => '{ledger_heads.name}'"
    return Step(f"SELECT create_distributed_table('{table}', 'community_id'{beside})", table)


def distribute(settings: Settings) -> Iterator[Step]:
    """Carry the steps out one by one, each in a transaction of its own, and give each as it is done.

    Tables that are distributed are left out, so that it may be run again after a break. Raises `NotDistributableError`,
    `StepRefusedError` and `Unavailable`.
    """
    if settings.on_sqlite:
        message = "Only a PostgreSQL with Citus can be distributed, and LOVEBANK_DATABASE_URL names a SQLite file."
        raise NotDistributableError(message)
    with _connected(settings) as connection:
        _check(connection)
        done = distributed_tables(connection)
        for step in steps():
            if step.table not in done:
                _carry_out(connection, step)
                yield step


@contextmanager
def _connected(settings: Settings) -> Iterator[sa.Connection]:
    engine = sync_engine(settings)
    try:
        connection = engine.connect()
    except OperationalError as error:
        raise Unavailable from error
    try:
        with connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
    finally:
        engine.dispose()


def _check(connection: sa.Connection) -> None:
    """Raise `NotDistributableError` unless this is a migrated database with Citus."""
    if not has_citus(connection):
        message = "This database does not have Citus: CREATE EXTENSION citus and add the nodes first."
        raise NotDistributableError(message)
    if revision_of(connection) != expected_revision():
        message = "This database is not at the revision that this version needs: run `python -m app migrate` first."
        raise NotDistributableError(message)


def _carry_out(connection: sa.Connection, step: Step) -> None:
    try:
        result = connection.execute(sa.text(step.statement))
        answers = result.mappings().all() if result.returns_rows else []
    except DBAPIError as error:
        message = f"{step.statement}: {str(error.orig).strip()}"
        raise StepRefusedError(message) from error
    # What a node refuses is an answer, not an error.
    for answer in answers:
        if answer.get("success") is False:
            message = f"{step.statement}: {answer['nodename']}:{answer['nodeport']} answered {answer['result']}"
            raise StepRefusedError(message)
