"""The tables of sign-ups. Every place that is taken is a seat with a number, and no seat is taken twice."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, partial_index, tenant_key
from app.kernel.types import Count, Id, Instant

# Who takes part in every shift of a series: signed up as each is made.
standing_signups = sa.Table(
    "standing_signups",
    metadata,
    tenant_key(),
    sa.Column("series_id", Id, nullable=False),
    sa.Column("participant_id", Id, nullable=False),
    sa.Column("position_id", Id, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "series_id", "participant_id", name="standing_signups_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "series_id"], ["series.community_id", "series.series_id"], name="standing_signups_series_fkey"
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "position_id"],
        ["positions.community_id", "positions.position_id"],
        name="standing_signups_position_fkey",
    ),
    sqlite_strict=True,
)

signups = sa.Table(
    "signups",
    metadata,
    tenant_key(),
    sa.Column("signup_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("shift_id", Id, nullable=False),
    sa.Column("position_id", Id, nullable=False),
    # Of the kind that the position is for.
    sa.Column("participant_id", Id, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    # From 1 to the position's capacity while it is confirmed: a vendor's is the number of the pitch.
    sa.Column("seat", sa.Integer),
    # Who waits moves up in this order: its own number, or its rank where it was drawn.
    sa.Column("queue", Count, nullable=False),
    sa.Column("signed_up_by", sa.Text, nullable=False),
    sa.Column("signed_up_at", Instant, nullable=False),
    sa.Column("closed_by", sa.Text),
    sa.Column("closed_at", Instant),
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "signup_id", name="signups_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "shift_id"], ["shifts.community_id", "shifts.shift_id"], name="signups_shift_fkey"
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "position_id"],
        ["positions.community_id", "positions.position_id"],
        name="signups_position_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="signups_number_key"),
    sa.CheckConstraint(
        "status IN ('applied', 'confirmed', 'waitlisted', 'cancelled', 'released')", name="signups_status_check"
    ),
    sa.CheckConstraint("(seat IS NOT NULL) = (status = 'confirmed')", name="signups_seat_check"),
    sa.CheckConstraint("(closed_at IS NOT NULL) = (status IN ('cancelled', 'released'))", name="signups_closed_check"),
    sa.Index("signups_shift_idx", "community_id", "shift_id", "number"),
    sa.Index("signups_participant_idx", "community_id", "participant_id", "number"),
    sqlite_strict=True,
)
partial_index(
    signups, "signups_live_key", "community_id", "shift_id", "participant_id", where="closed_at IS NULL", unique=True
)
partial_index(
    signups,
    "signups_seat_key",
    "community_id",
    "shift_id",
    "position_id",
    "seat",
    where="seat IS NOT NULL",
    unique=True,
)

# Of a shift whose seats are drawn: what was published when it was made, and what was drawn.
draws = sa.Table(
    "draws",
    metadata,
    tenant_key(),
    sa.Column("shift_id", Id, nullable=False),
    # The SHA-256 of the secret, which binds whoever runs the service before anybody has applied.
    sa.Column("commitment", sa.Text, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("draws_at", Instant, nullable=False),
    sa.Column("drawn_at", Instant),
    sa.Column("drawn_by", sa.Text),
    # The secret, in hex: before the draw it stands nowhere, and after it is everybody's.
    sa.Column("revealed", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "shift_id", name="draws_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "shift_id"], ["shifts.community_id", "shifts.shift_id"], name="draws_shift_fkey"
    ),
    sa.CheckConstraint(
        "(drawn_at IS NULL) = (revealed IS NULL) AND (drawn_at IS NULL) = (drawn_by IS NULL)", name="draws_drawn_check"
    ),
    sqlite_strict=True,
)

# Who took part in a draw, and what came of it then: a rank, and a seat unless it was one too high.
lots = sa.Table(
    "lots",
    metadata,
    tenant_key(),
    sa.Column("shift_id", Id, nullable=False),
    sa.Column("signup_id", Id, nullable=False),
    sa.Column("position_id", Id, nullable=False),
    sa.Column("participant_id", Id, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("seat", sa.Integer),
    sa.PrimaryKeyConstraint("community_id", "shift_id", "signup_id", name="lots_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "shift_id"], ["draws.community_id", "draws.shift_id"], name="lots_draw_fkey"
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "signup_id"], ["signups.community_id", "signups.signup_id"], name="lots_signup_fkey"
    ),
    sa.UniqueConstraint("community_id", "shift_id", "position_id", "rank", name="lots_rank_key"),
    sqlite_strict=True,
)
