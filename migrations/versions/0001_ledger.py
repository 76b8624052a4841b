"""The ledger: heads, accounts, balances, transactions and postings, with what guards them."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Instant
from migrations import guards

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    guards.create_app_role()
    _create_ledger_heads()
    _create_ledger_accounts()
    _create_ledger_balances()
    _create_ledger_transactions()
    _create_ledger_postings()
    guards.append_only(
        "ledger_accounts",
        ("community_id", "account_number"),
        ("community_id", "address"),
    )
    guards.append_only("ledger_transactions", ("community_id", "transaction_number"), ("community_id", "reverses"))
    guards.append_only(
        "ledger_postings",
        ("community_id", "account_number", "version"),
        ("community_id", "transaction_number", "account_number"),
    )
    if guards.on_postgresql():
        _check_postings_on_postgresql()
    else:
        _check_postings_on_sqlite()
    for table in ("ledger_accounts", "ledger_transactions", "ledger_postings"):
        guards.grant(table, "SELECT, INSERT")
    for table in ("ledger_heads", "ledger_balances"):
        guards.grant(table, "SELECT, INSERT, UPDATE")
    for table in ("ledger_heads", "ledger_accounts", "ledger_balances", "ledger_transactions", "ledger_postings"):
        guards.bind_to_tenant(table)
    guards.grant("alembic_version", "SELECT")
    # The city's own head, under the reserved community 0.
    heads = sa.table(
        "ledger_heads",
        sa.column("community_id"),
        sa.column("transaction_number"),
        sa.column("event_number"),
        sa.column("account_number"),
        sa.column("last_at", Instant),
    )
    beginning = datetime(1970, 1, 1, tzinfo=UTC)
    op.bulk_insert(
        heads,
        [
            {
                "community_id": 0,
                "transaction_number": 0,
                "event_number": 0,
                "account_number": 0,
                "last_at": beginning,
            }
        ],
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("ledger_postings", "ledger_transactions", "ledger_balances", "ledger_accounts", "ledger_heads"):
        op.drop_table(table)
    if guards.on_postgresql():
        op.execute("DROP FUNCTION IF EXISTS ledger_postings_check()")
    guards.drop_refusal()


def _check_postings_on_postgresql() -> None:
    """All postings of a transaction go in with one INSERT, which is refused when they do not add up."""
    op.execute(
        """
        CREATE FUNCTION ledger_postings_check() RETURNS trigger LANGUAGE plpgsql
        -- Its plans are kept: one made while the tables are small has to be right when they are large.
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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
                    (SELECT p.balance_after FROM ledger_postings p
                     WHERE p.community_id = i.community_id AND p.account_number = i.account_number
                       AND p.version = i.version - 1),
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
        """
    )
    op.execute(
        "CREATE TRIGGER ledger_postings_add_up AFTER INSERT ON ledger_postings"
        " REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_postings_check()"
    )
    op.execute("ALTER TABLE ledger_postings ENABLE ALWAYS TRIGGER ledger_postings_add_up")


def _check_postings_on_sqlite() -> None:
    """The transaction's row goes in after its postings, and is refused when they do not add up."""
    # Without statistics SQLite would read the whole community by the primary key.
    postings = "ledger_postings p INDEXED BY ledger_postings_transaction_idx"
    mine = "p.community_id = NEW.community_id AND p.transaction_number = NEW.transaction_number"
    op.execute(
        f"""
        CREATE TRIGGER ledger_transactions_add_up BEFORE INSERT ON ledger_transactions BEGIN
            SELECT RAISE(ABORT, 'a unit of a transaction does not sum to zero') WHERE EXISTS (
                SELECT 1 FROM {postings}
                -- CROSS keeps the order: the transaction's few postings first, then their accounts.
                CROSS JOIN ledger_accounts a
                WHERE {mine} AND a.community_id = p.community_id AND a.account_number = p.account_number
                GROUP BY a.unit HAVING sum(p.amount) <> 0
            );
            SELECT RAISE(ABORT, 'a posting does not follow its predecessor') WHERE EXISTS (
                SELECT 1 FROM {postings}
                WHERE {mine} AND p.amount + COALESCE(
                    (SELECT q.balance_after FROM ledger_postings q
                     WHERE q.community_id = p.community_id AND q.account_number = p.account_number
                       AND q.version = p.version - 1),
                    CASE WHEN p.version = 1 THEN 0 END
                ) IS NOT p.balance_after
            );
            SELECT RAISE(ABORT, 'a transaction has other postings than it states')
            WHERE NEW.postings_count <> (SELECT count(*) FROM {postings} WHERE {mine});
        END
        """  # noqa: S608  names of columns alone
    )
    op.execute(
        """
        CREATE TRIGGER ledger_postings_closed BEFORE INSERT ON ledger_postings
        WHEN EXISTS (
            SELECT 1 FROM ledger_transactions t
            WHERE t.community_id = NEW.community_id AND t.transaction_number = NEW.transaction_number
        )
        BEGIN SELECT RAISE(ABORT, 'a transaction has other postings than it states'); END
        """
    )


def _create_ledger_heads() -> None:
    op.create_table(
        "ledger_heads",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("transaction_number", Count, nullable=False),
        sa.Column("event_number", Count, nullable=False),
        sa.Column("account_number", sa.Integer, nullable=False),
        sa.Column("last_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("community_id", name="ledger_heads_pkey"),
        sqlite_strict=True,
    )


def _create_ledger_accounts() -> None:
    op.create_table(
        "ledger_accounts",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("account_number", sa.Integer, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("bound", sa.Integer, nullable=False),
        sa.CheckConstraint("bound IN (-1, 0, 1)", name="ledger_accounts_bound_check"),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="ledger_accounts_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "account_number", name="ledger_accounts_pkey"),
        sa.UniqueConstraint("community_id", "account_number", "bound", name="ledger_accounts_bound_key"),
        sa.UniqueConstraint("community_id", "address", name="ledger_accounts_address_key"),
        sqlite_strict=True,
    )


def _create_ledger_balances() -> None:
    op.create_table(
        "ledger_balances",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("account_number", sa.Integer, nullable=False),
        sa.Column("bound", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("balance", Count, nullable=False),
        sa.CheckConstraint("balance * bound >= 0", name="ledger_balances_bound_check"),
        sa.CheckConstraint("version >= 0", name="ledger_balances_version_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "account_number", "bound"],
            ["ledger_accounts.community_id", "ledger_accounts.account_number", "ledger_accounts.bound"],
            name="ledger_balances_account_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "account_number", name="ledger_balances_pkey"),
        postgresql_with={"fillfactor": 50},
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _create_ledger_transactions() -> None:
    op.create_table(
        "ledger_transactions",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("transaction_number", Count, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("posted_at", Instant, nullable=False),
        sa.Column("posted_by", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("postings_count", sa.Integer, nullable=False),
        sa.Column("reverses", Count, nullable=True),
        sa.Column("reason", sa.Text, nullable=True),
        sa.CheckConstraint("postings_count >= 2", name="ledger_transactions_postings_check"),
        sa.CheckConstraint("reverses < transaction_number", name="ledger_transactions_reverses_check"),
        sa.CheckConstraint("transaction_number >= 1", name="ledger_transactions_number_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "reverses"],
            ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
            name="ledger_transactions_reverses_fkey",
        ),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="ledger_transactions_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "transaction_number", name="ledger_transactions_pkey"),
        sa.UniqueConstraint("community_id", "reverses", name="ledger_transactions_reverses_key"),
        sqlite_strict=True,
    )


def _create_ledger_postings() -> None:
    op.create_table(
        "ledger_postings",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("account_number", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("transaction_number", Count, nullable=False),
        sa.Column("amount", Count, nullable=False),
        sa.Column("balance_after", Count, nullable=False),
        sa.CheckConstraint("amount <> 0", name="ledger_postings_amount_check"),
        sa.CheckConstraint("version >= 1", name="ledger_postings_version_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "account_number"],
            ["ledger_accounts.community_id", "ledger_accounts.account_number"],
            name="ledger_postings_account_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "transaction_number"],
            ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
            name="ledger_postings_transaction_fkey",
            # On SQLite the transaction's row goes in after its postings and checks them.
            deferrable=None if guards.on_postgresql() else True,
            initially=None if guards.on_postgresql() else "DEFERRED",
        ),
        sa.PrimaryKeyConstraint("community_id", "account_number", "version", name="ledger_postings_pkey"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ledger_postings_transaction_idx",
        "ledger_postings",
        ["community_id", "transaction_number", "account_number"],
        unique=True,
    )
