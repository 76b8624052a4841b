"""Sites of tide stalls, pure: when they open by their footfall, when their pitches are drawn, and who is barred."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

PITCHES_MAX = 1000

DRAW_HOURS_DEFAULT = 24
"""So long before a shift its pitches are drawn: vendors have a day to buy what they sell, or to give a pitch back."""

NO_SHOWS_MAX = 2
"""Once may happen to anybody; who stays away again takes pitches from those who wait."""

NO_SHOWS_WITHIN = timedelta(days=60)
"""About as far as shifts are made ahead, so that both are of the season that one applies for."""

BARRED_FOR = timedelta(days=30)
"""Long enough to be noticed and short enough to be no ban; counted from the start of the last shift missed."""

HOURS_OF_DAY = 24
HOURS_OF_WEEK = 7 * HOURS_OF_DAY

_weekdays = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Site:
    """A vacant place with numbered pitches. Who helps there as a volunteer does so in an activity of its own."""

    id: UUID
    community: int
    number: int
    code: str
    name: str
    place: str
    pitches: int
    draw_hours_before: int
    activity_id: UUID
    help_activity_id: UUID | None
    registered_by: str
    registered_at: datetime


class Footfall(NamedTuple):
    """How many people an hour pass a site, in one hour of the week. Monday is 1; the hour is that which it begins."""

    weekday: int
    hour: int
    people: int


class Opening(NamedTuple):
    """When a site opens every week: on a weekday from an hour on, for so many hours, on into the next day perhaps."""

    weekday: int
    hour: int
    hours: int

    @property
    def rule(self) -> str:
        """Its days as a recurrence rule."""
        return f"FREQ=WEEKLY;BYDAY={_weekdays[self.weekday - 1]}"


class Opened(NamedTuple):
    """An opening with the series that it is: of the site's stalls, and of those who help if any do."""

    opening: Opening
    series_id: UUID
    help_series_id: UUID | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """A site's footfall by hours of the week, and when the site therefore opens from a day on."""

    id: UUID
    community: int
    number: int
    site_id: UUID
    threshold: int
    effective_from: dt.date
    lines: tuple[Footfall, ...]
    set_by: str
    set_at: datetime
    openings: tuple[Opened, ...] = ()


def openings_of(lines: Iterable[Footfall], threshold: int) -> list[Opening]:
    """When a site opens: in the hours whose footfall reaches the threshold, those in a row together.

    Sunday's last hour is followed by Monday's first. What goes on for longer than a day, the longest that a shift
    may be, is cut after each.
    """
    open_hours = {(line.weekday - 1) * HOURS_OF_DAY + line.hour for line in lines if line.people >= threshold}
    beginnings = [hour for hour in sorted(open_hours) if (hour - 1) % HOURS_OF_WEEK not in open_hours]
    if len(open_hours) == HOURS_OF_WEEK:
        beginnings = [0]
    found = []
    for beginning in beginnings:
        length = 1
        while length < HOURS_OF_WEEK and (beginning + length) % HOURS_OF_WEEK in open_hours:
            length += 1
        for done in range(0, length, HOURS_OF_DAY):
            day, hour = divmod((beginning + done) % HOURS_OF_WEEK, HOURS_OF_DAY)
            found.append(Opening(day + 1, hour, min(HOURS_OF_DAY, length - done)))
    return sorted(found)


def draw_time(starts_at: datetime, hours_before: int, now: datetime) -> datetime:
    """When the seats of a shift are drawn: some hours before it, or at once if that is past."""
    return max(now, starts_at - timedelta(hours=hours_before))


def barred_until(no_shows: Mapping[UUID, Iterable[datetime]]) -> dict[UUID, datetime]:
    """Until when vendors are barred, by the starts of the shifts that they did not come to; the others are missing."""
    barred = {}
    for vendor_id, missed in no_shows.items():
        starts = sorted(missed)
        for first, last in zip(starts, starts[NO_SHOWS_MAX - 1 :], strict=False):
            if last - first <= NO_SHOWS_WITHIN:
                barred[vendor_id] = last + BARRED_FOR
    return barred
