"""Many rows in one statement: a list travels as one JSON document and is a table inside the statement.

The statement's text does not depend on how many rows there are, so it is compiled and prepared once.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.kernel.types import micros

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.sql.dml import Insert

    from app.kernel.database import Session

Row = dict[str, Any]
"""A row to insert: values by column name."""

Query: TypeAlias = "sa.Select[*tuple[Any, ...]]"
AnyRow: TypeAlias = "sa.Row[*tuple[Any, ...]]"
Found: TypeAlias = "sa.CursorResult[*tuple[Any, ...]]"


def rows_of(dialect: str, name: str, columns: Sequence[sa.Column[Any]]) -> sa.FromClause:
    """Make a table `name` of a JSON document bound under the same name, with these columns' names and types."""
    document = sa.bindparam(name, type_=sa.Text())
    if dialect == "postgresql":
        shape = [sa.column(column.name, column.type) for column in columns]
        source = sa.func.json_to_recordset(sa.cast(document, postgresql.JSON)).table_valued(*shape, name=name)
        return source.render_derived(with_types=True)
    each = sa.func.json_each(document).table_valued("value", name=f"{name}_each")
    fields = [
        sa.func.json_extract(each.c.value, sa.literal_column(f"'$.{column.name}'"), type_=column.type).label(
            column.name
        )
        for column in columns
    ]
    return sa.select(*fields).select_from(each).subquery(name)


def document_of(dialect: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as the JSON document that `rows_of` reads: ids and days as text, moments as the database has them."""
    if dialect == "sqlite":
        return orjson.dumps(rows, default=_micros, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    return orjson.dumps(rows).decode()


def _micros(value: datetime) -> Any:
    # A date is no datetime, and passes through here as well once datetimes are passed through.
    return micros(value) if hasattr(value, "hour") else value.isoformat()


@cache
def _insert(dialect: str, table: sa.Table, names: tuple[str, ...]) -> Insert:
    source = rows_of(dialect, "rows", [table.c[name] for name in names])
    return sa.insert(table).from_select(list(names), sa.select(*source.c), include_defaults=False)


async def insert_rows(session: Session, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert all rows (the same keys in each) with one statement; none for an empty list."""
    if rows:
        statement = _insert(session.dialect, table, tuple(rows[0]))
        await session.execute(statement, {"rows": document_of(session.dialect, rows)})
