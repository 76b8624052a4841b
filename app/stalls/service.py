"""Sites of tide stalls: registered with their activities, read, and followed as their shifts are made and moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from app.activities.rules import DRAW, MEMBERS, VENDORS
from app.activities.service import NewActivity, NewPosition, create_activities, load_activities
from app.attendance.service import no_shows_since
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.needs.service import complaints_by_place
from app.signups.draws import open_draws, put_off_draws
from app.stalls import store
from app.stalls.errors import SiteCodeTaken, VendorBarred
from app.stalls.rules import (
    BARRED_FOR,
    DRAW_HOURS_DEFAULT,
    NO_SHOWS_WITHIN,
    Site,
    barred_until,
    draw_time,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Activity, Shift
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.signups.participants import Participant
    from app.stalls.store import Key, ShiftUse

TIDE_STALL = "tide_stall"


@dataclass(frozen=True, slots=True)
class NewHelp:
    """What residents help with at a site as volunteers, and how many at once."""

    service_kind: str
    capacity: int


@dataclass(frozen=True, slots=True)
class NewSite:
    """A site to register. `guards` is how many members of embedded teams are on guard at once, 0 for none."""

    community: int
    code: str
    name: str
    place: str
    pitches: int
    draw_hours_before: int
    organiser: str
    content: str
    guards: int
    help: NewHelp | None
    registered_by: str


class Complaints(NamedTuple):
    """Complaints about a site's place since it first opened, and in as long a time before that."""

    opened_at: datetime
    before: int
    after: int


async def register_sites(session: Session, new: Sequence[NewSite]) -> list[Site | Refusal]:
    """Register sites in order, each with the activity of its stalls, and another for those who help, which counts."""
    taken = {
        (one.community, one.code) for one in await store.sites_by(session, "code", {(s.community, s.code) for s in new})
    }
    outcomes: list[UUID | Refusal] = []
    accepted: dict[UUID, NewSite] = {}
    for item in new:
        place = (item.community, item.code)
        if place in taken:
            outcomes.append(SiteCodeTaken(site_code=item.code))
            continue
        taken.add(place)
        site_id = new_id()
        accepted[site_id] = item
        outcomes.append(site_id)
    helped = [site_id for site_id, item in accepted.items() if item.help is not None]
    helps = dict(
        zip(helped, await create_activities(session, [_help(one, accepted[one]) for one in helped]), strict=True)
    )
    refused = {site_id: outcome for site_id, outcome in helps.items() if isinstance(outcome, Refusal)}
    made = await _make(session, {one: item for one, item in accepted.items() if one not in refused}, helps)
    return [outcome if isinstance(outcome, Refusal) else refused.get(outcome) or made[outcome] for outcome in outcomes]


def _help(site_id: UUID, item: NewSite) -> NewActivity:
    if item.help is None:
        message = f"nobody helps at site {item.code}"
        raise ValueError(message)
    position = NewPosition("志愿者", item.help.capacity)
    return _activity(site_id, item, item.help.service_kind, (position,))


def _stalls(site_id: UUID, item: NewSite) -> NewActivity:
    pitches = NewPosition("摊位", item.pitches, participants=VENDORS, allocation=DRAW)
    guards = (NewPosition("值守", item.guards, participants=MEMBERS),) if item.guards else ()
    return _activity(site_id, item, None, (pitches, *guards))


def _activity(
    site_id: UUID, item: NewSite, service_kind: str | None, positions: tuple[NewPosition, ...]
) -> NewActivity:
    return NewActivity(
        community=item.community,
        kind=TIDE_STALL,
        service_kind=service_kind,
        name=item.name,
        place=item.place,
        content=item.content,
        organiser=item.organiser,
        created_by=item.registered_by,
        positions=positions,
        site_id=site_id,
    )


async def _make(
    session: Session, accepted: Mapping[UUID, NewSite], helps: Mapping[UUID, Activity | Refusal]
) -> dict[UUID, Site]:
    outcomes = await create_activities(session, [_stalls(one, item) for one, item in accepted.items()])
    stalls = [outcome for outcome in outcomes if not isinstance(outcome, Refusal)]
    happened = [
        Event(item.community, "site.registered", {"site_id": str(site_id), "activity_id": str(activity.id)})
        for (site_id, item), activity in zip(accepted.items(), stalls, strict=True)
    ]
    numbers = await append(session, happened)
    made = {}
    for (site_id, item), activity, number in zip(accepted.items(), stalls, numbers, strict=True):
        helping = helps.get(site_id)
        made[site_id] = Site(
            id=site_id,
            community=item.community,
            number=number,
            code=item.code,
            name=item.name,
            place=item.place,
            pitches=item.pitches,
            draw_hours_before=item.draw_hours_before,
            activity_id=activity.id,
            help_activity_id=None if helping is None or isinstance(helping, Refusal) else helping.id,
            registered_by=item.registered_by,
            registered_at=session.now(item.community),
        )
    await store.insert_sites(session, list(made.values()))
    return made


async def get_site(session: Session, community: int, site_id: UUID) -> Site:
    """Read one site. Raises `Refused(NotFound)`."""
    site = (await store.load_sites(session, [(community, site_id)])).get((community, site_id))
    if site is None:
        raise Refused(NotFound(resource="site"))
    return site


async def list_sites(session: Session, community: int, paging: Paging) -> list[Site]:
    """Sites, newest first."""
    return await store.page_of_sites(session, community, paging)


async def follow_made(session: Session, shifts: Sequence[Shift]) -> None:
    """Announce the draws of new shifts whose seats are drawn, at a site or elsewhere."""
    await open_draws(session, await _draw_times(session, shifts))


async def follow_moved(session: Session, shifts: Sequence[Shift]) -> None:
    """Draw the seats of moved shifts as long before their new start."""
    await put_off_draws(session, await _draw_times(session, shifts))


async def _draw_times(session: Session, shifts: Sequence[Shift]) -> dict[Key, datetime]:
    """When seats are drawn, of those shifts that have positions for which they are."""
    activities = await load_activities(session, {(shift.community, shift.activity_id) for shift in shifts})
    drawing = {
        key
        for key, activity in activities.items()
        if any(position.allocation == DRAW for position in activity.positions)
    }
    sites = {(one.community, one.activity_id): one for one in await store.sites_by(session, "activity_id", drawing)}
    times = {}
    for shift in shifts:
        key = (shift.community, shift.activity_id)
        if key in drawing:
            hours = sites[key].draw_hours_before if key in sites else DRAW_HOURS_DEFAULT
            times[shift.community, shift.id] = draw_time(shift.starts_at, hours, session.now(shift.community))
    return times


async def barred_vendors(session: Session, vendors: Collection[Participant]) -> dict[Participant, Refusal]:
    """Find which of these vendors stayed away from their pitches too often to apply for another now."""
    refusals: dict[Participant, Refusal] = {}
    for community in {community for community, _ in vendors}:
        now = session.now(community)
        own = [vendor for vendor in vendors if vendor[0] == community]
        missed = await no_shows_since(session, own, now - NO_SHOWS_WITHIN - BARRED_FOR)
        starts = {vendor_id: [one.starts_at for one in shifts] for (_, vendor_id), shifts in missed.items()}
        for vendor_id, until in barred_until(starts).items():
            if until > now:
                refusals[community, vendor_id] = VendorBarred(until=until)
    return refusals


async def use_of_pitches(
    session: Session, community: int, since: datetime, before: datetime, *, site_id: UUID | None = None
) -> list[ShiftUse]:
    """How pitches were used on the shifts that begin in a period, in their order: of one site, or of all."""
    return await store.use_of_shifts(session, community, since, before, site_id)


async def vendors_on_pitches(
    session: Session, community: int, months: Sequence[tuple[str, datetime, datetime]]
) -> dict[tuple[str, UUID], int]:
    """Count the vendors who had a pitch in each of these periods, which follow on each other, by period and site."""
    return await store.vendors_of_shifts(session, community, months)


async def complaints_around(session: Session, site: Site) -> Complaints | None:
    """Count the complaints about a site's place before and after it opened; none of it while it has not yet."""
    now = session.now(site.community)
    opened_at = await store.first_opening(session, site.community, site.activity_id)
    if opened_at is None or opened_at > now:
        return None
    before = await complaints_by_place(session, site.community, opened_at - (now - opened_at), opened_at)
    after = await complaints_by_place(session, site.community, opened_at, now)
    return Complaints(opened_at, before.get(site.place, 0), after.get(site.place, 0))
