"""Changes behind the service's back: SQL as the owner of the database, with every guard out of the way."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import sqlalchemy as sa

from app.kernel import postgresql_channel, sqlite_channel
from app.kernel.database import Session
from app.kernel.engines import prepare_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.kernel.channels import Channel
    from app.kernel.connections import Connection
    from app.kernel.database import Database
    from app.settings import Settings

Statement: TypeAlias = sa.Insert | sa.Update | sa.Delete


async def switch_guards_off(connection: Connection) -> None:
    """Take every trigger out of the way, and on PostgreSQL the foreign keys with them."""
    if connection.dialect.name == "sqlite":
        found = await connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for trigger in list(found.scalars()):
            await connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
    else:
        found = await connection.exec_driver_sql("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger")
        for table in list(found.scalars()):
            await connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")


@asynccontextmanager
async def tampered(database: Database, settings: Settings, *statements: Statement) -> AsyncIterator[Session]:
    """A session of the owner that has run these statements without any guard; all is undone unless it commits."""
    driver = "sqlite+aiosqlite:" if settings.on_sqlite else "postgresql+psycopg_async:"
    engine = sa.create_engine(driver + settings.database_url.partition(":")[2], poolclass=sa.NullPool)
    if settings.on_sqlite:
        prepare_sqlite(engine, begin="BEGIN IMMEDIATE", pragmas=("foreign_keys=OFF",))
        channel: Channel = await sqlite_channel.open_channel(engine)
    else:
        channel = await postgresql_channel.open_channel(engine, prepares=False)
    await switch_guards_off(channel.connection)
    for statement in statements:
        assert (await channel.connection.execute(statement)).rowcount != 0
    try:
        yield Session(channel, database.dialect, clock=database.clock, vault=database.vault, signer=database.signer)
    finally:
        await channel.break_off()
        await channel.close()
