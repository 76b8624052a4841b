"""What a community is, and its calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import datetime as dt
    from uuid import UUID

FOUR_EYES = "four_eyes"
RECORDER = "recorder"

MINUTES_GIVEN = "community/minutes_given"
POINTS_ISSUED = "community/points_issued"
POINTS_REDEEMED = "community/points_redeemed"
POINTS_EXPIRED = "community/points_expired"
POINTS_POOL = "community/points_pool"


# Finding one by its name takes longer than using it.
_zone = cache(ZoneInfo)


@dataclass(frozen=True, slots=True)
class Community:
    """A community. `number` is its small number, which stands in every row of its tables.

    `verification` is `four_eyes` (another principal verifies) or `recorder` (what is recorded is approved at once).
    """

    number: int
    id: UUID
    code: str
    name: str
    district: str
    subdistrict: str
    timezone: str
    verification: str
    redemption_hold_hours: int
    demo: bool
    created_at: datetime
    revision: int = 1

    def local_date(self, moment: datetime) -> dt.date:
        """The day of a moment by the community's calendar."""
        return moment.astimezone(_zone(self.timezone)).date()

    def moment_of(self, day: dt.date, minute: int) -> datetime:
        """The moment at which the community's clocks show so many minutes after midnight on a day.

        What they leave out in spring is what they would have shown without; of what they show twice it is the first.
        """
        shown = datetime(day.year, day.month, day.day, *divmod(minute, 60), tzinfo=_zone(self.timezone))
        return shown.astimezone(UTC)

    def local_hour(self, moment: datetime) -> int:
        """The hour, 0 to 23, that the community's clocks show at a moment."""
        return moment.astimezone(_zone(self.timezone)).hour
