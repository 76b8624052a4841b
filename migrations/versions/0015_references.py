"""The last references of a deposit are looked up all at once as well, and indexes hold only what is looked for there.

A volunteer's key, to which records refer, could change and go away until now, which 0014 could not rest on; it stays
for good as other keys do. An answer's key always did.

Of two indexes that begin with the community PostgreSQL takes any while it counts few rows there, and keeps the plan.
`BETWEEN` the same value twice, in the order of that value, is what `=` says, and only the right index has that order.

Nearly no transaction reverses another, and nobody looks for the records that are approved, nearly all, by their status.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

from migrations import guards

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_volunteers_keys = (
    ("community_id", "volunteer_id"),
    ("community_id", "number"),
    ("community_id", "phone_hash"),
    ("community_id", "id_number_hash"),
)
_volunteers_moving = (
    "number, sealed, name_hash, phone_hash, phone_tail_hash, id_number_hash, estate, political_status, skills,"
    " external_ids, consent_version, consent_given_at, consent_on, consent_taken_by, registered_at, revision, erased_at"
)

# On PostgreSQL alone, by table: columns beside the community, and the table that has them as its key.
_looked_up = {
    "service_records": ((("volunteer_id",), "volunteers"), (("service_kind",), "service_kinds")),
    "verifications": (
        (("service_record_id",), "service_records"),
        (("earning_rule_id",), "earning_rules"),
        (("transaction_number",), "ledger_transactions"),
    ),
    "idempotency_answers": ((("caller", "key"), "idempotency_keys"),),
}
_named_otherwise = {"service_kind": "code"}

_no_longer_one_by_one = {
    "service_records_volunteer_fkey": ("service_records", "volunteers", "community_id, volunteer_id"),
    "idempotency_answers_key_fkey": ("idempotency_answers", "idempotency_keys", "community_id, caller, key"),
}

_postings = """
            SELECT CASE WHEN a.unit IS NULL THEN 'a posting has no account'
                   ELSE 'a unit of a transaction does not sum to zero' END INTO fault
            FROM inserted i
            LEFT JOIN LATERAL (
                SELECT a.unit FROM ledger_accounts a
                WHERE a.community_id = i.community_id AND a.account_number BETWEEN i.account_number AND i.account_number
                ORDER BY a.account_number LIMIT 1
            ) a ON true
            GROUP BY i.community_id, i.transaction_number, a.unit
            HAVING sum(i.amount) <> 0 OR a.unit IS NULL LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION '%', fault USING ERRCODE = 'check_violation';
            END IF;
            -- Most postings follow one of the same statement; only the first of an account is looked up. Which version
            -- is worked out before: behind row level security a condition that computes something misses the index.
            IF EXISTS (
                SELECT FROM (
                    SELECT i.*, version - 1 AS wanted,
                           lag(version) OVER own AS version_before, lag(balance_after) OVER own AS balance_before
                    FROM inserted i WINDOW own AS (PARTITION BY community_id, account_number ORDER BY version)
                ) i
                WHERE CASE
                    WHEN version_before IS NOT NULL THEN
                        version <> version_before + 1 OR balance_before + amount <> balance_after
                    WHEN version = 1 THEN amount <> balance_after
                    ELSE amount + (
                        SELECT p.balance_after FROM ledger_postings p
                        WHERE p.community_id = i.community_id AND p.account_number = i.account_number
                          AND p.version BETWEEN i.wanted AND i.wanted
                        ORDER BY p.version LIMIT 1
                    ) IS DISTINCT FROM balance_after
                END
            ) THEN
                RAISE EXCEPTION 'a posting does not follow its predecessor' USING ERRCODE = 'check_violation';
            END IF;
            IF EXISTS (
                SELECT FROM (SELECT DISTINCT community_id, transaction_number FROM inserted) i
                LEFT JOIN LATERAL (
                    SELECT t.postings_count FROM ledger_transactions t
                    WHERE t.community_id = i.community_id AND t.transaction_number = i.transaction_number OFFSET 0
                ) t ON true
                LEFT JOIN LATERAL (
                    SELECT count(*) AS postings, count(DISTINCT p.account_number) AS accounts FROM (
                        SELECT p.account_number FROM ledger_postings p
                        WHERE p.community_id = i.community_id
                          AND p.transaction_number BETWEEN i.transaction_number AND i.transaction_number
                        ORDER BY p.transaction_number
                    ) p
                ) n ON true
                -- No account stands in a transaction twice.
                WHERE t.postings_count IS DISTINCT FROM n.postings OR n.accounts <> n.postings
            ) THEN
                RAISE EXCEPTION 'a transaction has other postings than it states' USING ERRCODE = 'check_violation';
            END IF;"""

_reverses_key, _status_idx = "ledger_transactions_reverses_key", "service_records_status_idx"
_disputes_meanwhile = "disputes_transaction_idx"
_unique = f"CONSTRAINT {_reverses_key} UNIQUE (community_id, reverses)"


def upgrade() -> None:
    """Look references up together, keep volunteers' keys as they are, and narrow the indexes."""
    _unfreeze_volunteers()
    guards.frozen("volunteers", ("community_id", "volunteer_id"), *_volunteers_keys)
    if guards.on_postgresql():
        op.execute(f"REVOKE UPDATE ON volunteers FROM {guards.APP_ROLE}")
        guards.grant("volunteers", f"UPDATE ({_volunteers_moving})")
        _check("ledger_postings", "fault text", _postings)
        for table in _looked_up:
            _look_up(table)
        for name, (table, _, _) in _no_longer_one_by_one.items():
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE ledger_transactions DROP CONSTRAINT IF EXISTS {_reverses_key}")
        _index_reversals()
    else:
        _make_transactions_anew(f", \n\t{_unique}\n)", "\n)", then=_index_reversals)
    _index(_status_idx, "service_records", ["status", "number"], of="status <> 'approved'")


def downgrade() -> None:
    """Put back what was there before."""
    _unfreeze_volunteers()
    _index(_status_idx, "service_records", ["status", "number"])
    if not guards.on_postgresql():
        _make_transactions_anew("\n)", f", \n\t{_unique}\n)")
        return
    op.drop_index(_reverses_key, "ledger_transactions", if_exists=True)
    op.execute(f"REVOKE UPDATE ({_volunteers_moving}) ON volunteers FROM {guards.APP_ROLE}")
    guards.grant("volunteers", "UPDATE")
    op.execute(f"ALTER TABLE ledger_transactions DROP CONSTRAINT IF EXISTS {_reverses_key}")
    op.execute(f"ALTER TABLE ledger_transactions ADD {_unique}")
    for name, (table, target, columns) in _no_longer_one_by_one.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target} ({columns})")
    op.execute("DROP TRIGGER IF EXISTS idempotency_answers_refer ON idempotency_answers")
    op.execute("DROP FUNCTION IF EXISTS idempotency_answers_check()")
    import_module("migrations.versions.0014_checks").put_checks()


def _index(name: str, table: str, columns: list[str], *, of: str | None = None, unique: bool = False) -> None:
    """Make an index of a community's rows again, or of those among them that a condition chooses."""
    op.drop_index(name, table, if_exists=True)
    where = sa.text(of) if of else None
    op.create_index(name, table, ["community_id", *columns], unique=unique, postgresql_where=where, sqlite_where=where)


def _index_reversals() -> None:
    _index(_reverses_key, "ledger_transactions", ["reverses"], of="reverses IS NOT NULL", unique=True)


def _unfreeze_volunteers() -> None:
    if guards.on_postgresql():
        op.execute("DROP TRIGGER IF EXISTS volunteers_frozen ON volunteers")
    else:
        for what in ("no_update", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER IF EXISTS volunteers_{what}")


def _make_transactions_anew(former: str, new: str, then: Callable[[], None] | None = None) -> None:
    """Make SQLite's table of transactions again in its own words but these, with its rows and all its triggers.

    SQLite has no way to drop a table's constraint. It looks for what refers to each row that goes and comes, reversals
    and disputes too: indexes of these are there all the time.
    """
    connection = op.get_bind()
    of_table = "FROM sqlite_master WHERE tbl_name = 'ledger_transactions'"
    ((table,),) = connection.exec_driver_sql(f"SELECT sql {of_table} AND type = 'table'")
    triggers = connection.exec_driver_sql(f"SELECT sql {of_table} AND type = 'trigger'").scalars().all()
    # What refers to the rows is looked at when the transaction ends: they are back by then.
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.create_index(_disputes_meanwhile, "disputes", ["community_id", "transaction_number"], if_not_exists=True)
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM ledger_transactions")
    op.drop_table("ledger_transactions")
    connection.exec_driver_sql(table.replace(former, new))
    if then is not None:
        then()
    op.execute("INSERT INTO ledger_transactions SELECT * FROM kept")
    op.execute("DROP TABLE kept")
    op.drop_index(_disputes_meanwhile, "disputes")
    for trigger in triggers:
        connection.exec_driver_sql(trigger)


def _look_up(table: str) -> None:
    """Let a trigger look for all that the new rows of a table refer to, in one query."""
    references = _looked_up[table]
    joins = "".join(
        f"""
            LEFT JOIN LATERAL (
                SELECT true AS found FROM {target} t WHERE {_matches(columns)} LIMIT 1
            ) {target} ON true"""  # noqa: S608  names of tables and columns alone
        for columns, target in references
    )
    broken = {columns[-1]: f"{target}.found IS NULL AND i.{columns[-1]} IS NOT NULL" for columns, target in references}
    which = " ".join(f"WHEN {condition} THEN '{column}'" for column, condition in broken.items())
    checks = f"""
            SELECT CASE {which} END INTO broken
            FROM inserted i{joins}
            WHERE {" OR ".join(broken.values())} LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION '{table}.% refers to nothing', broken USING ERRCODE = 'foreign_key_violation';
            END IF;"""  # noqa: S608  names of tables and columns alone
    _check(table, "broken text", checks)
    op.execute(f"DROP TRIGGER IF EXISTS {table}_refer ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_refer AFTER INSERT ON {table}"
        f" REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION {table}_check()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_refer")


def _matches(columns: tuple[str, ...]) -> str:
    *first, last = columns
    key = _named_otherwise.get(last, last)
    equal = "".join(f" AND t.{column} = i.{column}" for column in first)
    return f"t.community_id = i.community_id{equal} AND t.{key} BETWEEN i.{last} AND i.{last} ORDER BY t.{key}"


def _check(table: str, declared: str, checks: str) -> None:
    """Replace the function of a trigger. Its plans are kept: one made over small tables has to be right later."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION {table}_check() RETURNS trigger LANGUAGE plpgsql
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
        DECLARE {declared};
        BEGIN{checks}
            RETURN NULL;
        END $$
        """
    )
