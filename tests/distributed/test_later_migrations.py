"""Migrations of a database that is distributed already, through stand-ins for Citus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa

from app.kernel.migrating import migrate
from app.settings import Settings
from tests.conftest import new_postgresql
from tests.distributed.citus import asked_of, stand_in
from tests.migrations.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SEALS = {"tree_nodes", "checkpoints", "city_leaves", "witnesses", "witness_signatures"}
WORK = {"activities", "positions", "series", "shifts", "standing_signups", "signups", "attendances"}
PEOPLE = {"beneficiaries", "needs", "person_erasures", "qualifications", "vendors"}
TEAMS = {"departments", "team_members", "teams", "team_memberships", "team_postings"}
STALLS = {"sites", "footfall_calendars", "openings", "draws", "lots"}
CLINICS = {"partners", "head_counts"}
VISITS = {"visit_plans", "visit_outcomes", "visit_escalations"}
FEEDS = {"calendar_feeds"}
LATER = {
    "transfers",
    "disputes",
    "dispute_steps",
    "audits",
    *SEALS,
    *WORK,
    *TEAMS,
    *PEOPLE,
    *CLINICS,
    *STALLS,
    *FEEDS,
    *VISITS,
}
"""The tables of the migrations after the one at which a database is distributed here."""


@pytest.fixture
def settings(postgresql_template: str) -> Iterator[Settings]:
    """A database migrated without any of this."""
    with new_postgresql(postgresql_template) as url:
        yield Settings(database_url=url)


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The statements that engines send."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def test_tables_of_later_migrations_are_distributed_as_they_are_made(settings: Settings, statements: list[str]) -> None:
    with new_postgresql() as url:
        distributed = Settings(database_url=url, database_distributed=True)
        migrate(distributed, "0009")
        stand_in(distributed)
        with psycopg.connect(url) as connection:
            connection.execute(
                "INSERT INTO pg_dist_partition SELECT oid, 'h', 'community_id', 2, 's' FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                " AND relname NOT IN ('asked', 'node_answers')"
            )
        statements.clear()
        migrate(distributed)
        assert statements[0] == (
            "SET LOCAL citus.multi_shard_modify_mode TO sequential; SET LOCAL citus.enable_unsafe_triggers TO on;"
            " SET LOCAL citus.propagate_set_commands TO local"
        )
        calls = asked_of(distributed)
        assert {call.split()[1] for call in calls} == LATER
        assert {call.split(" ", 2)[2] for call in calls} == {"by community_id hash ledger_heads"}
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT max(references_there) FROM asked").fetchone() == (0,)
        assert schema_of(settings) - schema_of(distributed) == set()
        migrate(distributed, "0009")


def test_before_the_database_is_distributed_migrations_make_plain_tables(settings: Settings) -> None:
    with new_postgresql() as url:
        distributed = Settings(database_url=url, database_distributed=True)
        stand_in(distributed)
        migrate(distributed)
        assert asked_of(distributed) == []
        assert schema_of(settings) - schema_of(distributed) == set()
