"""What tells the risk of service records, for the sample for call-backs: its SQL, apart from that of their use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.hours.risks import Observed
from app.hours.rules import LIVE
from app.hours.tables import service_records, verifications

if TYPE_CHECKING:
    from app.kernel.database import Session

_v, _r = verifications.c, service_records.c
_decision = (_v.community_id == _r.community_id) & (_v.service_record_id == _r.service_record_id)


async def decided_by(session: Session, community: int) -> list[tuple[str, str, int]]:
    """Count a community's decided records by (recorder, verifier)."""
    found = await session.execute(
        sa.select(_r.recorded_by, _v.verified_by, sa.func.count())
        .join_from(service_records, verifications, _decision)
        .where(_r.community_id == community, _v.community_id == community)
        .group_by(_r.recorded_by, _v.verified_by)
    )
    return [(row[0], row[1], row[2]) for row in found]


async def observed_after(session: Session, community: int, *, after: int, limit: int) -> list[Observed]:
    """Load what tells the risk of live records, in the order in which they were recorded, from above a number."""
    day = service_records.alias("day")
    of_day = sa.select(sa.func.sum(day.c.minutes)).where(
        day.c.community_id == community,
        day.c.volunteer_id == _r.volunteer_id,
        day.c.service_date == _r.service_date,
        day.c.status.in_(LIVE),
    )
    facts = (_r.number, _r.service_record_id, _r.volunteer_id, _r.service_date, _r.minutes, _r.late, _r.recorded_by)
    found = await session.execute(
        sa.select(*facts, _r.recorded_at, _v.verified_by, of_day.scalar_subquery())
        .select_from(service_records.outerjoin(verifications, _decision))
        .where(_r.community_id == community, _r.number > after, _r.status.in_(LIVE))
        .order_by(_r.number)
        .limit(limit)
    )
    return [Observed(*row) for row in found]
