"""Postings are checked all at once: their accounts and transactions too, which a foreign key looked up one by one.

A reference costs PostgreSQL a locked row for each row that refers, half of all that it did for a deposit. Those from
postings become part of the check that reads the same rows anyway. Those to the head said nothing: who inserts there
holds the head's lock, and row level security shows it no other community.

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

# On PostgreSQL alone: by name the table, its columns, and what they refer to.
_references = {
    "ledger_postings_account_fkey": ("ledger_postings", "account_number", "ledger_accounts"),
    "ledger_postings_transaction_fkey": ("ledger_postings", "transaction_number", "ledger_transactions"),
    "ledger_transactions_head_fkey": ("ledger_transactions", None, "ledger_heads"),
    "events_head_fkey": ("events", None, "ledger_heads"),
    "idempotency_keys_head_fkey": ("idempotency_keys", None, "ledger_heads"),
    "seen_references_head_fkey": ("seen_references", None, "ledger_heads"),
}

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
            -- Most postings follow one of the same statement; only the first of an account is looked up.
            IF EXISTS (
                SELECT FROM (
                    SELECT i.*, lag(version) OVER own AS version_before, lag(balance_after) OVER own AS balance_before,
                           lag(transaction_number) OVER own AS transaction_before
                    FROM inserted i WINDOW own AS (PARTITION BY community_id, account_number ORDER BY version)
                ) i
                WHERE CASE
                    WHEN version_before IS NOT NULL THEN
                        version <> version_before + 1 OR balance_before + amount <> balance_after
                        OR transaction_before = transaction_number
                    WHEN version = 1 THEN amount <> balance_after
                    ELSE amount + (
                        SELECT CASE WHEN p.version = i.version - 1 THEN p.balance_after END FROM ledger_postings p
                        WHERE p.community_id = i.community_id AND p.account_number = i.account_number
                          AND p.version < i.version
                        ORDER BY p.version DESC LIMIT 1
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
                WHERE t.postings_count IS DISTINCT FROM (
                    SELECT count(*) FROM ledger_postings p
                    WHERE p.community_id = i.community_id AND p.transaction_number = i.transaction_number
                )
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


def upgrade() -> None:
    """Check all at once, drop what did it one by one, and narrow the index."""
    op.drop_index(_index, "ledger_postings", if_exists=True)
    op.create_index(_index, "ledger_postings", ["community_id", "transaction_number"])
    if guards.on_postgresql():
        _check("DECLARE fault text; BEGIN", _at_once, way="enable_material")
        for name, (table, _, _) in _references.items():
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")


def downgrade() -> None:
    """Put back what checked one by one."""
    if guards.on_postgresql():
        for name, (table, column, target) in _references.items():
            columns = ", ".join(("community_id", column) if column else ("community_id",))
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
            op.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target} ({columns})"
            )
        _check("BEGIN", _one_by_one, way="enable_sort")
    op.drop_index(_index, "ledger_postings", if_exists=True)
    op.create_index(_index, "ledger_postings", ["community_id", "transaction_number", "account_number"], unique=True)


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
