"""Everything that a database keeps, as one text to search for what must not be in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.kernel.migrating import sync_engine

if TYPE_CHECKING:
    from app.settings import Settings


def everything_stored(settings: Settings) -> str:
    """Every column of every row of every table, read as the database's owner, who sees all communities."""
    engine = sync_engine(settings)
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        assert len(names) > 15
        rows = [
            f"{name}: {tuple(row)!r}"
            for name in names
            for row in connection.execute(sa.text(f"SELECT * FROM {name}"))  # noqa: S608  names of our own tables
        ]
    engine.dispose()
    return "\n".join(rows)
