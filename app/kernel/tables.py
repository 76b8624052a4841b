"""What all tables share: one metadata, and the tenant's column that every tenant table begins with."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def tenant_key() -> sa.Column[int]:
    """Make the column of the tenant: the community's small number, never its UUID."""
    return sa.Column("community_id", sa.Integer, nullable=False, autoincrement=False)
