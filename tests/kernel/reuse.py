"""One PostgreSQL database for many tests: emptied after each, which takes a tenth of the time of a new copy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import ENGINES, new_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# With every guard and reference off for the moment, in one transaction; only the city's head is there at the start.
EMPTY = """
DO $$
DECLARE
    name regclass;
    again text;
    guards text[] := ARRAY(
        SELECT format('ALTER TABLE %s ENABLE %s TRIGGER %I', tgrelid::regclass,
                      CASE tgenabled WHEN 'A' THEN 'ALWAYS' END, tgname)
        FROM pg_trigger WHERE NOT tgisinternal
    );
BEGIN
    FOR name IN SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', name);
        EXECUTE format('DELETE FROM %s', name);
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER ALL', name);
    END LOOP;
    FOREACH again IN ARRAY guards LOOP
        EXECUTE again;
    END LOOP;
    INSERT INTO ledger_heads VALUES (0, 0, 0, 0, 'epoch');
END $$
"""


@pytest.fixture(scope="session")
def emptied_postgresql(postgresql_template: str) -> Iterator[str]:
    """The database that tests share."""
    with new_postgresql(postgresql_template) as url:
        yield url


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of each engine; tests that change its schema take a copy instead."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "bank.db")
        yield f"sqlite:///{tmp_path}/bank.db"
        return
    url = request.getfixturevalue("emptied_postgresql")
    yield url
    with psycopg.connect(url) as connection:
        connection.execute(EMPTY)
