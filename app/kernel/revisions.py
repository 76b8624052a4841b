"""Revisions of the schema: which one this version needs and which one a database has, told without Alembic."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from app.kernel.database import Session

FOLDER = Path(__file__).parents[2] / "migrations"


@cache
def expected_revision() -> str:
    """The revision that this version of the app needs: that of the last migration, whose file its number begins."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


async def current_revision(session: Session) -> str | None:
    """The revision that the database has; None before the first migration."""
    if session.dialect == "sqlite":
        there = sa.text("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'")
    else:
        there = sa.text("SELECT count(*) FROM pg_tables WHERE tablename = 'alembic_version'")
    if not (await session.execute(there)).scalar():
        return None
    found = await session.execute(sa.text("SELECT version_num FROM alembic_version"))
    return str(found.scalar())
