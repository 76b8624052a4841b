"""A sample of service records for call-backs: risky ones more often, and the same again for the same seed and data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.communities.service import communities_by_number
from app.hours import observing
from app.hours.risks import always_together, drawn_as, lowest

if TYPE_CHECKING:
    from app.hours.risks import Drawn
    from app.kernel.database import Session

_records_per_step = 5000


async def draw_records(session: Session, community: int, *, seed: int, size: int) -> list[Drawn]:
    """Draw `size` of a community's live records, or all when there are fewer, in the order of the draw.

    Reads every record once, some thousand at a time, and keeps no more of them than are drawn.
    """
    await session.take_time()
    home = (await session.ask(communities_by_number(session.dialect, [community])))[community]
    together = always_together(await observing.decided_by(session, community))
    drawn: list[Drawn] = []
    after = 0
    while records := await observing.observed_after(session, community, after=after, limit=_records_per_step):
        drawn = lowest([*drawn, *(drawn_as(record, home, together, seed=seed) for record in records)], size)
        after = records[-1].number
    return drawn
