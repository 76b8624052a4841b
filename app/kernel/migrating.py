"""Migrations: bring a database to a revision."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from app.kernel.engines import prepare_sqlite
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.revisions import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

SEQUENTIAL = "citus.multi_shard_modify_mode TO sequential"
UNSAFE_TRIGGERS = "citus.enable_unsafe_triggers TO on"
PROPAGATED = "citus.propagate_set_commands TO local"
"""Settings without which Citus carries out neither the migrations nor the distribution of their tables."""


class UnknownRevisionError(Exception):
    """There is no such revision in this version's history."""


def sync_engine(settings: Settings) -> sa.Engine:
    """Make an engine for work outside of requests: migrations and tests of the schema."""
    if settings.on_sqlite:
        engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)
        prepare_sqlite(engine, begin="BEGIN IMMEDIATE")
        return engine
    url = settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args={"options": "-c TimeZone=UTC"})


def migration_config(connection: sa.Connection | None = None, *, distributed: bool = False) -> Config:
    """Make Alembic's configuration for a connection; without one it can only read the scripts.

    In a database that is `distributed`, tables are distributed as they are made.
    """
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    config.attributes["distributed"] = distributed
    return config


def migrate(settings: Settings, revision: str = "head") -> str | None:
    """Bring the database up (or down) to a revision and give the one it has then.

    Raises `Unavailable` when the database is away and `UnknownRevisionError`.
    """
    with alone(settings) as connection:
        in_shards = settings.database_distributed and "ledger_heads" in distributed_tables(connection)
        config = migration_config(connection, distributed=in_shards)
        down = revision == "base" or _is_older(connection, revision)
        try:
            (command.downgrade if down else command.upgrade)(config, revision)
        except CommandError as error:
            raise UnknownRevisionError(str(error)) from error
        connection.commit()
        return revision_of(connection)


def has_citus(connection: sa.Connection) -> bool:
    """Whether a PostgreSQL has the extension."""
    return connection.execute(sa.text("SELECT to_regclass('pg_dist_partition')")).scalar() is not None


def distributed_tables(connection: sa.Connection) -> set[str]:
    """The tables that Citus has spread over its nodes or copied to them; none without the extension."""
    if not has_citus(connection):
        return set()
    return set(connection.execute(sa.text("SELECT CAST(logicalrelid AS text) FROM pg_dist_partition")).scalars())


@contextmanager
def alone(settings: Settings) -> Iterator[sa.Connection]:
    """Begin a transaction that no other migration runs beside; what does not connect is an outage."""
    engine = sync_engine(settings)
    try:
        connection = engine.connect()
        connection.begin()
    except DBAPIError as error:
        raise Unavailable from error
    with connection:
        if settings.database_distributed:
            connection.exec_driver_sql(f"SET LOCAL {SEQUENTIAL}; SET LOCAL {UNSAFE_TRIGGERS}; SET LOCAL {PROPAGATED}")
        # On SQLite the transaction itself is the lock. Without the table the first to make it is the one that goes on.
        if not settings.on_sqlite and revision_of(connection) is not None:
            connection.execute(sa.text("LOCK TABLE alembic_version IN EXCLUSIVE MODE"))
            _see_every_community(connection)
        yield connection
    engine.dispose()


def _see_every_community(connection: sa.Connection) -> None:
    """Name all communities: row level security binds the owner too, whose migrations would else move no row.

    Nor would a reference be checked over rows that are there. Until the migration ends no community is added.
    """
    if sa.inspect(connection).has_table("communities"):
        connection.execute(sa.text("LOCK TABLE communities IN SHARE MODE"))
        numbers = connection.execute(sa.text("SELECT number FROM communities ORDER BY number")).scalars()
        listed = ",".join(str(int(number)) for number in (CITY, *numbers))
        connection.exec_driver_sql(f"SET LOCAL lovebank.communities = '{listed}'")


def _is_older(connection: sa.Connection, revision: str) -> bool:
    current = revision_of(connection)
    if current is None or revision == "head":
        return False
    script = ScriptDirectory.from_config(migration_config())
    return any(one.revision == revision for one in script.iterate_revisions(current, "base")) and revision != current


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that a database has; None before the first migration."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
