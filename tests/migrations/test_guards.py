"""What the databases enforce by themselves: this file is the list of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests.migrations.schema import connected, tables_of

if TYPE_CHECKING:
    from app.settings import Settings

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

APPEND_ONLY = (
    "checkpoints",
    "city_leaves",
    "corrections",
    "departments",
    "dispute_steps",
    "earning_rules",
    "erasures",
    "events",
    "households",
    "idempotency_keys",
    "ledger_accounts",
    "ledger_postings",
    "ledger_transactions",
    "positions",
    "redemption_lines",
    "redemption_returns",
    "seen_references",
    "service_kinds",
    "stock_movements",
    "teams",
    "transfers",
    "tree_nodes",
    "verifications",
    "witness_signatures",
    "witnesses",
)
FROZEN = {
    "audits": "community_id, audit_id, requested_by, requested_at",
    "cards": "community_id, card_id, number, volunteer_id, card_number, pin_hash, created_at",
    "disputes": (
        "community_id, dispute_id, number, volunteer_id, service_record_id, transaction_number, reference, due_at"
    ),
    "ledger_heads": "community_id",
    "redemptions": (
        "community_id, redemption_id, number, volunteer_id, points, pickup_code, occurred_at, occurred_on,"
        " reserved_by, reserved_at, lapses_at"
    ),
    "service_records": (
        "community_id, service_record_id, number, volunteer_id, service_kind, activity_name, place, content,"
        " organiser, recorder_name, external_ids, started_at, ended_at, service_date, minutes, late,"
        " manager_required, recorded_by, recorded_at, beneficiary_id, shift_id"
    ),
    "team_members": "community_id, member_id, number, department_id, joined_on, registered_by, registered_at",
    "team_memberships": "community_id, member_id, starts_on, team_id, number, set_by, set_at",
    "team_postings": "community_id, posting_id, number, team_id, posted_to, starts_on, posted_by, posted_at",
    "volunteers": "community_id, volunteer_id",
}
CHECKED = {
    "idempotency_answers": "refer",
    "ledger_postings": "add_up",
    "service_records": "refer",
    "verifications": "refer",
}
OF_ALL_COMMUNITIES = {"communities", "alembic_version"}
OF_THE_CITY = {"city_leaves", "departments", "team_members", "teams", "team_memberships", "team_postings"}
"""Tables that have rows of community 0 alone."""

RIGHTS = {
    "activities": ("SELECT, INSERT, UPDATE (cancellation_hours, content, ended_at, name, organiser, place, revision)"),
    "alembic_version": "SELECT",
    "audits": (
        "SELECT, INSERT, UPDATE (discrepancies, discrepancies_count, finished_at, last_transaction, started_at, status)"
    ),
    "cards": "SELECT, INSERT, UPDATE (revoked_at)",
    "checkpoints": "SELECT, INSERT",
    "city_leaves": "SELECT, INSERT",
    "clients": "SELECT, INSERT, UPDATE (revoked_at)",
    "communities": "SELECT, INSERT, UPDATE",
    "corrections": "SELECT, INSERT",
    "departments": "SELECT, INSERT",
    "dispute_steps": "SELECT, INSERT",
    "disputes": "SELECT, INSERT, UPDATE (status)",
    "due_work": "SELECT, INSERT, UPDATE",
    "earning_rules": "SELECT, INSERT",
    "erasures": "SELECT, INSERT",
    "events": "SELECT, INSERT",
    "goods": "SELECT, INSERT, UPDATE",
    "household_members": "SELECT, INSERT, UPDATE, DELETE",
    "households": "SELECT, INSERT",
    "idempotency_answers": "SELECT, INSERT, DELETE",
    "idempotency_keys": "SELECT, INSERT",
    "jobs": "SELECT, INSERT, UPDATE, DELETE",
    "ledger_accounts": "SELECT, INSERT",
    "ledger_balances": "SELECT, INSERT, UPDATE",
    "ledger_heads": "SELECT, INSERT, UPDATE (account_number, event_number, last_at, sealed_number, transaction_number)",
    "ledger_postings": "SELECT, INSERT",
    "ledger_transactions": "SELECT, INSERT",
    "person_keys": "SELECT, INSERT, DELETE",
    "pin_attempts": "SELECT, INSERT, UPDATE, DELETE",
    "positions": "SELECT, INSERT",
    "redemption_lines": "SELECT, INSERT",
    "redemption_returns": "SELECT, INSERT",
    "redemptions": "SELECT, INSERT, UPDATE (closed_at, closed_by, reason, status)",
    "seen_references": "SELECT, INSERT",
    "series": "SELECT, INSERT, UPDATE (ends_on, made_until)",
    "service_kinds": "SELECT, INSERT",
    "service_records": "SELECT, INSERT, UPDATE (status)",
    "shifts": "SELECT, INSERT, UPDATE (ends_at, place, reason, revision, starts_at, status)",
    "signups": "SELECT, INSERT, UPDATE (closed_at, closed_by, queue, reason, seat, status)",
    "standing_signups": "SELECT, INSERT, DELETE",
    "stock_movements": "SELECT, INSERT",
    "team_members": "SELECT, INSERT, UPDATE (erased_at, left_on, sealed)",
    "team_memberships": "SELECT, INSERT, UPDATE (ends_on)",
    "team_postings": "SELECT, INSERT, UPDATE (ends_on)",
    "teams": "SELECT, INSERT",
    "transfers": "SELECT, INSERT",
    "tree_nodes": "SELECT, INSERT",
    "verifications": "SELECT, INSERT",
    "volunteers": (
        "SELECT, INSERT, UPDATE (consent_given_at, consent_on, consent_taken_by, consent_version, erased_at, estate,"
        " external_ids, id_number_hash, name_hash, number, phone_hash, phone_tail_hash, political_status,"
        " registered_at, revision, sealed, skills)"
    ),
    "witness_signatures": "SELECT, INSERT",
    "witnesses": "SELECT, INSERT",
}

ALL_COLUMNS = "all"
AUDITED = {
    **dict.fromkeys(RIGHTS, ALL_COLUMNS),
    "cards": "card_id, community_id, created_at, number, revoked_at, volunteer_id",
    "clients": "client_id, community_id, created_at, name, number, revoked_at, role",
    "idempotency_answers": "",
    "idempotency_keys": "caller, community_id, created_at, key",
    "person_keys": "",
    "pin_attempts": "card_id, community_id, failed_at, failures, succeeded_at, tried_at",
    "redemptions": (
        "closed_at, closed_by, community_id, lapses_at, number, occurred_at, occurred_on, points, reason,"
        " redemption_id, reserved_at, reserved_by, status, volunteer_id"
    ),
    "seen_references": "community_id, reference, resource, resource_id, seen_at, who",
    "team_members": (
        "community_id, department_id, erased_at, joined_on, left_on, member_id, number, registered_at, registered_by"
    ),
    "volunteers": (
        "community_id, consent_given_at, consent_on, consent_taken_by, consent_version, erased_at, estate,"
        " external_ids, number, political_status, registered_at, revision, skills, volunteer_id"
    ),
}
"""What auditors may read. A new table has to be thought about: secrets and personal data are not for them."""


def found(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, as the database's owner."""
    with connected(settings) as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


@on_sqlite
def test_the_triggers_on_sqlite_are_these(settings: Settings) -> None:
    expected = {
        *((table, f"{table}_{what}") for table in (*APPEND_ONLY, *FROZEN) for what in ("no_update", "no_delete")),
        *((table, f"{table}_no_replace") for table in (*APPEND_ONLY, *FROZEN)),
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


@on_postgresql
def test_the_triggers_on_postgresql_are_these_and_always_fire(settings: Settings) -> None:
    calling = "FOR EACH STATEMENT EXECUTE FUNCTION"
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
