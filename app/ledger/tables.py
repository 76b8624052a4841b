"""The ledger's tables. All but `ledger_balances` are append-only, enforced by the database as well.

What a posting stores, and why: the community and the account's small number (whose it is), the version (its place in
the account, contiguous, so that a missing row shows), the transaction's number (what it belongs to), the amount, and
the balance after it (so that a statement needs no sum and a changed row shows). It needs no id of its own.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, on_postgresql, tenant_key
from app.kernel.types import Count, Digest, Instant

ledger_accounts = sa.Table(
    "ledger_accounts",
    metadata,
    tenant_key(),
    sa.Column("account_number", sa.Integer, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("bound", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "account_number", name="ledger_accounts_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="ledger_accounts_head_fkey"),
    sa.UniqueConstraint("community_id", "address", name="ledger_accounts_address_key"),
    sa.UniqueConstraint("community_id", "account_number", "bound", name="ledger_accounts_bound_key"),
    sa.CheckConstraint("bound IN (-1, 0, 1)", name="ledger_accounts_bound_check"),
    sqlite_strict=True,
)

# `bound` stands here again, tied to the account's by the foreign key, so that the CHECK can enforce floor and ceiling.
ledger_balances = sa.Table(
    "ledger_balances",
    metadata,
    tenant_key(),
    sa.Column("account_number", sa.Integer, nullable=False),
    sa.Column("bound", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("balance", Count, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "account_number", name="ledger_balances_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "account_number", "bound"],
        ["ledger_accounts.community_id", "ledger_accounts.account_number", "ledger_accounts.bound"],
        name="ledger_balances_account_fkey",
    ),
    sa.CheckConstraint("balance * bound >= 0", name="ledger_balances_bound_check"),
    sa.CheckConstraint("version >= 0", name="ledger_balances_version_check"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
on_postgresql(ledger_balances, "ALTER TABLE ledger_balances SET (fillfactor = 50)")

ledger_transactions = sa.Table(
    "ledger_transactions",
    metadata,
    tenant_key(),
    sa.Column("transaction_number", Count, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("posted_at", Instant, nullable=False),
    sa.Column("posted_by", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("postings_count", sa.Integer, nullable=False),
    sa.Column("reverses", Count),
    sa.Column("reason", sa.Text),
    # What the transaction is bound to be (`leaves.py`); missing from those of before there were leaves. The salt keeps
    # the words of the reason and the evidence, a hash of the facts that it stands for, from being guessed.
    sa.Column("salt", Digest),
    sa.Column("evidence", Digest),
    sa.Column("leaf", Digest),
    sa.PrimaryKeyConstraint("community_id", "transaction_number", name="ledger_transactions_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id"], ["ledger_heads.community_id"], name="ledger_transactions_head_fkey"
    ).ddl_if(dialect="sqlite"),
    sa.ForeignKeyConstraint(
        ["community_id", "reverses"],
        ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
        name="ledger_transactions_reverses_fkey",
    ),
    sa.CheckConstraint("reverses < transaction_number", name="ledger_transactions_reverses_check"),
    sa.CheckConstraint("postings_count >= 2", name="ledger_transactions_postings_check"),
    sa.CheckConstraint("transaction_number >= 1", name="ledger_transactions_number_check"),
    # None is reversed twice. Nearly none reverses another, and those have no entry.
    sa.Index(
        "ledger_transactions_reverses_key",
        "community_id",
        "reverses",
        unique=True,
        sqlite_where=sa.text("reverses IS NOT NULL"),
    ).ddl_if(dialect="sqlite"),
    sqlite_strict=True,
)
on_postgresql(
    ledger_transactions,
    "CREATE UNIQUE INDEX ledger_transactions_reverses_key"
    " ON ledger_transactions (community_id, reverses) WHERE reverses IS NOT NULL",
)

ledger_postings = sa.Table(
    "ledger_postings",
    metadata,
    tenant_key(),
    sa.Column("account_number", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("transaction_number", Count, nullable=False),
    sa.Column("amount", Count, nullable=False),
    sa.Column("balance_after", Count, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "account_number", "version", name="ledger_postings_pkey"),
    # On PostgreSQL these two are part of the trigger that checks all postings of a statement at once: much cheaper.
    sa.ForeignKeyConstraint(
        ["community_id", "account_number"],
        ["ledger_accounts.community_id", "ledger_accounts.account_number"],
        name="ledger_postings_account_fkey",
    ).ddl_if(dialect="sqlite"),
    # Deferred on SQLite, where the transaction's row goes in after its postings and checks them.
    sa.ForeignKeyConstraint(
        ["community_id", "transaction_number"],
        ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
        name="ledger_postings_transaction_fkey",
    ).ddl_if(dialect="sqlite"),
    sa.CheckConstraint("amount <> 0", name="ledger_postings_amount_check"),
    sa.CheckConstraint("version >= 1", name="ledger_postings_version_check"),
    # Without the account: the postings of a transaction share one entry. The triggers see that no account stands twice.
    sa.Index("ledger_postings_transaction_idx", "community_id", "transaction_number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
