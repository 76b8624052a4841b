"""Distributing a database: what is printed, what is carried out on stand-ins for Citus, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.kernel.distribution import steps
from app.kernel.tables import metadata
from app.settings import Settings
from tests.conftest import new_postgresql
from tests.distributed.citus import asked_of, stand_in
from tests.migrations.guarded import RIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

# The role that is changed here is the cluster's, so two of these tests would meet there.
pytestmark = pytest.mark.xdist_group("distribute")

TENANTS = set(RIGHTS) - {"communities", "alembic_version"}


@pytest.fixture
def settings(postgresql_template: str) -> Iterator[Settings]:
    with new_postgresql(postgresql_template) as url:
        yield Settings(database_url=url)
        with psycopg.connect(url) as connection:
            connection.execute("ALTER ROLE lovebank_app NOLOGIN")
            connection.execute("ALTER ROLE lovebank_auditor NOLOGIN")


def distribute(url: str, *arguments: str) -> Result:
    """Run the command on a database."""
    return CliRunner().invoke(cli, ["distribute", *arguments], env={"LOVEBANK_DATABASE_URL": url})


def of_tables(calls: list[str]) -> list[str]:
    """The tables that were distributed or copied, in order."""
    return [call.split()[1] for call in calls if call.startswith(("reference", "distributed"))]


def test_the_statements_are_printed_without_a_database() -> None:
    result = distribute("sqlite:///none.db")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines == [f"{step.statement};" for step in steps()]
    assert lines[:3] == [
        "SET citus.multi_shard_modify_mode TO sequential;",
        "SET citus.enable_local_reference_table_foreign_keys TO off;",
        "SET citus.enable_unsafe_triggers TO on;",
    ]
    assert "SELECT create_reference_table('communities');" in lines
    last = metadata.sorted_tables[-1].name
    assert lines[-1] == (f"SELECT create_distributed_table('{last}', 'community_id', colocate_with => 'ledger_heads');")


def test_every_table_is_distributed_after_those_that_it_refers_to() -> None:
    tables = [step.table for step in steps() if step.table]
    assert sorted(tables) == sorted({*TENANTS, "communities"})
    for table in metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            assert tables.index(key.referred_table.name) <= tables.index(table.name)


def test_a_migrated_database_is_distributed_step_by_step(settings: Settings) -> None:
    stand_in(settings)
    result = distribute(settings.database_url, "--apply")
    assert result.exit_code == 0, result.output
    *carried_out, last = result.stdout.splitlines()
    assert carried_out == [f"{step.statement};" for step in steps()]
    assert "LOVEBANK_DATABASE_DISTRIBUTED=true" in last
    name = psycopg.conninfo.conninfo_to_dict(settings.database_url)["dbname"]
    calls = asked_of(settings)
    assert calls[:5] == [
        f"on workers ALTER DATABASE {name} SET citus.enable_unsafe_triggers TO on",
        "on workers ALTER ROLE lovebank_app LOGIN",
        "on workers ALTER ROLE lovebank_auditor LOGIN",
        "reference communities",
        "distributed ledger_heads by community_id hash default",
    ]
    assert set(calls[5:]) == {
        f"distributed {table} by community_id hash ledger_heads" for table in TENANTS - {"ledger_heads"}
    }
    with psycopg.connect(settings.database_url) as connection:
        assert connection.execute("SHOW citus.enable_unsafe_triggers").fetchone() == ("on",)
        login = connection.execute(
            "SELECT rolcanlogin FROM pg_roles WHERE rolname IN ('lovebank_app', 'lovebank_auditor')"
        )
        assert login.fetchall() == [(True,), (True,)]


def test_after_a_break_the_rest_is_done_and_nothing_twice(settings: Settings) -> None:
    stand_in(settings)
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("ALTER TABLE jobs RENAME TO away")
    broken = distribute(settings.database_url, "--apply")
    assert broken.exit_code == 1
    assert 'relation "jobs" does not exist' in broken.stderr
    assert "run this again" in broken.stderr
    done = of_tables(asked_of(settings))
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("ALTER TABLE away RENAME TO jobs")
    assert distribute(settings.database_url, "--apply").exit_code == 0
    tables = of_tables(asked_of(settings))
    assert tables[: len(done)] == done
    assert sorted(tables) == sorted({*TENANTS, "communities"})
    again = distribute(settings.database_url, "--apply")
    assert again.exit_code == 0
    assert "create_" not in again.stdout
    assert of_tables(asked_of(settings)) == tables


def test_a_node_that_refuses_a_setting_ends_it_before_any_table(settings: Settings) -> None:
    stand_in(settings)
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("UPDATE node_answers SET success = false, result = 'no right' WHERE nodename = 'node-2'")
    result = distribute(settings.database_url, "--apply")
    assert result.exit_code == 1
    assert "node-2:5432 answered no right" in result.stderr
    assert of_tables(asked_of(settings)) == []


def test_what_cannot_be_distributed_is_refused_in_a_sentence(settings: Settings) -> None:
    with new_postgresql() as empty:
        stand_in(Settings(database_url=empty))
        refusals = {
            "sqlite:///none.db": "names a SQLite file",
            settings.database_url: "does not have Citus",
            empty: "run `python -m app migrate` first",
        }
        for url, words in refusals.items():
            result = distribute(url, "--apply")
            assert (result.exit_code, result.stdout) == (2, "")
            assert words in result.stderr
            assert "Traceback" not in result.stderr


def test_a_database_that_is_away_is_told(settings: Settings) -> None:
    result = distribute(settings.database_url.replace("/test_", "/nobody_has_"), "--apply")
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
