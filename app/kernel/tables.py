"""What all tables share: one metadata, and the tenant's column that every tenant table begins with."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def tenant_key() -> sa.Column[int]:
    """Make the column of the tenant: the community's small number, never its UUID."""
    return sa.Column("community_id", sa.Integer, nullable=False, autoincrement=False)


def on_postgresql(table: sa.Table, statement: str) -> None:
    """Have PostgreSQL run a statement once a table is made. What is said in options loads its dialect on SQLite too."""
    ddl = sa.DDL(statement)  # type: ignore[no-untyped-call]
    sa.event.listen(table, "after_create", ddl.execute_if(dialect="postgresql"))


def partial_index(table: sa.Table, name: str, *columns: str, where: str, unique: bool = False) -> None:
    """Index those rows of a table for which a condition holds, in each database's words (see `on_postgresql`)."""
    sa.Index(name, *(table.c[column] for column in columns), unique=unique, sqlite_where=sa.text(where)).ddl_if(
        dialect="sqlite"
    )
    kind = "UNIQUE INDEX" if unique else "INDEX"
    on_postgresql(table, f"CREATE {kind} {name} ON {table.name} ({', '.join(columns)}) WHERE {where}")
