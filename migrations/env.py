"""Runs migrations on the connection that `app.kernel.migrating` hands over, all steps in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

if TYPE_CHECKING:
    import sqlalchemy as sa

connection: sa.Connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
