"""The engines of both databases: pools of connections that are durable, strict, and patient for a while only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.kernel.channels import PostgresqlChannels, SqliteChannels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.channels import Channels
    from app.settings import Settings

# What is deleted is overwritten, so that an erased person's key is gone from the file.
_pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "secure_delete=ON")

WITHOUT_KEYS = ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material")
"""PostgreSQL's ways to plan that are for who reads whole tables, as an audit does."""


def channels_of(settings: Settings, *, wait_seconds: float) -> tuple[Channels, Channels]:
    """Make the channels for writing and for reading: on SQLite one connection writes and the others only read.

    `wait_seconds` is how long they wait for a connection, a lock or another writer.
    """
    if settings.on_sqlite:
        writer, readers = _on_sqlite(settings, wait_seconds)
        return SqliteChannels(writer), SqliteChannels(readers)
    bounds: dict[str, Any] = {
        "size": settings.database_pool_size,
        "wait_seconds": wait_seconds,
        "prepares": not settings.database_distributed,
    }
    # Connections of their own for reads, so that they do not wait for writers.
    engine = _on_postgresql(settings, wait_seconds)
    return PostgresqlChannels(engine, **bounds), PostgresqlChannels(engine, **bounds)


def _on_postgresql(settings: Settings, wait_seconds: float) -> sa.Engine:
    url = settings.database_url.replace("postgresql://", "postgresql+psycopg_async://", 1)
    options = "-c TimeZone=UTC -c standard_conforming_strings=on"
    options += f" -c lock_timeout={int(wait_seconds * 1000)}"
    if settings.database_distributed:
        # Row level security on the nodes needs what a transaction sets here.
        options += " -c citus.propagate_set_commands=local"
    # Rows are found by a key. Plans are kept: one made while tables are small has to be right later too.
    options += "".join(f" -c enable_{way}=off" for way in WITHOUT_KEYS)
    # `BEGIN` is sent with what opens a transaction, not by the driver in a message of its own.
    # Nor does it prepare statements: after a rollback it would have the server forget all, the channel's own included.
    # And texts are UTF-8, whatever the user's environment or the server's settings say.
    arguments = {
        "options": options,
        "client_encoding": "UTF8",
        "connect_timeout": 2,
        "autocommit": True,
        "prepare_threshold": None,
    }
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments, hide_parameters=True)


def _on_sqlite(settings: Settings, wait_seconds: float) -> tuple[sa.Engine, sa.Engine]:
    url = settings.database_url.replace("sqlite://", "sqlite+aiosqlite://", 1)
    busy: dict[str, Any] = {
        "connect_args": {"timeout": wait_seconds},
        "pool_timeout": wait_seconds,
        "max_overflow": 0,
        "hide_parameters": True,
    }
    writer = sa.create_engine(url, poolclass=sa.AsyncAdaptedQueuePool, pool_size=1, **busy)
    readers = sa.create_engine(url, poolclass=sa.AsyncAdaptedQueuePool, pool_size=settings.database_pool_size, **busy)
    prepare_sqlite(writer, begin="BEGIN IMMEDIATE")
    prepare_sqlite(readers, begin="BEGIN", pragmas=("query_only=ON",))
    return writer, readers


def prepare_sqlite(engine: sa.Engine, *, begin: str, pragmas: Sequence[str] = ()) -> None:
    """Make an engine's SQLite connections durable and strict, and begin their transactions with this statement."""

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # Without this the driver begins transactions by itself, and later than it should.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*_pragmas, *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)
