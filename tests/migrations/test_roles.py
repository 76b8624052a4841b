"""The roles of `deploy/database/roles.sql`: who migrates, who serves and who audits, and what stops each of them."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from app.kernel.keys import new_signing_key, pem_of, private_key
from app.kernel.migrating import alone, migrate
from app.main import create_app
from app.settings import Settings
from tests.bank import Bank, TestClock
from tests.conftest import run_cli
from tests.ledger.furnished import furnish
from tests.migrations.guarded import ALL_COLUMNS, APPEND_ONLY, AUDITED, OF_ALL_COMMUNITIES, OF_THE_CITY, RIGHTS
from tests.migrations.schema import schema_of
from tests.migrations.test_steps import REVISIONS, ROOT, rows_of
from tests.postgres import find_package, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TENANTS = sorted(set(RIGHTS) - OF_ALL_COMMUNITIES - OF_THE_CITY - {"due_work"})
PEPPER = "a pepper for tests that is long enough"
LEDGER_KEY = new_signing_key()
LEDGER_KEY_PUBLIC = pem_of(private_key(LEDGER_KEY, "LEDGER_KEY").public_key())
SECRETS = {"LOVEBANK_SECRET_PEPPER": PEPPER, "LOVEBANK_LEDGER_KEY": LEDGER_KEY}
STRANGER = {
    "LOVEBANK_SECRET_PEPPER": "another pepper, for lack of the bank's",
    "LOVEBANK_LEDGER_KEY": new_signing_key(),
    "LOVEBANK_LEDGER_KEYS_OLD": LEDGER_KEY_PUBLIC,
}
"""Who audits has the public key of the ledger, and no secret of the service."""
PROGRAMS = find_package() / "pginstall" / "bin"

# Roles are the server's, and so is the server of this module.
pytestmark = pytest.mark.xdist_group("roles")


def make_roles(server: str, name: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a database, as the comment at its head says."""
    script = ROOT / "deploy" / "database" / "roles.sql"
    command = [str(PROGRAMS / "psql"), "--set", "ON_ERROR_STOP=1", "--file", str(script), url_of(server, name)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def url_of(server: str, database: str, user: str = "postgres") -> str:
    return server.replace("postgres@/postgres", f"{user}@/{database}")


def settings_of(server: str, user: str = "postgres", database: str = "bank") -> Settings:
    return Settings(
        database_url=url_of(server, database, user),
        secret_pepper=SecretStr(PEPPER),
        ledger_key=SecretStr(LEDGER_KEY),
    )


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own on which the script made the roles, and a database `bank` of two communities in use.

    Who migrated it is no superuser, nor is the user of the service that filled it.
    """
    with running() as url:
        with psycopg.connect(url, autocommit=True) as superuser:
            superuser.execute("CREATE DATABASE bank")
        made = make_roles(url, "bank")
        assert made.returncode == 0, made.stderr
        assert migrate(settings_of(url, "lovebank_migrator")) == REVISIONS[-1]
        asyncio.run(fill(settings_of(url, "lovebank_service")))
        yield url


async def fill(settings: Settings) -> None:
    """Let two communities have a row in every table."""
    clock = TestClock()
    app = create_app(settings, clock=clock)
    async with Bank(app, clock) as bank:
        await furnish(bank)
        await bank.open_community()
        await furnish(bank)
    await app.state.context.database.close()


@pytest.fixture
def copy(server: str) -> Iterator[str]:
    """A copy of the bank's database for a test that changes it."""
    name = f"copy_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as superuser:
        superuser.execute(f"CREATE DATABASE {name} TEMPLATE bank".encode())
        assert make_roles(server, name).returncode == 0
        yield name
        superuser.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def refusal(connection: psycopg.Connection, *statements: str) -> str | None:
    """Why the last of these statements is refused, or None; whatever they did is undone."""
    try:
        for statement in statements:
            connection.execute(statement.encode())
    except psycopg.Error as error:
        return str(error).splitlines()[0]
    finally:
        connection.rollback()
    return None


def seen(connection: psycopg.Connection, table: str) -> set[int]:
    """The communities whose rows a user sees in a table."""
    column = "number" if table == "communities" else "community_id"
    return {row[0] for row in connection.execute(f"SELECT DISTINCT {column} FROM {table}".encode())}  # noqa: S608


def test_nobody_but_the_superuser_passes_the_walls_and_only_users_log_in(server: str) -> None:
    with psycopg.connect(url_of(server, "bank")) as superuser:
        passing = superuser.execute("SELECT rolname FROM pg_roles WHERE rolsuper OR rolbypassrls").fetchall()
        assert passing == [("postgres",)]
        users = superuser.execute("SELECT rolname FROM pg_roles WHERE rolcanlogin ORDER BY 1").fetchall()
        assert users == [("lovebank_inspector",), ("lovebank_migrator",), ("lovebank_service",), ("postgres",)]
        owners = superuser.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " UNION SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        )
        assert owners.fetchall() == [("lovebank_owner",)]
        for table in TENANTS:
            assert {1, 2} <= seen(superuser, table), table
    with psycopg.connect(url_of(server, "bank", "lovebank_migrator")) as owner:
        assert owner.execute("SELECT current_user").fetchone() == ("lovebank_owner",)
        for table in TENANTS:
            assert seen(owner, table) == set(), table
        owner.execute("SET LOCAL lovebank.communities = '2'")
        for table in TENANTS:
            assert seen(owner, table) == {2}, table


def test_the_service_may_neither_change_what_was_posted_nor_open_a_wall(server: str) -> None:
    with psycopg.connect(url_of(server, "bank", "lovebank_service")) as service:
        for become in ("SELECT", "SET LOCAL ROLE lovebank_app"):
            for table in APPEND_ONLY:
                for statement in (
                    f"UPDATE {table} SET community_id = community_id",  # noqa: S608  names alone
                    f"DELETE FROM {table}",  # noqa: S608  names alone
                    f"TRUNCATE {table}",
                ):
                    assert refusal(service, become, statement) == f"permission denied for table {table}"
            for statement in (
                "ALTER TABLE ledger_postings DISABLE TRIGGER ALL",
                "ALTER TABLE ledger_postings NO FORCE ROW LEVEL SECURITY",
                "DROP POLICY ledger_postings_tenant ON ledger_postings",
                "DROP TABLE ledger_postings CASCADE",
            ):
                assert "must be owner of" in str(refusal(service, become, statement))
            for role in ("lovebank_owner", "lovebank_auditor", "lovebank_migrator", "postgres"):
                assert refusal(service, become, f"SET ROLE {role}") == f'permission denied to set role "{role}"'
            replicating = 'permission denied to set parameter "session_replication_role"'
            assert refusal(service, become, "SET session_replication_role = replica") == replicating
            assert "permission denied" in str(refusal(service, become, "CREATE TABLE mine (x int)"))
            assert "permission denied" in str(refusal(service, become, "CREATE TEMPORARY TABLE mine (x int)"))
        for named, expected in ((None, set()), ("1", {1}), ("2", {2})):
            if named:
                service.execute(f"SET LOCAL lovebank.communities = '{named}'".encode())
            for table in TENANTS:
                assert seen(service, table) == expected, table
            service.rollback()


def test_auditors_read_every_community_or_those_that_they_name_and_no_secret(server: str) -> None:
    tables = [table for table in TENANTS if AUDITED[table] == ALL_COLUMNS]
    with psycopg.connect(url_of(server, "bank", "lovebank_inspector")) as auditor:
        assert {1, 2} <= seen(auditor, "communities")
        for table in tables:
            assert {1, 2} <= seen(auditor, table), table
        auditor.execute("SET LOCAL lovebank.communities = '1'")
        for table in tables:
            assert seen(auditor, table) == {1}, table
        auditor.rollback()
        for table in set(RIGHTS) - {"alembic_version"}:
            hidden = refusal(auditor, f"SELECT * FROM {table}")  # noqa: S608  names alone
            expected = None if AUDITED[table] == ALL_COLUMNS else f"permission denied for table {table}"
            assert hidden == expected, table
        for secret in ("cards.pin_hash", "clients.secret_hash", "redemptions.pickup_code", "volunteers.sealed"):
            table, _, column = secret.partition(".")
            assert "permission denied" in str(refusal(auditor, f"SELECT {column} FROM {table}"))  # noqa: S608


def test_auditors_write_nothing_whatever_they_switch_off(server: str) -> None:
    with psycopg.connect(url_of(server, "bank", "lovebank_inspector")) as auditor:
        assert auditor.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
        assert "read-only transaction" in str(refusal(auditor, "DELETE FROM events"))
        writing = "SET TRANSACTION READ WRITE"
        for table in RIGHTS:
            for statement in (
                f"INSERT INTO {table} DEFAULT VALUES",
                f"DELETE FROM {table}",  # noqa: S608  names alone
                f"TRUNCATE {table}",
            ):
                assert refusal(auditor, writing, statement) == f"permission denied for table {table}"
        for statement in ("CREATE TABLE mine (x int)", "CREATE TEMPORARY TABLE mine (x int)"):
            assert "permission denied" in str(refusal(auditor, writing, statement))
        for role in ("lovebank_app", "lovebank_owner"):
            assert refusal(auditor, f"SET ROLE {role}") == f'permission denied to set role "{role}"'


def audited(
    server: str, database: str, user: str = "lovebank_inspector", role: str = "lovebank_auditor", **secrets: str
) -> tuple[int, list[str], str]:
    """How the audit of everything ends for a user, and what it prints."""
    url = url_of(server, database, user)
    done = run_cli("audit", LOVEBANK_DATABASE_URL=url, LOVEBANK_DATABASE_ROLE=role, **(secrets or STRANGER))
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_auditors_run_the_audit_of_everything_and_find_what_a_superuser_changed(server: str, copy: str) -> None:
    # What furnishes every table reverses a transaction behind its feature's back, and the audit tells of it.
    before = audited(server, copy)
    as_service = audited(server, copy, "lovebank_service", "lovebank_app", **SECRETS)
    assert before[:2] == as_service[:2]
    assert as_service[2] == ""
    assert "receipts are left out" in before[2]
    with psycopg.connect(url_of(server, copy)) as superuser:
        superuser.execute("ALTER TABLE ledger_postings DISABLE TRIGGER ALL")
        superuser.execute("UPDATE ledger_postings SET amount = amount + 1 WHERE account_number = 1")
    status, told, errors = audited(server, copy)
    assert (status, errors) == (1, before[2])
    assert {line for line in told if "chain" in line or "sum" in line} - set(before[1])


def test_the_owner_migrates_down_and_up_with_every_row(server: str, copy: str) -> None:
    superuser, owner = settings_of(server, database=copy), settings_of(server, "lovebank_migrator", copy)
    before = rows_of(superuser)
    with alone(owner) as connection:
        for table in TENANTS:
            count = f"SELECT count(*) FROM {table}"  # noqa: S608  names alone
            assert connection.exec_driver_sql(count).scalar() == len(before[table]), table
    # What a step adds is lost on the way down; `test_steps.py` compares the rest word by word.
    left = set(before)
    for revision in (*reversed(REVISIONS[-5:-1]), REVISIONS[-1]):
        assert migrate(owner, revision) == revision
        after = rows_of(superuser)
        left &= set(after)
        assert {table: len(after[table]) for table in left} == {table: len(before[table]) for table in left}
    assert migrate(owner, "base") is None
    assert migrate(owner) == REVISIONS[-1]


def test_a_reference_that_a_migration_adds_is_checked_over_the_rows_of_every_community(server: str, copy: str) -> None:
    adding = (
        "ALTER TABLE service_records ADD CONSTRAINT broken FOREIGN KEY (community_id, volunteer_id)"
        " REFERENCES volunteers (community_id, volunteer_id)"
    )
    with alone(settings_of(server, "lovebank_migrator", copy)) as connection:
        connection.exec_driver_sql(adding)
    with psycopg.connect(url_of(server, copy)) as superuser:
        superuser.execute("ALTER TABLE service_records DISABLE TRIGGER ALL")
        superuser.execute("UPDATE service_records SET volunteer_id = gen_random_uuid() WHERE community_id = 2")
    with (
        alone(settings_of(server, "lovebank_migrator", copy)) as connection,
        pytest.raises(IntegrityError, match="violates foreign key"),
    ):
        connection.exec_driver_sql(adding)


def test_a_dump_is_the_superusers_work_and_what_the_owner_would_leave_out_is_refused(server: str) -> None:
    def dump(user: str) -> subprocess.CompletedProcess[str]:
        command = [str(PROGRAMS / "pg_dump"), "--data-only", "--table", "events", url_of(server, "bank", user)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    refused = dump("lovebank_migrator")
    assert refused.returncode != 0
    assert 'row-level security policy for table "events"' in refused.stderr
    whole = dump("postgres")
    assert whole.returncode == 0
    with psycopg.connect(url_of(server, "bank")) as superuser:
        (events,) = superuser.execute("SELECT count(*) FROM events").fetchone() or ()
    rows = whole.stdout.partition("FROM stdin;\n")[2].partition("\n\\.\n")[0]
    assert len(rows.splitlines()) == events > 0


def test_a_dump_is_restored_under_the_owner_with_every_row_and_right(server: str, copy: str, tmp_path: Path) -> None:
    with psycopg.connect(url_of(server, copy), autocommit=True) as superuser:
        superuser.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner")
        superuser.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    dumping = ["pg_dump", "--format", "custom", "--file", str(tmp_path / "dump"), url_of(server, "bank")]
    restoring = [
        "pg_restore",
        "--no-owner",
        "--role",
        "lovebank_owner",
        "-d",
        url_of(server, copy),
        str(tmp_path / "dump"),
    ]
    for program, *arguments in (dumping, restoring):
        subprocess.run([str(PROGRAMS / program), *arguments], check=True, timeout=60)
    assert rows_of(settings_of(server, database=copy)) == rows_of(settings_of(server))
    assert schema_of(settings_of(server, database=copy)) == schema_of(settings_of(server))
    with psycopg.connect(url_of(server, copy)) as superuser:
        owners = superuser.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
        assert owners.fetchall() == [("lovebank_owner",)]


def test_the_script_may_be_run_again_and_takes_a_database_over_that_another_user_migrated(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as superuser:
        superuser.execute("CREATE DATABASE earlier")
    migrate(settings_of(server, database="earlier"))
    for _ in range(2):
        assert make_roles(server, "earlier").returncode == 0
    owner = settings_of(server, "lovebank_migrator", "earlier")
    assert migrate(owner, "base") is None
    assert migrate(owner) == REVISIONS[-1]
    with psycopg.connect(server, autocommit=True) as superuser:
        superuser.execute("DROP DATABASE earlier")


def test_the_script_refuses_an_owner_who_is_a_superuser() -> None:
    with running() as server:
        with psycopg.connect(server, autocommit=True) as superuser:
            superuser.execute("CREATE ROLE lovebank_owner SUPERUSER")
        refused = make_roles(server, "postgres")
        assert refused.returncode != 0
        assert "lovebank_owner is a superuser" in refused.stderr


def test_no_other_user_gets_into_the_database(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as superuser:
        superuser.execute("CREATE ROLE stranger LOGIN")
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(url_of(server, "bank", "stranger"))
        finally:
            superuser.execute("DROP ROLE stranger")
