"""What is settled of the work behind the hours stays so on both engines, and nothing else of it changes than may.

So far PostgreSQL kept to that by the app's rights alone, and SQLite not at all; submitted attendance could be rewritten
on either, beside the service record that was made of it.
"""

from __future__ import annotations

from migrations import guards

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_kept = {
    "activities": (
        "community_id",
        "activity_id",
        "number",
        "kind",
        "counts_as_volunteering",
        "service_kind",
        "beneficiary_id",
        "partner_id",
        "site_id",
        "created_by",
        "created_at",
    ),
    "series": (
        "community_id",
        "series_id",
        "activity_id",
        "number",
        "rule",
        "starts_on",
        "starts_at_minute",
        "minutes",
        "created_by",
        "created_at",
    ),
    "shifts": ("community_id", "shift_id", "activity_id", "series_id", "occurs_on", "number"),
    "signups": (
        "community_id",
        "signup_id",
        "number",
        "shift_id",
        "position_id",
        "participant_id",
        "signed_up_by",
        "signed_up_at",
    ),
}
_keys = {
    "activities": (("community_id", "activity_id"), ("community_id", "number")),
    "series": (("community_id", "series_id"), ("community_id", "number")),
    "shifts": (
        ("community_id", "shift_id"),
        ("community_id", "number"),
        ("community_id", "series_id", "occurs_on"),
    ),
    "signups": (
        ("community_id", "signup_id"),
        ("community_id", "number"),
        ("community_id", "shift_id", "position_id", "seat"),
    ),
}
_settled = {"attendances": "submitted_at", "draws": "drawn_at", "signups": "closed_at"}


def upgrade() -> None:
    """Freeze what never changes, and rows once they are settled."""
    for table, columns in _kept.items():
        guards.unfreeze(table)
        guards.frozen(table, columns, *_keys[table])
    for table, column in _settled.items():
        guards.unsettle(table)
        guards.settled(table, column)


def downgrade() -> None:
    """Let it change again."""
    for table in _settled:
        guards.unsettle(table)
    for table in _kept:
        guards.unfreeze(table)
