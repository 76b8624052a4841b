"""The tables of embedded teams: rows of the city alone. Whom a community sees is decided by the dated postings."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant, LocalDate


def _of_the_city(table: str) -> tuple[sa.CheckConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.CheckConstraint("community_id = 0", name=f"{table}_city_check"),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name=f"{table}_head_fkey"),
    )


departments = sa.Table(
    "departments",
    metadata,
    tenant_key(),
    sa.Column("department_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    *_of_the_city("departments"),
    sa.PrimaryKeyConstraint("community_id", "department_id", name="departments_pkey"),
    sa.UniqueConstraint("community_id", "number", name="departments_number_key"),
    sa.UniqueConstraint("community_id", "code", name="departments_code_key"),
    sqlite_strict=True,
)

team_members = sa.Table(
    "team_members",
    metadata,
    tenant_key(),
    sa.Column("member_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("department_id", Id, nullable=False),
    # The name, under the member's own key.
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("joined_on", LocalDate, nullable=False),
    # The last day of service.
    sa.Column("left_on", LocalDate),
    sa.Column("registered_by", sa.Text, nullable=False),
    sa.Column("registered_at", Instant, nullable=False),
    sa.Column("erased_at", Instant),
    sa.PrimaryKeyConstraint("community_id", "member_id", name="team_members_pkey"),
    sa.CheckConstraint("community_id = 0", name="team_members_city_check"),
    sa.ForeignKeyConstraint(
        ["community_id", "department_id"],
        ["departments.community_id", "departments.department_id"],
        name="team_members_department_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="team_members_number_key"),
    sa.CheckConstraint("joined_on <= left_on", name="team_members_span_check"),
    sa.Index("team_members_department_idx", "community_id", "department_id", "number"),
    sqlite_strict=True,
)

teams = sa.Table(
    "teams",
    metadata,
    tenant_key(),
    sa.Column("team_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    *_of_the_city("teams"),
    sa.PrimaryKeyConstraint("community_id", "team_id", name="teams_pkey"),
    sa.UniqueConstraint("community_id", "number", name="teams_number_key"),
    sa.UniqueConstraint("community_id", "code", name="teams_code_key"),
    sqlite_strict=True,
)

# Who serves on which team from when to when: both days are days of service.
team_memberships = sa.Table(
    "team_memberships",
    metadata,
    tenant_key(),
    sa.Column("member_id", Id, nullable=False),
    sa.Column("starts_on", LocalDate, nullable=False),
    sa.Column("ends_on", LocalDate),
    sa.Column("team_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
    sa.Column("set_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "member_id", "starts_on", name="team_memberships_pkey"),
    sa.CheckConstraint("community_id = 0", name="team_memberships_city_check"),
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
    sa.Index("team_memberships_team_idx", "community_id", "team_id", "number"),
    sqlite_strict=True,
)

# Which team serves in which community from when to when: both days are days of service.
team_postings = sa.Table(
    "team_postings",
    metadata,
    tenant_key(),
    sa.Column("posting_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("team_id", Id, nullable=False),
    # The small number of the community where it serves.
    sa.Column("posted_to", sa.Integer, nullable=False),
    sa.Column("starts_on", LocalDate, nullable=False),
    sa.Column("ends_on", LocalDate),
    sa.Column("posted_by", sa.Text, nullable=False),
    sa.Column("posted_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "posting_id", name="team_postings_pkey"),
    sa.CheckConstraint("community_id = 0", name="team_postings_city_check"),
    sa.ForeignKeyConstraint(
        ["community_id", "team_id"], ["teams.community_id", "teams.team_id"], name="team_postings_team_fkey"
    ),
    sa.UniqueConstraint("community_id", "number", name="team_postings_number_key"),
    sa.UniqueConstraint("community_id", "team_id", "starts_on", name="team_postings_start_key"),
    sa.CheckConstraint("starts_on <= ends_on", name="team_postings_span_check"),
    sa.Index("team_postings_community_idx", "community_id", "posted_to", "number"),
    sqlite_strict=True,
)
