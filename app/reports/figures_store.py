"""The SQL of reports: figures of a community, summed up by month where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.hours.rules import APPROVED
from app.hours.tables import service_records, verifications
from app.reports.rules import HoursOfMonth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Session
    from app.reports.rules import Month

_r, _v = service_records.c, verifications.c


async def hours_by_month(session: Session, community: int, months: Sequence[Month]) -> list[HoursOfMonth]:
    """Sum up approved records by month, which follow on each other, and service kind."""
    month = sa.case(*((_r.service_date <= one.last, one.name) for one in months)).label("month")
    statement = (
        sa.select(
            month,
            _r.service_kind,
            sa.func.count(),
            sa.cast(sa.func.sum(_r.minutes), sa.BigInteger),
            sa.cast(sa.func.sum(_v.points), sa.BigInteger),
            sa.func.count(_r.volunteer_id.distinct()),
        )
        .join_from(
            service_records,
            verifications,
            (_v.community_id == _r.community_id) & (_v.service_record_id == _r.service_record_id),
        )
        .where(_r.community_id == community, _r.status == APPROVED)
        .where(_r.service_date.between(months[0].first, months[-1].last))
        .group_by(month, _r.service_kind)
        .order_by(month, _r.service_kind)
    )
    return [HoursOfMonth(*row) for row in await session.execute(statement)]
