"""Postings are checked all at once: their accounts and transactions too, which a foreign key looked up one by one.

A reference costs PostgreSQL a locked row for each row that refers, half of all that it did for a deposit. Those from
postings become part of the check that reads the same rows anyway. Those to the head said little: who inserts there
holds the head's lock, and row level security shows it no other community. The head itself stays for good instead.

The index by transaction leaves the account out: the four postings of a deposit then share one entry, a fifth of the
space. That no account stands in a transaction twice is checked with the rest; SQLite's `ledger_postings_no_replace`
refuses it anyway.
"""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# On PostgreSQL alone: by name the table with its column, and what it refers to.
_checked_with_the_rest = {
    "ledger_postings_account_fkey": ("ledger_postings.account_number", "ledger_accounts.account_number"),
    "ledger_postings_transaction_fkey": (
        "ledger_postings.transaction_number",
        "ledger_transactions.transaction_number",
    ),
}
_to_the_head = {
    f"{table}_head_fkey": (f"{table}.", "ledger_heads.")
    for table in ("ledger_transactions", "events", "idempotency_keys", "seen_references")
}
# What these refer to can neither change nor go away, so that it is enough to look when a row comes in.
_looked_up = {
    "service_records_kind_fkey": ("service_records.service_kind", "service_kinds.code"),
    "verifications_record_fkey": ("verifications.service_record_id", "service_records.service_record_id"),
    "verifications_rule_fkey": ("verifications.earning_rule_id", "earning_rules.earning_rule_id"),
    "verifications_transaction_fkey": ("verifications.transaction_number", "ledger_transactions.transaction_number"),
}
_references = {**_checked_with_the_rest, **_to_the_head, **_looked_up}

_at_once = """
            SELECT CASE WHEN a.unit IS NULL THEN 'a posting has no account'
                   ELSE 'a unit of a transaction does not sum to zero' END INTO fault
            FROM inserted i
            -- OFFSET 0 keeps each look-up one by a whole key, whatever the planner takes the table for.
            LEFT JOIN LATERAL (
                SELECT a.unit FROM ledger_accounts a
                WHERE a.community_id = i.community_id AND a.account_number = i.account_number OFFSET 0
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
                          AND p.version = i.wanted
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
                    SELECT count(*) AS postings, count(DISTINCT p.account_number) AS accounts FROM ledger_postings p
                    WHERE p.community_id = i.community_id AND p.transaction_number = i.transaction_number
                ) n ON true
                -- No account stands in a transaction twice.
                WHERE t.postings_count IS DISTINCT FROM n.postings OR n.accounts <> n.postings
            ) THEN
                RAISE EXCEPTION 'a transaction has other postings than it states' USING ERRCODE = 'check_violation';
            END IF;"""


_one_by_one = """
            IF EXISTS (
                SELECT FROM inserted i
                JOIN ledger_accounts a ON a.community_id = i.community_id AND a.account_number = i.account_number
                GROUP BY i.community_id, i.transaction_number, a.unit
                HAVING sum(i.amount) <> 0
            ) THEN
                RAISE EXCEPTION 'a unit of a transaction does not sum to zero' USING ERRCODE = 'check_violation';
            END IF;
            IF EXISTS (
                SELECT FROM inserted i
                WHERE i.amount + COALESCE(
                    (SELECT CASE WHEN p.version = i.version - 1 THEN p.balance_after END FROM ledger_postings p
                     WHERE p.community_id = i.community_id AND p.account_number = i.account_number
                       AND p.version < i.version
                     ORDER BY p.version DESC LIMIT 1),
                    CASE WHEN i.version = 1 THEN 0 END
                ) IS DISTINCT FROM i.balance_after
            ) THEN
                RAISE EXCEPTION 'a posting does not follow its predecessor' USING ERRCODE = 'check_violation';
            END IF;
            IF EXISTS (
                SELECT FROM (SELECT DISTINCT community_id, transaction_number FROM inserted) i
                JOIN ledger_transactions t
                  ON t.community_id = i.community_id AND t.transaction_number = i.transaction_number
                WHERE t.postings_count <> (
                    SELECT count(*) FROM ledger_postings p
                    WHERE p.community_id = i.community_id AND p.transaction_number = i.transaction_number
                )
            ) THEN
                RAISE EXCEPTION 'a transaction has other postings than it states' USING ERRCODE = 'check_violation';
            END IF;"""

_index = "ledger_postings_transaction_idx"
_moving = "transaction_number, event_number, account_number, last_at"


def _unfreeze_heads() -> None:
    if guards.on_postgresql():
        op.execute("DROP TRIGGER IF EXISTS ledger_heads_frozen ON ledger_heads")
    else:
        for what in ("no_update", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER IF EXISTS ledger_heads_{what}")


def upgrade() -> None:
    """Check all at once, drop what did it one by one, and narrow the index."""
    op.drop_index(_index, "ledger_postings", if_exists=True)
    op.create_index(_index, "ledger_postings", ["community_id", "transaction_number"])
    _unfreeze_heads()
    guards.frozen("ledger_heads", ["community_id"], ["community_id"])
    if guards.on_postgresql():
        op.execute(f"REVOKE UPDATE ON ledger_heads FROM {guards.APP_ROLE}")
        guards.grant("ledger_heads", f"UPDATE ({_moving})")
        put_checks()
        for name, (column, _) in _references.items():
            op.execute(f"ALTER TABLE {column.partition('.')[0]} DROP CONSTRAINT IF EXISTS {name}")


def downgrade() -> None:
    """Put back what checked one by one."""
    _unfreeze_heads()
    if guards.on_postgresql():
        op.execute(f"REVOKE UPDATE ({_moving}) ON ledger_heads FROM {guards.APP_ROLE}")
        guards.grant("ledger_heads", "UPDATE")
    if guards.on_postgresql():
        for name, (here, there) in _references.items():
            (table, columns), (target, keys) = _table_and_columns(here), _table_and_columns(there)
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
            op.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target} ({keys})"
            )
        for table in ("service_records", "verifications"):
            op.execute(f"DROP TRIGGER IF EXISTS {table}_refer ON {table}")
            op.execute(f"DROP FUNCTION IF EXISTS {table}_check()")
        _check("BEGIN", _one_by_one, way="enable_sort")
    op.drop_index(_index, "ledger_postings", if_exists=True)
    op.create_index(_index, "ledger_postings", ["community_id", "transaction_number", "account_number"], unique=True)


def put_checks() -> None:
    """Put the functions and triggers of this revision in place; a later one may come back to them."""
    _check("DECLARE fault text; BEGIN", _at_once, way="enable_material")
    for table in ("service_records", "verifications"):
        _look_up(table)


def _check(begin: str, checks: str, *, way: str) -> None:
    """Replace the function of the trigger. Its plans are kept: one made over small tables has to be right later."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION ledger_postings_check() RETURNS trigger LANGUAGE plpgsql
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET {way} = off AS $$
        {begin}{checks}
            RETURN NULL;
        END $$
        """
    )


def _table_and_columns(place: str) -> tuple[str, str]:
    table, _, column = place.partition(".")
    return table, f"community_id, {column}" if column else "community_id"


def _look_up(table: str) -> None:
    """Let a trigger look once for each different thing that the new rows of a table refer to."""
    checks = "".join(
        f"""
            IF EXISTS (
                SELECT FROM (SELECT DISTINCT community_id, {column} AS key FROM inserted WHERE {column} IS NOT NULL) i
                LEFT JOIN LATERAL (
                    SELECT 1 AS there FROM {target} t WHERE t.community_id = i.community_id AND t.{key} = i.key OFFSET 0
                ) t ON true
                WHERE t.there IS NULL
            ) THEN
                RAISE EXCEPTION '{table}.{column} refers to nothing' USING ERRCODE = 'foreign_key_violation';
            END IF;"""  # noqa: S608  names of tables and columns alone
        for (own, column), (target, key) in ((here.split("."), there.split(".")) for here, there in _looked_up.values())
        if own == table
    )
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION {table}_check() RETURNS trigger LANGUAGE plpgsql
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
        BEGIN{checks}
            RETURN NULL;
        END $$
        """
    )
    op.execute(f"DROP TRIGGER IF EXISTS {table}_refer ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_refer AFTER INSERT ON {table}"
        f" REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION {table}_check()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_refer")
