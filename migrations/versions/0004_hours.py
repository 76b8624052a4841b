"""Service kinds, earning rules, service records and their verification."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Document, Flag, Id, Instant, LocalDate
from migrations import guards

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FACTS = (
    "community_id",
    "service_record_id",
    "number",
    "volunteer_id",
    "service_kind",
    "activity_name",
    "place",
    "content",
    "organiser",
    "recorder_name",
    "external_ids",
    "started_at",
    "ended_at",
    "service_date",
    "minutes",
    "late",
    "manager_required",
    "recorded_by",
    "recorded_at",
)


def upgrade() -> None:
    """Create the tables and their guards."""
    _create_service_kinds()
    _create_earning_rules()
    _create_service_records()
    _create_verifications()
    guards.append_only("service_kinds", ("community_id", "code"), ("community_id", "number"))
    guards.append_only(
        "earning_rules",
        ("community_id", "earning_rule_id"),
        ("community_id", "number"),
        ("community_id", "service_kind", "effective_from"),
        ("community_id", "service_kind", "version"),
    )
    guards.append_only("verifications", ("community_id", "service_record_id"), ("community_id", "transaction_number"))
    guards.frozen("service_records", _FACTS, ("community_id", "service_record_id"), ("community_id", "number"))
    for table in ("service_kinds", "earning_rules", "verifications"):
        guards.grant(table, "SELECT, INSERT")
    guards.grant("service_records", "SELECT, INSERT, UPDATE (status)")
    for table in ("service_kinds", "earning_rules", "service_records", "verifications"):
        guards.bind_to_tenant(table)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("verifications")
    op.drop_table("service_records")
    op.drop_table("earning_rules")
    op.drop_table("service_kinds")


def _create_service_kinds() -> None:
    op.create_table(
        "service_kinds",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="service_kinds_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "code", name="service_kinds_pkey"),
        sa.UniqueConstraint("community_id", "number", name="service_kinds_number_key"),
        sqlite_strict=True,
    )


def _create_earning_rules() -> None:
    op.create_table(
        "earning_rules",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("earning_rule_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("service_kind", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("points_per_hour", sa.Integer, nullable=False),
        sa.Column("effective_from", LocalDate, nullable=False),
        sa.Column("minutes_per_record_max", sa.Integer, nullable=True),
        sa.Column("minutes_per_day_max", sa.Integer, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.CheckConstraint("points_per_hour >= 0", name="earning_rules_points_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "service_kind"],
            ["service_kinds.community_id", "service_kinds.code"],
            name="earning_rules_kind_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "earning_rule_id", name="earning_rules_pkey"),
        sa.UniqueConstraint("community_id", "number", name="earning_rules_number_key"),
        sa.UniqueConstraint("community_id", "service_kind", "effective_from", name="earning_rules_date_key"),
        sa.UniqueConstraint("community_id", "service_kind", "version", name="earning_rules_version_key"),
        sqlite_strict=True,
    )


def _create_service_records() -> None:
    op.create_table(
        "service_records",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("service_record_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("volunteer_id", Id, nullable=False),
        sa.Column("service_kind", sa.Text, nullable=False),
        sa.Column("activity_name", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("organiser", sa.Text, nullable=False),
        sa.Column("recorder_name", sa.Text, nullable=True),
        sa.Column("external_ids", Document, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("ended_at", Instant, nullable=False),
        sa.Column("service_date", LocalDate, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("late", Flag, nullable=False),
        sa.Column("manager_required", Flag, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("recorded_at", Instant, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'approved', 'rejected', 'corrected')", name="service_records_status_check"
        ),
        sa.CheckConstraint("ended_at > started_at", name="service_records_times_check"),
        sa.CheckConstraint("minutes > 0", name="service_records_minutes_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "service_kind"],
            ["service_kinds.community_id", "service_kinds.code"],
            name="service_records_kind_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="service_records_volunteer_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "service_record_id", name="service_records_pkey"),
        sa.UniqueConstraint("community_id", "number", name="service_records_number_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "service_records_day_idx", "service_records", ["community_id", "volunteer_id", "service_date"], unique=False
    )
    op.create_index("service_records_status_idx", "service_records", ["community_id", "status", "number"], unique=False)


def _create_verifications() -> None:
    op.create_table(
        "verifications",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("service_record_id", Id, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("verified_by", sa.Text, nullable=False),
        sa.Column("verified_at", Instant, nullable=False),
        sa.Column("earning_rule_id", Id, nullable=True),
        sa.Column("points", sa.Integer, nullable=True),
        sa.Column("minutes_counted", sa.Integer, nullable=True),
        sa.Column("clipped", Document, nullable=True),
        sa.Column("transaction_number", Count, nullable=True),
        sa.CheckConstraint(
            "(decision = 'approve') = (transaction_number IS NOT NULL)", name="verifications_transaction_check"
        ),
        sa.CheckConstraint("decision IN ('approve', 'reject')", name="verifications_decision_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "earning_rule_id"],
            ["earning_rules.community_id", "earning_rules.earning_rule_id"],
            name="verifications_rule_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "service_record_id"],
            ["service_records.community_id", "service_records.service_record_id"],
            name="verifications_record_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "transaction_number"],
            ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
            name="verifications_transaction_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "service_record_id", name="verifications_pkey"),
        sa.UniqueConstraint("community_id", "transaction_number", name="verifications_transaction_key"),
        sqlite_strict=True,
    )
