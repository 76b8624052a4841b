"""Migrations of a database that is spread over nodes: a new table goes to its shards before its references are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.ddl.postgresql import PostgresqlImpl

if TYPE_CHECKING:
    from sqlalchemy import Table


class DistributingImpl(PostgresqlImpl):
    """Alembic on PostgreSQL. With `distributed` in the context, a table's references follow its distribution.

    Citus refuses a foreign key from a table that is not distributed to one that is.
    """

    __dialect__ = "postgresql"

    def create_table(self, table: Table, **kw: Any) -> None:
        """Create a table, beside its community's other rows or, of all communities, on every node."""
        if not self.context_opts.get("distributed"):
            super().create_table(table, **kw)
            return
        super().create_table(table, include_foreign_key_constraints=[], **kw)
        if "community_id" in table.c:
            how = "create_distributed_table(:name, 'community_id', colocate_with => 'ledger_heads')"
        else:
            how = "create_reference_table(:name)"
        self._exec(sa.text(f"SELECT {how}").bindparams(name=table.name))
        for key in table.foreign_key_constraints:
            self.add_constraint(key)
