"""The engines of both databases: pools of connections that are durable, strict, and patient for a while only."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.kernel import sqlite_channel
from app.kernel.channels import Channels
from app.kernel.lazily import lazily

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from app.kernel import postgresql_channel
    from app.kernel.channels import Channel
    from app.settings import Settings
else:
    postgresql_channel = lazily("app.kernel.postgresql_channel")

# What is deleted is overwritten, so that an erased person's key is gone from the file.
_pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "secure_delete=ON")

# Pages that a batch writes stay in memory (64 MiB at most), what undoes a statement is in no file, and pages that are
# written again and again go from the log to the file only every 16 MiB.
_of_writer = ("cache_size=-65536", "temp_store=MEMORY", "wal_autocheckpoint=4096")
_of_readers = ("query_only=ON",)

# A lock that does not come is told apart from a statement that takes too long, so it may take a little longer.
_beyond_a_lock_seconds = 0.1
# Who stands still within a transaction, as a process that is paused, holds its community's head: so long, and others
# go on. Far above what Python does between two statements.
_idle_waits = 2.5

LONG_WORK = {"statement_timeout": "10min", "idle_in_transaction_session_timeout": "1min"}
"""What PostgreSQL allows work for which no caller waits: audits, imports, whatever reads or removes very much."""

WITHOUT_KEYS = ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "memoize")
"""PostgreSQL's ways to plan that are for who reads whole tables, as an audit does."""


def channels_of(settings: Settings, *, wait_seconds: float, hurried: bool) -> tuple[Channels, Channels]:
    """Make the channels for writing and for reading: on SQLite one connection writes and the others only read.

    `wait_seconds` is how long they wait for a connection, a lock or another writer; `hurried`, PostgreSQL cuts off what
    takes longer than a caller of the API waits.
    """
    opening: tuple[Callable[[], Awaitable[Channel]], Callable[[], Awaitable[Channel]]]
    if settings.on_sqlite:
        writer, readers = (_on_sqlite(settings, wait_seconds, pragmas) for pragmas in (_of_writer, _of_readers))
        opening = partial(sqlite_channel.open_channel, writer), partial(sqlite_channel.open_channel, readers)
    else:
        engine = _on_postgresql(settings, wait_seconds, hurried=hurried)
        prepares = not settings.database_distributed
        # Connections of their own for reads, so that they do not wait for writers.
        opening = (partial(postgresql_channel.open_channel, engine, prepares=prepares),) * 2
    writers_max = 1 if settings.on_sqlite else settings.database_pool_size
    writing = Channels(opening[0], size=writers_max, wait_seconds=wait_seconds)
    return writing, Channels(opening[1], size=settings.database_pool_size, wait_seconds=wait_seconds)


def _limits(wait_seconds: float, *, hurried: bool) -> dict[str, str]:
    """Settings of PostgreSQL beyond which it breaks off what a connection is at."""
    limits = LONG_WORK
    if hurried:
        seconds = wait_seconds + _beyond_a_lock_seconds, wait_seconds * _idle_waits
        limits = {name: f"{int(most * 1000)}ms" for name, most in zip(LONG_WORK, seconds, strict=True)}
    return {"lock_timeout": f"{int(wait_seconds * 1000)}ms", **limits}


def _on_postgresql(settings: Settings, wait_seconds: float, *, hurried: bool) -> sa.Engine:
    url = settings.database_url.replace("postgresql://", "postgresql+psycopg_async://", 1)
    options = "-c TimeZone=UTC -c standard_conforming_strings=on"
    options += "".join(f" -c {name}={most}" for name, most in _limits(wait_seconds, hurried=hurried).items())
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


def _on_sqlite(settings: Settings, wait_seconds: float, pragmas: Sequence[str]) -> sa.Engine:
    url = settings.database_url.replace("sqlite://", "sqlite+aiosqlite://", 1)
    # `BEGIN` is sent with what opens a transaction.
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"timeout": wait_seconds}, hide_parameters=True)
    prepare_sqlite(engine, pragmas=pragmas)
    return engine


def prepare_sqlite(engine: sa.Engine, *, begin: str | None = None, pragmas: Sequence[str] = ()) -> None:
    """Make an engine's SQLite connections durable and strict, and begin their transactions with this statement."""

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # Without this the driver begins transactions by itself, and later than it should.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*_pragmas, *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if begin is not None:

        @sa.event.listens_for(engine, "begin")
        def begin_transaction(connection: sa.Connection) -> None:
            connection.exec_driver_sql(begin)
