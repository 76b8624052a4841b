"""All that a database says about its own schema, as text that can be compared."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.kernel.migrating import sync_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

_SQLITE = "SELECT type || ' ' || name || ': ' || COALESCE(sql, '') FROM sqlite_master"

_POSTGRESQL = """
SELECT concat_ws(' ', 'table', relname, relkind, reloptions, 'rls', relrowsecurity, relforcerowsecurity)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')
UNION ALL
SELECT concat_ws(' ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
    pg_get_expr(adbin, adrelid), attacl)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'index', indexdef) FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT concat_ws(' ', 'trigger', tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', 'function', pg_get_functiondef(oid)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'policy', tablename, policyname, cmd, roles, qual, with_check) FROM pg_policies
UNION ALL
SELECT concat_ws(' ', 'grant', grantee, privilege_type, table_name)
FROM information_schema.role_table_grants WHERE table_schema = 'public'
"""


@contextmanager
def connected(settings: Settings) -> Iterator[sa.Connection]:
    """The owner's connection, whose transaction is rolled back at the end."""
    engine = sync_engine(settings)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def schema_of(settings: Settings) -> set[str]:
    """Every table, column, constraint, index, trigger, function, policy and right of a database."""
    with connected(settings) as connection:
        query = _SQLITE if settings.on_sqlite else _POSTGRESQL
        return set(connection.execute(sa.text(query)).scalars())


def tables_of(settings: Settings) -> set[str]:
    """The names of a database's tables."""
    with connected(settings) as connection:
        return set(sa.inspect(connection).get_table_names())
