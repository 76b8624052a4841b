"""A bank's rows in tables without any guard, as the owner of a database could make them: nothing refuses a lie."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.kernel.database import APP_ROLE
from app.kernel.migrating import sync_engine
from app.kernel.tables import metadata
from tests.conftest import new_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.settings import Settings


@contextmanager
def bare_copy(settings: Settings, folder: Path) -> Iterator[Settings]:
    """Copy a bank into a new database without keys, constraints and triggers; it goes away afterwards."""
    folder.mkdir()
    with new_database("sqlite" if settings.on_sqlite else "postgresql", folder) as url:
        copy = settings.model_copy(update={"database_url": url})
        source, target = sync_engine(settings), sync_engine(copy)
        with source.begin() as reading, target.begin() as writing:
            for table in metadata.sorted_tables:
                bare = sa.Table(table.name, sa.MetaData(), *(sa.Column(one.name, one.type) for one in table.c))
                bare.create(writing)
                rows = [dict(row._mapping) for row in reading.execute(sa.select(table))]
                if rows:
                    writing.execute(sa.insert(bare), rows)
            if not settings.on_sqlite:
                # The app takes this role on; roles belong to the server.
                writing.exec_driver_sql(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {APP_ROLE}")
        source.dispose()
        target.dispose()
        yield copy
