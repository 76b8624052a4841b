"""Migrations: bring a database to a revision, and tell which one it has and which one this version needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.kernel.database import prepare_sqlite

if TYPE_CHECKING:
    from app.kernel.database import Session
    from app.settings import Settings

_folder = Path(__file__).parents[2] / "migrations"


def sync_engine(settings: Settings) -> sa.Engine:
    """Make an engine for work outside of requests: migrations and tests of the schema."""
    if settings.on_sqlite:
        engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)
        prepare_sqlite(engine, begin="BEGIN IMMEDIATE")
        return engine
    url = settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args={"options": "-c TimeZone=UTC"})


def migration_config(connection: sa.Connection | None = None) -> Config:
    """Make Alembic's configuration for a connection; without one it can only read the scripts."""
    config = Config()
    config.set_main_option("script_location", str(_folder))
    config.attributes["connection"] = connection
    return config


def migrate(settings: Settings, revision: str = "head") -> str | None:
    """Bring the database up (or down) to a revision and give the one it has then."""
    engine = sync_engine(settings)
    with engine.connect() as connection:
        config = migration_config(connection)
        down = revision == "base" or _is_older(connection, revision)
        (command.downgrade if down else command.upgrade)(config, revision)
        connection.commit()
        current = _revision(connection)
    engine.dispose()
    return current


def _is_older(connection: sa.Connection, revision: str) -> bool:
    current = _revision(connection)
    if current is None or revision == "head":
        return False
    script = ScriptDirectory.from_config(migration_config())
    return any(one.revision == revision for one in script.iterate_revisions(current, "base")) and revision != current


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


@cache
def expected_revision() -> str | None:
    """The revision that this version of the app needs."""
    return ScriptDirectory.from_config(migration_config()).get_current_head()


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
