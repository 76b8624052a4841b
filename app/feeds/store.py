"""All SQL of calendar feeds. What stands in a calendar it reads from sign-ups, shifts and activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.activities.tables import activities, shifts
from app.feeds.rules import Feed, Planned
from app.feeds.tables import calendar_feeds
from app.kernel.rows import insert_rows, update_rows
from app.signups.tables import signups

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging

PLANNED_MAX = 2000
"""How many rows a calendar is made of at most; of more the last ones are left out."""

_f, _y, _h, _u = calendar_feeds.c, activities.c, shifts.c, signups.c

_feeds = sa.select(
    _f.feed_id,
    _f.community_id,
    _f.number,
    _f.subject,
    _f.subject_id,
    _f.created_by,
    _f.created_at,
    _f.revoked_at,
    _f.revoked_by,
)
_planned = (
    _h.shift_id,
    _h.revision,
    _h.starts_at,
    _h.ends_at,
    _h.place,
    _h.status,
    _y.name,
    _y.kind,
    _y.beneficiary_id,
)
_of_activity = (_h.community_id == _y.community_id) & (_h.activity_id == _y.activity_id)
_to_shift = (_h.community_id == _u.community_id) & (_h.shift_id == _u.shift_id)


async def insert_feeds(session: Session, new: Sequence[tuple[Feed, str]]) -> None:
    """Insert feeds, each with the keyed hash of its token."""
    rows = [
        {
            "community_id": one.community,
            "feed_id": one.id,
            "number": one.number,
            "subject": one.subject,
            "subject_id": one.subject_id,
            "token_hash": token_hash,
            "created_by": one.created_by,
            "created_at": one.created_at,
        }
        for one, token_hash in new
    ]
    await insert_rows(session, calendar_feeds, rows)


async def revoke_feeds(session: Session, revoked: Sequence[Feed]) -> None:
    """Store by whom and when feeds were revoked."""
    rows = [
        {
            "community_id": one.community,
            "feed_id": one.id,
            "revoked_at": one.revoked_at,
            "revoked_by": one.revoked_by,
        }
        for one in revoked
    ]
    await update_rows(session, calendar_feeds, ("community_id", "feed_id"), rows)


async def load_feed(session: Session, community: int, feed_id: UUID) -> Feed | None:
    """Load one feed; None if there is none."""
    row = (await session.execute(_feeds.where(_f.community_id == community, _f.feed_id == feed_id))).first()
    return None if row is None else Feed(*row)


async def find_live_feed(session: Session, community: int, token_hash: str) -> Feed | None:
    """Find the feed of a token that is not revoked."""
    asked = _feeds.where(_f.community_id == community, _f.token_hash == token_hash, _f.revoked_at.is_(None))
    row = (await session.execute(asked)).first()
    return None if row is None else Feed(*row)


async def page_of_feeds(session: Session, community: int, paging: Paging) -> list[Feed]:
    """Load feeds, newest first; filters: `subject`, `subject_id`."""
    statement = _feeds.where(_f.community_id == community)
    if subject := paging.filters.get("subject"):
        statement = statement.where(_f.subject == subject)
    if subject_id := paging.filtered_id("subject_id"):
        statement = statement.where(_f.subject_id == subject_id)
    return [Feed(*row) for row in await session.execute(paging.newest_first(statement, _f.number))]


async def count_live(session: Session, community: int, subject: str, subject_id: UUID) -> int:
    """Count the feeds of a subject that are not revoked."""
    statement = sa.select(sa.func.count()).where(
        _f.community_id == community,
        _f.subject_id == subject_id,
        _f.subject == subject,
        _f.revoked_at.is_(None),
    )
    return int((await session.execute(statement)).scalar_one())


async def has_site(session: Session, community: int, site_id: UUID) -> bool:
    """Whether there are activities of a site."""
    statement = sa.select(_y.activity_id).where(_y.community_id == community, _y.site_id == site_id).limit(1)
    return (await session.execute(statement)).first() is not None


async def planned_for(
    session: Session, community: int, participants: Collection[UUID], since: datetime, before: datetime
) -> list[Planned]:
    """Load the shifts in a period that participants signed up for, each with every sign-up of theirs."""
    statement = (
        sa.select(*_planned, _u.participant_id, _u.status)
        .join_from(signups, shifts, _to_shift)
        .join(activities, _of_activity)
        .where(_u.community_id == community, _u.participant_id.in_(list(participants)))
        .where(_h.starts_at >= since, _h.starts_at < before)
        .order_by(_h.starts_at, _h.number, _u.number)
        .limit(PLANNED_MAX)
    )
    return [Planned(*row) for row in await session.execute(statement)]


async def planned_at(
    session: Session, community: int, site_id: UUID, since: datetime, before: datetime
) -> list[Planned]:
    """Load the shifts in a period of the activities of a site."""
    statement = (
        sa.select(*_planned)
        .join_from(activities, shifts, _of_activity)
        .where(_y.community_id == community, _y.site_id == site_id)
        .where(_h.starts_at >= since, _h.starts_at < before)
        .order_by(_h.starts_at, _h.number)
        .limit(PLANNED_MAX)
    )
    return [Planned(*row) for row in await session.execute(statement)]
