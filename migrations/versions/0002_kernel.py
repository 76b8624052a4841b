"""What every feature stands on: persons' keys, events, idempotency, references, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Document, Id, Instant
from migrations import guards

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    _create_person_keys()
    _create_events()
    _create_idempotency_keys()
    _create_idempotency_answers()
    _create_seen_references()
    _create_jobs()
    _create_due_work()
    guards.append_only("events", ("community_id", "number"))
    guards.append_only("idempotency_keys", ("community_id", "caller", "key"))
    guards.append_only("seen_references", ("community_id", "resource", "reference"))
    for table in ("events", "idempotency_keys", "seen_references"):
        guards.grant(table, "SELECT, INSERT")
    for table in ("person_keys", "idempotency_answers"):
        guards.grant(table, "SELECT, INSERT, DELETE")
    guards.grant("jobs", "SELECT, INSERT, UPDATE, DELETE")
    # Not bound to tenants: it is how a worker finds the communities with work.
    guards.grant("due_work", "SELECT, INSERT, UPDATE")
    for table in ("person_keys", "events", "idempotency_keys", "idempotency_answers", "seen_references", "jobs"):
        guards.bind_to_tenant(table)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("due_work")
    op.drop_table("jobs")
    op.drop_table("seen_references")
    op.drop_table("idempotency_answers")
    op.drop_table("idempotency_keys")
    op.drop_table("events")
    op.drop_table("person_keys")


def _create_person_keys() -> None:
    op.create_table(
        "person_keys",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("wrapped_key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "person_id", name="person_keys_pkey"),
        sqlite_strict=True,
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("occurred_at", Instant, nullable=False),
        sa.Column("data", Document, nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="events_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "number", name="events_pkey"),
        sqlite_strict=True,
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="idempotency_keys_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "caller", "key", name="idempotency_keys_pkey"),
        sqlite_strict=True,
    )


def _create_idempotency_answers() -> None:
    op.create_table(
        "idempotency_answers",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("location", sa.Text, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "caller", "key"],
            ["idempotency_keys.community_id", "idempotency_keys.caller", "idempotency_keys.key"],
            name="idempotency_answers_key_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "caller", "key", name="idempotency_answers_pkey"),
        sqlite_strict=True,
    )
    op.create_index("idempotency_answers_age_idx", "idempotency_answers", ["community_id", "created_at"], unique=False)


def _create_seen_references() -> None:
    op.create_table(
        "seen_references",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("resource_id", Id, nullable=True),
        sa.Column("refusal", Document, nullable=True),
        sa.Column("seen_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="seen_references_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "resource", "reference", name="seen_references_pkey"),
        sqlite_strict=True,
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", Document, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("claimable_at", Instant, nullable=True),
        sa.Column("lease_token", Id, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="jobs_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "job_id", name="jobs_pkey"),
        sqlite_strict=True,
    )
    op.create_index("jobs_claimable_idx", "jobs", ["community_id", "claimable_at"], unique=False)


def _create_due_work() -> None:
    op.create_table(
        "due_work",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("next_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="due_work_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", name="due_work_pkey"),
        sqlite_strict=True,
    )
