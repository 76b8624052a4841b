"""The tables that the code describes are the tables that the migrations make."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import app.main
from app.kernel.migrating import sync_engine
from app.kernel.tables import metadata
from tests.migrations.conftest import new_database
from tests.migrations.schema import connected, schema_of

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings

DEFERRED = "ledger_postings_transaction_fkey"
"""On SQLite the transaction's row goes in after its postings, so there its reference is checked at the commit."""

OF_SQLITE_ALONE = {
    "ledger_postings_account_fkey",
    "ledger_postings_transaction_fkey",
    "ledger_transactions_head_fkey",
    "events_head_fkey",
    "idempotency_keys_head_fkey",
    "seen_references_head_fkey",
    "idempotency_answers_key_fkey",
    "service_records_kind_fkey",
    "service_records_volunteer_fkey",
    "verifications_record_fkey",
    "verifications_rule_fkey",
    "verifications_transaction_fkey",
}
"""References that PostgreSQL checks otherwise or need not check; Alembic does not see the condition on them."""


def test_the_migrations_make_what_the_code_describes(settings: Settings) -> None:
    assert app.main.ROUTERS, "importing the app imports every table"
    with connected(settings) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[Any] = compare_metadata(context, metadata)
    known = {("remove_fk", DEFERRED), ("add_fk", DEFERRED)}
    if not settings.on_sqlite:
        known = {("add_fk", name) for name in OF_SQLITE_ALONE}
    assert {(difference[0], difference[1].name) for difference in found} == known
    if settings.on_sqlite:
        assert (found[0][1].deferrable, found[0][1].initially) == (True, "DEFERRED")
        assert (found[1][1].deferrable, found[1][1].initially) == (None, None)


def described(schema: set[str], kinds: tuple[str, ...]) -> set[str]:
    """What a schema says about kinds of things, leaving out Alembic's own table, rights and row level security."""
    return {
        line.partition(" rls ")[0].rstrip()
        for line in schema
        if line.startswith(kinds) and "alembic_version" not in line
    }


def test_checks_and_everything_else_that_alembic_does_not_compare_agree_as_well(
    settings: Settings, tmp_path: Path
) -> None:
    with new_database(settings, tmp_path) as made:
        engine = sync_engine(made)
        metadata.create_all(engine)
        engine.dispose()
        if settings.on_sqlite:
            assert clauses_of(schema_of(made)) == clauses_of(schema_of(settings))
        else:
            kinds = ("table ", "constraint ", "index ")
            assert described(schema_of(made), kinds) == described(schema_of(settings), kinds)


def clauses_of(schema: set[str]) -> dict[str, set[str]]:
    """The clauses of each CREATE TABLE and CREATE INDEX, in whatever order they were written."""
    return {
        line.partition(":")[0]: {
            clause.strip().rstrip(",").removesuffix(" DEFERRABLE INITIALLY DEFERRED")
            # A column that was added later stands behind a comma on its neighbour's line.
            for clause in re.split(r",? *\n|, (?![^()]*\))", line.partition(":")[2])
        }
        for line in schema
        if line.startswith(("table ", "index ")) and "alembic_version" not in line
    }
