"""What the databases enforce by themselves is what the lists of `guarded.py` say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests.migrations.guarded import (
    ALL_COLUMNS,
    APPEND_ONLY,
    AUDITED,
    CHECKED,
    FROZEN,
    OF_ALL_COMMUNITIES,
    RIGHTS,
    SETTLED,
)
from tests.migrations.schema import connected, tables_of

if TYPE_CHECKING:
    from app.settings import Settings

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def found(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, as the database's owner."""
    with connected(settings) as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


@on_sqlite
def test_the_triggers_on_sqlite_are_these(settings: Settings) -> None:
    expected = {
        *((table, f"{table}_{what}") for table in (*APPEND_ONLY, *FROZEN) for what in ("no_update", "no_delete")),
        *((table, f"{table}_no_replace") for table in (*APPEND_ONLY, *FROZEN)),
        *((table, f"{table}_settled") for table in SETTLED),
        ("ledger_transactions", "ledger_transactions_add_up"),
        ("ledger_postings", "ledger_postings_closed"),
    }
    triggers = found(settings, "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
    assert {(table, name) for table, name, _ in triggers} == expected
    events = {
        name: re.sub(r"^CREATE TRIGGER \w+ (.+?) ON .*", r"\1", sql, flags=re.DOTALL) for _, name, sql in triggers
    }
    for table in APPEND_ONLY:
        assert events[f"{table}_no_update"] == "BEFORE UPDATE"
        assert events[f"{table}_no_delete"] == "BEFORE DELETE"
    for table, columns in FROZEN.items():
        assert events[f"{table}_no_update"] == f"BEFORE UPDATE OF {columns}"
        assert events[f"{table}_no_delete"] == "BEFORE DELETE"
    meanings = {name: sql for _, name, sql in triggers}
    for table, column in SETTLED.items():
        assert f"BEFORE UPDATE ON {table} WHEN OLD.{column} IS NOT NULL BEGIN" in meanings[f"{table}_settled"]


@on_postgresql
def test_the_triggers_on_postgresql_are_these_and_always_fire(settings: Settings) -> None:
    calling, refusing = "FOR EACH STATEMENT EXECUTE FUNCTION", "EXECUTE FUNCTION lovebank_refuse()"
    expected = {
        *(
            (f"{table}_append_only", f"BEFORE DELETE OR UPDATE OR TRUNCATE ON {table} {calling} lovebank_refuse()")
            for table in APPEND_ONLY
        ),
        *(
            (
                f"{table}_frozen",
                f"BEFORE DELETE OR UPDATE OF {columns} OR TRUNCATE ON {table} {calling} lovebank_refuse()",
            )
            for table, columns in FROZEN.items()
        ),
        *(
            (
                f"{table}_settled",
                f"BEFORE UPDATE ON {table} FOR EACH ROW WHEN ((old.{column} IS NOT NULL)) {refusing}",
            )
            for table, column in SETTLED.items()
        ),
        *(
            (f"{table}_{name}", f"AFTER INSERT ON {table} REFERENCING NEW TABLE AS inserted {calling} {table}_check()")
            for table, name in CHECKED.items()
        ),
    }
    triggers = found(
        settings, "SELECT tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    )
    assert {enabled for _, enabled, _ in triggers} == {"A"}
    meanings = {
        (name, re.sub(r"^CREATE TRIGGER \w+ ", "", text).replace(" ON public.", " ON ")) for name, _, text in triggers
    }
    assert meanings == expected


@on_sqlite
def test_all_tables_on_sqlite_are_strict(settings: Settings) -> None:
    tables = found(settings, "SELECT name, strict FROM pragma_table_list WHERE name NOT LIKE 'sqlite_%'")
    # Alembic makes its own table.
    assert {name for name, strict in tables if not strict} == {"alembic_version"}
    assert {name for name, _ in tables} == set(RIGHTS)


WITHOUT_TENANT = """
WITH tenant AS (
    SELECT c.oid, c.relname,
           (SELECT attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'community_id') AS community
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND c.relname NOT IN ('communities', 'alembic_version')
)
SELECT relname, 'no community_id' FROM tenant WHERE community IS NULL
UNION ALL
SELECT relname, 'no primary key' FROM tenant t
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')
UNION ALL
SELECT t.relname, k.conname FROM tenant t JOIN pg_constraint k ON k.conrelid = t.oid
WHERE k.contype = 'p' AND k.conkey[1] <> t.community
UNION ALL
SELECT t.relname, k.conname FROM tenant t JOIN pg_constraint k ON k.conrelid = t.oid
WHERE k.contype IN ('u', 'x') AND NOT t.community = ANY (k.conkey)
UNION ALL
SELECT t.relname, i.indexrelid::regclass::text FROM tenant t JOIN pg_index i ON i.indrelid = t.oid
WHERE NOT t.community = ANY (i.indkey)
UNION ALL
-- A reference has to pair the community with the community, at the same place on both sides.
SELECT t.relname, k.conname FROM tenant t JOIN pg_constraint k ON k.conrelid = t.oid
WHERE k.contype = 'f' AND NOT EXISTS (
    SELECT FROM tenant other JOIN unnest(k.conkey, k.confkey) AS pair (here, there) ON true
    WHERE other.oid = k.confrelid AND pair.here = t.community AND pair.there = other.community
)
UNION ALL
-- Citus cannot set a tenant's key to NULL, and inherits nothing.
SELECT t.relname, k.conname FROM tenant t JOIN pg_constraint k ON k.conrelid = t.oid
WHERE k.contype = 'f' AND (k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('n', 'd'))
UNION ALL
SELECT t.relname, 'inherits' FROM tenant t JOIN pg_inherits h ON h.inhrelid = t.oid
"""


@on_postgresql
def test_every_key_index_and_reference_of_a_tenants_table_names_the_community(settings: Settings) -> None:
    assert found(settings, WITHOUT_TENANT) == []
    assert tables_of(settings) == set(RIGHTS)


@on_postgresql
def test_that_query_finds_what_lacks_the_community(settings: Settings) -> None:
    with connected(settings) as connection:
        for statement in (
            "CREATE TABLE a (id int)",
            "CREATE TABLE b (id int, community_id int, x int REFERENCES communities, PRIMARY KEY (id, community_id))",
            "CREATE TABLE c (community_id int PRIMARY KEY, y int UNIQUE, g int, a int, b int)",
            "CREATE INDEX c_g_idx ON c (g)",
            "ALTER TABLE c ADD CONSTRAINT c_b_fkey FOREIGN KEY (a, b) REFERENCES b (id, community_id)",
        ):
            connection.exec_driver_sql(statement)
        lacking = {tuple(row) for row in connection.execute(sa.text(WITHOUT_TENANT))}
    assert lacking == {
        ("a", "no community_id"),
        ("a", "no primary key"),
        ("b", "b_pkey"),
        ("b", "b_x_fkey"),
        ("c", "c_y_key"),
        ("c", "c_g_idx"),
        ("c", "c_b_fkey"),
    }


UNWALLED = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'community_id'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
      SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polpermissive AND p.polroles = '{0}'
      AND pg_get_expr(p.polqual, p.polrelid) LIKE '((community_id + 0) = ANY (%lovebank.communities%'
  ))
"""


@on_postgresql
def test_every_table_with_a_community_but_the_queue_of_communities_is_walled_in_for_its_owner_too(
    settings: Settings,
) -> None:
    assert found(settings, UNWALLED) == [("due_work",)]


@on_postgresql
@pytest.mark.parametrize(
    "breach",
    [
        "ALTER TABLE goods NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE goods DISABLE ROW LEVEL SECURITY",
        "DROP POLICY goods_tenant ON goods",
        "ALTER POLICY goods_tenant ON goods USING (true)",
        "ALTER POLICY goods_tenant ON goods TO lovebank_app",
    ],
)
def test_that_query_finds_a_wall_with_a_gap(settings: Settings, breach: str) -> None:
    with connected(settings) as connection:
        connection.exec_driver_sql(breach)
        lacking = {name for (name,) in connection.exec_driver_sql(UNWALLED.replace("%", "%%"))}
    assert lacking == {"due_work", "goods"}


@on_postgresql
def test_each_wall_has_one_gate_for_who_names_a_community_and_one_for_auditors(settings: Settings) -> None:
    tenants = tables_of(settings) - OF_ALL_COMMUNITIES - {"due_work"}
    policies = found(settings, "SELECT tablename, cmd, permissive, roles::text, with_check FROM pg_policies")
    # Without a check of its own a policy for every command checks new rows as well.
    assert sorted(policies, key=str) == sorted(
        [
            *((name, "ALL", "PERMISSIVE", "{public}", None) for name in tenants),
            *((name, "SELECT", "PERMISSIVE", "{lovebank_auditor}", None) for name in tenants if AUDITED[name]),
        ],
        key=str,
    )


@on_postgresql
def test_the_rights_of_the_app_are_these(settings: Settings) -> None:
    whole = found(
        settings,
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'lovebank_app'",
    )
    by_column = found(
        settings,
        "SELECT table_name, string_agg(column_name, ', ' ORDER BY column_name)"
        " FROM information_schema.role_column_grants g"
        " WHERE grantee = 'lovebank_app' AND privilege_type = 'UPDATE' AND NOT EXISTS ("
        "   SELECT FROM information_schema.role_table_grants w WHERE w.grantee = g.grantee"
        "   AND w.table_name = g.table_name AND w.privilege_type = 'UPDATE')"
        " GROUP BY table_name",
    )
    rights: dict[str, list[str]] = {}
    for table, right in sorted(whole, key=lambda row: ["SELECT", "INSERT", "UPDATE", "DELETE"].index(row[1])):
        rights.setdefault(table, []).append(right)
    for table, columns in by_column:
        rights[table].append(f"UPDATE ({columns})")
    assert {table: ", ".join(listed) for table, listed in rights.items()} == RIGHTS
    for table in APPEND_ONLY:
        assert RIGHTS[table] == "SELECT, INSERT"


@on_postgresql
def test_the_rights_of_auditors_are_these_and_nothing_but_reading(settings: Settings) -> None:
    whole = "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
    parts = "SELECT table_name, column_name, privilege_type FROM information_schema.role_column_grants"
    of_auditors = " WHERE grantee = 'lovebank_auditor'"
    tables = found(settings, whole + of_auditors)
    columns = found(settings, parts + of_auditors)
    assert {right for *_, right in (*tables, *columns)} == {"SELECT"}
    rights = dict.fromkeys(RIGHTS, "")
    for table in RIGHTS:
        rights[table] = ", ".join(sorted(column for name, column, _ in columns if name == table))
    rights |= {table: ALL_COLUMNS for table, _ in tables}
    assert rights == AUDITED
    # A column that comes later to a table that is shown as a whole is shown as well.
    assert [
        name for _, name, _ in columns if re.search(r"secret|pin_|sealed$|wrapped|pickup|card_number|_hash$", name)
    ] == []


@on_postgresql
@pytest.mark.parametrize("role", ["lovebank_app", "lovebank_auditor"])
def test_the_roles_can_do_nothing_beside_their_rights(settings: Settings, role: str) -> None:
    powers = (
        "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, has_schema_privilege(oid, 'public', 'CREATE')"
        " FROM pg_roles"
    )
    assert (role, False, False, False, False) in found(settings, powers)
    owners = "SELECT DISTINCT CAST(CAST(relowner AS regrole) AS text) FROM pg_class"
    assert (role,) not in found(settings, owners)
    functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    assert found(settings, functions) == []
