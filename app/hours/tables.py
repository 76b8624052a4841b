"""The tables of hours. The facts of a record never change; only its status moves on, once for each decision.

References that are made on SQLite alone are looked up by a trigger on PostgreSQL, all of a statement at once: what they
refer to never changes or goes away.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, partial_index, tenant_key
from app.kernel.types import Count, Document, Flag, Id, Instant, LocalDate

service_kinds = sa.Table(
    "service_kinds",
    metadata,
    tenant_key(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "code", name="service_kinds_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="service_kinds_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="service_kinds_number_key"),
    sqlite_strict=True,
)

earning_rules = sa.Table(
    "earning_rules",
    metadata,
    tenant_key(),
    sa.Column("earning_rule_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("service_kind", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("points_per_hour", sa.Integer, nullable=False),
    sa.Column("effective_from", LocalDate, nullable=False),
    sa.Column("minutes_per_record_max", sa.Integer),
    sa.Column("minutes_per_day_max", sa.Integer),
    sa.Column("created_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "earning_rule_id", name="earning_rules_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "service_kind"],
        ["service_kinds.community_id", "service_kinds.code"],
        name="earning_rules_kind_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="earning_rules_number_key"),
    sa.UniqueConstraint("community_id", "service_kind", "effective_from", name="earning_rules_date_key"),
    sa.UniqueConstraint("community_id", "service_kind", "version", name="earning_rules_version_key"),
    sa.CheckConstraint("points_per_hour >= 0", name="earning_rules_points_check"),
    sqlite_strict=True,
)

service_records = sa.Table(
    "service_records",
    metadata,
    tenant_key(),
    sa.Column("service_record_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("volunteer_id", Id, nullable=False),
    sa.Column("service_kind", sa.Text, nullable=False),
    sa.Column("activity_name", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("organiser", sa.Text, nullable=False),
    sa.Column("recorder_name", sa.Text),
    sa.Column("external_ids", Document, nullable=False),
    # Whom it was for, and the shift that it was given in, where it is known: who writes them has looked them up.
    sa.Column("beneficiary_id", Id),
    sa.Column("shift_id", Id),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant, nullable=False),
    # The local date of the start, by which caps and the eight hours count.
    sa.Column("service_date", LocalDate, nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("late", Flag, nullable=False),
    sa.Column("manager_required", Flag, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "service_record_id", name="service_records_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "volunteer_id"],
        ["volunteers.community_id", "volunteers.volunteer_id"],
        name="service_records_volunteer_fkey",
    ).ddl_if(dialect="sqlite"),
    sa.ForeignKeyConstraint(
        ["community_id", "service_kind"],
        ["service_kinds.community_id", "service_kinds.code"],
        name="service_records_kind_fkey",
    ).ddl_if(dialect="sqlite"),
    # For the list, newest first.
    sa.UniqueConstraint("community_id", "number", name="service_records_number_key"),
    sa.CheckConstraint("minutes > 0", name="service_records_minutes_check"),
    sa.CheckConstraint("ended_at > started_at", name="service_records_times_check"),
    sa.CheckConstraint(
        "status IN ('pending', 'approved', 'rejected', 'corrected')", name="service_records_status_check"
    ),
    # For caps and the eight hours: a volunteer's records of a day.
    sa.Index("service_records_day_idx", "community_id", "volunteer_id", "service_date"),
    sqlite_strict=True,
)
# For what waits, was rejected or corrected; nearly all records are approved, and `number` has them newest first.
partial_index(
    service_records, "service_records_status_idx", "community_id", "status", "number", where="status <> 'approved'"
)

# One decision a record, append-only: by whom, and for an approval what was earned and why.
verifications = sa.Table(
    "verifications",
    metadata,
    tenant_key(),
    sa.Column("service_record_id", Id, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("verified_by", sa.Text, nullable=False),
    sa.Column("verified_at", Instant, nullable=False),
    sa.Column("earning_rule_id", Id),
    sa.Column("points", sa.Integer),
    sa.Column("minutes_counted", sa.Integer),
    sa.Column("clipped", Document),
    sa.Column("transaction_number", Count),
    sa.PrimaryKeyConstraint("community_id", "service_record_id", name="verifications_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "service_record_id"],
        ["service_records.community_id", "service_records.service_record_id"],
        name="verifications_record_fkey",
    ).ddl_if(dialect="sqlite"),
    sa.ForeignKeyConstraint(
        ["community_id", "earning_rule_id"],
        ["earning_rules.community_id", "earning_rules.earning_rule_id"],
        name="verifications_rule_fkey",
    ).ddl_if(dialect="sqlite"),
    sa.ForeignKeyConstraint(
        ["community_id", "transaction_number"],
        ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
        name="verifications_transaction_fkey",
    ).ddl_if(dialect="sqlite"),
    sa.CheckConstraint("decision IN ('approve', 'reject')", name="verifications_decision_check"),
    sa.CheckConstraint(
        "(decision = 'approve') = (transaction_number IS NOT NULL)", name="verifications_transaction_check"
    ),
    # A transaction is of one decision; an audit goes through decisions in this order.
    sa.UniqueConstraint("community_id", "transaction_number", name="verifications_transaction_key"),
    sqlite_strict=True,
)

# One correction a record at most, append-only: why, by whom, and the record that stands in its place.
corrections = sa.Table(
    "corrections",
    metadata,
    tenant_key(),
    sa.Column("service_record_id", Id, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("corrected_by", sa.Text, nullable=False),
    sa.Column("corrected_at", Instant, nullable=False),
    sa.Column("transaction_number", Count, nullable=False),
    sa.Column("replacement_id", Id),
    sa.PrimaryKeyConstraint("community_id", "service_record_id", name="corrections_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "service_record_id"],
        ["verifications.community_id", "verifications.service_record_id"],
        name="corrections_verification_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "replacement_id"],
        ["service_records.community_id", "service_records.service_record_id"],
        name="corrections_replacement_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "transaction_number"],
        ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
        name="corrections_transaction_fkey",
    ),
    sa.UniqueConstraint("community_id", "transaction_number", name="corrections_transaction_key"),
    sa.UniqueConstraint("community_id", "replacement_id", name="corrections_replacement_key"),
    sqlite_strict=True,
)
