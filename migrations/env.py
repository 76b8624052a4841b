"""Runs migrations on the connection that `app.kernel.migrating` hands over, all steps in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

# Its definition is what makes Alembic use it.
from migrations import distributed  # noqa: F401

if TYPE_CHECKING:
    import sqlalchemy as sa

connection: sa.Connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True, distributed=context.config.attributes["distributed"])
with context.begin_transaction():
    context.run_migrations()
