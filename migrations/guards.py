"""What the database itself enforces, in the words of each engine: append-only tables, tenants, the app's rights.

Every trigger made here is in the list of `tests/migrations/test_guards.py`, so that none gets lost in a rebuild.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

APP_ROLE = "lovebank_app"
AUDITOR_ROLE = "lovebank_auditor"

_tenants = "string_to_array(current_setting('lovebank.communities', true), ',')::int[]"


def on_postgresql() -> bool:
    """Whether this migration runs on PostgreSQL."""
    return op.get_context().dialect.name == "postgresql"


def create_app_role() -> None:
    """Make the role that the app takes on in every transaction, unless the cluster has it; let this user take it."""
    if on_postgresql():
        _create_role(APP_ROLE)
        op.execute(
            f"""
            DO $$ BEGIN
                -- Whether it may be taken on is best tried: from 16 on, who made a role is a member who may not.
                SET LOCAL ROLE {APP_ROLE};
                RESET ROLE;
            EXCEPTION WHEN insufficient_privilege THEN
                EXECUTE format('GRANT {APP_ROLE} TO %I', current_user);
            END $$
            """
        )
        op.execute(
            """
            CREATE OR REPLACE FUNCTION lovebank_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% keeps its rows as they are', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
            END $$
            """
        )


def create_auditor_role() -> None:
    """Make the role of those who may read what they audit, unless the cluster has it. This user does not become it."""
    if on_postgresql():
        _create_role(AUDITOR_ROLE)


def _create_role(name: str) -> None:
    op.execute(
        f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
                CREATE ROLE {name} NOLOGIN;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
        """
    )


def drop_refusal() -> None:
    """Drop the function of the guards' triggers. The role stays: it belongs to the cluster, not to this database."""
    if on_postgresql():
        op.execute("DROP FUNCTION IF EXISTS lovebank_refuse()")


def grant(table: str, rights: str) -> None:
    """Give the app rights on a table, and nothing beyond them."""
    if on_postgresql():
        op.execute(f"GRANT {rights} ON {table} TO {APP_ROLE}")


def bind_to_tenant(table: str) -> None:
    """Let the app see and write only rows of the communities that its transaction names."""
    if on_postgresql():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        # `+ 0` keeps the test a filter: as a condition on an index it would count twice beside the statement's own
        # condition on the community, and the planner would leave out the rest of the key.
        op.execute(
            f"CREATE POLICY {table}_tenant ON {table} USING (community_id + 0 = ANY ((SELECT {_tenants})::int[]))"
        )


def wall_in(table: str, *, shown: str | None = None) -> None:
    """Bind a new tenant's table to communities for everybody, its owner too; `shown` are the columns for auditors.

    Without `shown` they see all, so a table with secrets or personal data has to say what is neither.
    """
    bind_to_tenant(table)
    force_walls(table)
    show_auditors(table, shown)


def force_walls(table: str) -> None:
    """Bind the table's owner to communities as well: only superusers see rows of a community that they do not name."""
    if on_postgresql():
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def show_auditors(table: str, columns: str | None = None, *, of_tenant: bool = True) -> None:
    """Let auditors read a table, or these columns of it: of the communities that they name, or naming none of all."""
    if on_postgresql():
        op.execute(f"GRANT SELECT{f' ({columns})' if columns else ''} ON {table} TO {AUDITOR_ROLE}")
        if of_tenant:
            op.execute(f"DROP POLICY IF EXISTS {table}_auditor ON {table}")
            op.execute(
                f"CREATE POLICY {table}_auditor ON {table} FOR SELECT TO {AUDITOR_ROLE}"
                " USING (COALESCE(current_setting('lovebank.communities', true), '') = '')"
            )


def append_only(table: str, *keys: Sequence[str]) -> None:
    """Refuse every change of a table's rows; `keys` are all its unique keys, by which SQLite could replace one."""
    if on_postgresql():
        _refuse(table, "append_only", "UPDATE OR DELETE OR TRUNCATE")
        return
    _abort(table, "no_update", "UPDATE")
    _abort(table, "no_delete", "DELETE")
    _no_replace(table, keys)


def frozen(table: str, columns: Sequence[str], *keys: Sequence[str]) -> None:
    """Refuse changes of these columns, and losing a row; the other columns may move on."""
    listed = ", ".join(columns)
    if on_postgresql():
        _refuse(table, "frozen", f"UPDATE OF {listed} OR DELETE OR TRUNCATE")
        return
    _abort(table, "no_update", f"UPDATE OF {listed}")
    _abort(table, "no_delete", "DELETE")
    _no_replace(table, keys)


def settled(table: str, column: str) -> None:
    """Refuse every change of a row once this column of it says when it was settled."""
    over = f"OLD.{column} IS NOT NULL"
    if on_postgresql():
        _refuse(table, "settled", "UPDATE", of_rows=f"FOR EACH ROW WHEN ({over})")
    else:
        _abort(table, "settled", "UPDATE", when=f" WHEN {over}")


def unfreeze(table: str) -> None:
    """Drop what `frozen` made."""
    names = ("frozen",) if on_postgresql() else ("no_update", "no_delete", "no_replace")
    for name in names:
        _drop_trigger(table, name)


def unsettle(table: str) -> None:
    """Drop what `settled` made."""
    _drop_trigger(table, "settled")


def _drop_trigger(table: str, name: str) -> None:
    op.execute(f"DROP TRIGGER IF EXISTS {table}_{name}" + (f" ON {table}" if on_postgresql() else ""))


def _refuse(table: str, name: str, events: str, *, of_rows: str = "FOR EACH STATEMENT") -> None:
    trigger = f"{table}_{name}"
    op.execute(f"CREATE TRIGGER {trigger} BEFORE {events} ON {table} {of_rows} EXECUTE FUNCTION lovebank_refuse()")
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def _abort(table: str, name: str, event: str, *, when: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table}{when}"
        f" BEGIN SELECT RAISE(ABORT, '{table} keeps its rows as they are'); END"
    )


def _no_replace(table: str, keys: Sequence[Sequence[str]]) -> None:
    """INSERT OR REPLACE deletes without a delete trigger, so an insert over an existing key is refused before."""
    # One EXISTS a key: of keys joined by OR inside one, SQLite would read the whole community.
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE "  # noqa: S608  names of tables and columns alone
        + " AND ".join(f"{name} = NEW.{name}" for name in key)
        + ")"
        for key in keys
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken}"
        f" BEGIN SELECT RAISE(ABORT, '{table} keeps its rows as they are'); END"
    )
