"""Embedded teams: departments, their members, and where the teams are posted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant, LocalDate
from migrations import guards

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_tables = ("departments", "team_members", "teams", "team_memberships", "team_postings")


def upgrade() -> None:
    """Create the tables, their guards and walls."""
    _create_named("departments", "department_id")
    _create_members()
    _create_named("teams", "team_id")
    _create_memberships()
    _create_postings()
    _guard()


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_tables):
        op.drop_table(table)


def _guard() -> None:
    for table, name in (("departments", "department_id"), ("teams", "team_id")):
        guards.append_only(table, ("community_id", name), ("community_id", "number"), ("community_id", "code"))
        guards.grant(table, "SELECT, INSERT")
        guards.wall_in(table)
    guards.frozen(
        "team_members",
        ("community_id", "member_id", "number", "department_id", "joined_on", "registered_by", "registered_at"),
        ("community_id", "member_id"),
        ("community_id", "number"),
    )
    guards.grant("team_members", "SELECT, INSERT, UPDATE (sealed, left_on, erased_at)")
    guards.wall_in(
        "team_members",
        shown="community_id, member_id, number, department_id, joined_on, left_on, registered_by, registered_at,"
        " erased_at",
    )
    guards.frozen(
        "team_memberships",
        ("community_id", "member_id", "starts_on", "team_id", "number", "set_by", "set_at"),
        ("community_id", "member_id", "starts_on"),
        ("community_id", "number"),
    )
    guards.frozen(
        "team_postings",
        ("community_id", "posting_id", "number", "team_id", "posted_to", "starts_on", "posted_by", "posted_at"),
        ("community_id", "posting_id"),
        ("community_id", "number"),
        ("community_id", "team_id", "starts_on"),
    )
    for table in ("team_memberships", "team_postings"):
        guards.grant(table, "SELECT, INSERT, UPDATE (ends_on)")
        guards.wall_in(table)


def _community() -> sa.Column[int]:
    return sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False)


def _of_the_city(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint("community_id = 0", name=f"{table}_city_check")


def _create_named(table: str, key: str) -> None:
    op.create_table(
        table,
        _community(),
        sa.Column(key, Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        _of_the_city(table),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name=f"{table}_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", key, name=f"{table}_pkey"),
        sa.UniqueConstraint("community_id", "number", name=f"{table}_number_key"),
        sa.UniqueConstraint("community_id", "code", name=f"{table}_code_key"),
        sqlite_strict=True,
    )


def _create_members() -> None:
    op.create_table(
        "team_members",
        _community(),
        sa.Column("member_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("department_id", Id, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("joined_on", LocalDate, nullable=False),
        sa.Column("left_on", LocalDate),
        sa.Column("registered_by", sa.Text, nullable=False),
        sa.Column("registered_at", Instant, nullable=False),
        sa.Column("erased_at", Instant),
        sa.PrimaryKeyConstraint("community_id", "member_id", name="team_members_pkey"),
        _of_the_city("team_members"),
        sa.ForeignKeyConstraint(
            ["community_id", "department_id"],
            ["departments.community_id", "departments.department_id"],
            name="team_members_department_fkey",
        ),
        sa.UniqueConstraint("community_id", "number", name="team_members_number_key"),
        sa.CheckConstraint("joined_on <= left_on", name="team_members_span_check"),
        sqlite_strict=True,
    )
    columns = ["community_id", "department_id", "number"]
    op.create_index("team_members_department_idx", "team_members", columns, unique=False)


def _create_memberships() -> None:
    op.create_table(
        "team_memberships",
        _community(),
        sa.Column("member_id", Id, nullable=False),
        sa.Column("starts_on", LocalDate, nullable=False),
        sa.Column("ends_on", LocalDate),
        sa.Column("team_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "member_id", "starts_on", name="team_memberships_pkey"),
        _of_the_city("team_memberships"),
        sa.ForeignKeyConstraint(
            ["community_id", "member_id"],
            ["team_members.community_id", "team_members.member_id"],
            name="team_memberships_member_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "team_id"], ["teams.community_id", "teams.team_id"], name="team_memberships_team_fkey"
        ),
        sa.UniqueConstraint("community_id", "number", name="team_memberships_number_key"),
        sa.CheckConstraint("starts_on <= ends_on", name="team_memberships_span_check"),
        sqlite_strict=True,
    )
    columns = ["community_id", "team_id", "number"]
    op.create_index("team_memberships_team_idx", "team_memberships", columns, unique=False)


def _create_postings() -> None:
    op.create_table(
        "team_postings",
        _community(),
        sa.Column("posting_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("team_id", Id, nullable=False),
        sa.Column("posted_to", sa.Integer, nullable=False),
        sa.Column("starts_on", LocalDate, nullable=False),
        sa.Column("ends_on", LocalDate),
        sa.Column("posted_by", sa.Text, nullable=False),
        sa.Column("posted_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "posting_id", name="team_postings_pkey"),
        _of_the_city("team_postings"),
        sa.ForeignKeyConstraint(
            ["community_id", "team_id"], ["teams.community_id", "teams.team_id"], name="team_postings_team_fkey"
        ),
        sa.UniqueConstraint("community_id", "number", name="team_postings_number_key"),
        sa.UniqueConstraint("community_id", "team_id", "starts_on", name="team_postings_start_key"),
        sa.CheckConstraint("starts_on <= ends_on", name="team_postings_span_check"),
        sqlite_strict=True,
    )
    columns = ["community_id", "posted_to", "number"]
    op.create_index("team_postings_community_idx", "team_postings", columns, unique=False)
