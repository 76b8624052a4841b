"""Every migration goes up, down and up again, and one that breaks off leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from app.kernel.migrating import migrate, migration_config
from app.kernel.revisions import current_revision, expected_revision
from tests.conftest import ENGINES, new_postgresql
from tests.ledger.furnished import furnish
from tests.migrations.schema import connected, schema_of, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.kernel.database import Database
    from app.settings import Settings
    from tests.bank import Bank

ROOT = Path(__file__).resolve().parents[2]
NEWEST = {"0030", "0031"}
"""The migrations that are killed at each statement; every older one was, when it was among these."""

OF_POSTGRESQL_ALONE = {"0013", "0016"}

REVISIONS = [
    script.revision for script in reversed(list(ScriptDirectory.from_config(migration_config()).walk_revisions()))
]


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of the test's own, as its schema will change."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "bank.db")
        yield f"sqlite:///{tmp_path}/bank.db"
    else:
        with new_postgresql(request.getfixturevalue("postgresql_template")) as url:
            yield url


def test_the_history_is_one_line_of_numbered_revisions() -> None:
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS
    assert expected_revision() == REVISIONS[-1]


def test_every_step_goes_up_and_down_and_up_again(empty: Settings, settings: Settings) -> None:
    up: dict[str, set[str]] = {}
    for revision in REVISIONS:
        assert migrate(empty, revision) == revision
        up[revision] = schema_of(empty)
    changing = set(REVISIONS) - (OF_POSTGRESQL_ALONE if empty.on_sqlite else set())
    assert len({frozenset(schema) for schema in up.values()}) == len(changing)
    for revision in reversed(REVISIONS[:-1]):
        assert migrate(empty, revision) == revision
        assert schema_of(empty) == up[revision]
    assert migrate(empty, "base") is None
    assert tables_of(empty) == {"alembic_version"}
    assert migrate(empty) == REVISIONS[-1]
    # Step by step or in one go, it is the same.
    assert schema_of(empty) == schema_of(settings) == up[REVISIONS[-1]]


def test_each_step_alone_goes_down_and_up_again(settings: Settings) -> None:
    for below, revision in pairwise(REVISIONS):
        migrate(settings, revision)
        before = schema_of(settings)
        migrate(settings, below)
        migrate(settings, revision)
        assert schema_of(settings) == before


def test_migrating_a_database_that_is_up_to_date_changes_nothing(settings: Settings) -> None:
    before = schema_of(settings)
    assert migrate(settings) == REVISIONS[-1]
    assert schema_of(settings) == before


async def test_a_bank_in_use_goes_down_and_up_again_and_starts_anew(bank: Bank, settings: Settings) -> None:
    await furnish(bank)
    before = schema_of(settings)
    await bank.database.close()
    assert migrate(settings, "base") is None
    assert migrate(settings) == REVISIONS[-1]
    assert schema_of(settings) == before
    async with bank.database.read(bank.number) as session:
        assert (
            list(await session.execute(sa.text("SELECT community_id FROM ledger_heads WHERE community_id > 0"))) == []
        )


def columns_of(settings: Settings) -> dict[str, list[str]]:
    """The columns of all tables but Alembic's own."""
    with connected(settings) as connection:
        inspector = sa.inspect(connection)
        return {
            table: [column["name"] for column in inspector.get_columns(table)]
            for table in inspector.get_table_names()
            if table != "alembic_version"
        }


def rows_of(settings: Settings, columns: dict[str, list[str]] | None = None) -> dict[str, list[str]]:
    """All rows of all tables, as text; or what of them stands in these columns."""
    with connected(settings) as connection:
        return {
            table: sorted(map(repr, connection.exec_driver_sql(f"SELECT {', '.join(names)} FROM {table}")))  # noqa: S608
            for table, names in (columns or columns_of(settings)).items()
        }


async def test_a_bank_in_use_goes_a_step_down_and_up_again_with_every_row(
    bank: Bank, settings: Settings, empty: Settings
) -> None:
    await furnish(bank)
    migrate(empty, REVISIONS[-2])
    # What a step adds is lost on the way down; nothing else is.
    kept = columns_of(empty)
    before = rows_of(settings, kept)
    for revision in (REVISIONS[-2], REVISIONS[-1]):
        migrate(settings, revision)
        assert rows_of(settings, kept) == before
    await bank.hours((await bank.volunteer())["id"])


async def test_the_service_can_tell_which_revision_its_database_has(database: Database, settings: Settings) -> None:
    async with database.read() as session:
        assert await current_revision(session) == REVISIONS[-1]
    migrate(settings, REVISIONS[0])
    async with database.read() as session:
        assert await current_revision(session) == REVISIONS[0]


class KilledError(Exception):
    """Somebody pulled the plug."""


@contextmanager
def killed_at(number: int) -> Iterator[list[str]]:
    """Break off whatever engine sends the statement with this number, and list those sent before."""
    sent: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if len(sent) == number:
            raise KilledError
        sent.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)


def writes_of(settings: Settings, revision: str) -> list[int]:
    """The numbers of the statements with which a migration writes, up to the one that notes the revision."""
    with killed_at(-1) as sent:
        migrate(settings, revision)
    notes = ("INSERT INTO alembic_version", "UPDATE alembic_version", "DELETE FROM alembic_version")
    last = max(number for number, statement in enumerate(sent) if statement.startswith(notes))
    reads = ("SELECT", "PRAGMA", "SET", "SHOW", "BEGIN")
    return [number for number, statement in enumerate(sent[: last + 1]) if not statement.lstrip().startswith(reads)]


def sample(writes: list[int], above: str) -> list[int]:
    """Where to break a migration off: anywhere in the newest ones, in what was released before at three places."""
    return writes if above in NEWEST else sorted({writes[0], writes[len(writes) // 2], writes[-1]})


def test_a_migration_killed_at_any_statement_leaves_nothing_and_can_be_run_again(empty: Settings) -> None:
    migrate(empty)
    migrate(empty, "base")
    killed = 0
    for below, above in pairwise(["base", *REVISIONS]):
        low = schema_of(empty)
        up, high = writes_of(empty, above), schema_of(empty)
        down = writes_of(empty, below)
        for target, writes, before, after in ((above, up, low, high), (below, down, high, low), (above, [], low, high)):
            for number in sample(writes, above) if writes else ():
                with killed_at(number), pytest.raises(KilledError):
                    migrate(empty, target)
                assert schema_of(empty) == before, (target, number)
                killed += 1
            migrate(empty, target)
            assert schema_of(empty) == after
    assert killed > 5 * len(REVISIONS)


def test_a_migration_whose_process_is_killed_leaves_nothing_and_can_be_run_again(empty: Settings) -> None:
    killing = (
        "import os, signal, sys\n"
        "import sqlalchemy as sa\n"
        "from app.kernel.migrating import migrate\n"
        "from app.settings import Settings\n"
        "def kill(connection, cursor, statement, *_):\n"
        "    if 'CREATE TABLE service_records' in statement:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "sa.event.listen(sa.Engine, 'after_cursor_execute', kill)\n"
        "migrate(Settings(database_url=sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", killing, empty.database_url]
    ended = subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert tables_of(empty) == set()
    assert migrate(empty) == REVISIONS[-1]


def migrate_twice_at_once(settings: Settings) -> list[int]:
    """Start two processes that migrate and give their exit codes."""
    migrating = (
        "import sys\n"
        "from app.kernel.migrating import migrate\n"
        "from app.settings import Settings\n"
        "migrate(Settings(database_url=sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", migrating, settings.database_url]
    both = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) for _ in range(2)]
    return [process.wait(timeout=60) for process in both]


def test_two_that_migrate_at_the_same_time_leave_one_complete_schema(empty: Settings, settings: Settings) -> None:
    codes = migrate_twice_at_once(empty)
    # On PostgreSQL the second may fail over the first's tables, and leaves nothing of its own; on SQLite it waits.
    assert 0 in codes
    assert not empty.on_sqlite or codes == [0, 0]
    assert schema_of(empty) == schema_of(settings)
    assert migrate(empty) == REVISIONS[-1]


def test_two_that_upgrade_a_database_at_the_same_time_wait_for_each_other(empty: Settings, settings: Settings) -> None:
    migrate(empty, REVISIONS[0])
    assert migrate_twice_at_once(empty) == [0, 0]
    assert schema_of(empty) == schema_of(settings)
