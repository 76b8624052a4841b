"""Footfall calendars of sites: a new one ends the openings of those before, and opens the site by its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.activities.errors import ActivityEnded
from app.activities.series import NewSeries, SeriesEnding, create_series, end_series, load_series
from app.activities.service import load_activities
from app.communities.service import communities_by_number
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.stalls import store
from app.stalls.rules import Calendar, Footfall, Opened, Opening, openings_of
from app.stalls.service import get_site

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from uuid import UUID

    from app.activities.effects import Effects
    from app.activities.rules import Series
    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.stalls.rules import Site

_minutes_of_hour = 60


@dataclass(frozen=True, slots=True)
class NewCalendar:
    """Footfall by the hours of a week, and the people an hour from which on a site is open."""

    community: int
    site_id: UUID
    threshold: int
    effective_from: dt.date
    lines: tuple[Footfall, ...]
    set_by: str


async def set_calendars(session: Session, new: Sequence[NewCalendar], *, effects: Effects) -> list[Calendar | Refusal]:
    """Set the calendars of sites, in order: from its day on the one holds that was set last."""
    sites = await store.load_sites(session, {(item.community, item.site_id) for item in new})
    communities = await session.ask(communities_by_number(session.dialect, {item.community for item in new}))
    return [
        await _set(session, item, sites.get((item.community, item.site_id)), communities[item.community], effects)
        for item in new
    ]


async def _set(
    session: Session, item: NewCalendar, site: Site | None, community: Community, effects: Effects
) -> Calendar | Refusal:
    if site is None:
        return NotFound(resource="site")
    now = session.now(item.community)
    if item.effective_from <= community.local_date(now):
        return InvalidRequest((Fault("/effective_from", "what a site opens by changes tomorrow at the earliest"),))
    keys = [(site.community, one) for one in (site.activity_id, site.help_activity_id) if one is not None]
    running = {one.id for one in (await load_activities(session, keys)).values() if one.ended_at is None}
    if site.activity_id not in running:
        return ActivityEnded(activity_id=site.activity_id)
    await _end_openings(session, site, item.effective_from, effects)
    wanted = openings_of(item.lines, item.threshold)
    stalls = await _recur(session, item, site.activity_id, wanted, effects)
    helping = site.help_activity_id if site.help_activity_id in running else None
    helps = await _recur(session, item, helping, wanted, effects)
    calendar = Calendar(
        id=new_id(),
        community=item.community,
        number=0,
        site_id=item.site_id,
        threshold=item.threshold,
        effective_from=item.effective_from,
        lines=item.lines,
        set_by=item.set_by,
        set_at=now,
        openings=tuple(
            Opened(opening, stalls[opening].id, helps[opening].id if opening in helps else None) for opening in wanted
        ),
    )
    ids = {"site_id": str(site.id), "calendar_id": str(calendar.id)}
    (number,) = await append(session, [Event(item.community, "site.calendar_set", ids)])
    calendar = replace(calendar, number=number)
    await store.insert_calendars(session, [calendar])
    return calendar


async def _end_openings(session: Session, site: Site, effective_from: dt.date, effects: Effects) -> None:
    """Let the series of a site's earlier calendars have their last day before a new one holds."""
    last_day = effective_from - timedelta(days=1)
    series = await load_series(session, await store.series_of_sites(session, [(site.community, site.id)]))
    endings = [
        SeriesEnding(one.community, one.id, last_day, f"自 {effective_from} 起按新的客流日历开放")
        for one in series.values()
        if one.ends_on is None or one.ends_on > last_day
    ]
    for outcome in await end_series(session, endings, effects=effects):
        if isinstance(outcome, Refusal):
            raise Refused(outcome)


async def _recur(
    session: Session, item: NewCalendar, activity_id: UUID | None, openings: Sequence[Opening], effects: Effects
) -> dict[Opening, Series]:
    """Have an activity of a site recur at its openings; none does without an activity."""
    if activity_id is None:
        return {}
    outcomes = await create_series(
        session,
        [
            NewSeries(
                community=item.community,
                activity_id=activity_id,
                rule=opening.rule,
                starts_on=item.effective_from,
                starts_at_minute=opening.hour * _minutes_of_hour,
                minutes=opening.hours * _minutes_of_hour,
                created_by=item.set_by,
            )
            for opening in openings
        ],
        effects=effects,
    )
    made = {}
    for opening, outcome in zip(openings, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            raise Refused(outcome)
        made[opening] = outcome
    return made


async def get_calendar(session: Session, community: int, site_id: UUID, on: dt.date | None) -> Calendar:
    """Read a site's calendar: that in force on a day, or without a day the one set last. Raises `Refused(NotFound)`."""
    await get_site(session, community, site_id)
    calendar = await store.find_calendar(session, community, site_id, on)
    if calendar is None:
        raise Refused(NotFound(resource="footfall calendar"))
    return calendar
