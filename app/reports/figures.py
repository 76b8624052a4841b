"""Reports of a community by month: hours, visits, clinics, the duty of embedded teams, and the use of stalls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from app.attendance.service import duty_of_members
from app.clinics.service import heads_between
from app.communities.service import communities_by_number
from app.kernel.errors import Fault, InvalidRequest, Refused
from app.kernel.paging import Paging
from app.reports import figures_store
from app.reports.rules import DAYS_MAX, DutyOfMonth, UseOfMonth, months_of
from app.stalls.service import complaints_around, list_sites, use_of_pitches, vendors_on_pitches
from app.teams.service import times_of_members
from app.visits.service import visits_by_month

if TYPE_CHECKING:
    import datetime as dt
    from datetime import datetime
    from uuid import UUID

    from app.attendance.store import DayOfDuty
    from app.clinics.rules import MonthOfClinic
    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.reports.rules import HoursOfMonth, Month
    from app.stalls.store import ShiftUse
    from app.teams.store import TimeOnTeam
    from app.visits.service import MonthOfVisits


@dataclass(frozen=True, slots=True)
class Period:
    """From which day to which a report is, by the calendar of a community."""

    home: Community
    first: dt.date
    last: dt.date

    @property
    def months(self) -> list[Month]:
        """Its months."""
        return months_of(self.first, self.last)


class Around(NamedTuple):
    """How many complained about a site's place before it opened, and in as long a time since."""

    site_id: UUID
    site: str
    opened_at: datetime
    complaints_before: int
    complaints_after: int


async def period_of(session: Session, community: int, first: dt.date | None, last: dt.date | None) -> Period:
    """The period that a report is asked for: until today, from the first day of that year, unless days are given.

    Raises `Refused(InvalidRequest)`.
    """
    home = (await session.ask(communities_by_number(session.dialect, [community])))[community]
    last = last or home.local_date(session.now(community))
    first = first or last.replace(month=1, day=1)
    if not timedelta(0) <= last - first < timedelta(days=DAYS_MAX):
        message = f"must be a day from `from` on, and the report of {DAYS_MAX} days at most"
        raise Refused(InvalidRequest((Fault("/query/to", message),)))
    return Period(home, first, last)


async def report_hours(session: Session, period: Period) -> list[HoursOfMonth]:
    """What was served, by month and service kind: approved records alone."""
    return await figures_store.hours_by_month(session, period.home.number, period.months)


async def report_visits(session: Session, period: Period) -> list[MonthOfVisits]:
    """What came of weekly visits, by month; those that were skipped are none."""
    return await visits_by_month(session, period.home.number, period.first, period.last)


async def report_clinics(session: Session, period: Period) -> list[MonthOfClinic]:
    """The head-counts that stand, by month and clinic."""
    return await heads_between(session, period.home.number, period.first, period.last)


async def report_duty(session: Session, period: Period) -> list[DutyOfMonth]:
    """The duty of embedded teams that was submitted, by month, team and department. The session sees the city."""
    days = await duty_of_members(session, period.home.number, period.first, period.last)
    times, teams, departments = await times_of_members(
        session, {one.participant_id for one in days if one.participant_id}
    )
    of_member: dict[UUID, list[TimeOnTeam]] = {}
    for time in times:
        of_member.setdefault(time.member_id, []).append(time)
    groups: dict[tuple[str, UUID | None, UUID | None], list[DayOfDuty]] = {}
    for day in days:
        on = (
            next((one for one in of_member.get(day.participant_id, ()) if one.covers(day.day)), None)
            if day.participant_id
            else None
        )
        place = (f"{day.day:%Y-%m}", on.team_id if on else None, on.department_id if on else None)
        groups.setdefault(place, []).append(day)
    rows = [
        DutyOfMonth(
            month,
            team_id,
            teams[team_id].name if team_id else None,
            department_id,
            departments[department_id].name if department_id else None,
            members=len({day.participant_id for day in of_it}),
            attendances=sum(day.times for day in of_it),
            minutes=sum(day.minutes for day in of_it),
        )
        for (month, team_id, department_id), of_it in groups.items()
    ]
    return sorted(rows, key=lambda row: (row.month, row.team or "", row.department or ""))


async def report_stalls(session: Session, period: Period) -> tuple[list[UseOfMonth], list[Around]]:
    """How pitches were used, by month and site; and of each site the complaints before and after it opened."""
    home = period.home
    sites = {site.id: site for site in await list_sites(session, home.number, Paging())}
    spans = [
        (month.name, home.moment_of(month.first, 0), home.moment_of(month.last + timedelta(days=1), 0))
        for month in period.months
    ]
    vendors = await vendors_on_pitches(session, home.number, spans)
    used: dict[tuple[str, UUID], list[ShiftUse]] = {}
    for one in await use_of_pitches(session, home.number, spans[0][1], spans[-1][2]):
        used.setdefault((f"{home.local_date(one.starts_at):%Y-%m}", one.site_id), []).append(one)
    rows = [
        UseOfMonth(
            month,
            site_id,
            sites[site_id].name,
            shifts=len(of_it),
            offered=sum(one.offered for one in of_it),
            taken=sum(one.taken for one in of_it),
            attended=sum(one.attended for one in of_it),
            vendors=vendors.get((month, site_id), 0),
        )
        for (month, site_id), of_it in used.items()
    ]
    around = [(site, await complaints_around(session, site)) for site in sites.values()]
    complaints = [
        Around(site.id, site.name, found.opened_at, found.before, found.after) for site, found in around if found
    ]
    return sorted(rows, key=lambda row: (row.month, row.site)), complaints
