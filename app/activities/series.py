"""Series: a rule that makes shifts ahead, each of its days once, by a job that comes back as long as there are any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.activities import store
from app.activities.calendar import AHEAD_DAYS, PAST_DAYS_MAX, InvalidRule, day_after, days_between, rule_of
from app.activities.errors import SeriesEnded
from app.activities.rules import Series, Shift, skipped
from app.activities.service import keep_made, keep_skipped, running
from app.communities.service import communities_by_number
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.jobs import NewJob, enqueue

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.activities.effects import Effects
    from app.activities.rules import Activity
    from app.activities.store import Key
    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.kernel.paging import Paging

MAKE_SHIFTS = "make_shifts"


@dataclass(frozen=True, slots=True)
class NewSeries:
    """A rule of days, from `starts_on` on, and when the shifts begin on each, in minutes after midnight."""

    community: int
    activity_id: UUID
    rule: str
    starts_on: dt.date
    starts_at_minute: int
    minutes: int
    created_by: str


@dataclass(frozen=True, slots=True)
class SeriesEnding:
    """A series that is to have no shift after a day."""

    community: int
    series_id: UUID
    last_day: dt.date
    reason: str


async def create_series(session: Session, new: Sequence[NewSeries], *, effects: Effects) -> list[Series | Refusal]:
    """Create series in order, and make their shifts for the days up to the horizon."""
    found = await store.load_activities(session, {(item.community, item.activity_id) for item in new})
    communities = await session.ask(communities_by_number(session.dialect, {item.community for item in new}))
    outcomes: list[Series | Refusal] = []
    for item in new:
        activity = running(found.get((item.community, item.activity_id)), item.activity_id)
        today = communities[item.community].local_date(session.now(item.community))
        refusal = activity if isinstance(activity, Refusal) else _refusal(item, today)
        outcomes.append(refusal or _series(session, item))
    begun = [outcome for outcome in outcomes if isinstance(outcome, Series)]
    numbers = await append(session, [_event(one, "created") for one in begun])
    created = [replace(one, number=number) for one, number in zip(begun, numbers, strict=True)]
    await store.insert_series(session, created)
    made = await _make(session, created, _Surroundings(found, communities), effects)
    return [made[outcome.id] if isinstance(outcome, Series) else outcome for outcome in outcomes]


def _refusal(item: NewSeries, today: dt.date) -> InvalidRequest | None:
    if item.starts_on < today - timedelta(days=PAST_DAYS_MAX):
        return InvalidRequest((Fault("/starts_on", f"a series began {PAST_DAYS_MAX} days ago at most"),))
    first = first_day(item.rule, item.starts_on)
    return first if isinstance(first, InvalidRequest) else None


def first_day(rule: str, starts_on: dt.date) -> dt.date | InvalidRequest:
    """The first day that a rule gives from a day on, or why it is none that a series may have."""
    try:
        first = day_after(rule_of(rule, starts_on), starts_on - timedelta(days=1))
    except InvalidRule as fault:
        return InvalidRequest((Fault("/rule", str(fault)),))
    return first or InvalidRequest((Fault("/rule", "the rule gives no day from starts_on on"),))


def _series(session: Session, item: NewSeries) -> Series:
    return Series(
        id=new_id(),
        community=item.community,
        activity_id=item.activity_id,
        number=0,
        rule=item.rule,
        starts_on=item.starts_on,
        starts_at_minute=item.starts_at_minute,
        minutes=item.minutes,
        made_until=None,
        created_by=item.created_by,
        created_at=session.now(item.community),
    )


def _event(series: Series, what: str) -> Event:
    ids = {"series_id": str(series.id), "activity_id": str(series.activity_id)}
    return Event(series.community, f"series.{what}", ids)


async def make_shifts(session: Session, keys: Collection[Key], *, effects: Effects) -> None:
    """Make the shifts of these series for the days up to the horizon that have none, and come back for the next."""
    found = await store.load_series(session, keys)
    activities = await store.load_activities(session, {(one.community, one.activity_id) for one in found.values()})
    communities = await session.ask(communities_by_number(session.dialect, {community for community, _ in found}))
    await _make(session, list(found.values()), _Surroundings(activities, communities), effects)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What series stand in."""

    activities: Mapping[Key, Activity]
    communities: Mapping[int, Community]


async def _make(
    session: Session, series: Sequence[Series], around: _Surroundings, effects: Effects
) -> dict[UUID, Series]:
    """Make the missing shifts of series; gives these as they are then. Their next jobs are put into the queue."""
    grown: dict[UUID, Series] = {}
    shifts: list[Shift] = []
    next_jobs: list[NewJob] = []
    for one in series:
        community = around.communities[one.community]
        horizon = community.local_date(session.now(one.community)) + timedelta(days=AHEAD_DAYS)
        days, following = due_days(one, horizon)
        place = around.activities[one.community, one.activity_id].place
        shifts += [_shift(one, community, day, place) for day in days]
        grown[one.id] = replace(one, made_until=max(horizon, one.made_until or horizon))
        if following is not None:
            due_at = community.moment_of(following - timedelta(days=AHEAD_DAYS), 0)
            next_jobs.append(NewJob(one.community, MAKE_SHIFTS, due_at, {"series_id": str(one.id)}))
    await store.update_series(session, grown.values())
    await keep_made(session, shifts, effects)
    await enqueue(session, next_jobs)
    return grown


def due_days(series: Series, horizon: dt.date) -> tuple[list[dt.date], dt.date | None]:
    """The days up to the horizon whose shifts were not made yet, and the first one beyond, if the series goes on."""
    rule = rule_of(series.rule, series.starts_on)
    first = series.starts_on if series.made_until is None else series.made_until + timedelta(days=1)
    days = days_between(rule, first, horizon if series.ends_on is None else min(horizon, series.ends_on))
    following = day_after(rule, max(horizon, first - timedelta(days=1)))
    if following is not None and series.ends_on is not None and following > series.ends_on:
        following = None
    return days, following


def _shift(series: Series, community: Community, day: dt.date, place: str) -> Shift:
    starts_at = community.moment_of(day, series.starts_at_minute)
    return Shift(
        id=new_id(),
        community=series.community,
        activity_id=series.activity_id,
        series_id=series.id,
        occurs_on=day,
        number=0,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=series.minutes),
        place=place,
    )


async def end_series(session: Session, endings: Sequence[SeriesEnding], *, effects: Effects) -> list[Series | Refusal]:
    """End series in order: shifts of later days that have not begun are skipped, and none are made any more."""
    found = await store.load_series(session, {(item.community, item.series_id) for item in endings})
    outcomes: list[Series | Refusal] = []
    reasons: dict[Key, str] = {}
    for item in endings:
        key = (item.community, item.series_id)
        series = found.get(key)
        if series is None:
            outcomes.append(NotFound(resource="series"))
        elif series.ends_on is not None and series.ends_on <= item.last_day:
            outcomes.append(SeriesEnded(series_id=series.id, ends_on=series.ends_on))
        else:
            found[key] = replace(series, ends_on=item.last_day)
            reasons[key] = item.reason
            outcomes.append(found[key])
    ended = [found[key] for key in reasons]
    await append(session, [_event(one, "ended") for one in ended])
    await store.update_series(session, ended)
    coming = await store.coming_of_series(session, reasons)
    later = [skipped(one, reasons[key]) for key in reasons for one in coming[key] if found[key].is_before(one)]
    await keep_skipped(session, later, effects)
    return outcomes


async def load_series(session: Session, keys: Collection[Key]) -> dict[Key, Series]:
    """Load series; unknown ones are missing."""
    return await store.load_series(session, keys)


async def load_coming_shifts(session: Session, keys: Collection[Key]) -> dict[Key, list[Shift]]:
    """Load the planned shifts of each of these series that have not begun, in the order of their numbers."""
    return await store.coming_of_series(session, keys)


async def get_series(session: Session, community: int, series_id: UUID) -> Series:
    """Read one series. Raises `Refused(NotFound)`."""
    series = (await store.load_series(session, [(community, series_id)])).get((community, series_id))
    if series is None:
        raise Refused(NotFound(resource="series"))
    return series


async def list_series(session: Session, community: int, paging: Paging, *, activity_id: UUID) -> list[Series]:
    """An activity's series, newest first."""
    return await store.page_of_series(session, community, activity_id, paging)
