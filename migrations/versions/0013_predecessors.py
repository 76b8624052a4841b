"""The check of postings finds each one's predecessor by the account's own key, however small the tables once were.

Its plan, made while the ledger is empty, took every index for as good, and then read a whole account for each posting.
Asked for the newest version below, it has one index that gives that order without sorting.
"""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_newest_below = """SELECT CASE WHEN p.version = i.version - 1 THEN p.balance_after END FROM ledger_postings p
                     WHERE p.community_id = i.community_id AND p.account_number = i.account_number
                       AND p.version < i.version
                     ORDER BY p.version DESC LIMIT 1"""
_just_below = """SELECT p.balance_after FROM ledger_postings p
                     WHERE p.community_id = i.community_id AND p.account_number = i.account_number
                       AND p.version = i.version - 1"""


def upgrade() -> None:
    """Replace the function of the trigger."""
    _replace(_newest_below, settings=" SET enable_sort = off")


def downgrade() -> None:
    """Put the former one back."""
    _replace(_just_below)


def _replace(predecessor: str, *, settings: str = "") -> None:
    if not guards.on_postgresql():
        return
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION ledger_postings_check() RETURNS trigger LANGUAGE plpgsql
        -- Its plans are kept: one made while the tables are small has to be right when they are large.
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off{settings} AS $$
        BEGIN
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
                    ({predecessor}),
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
            END IF;
            RETURN NULL;
        END $$
        """  # noqa: S608  texts of ours
    )
