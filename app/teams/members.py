"""Members of the city's departments: registered, put on teams, leaving, erased."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.kernel import persons
from app.kernel.erasures import Erasure, NewErasure, erase_person
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.heads import CITY
from app.kernel.ids import new_id
from app.kernel.vault import seal, unseal
from app.teams import store
from app.teams.errors import AlreadyEnded, AlreadyInTeam, MemberErased, UnknownDepartment, UnknownMember
from app.teams.rules import Member, Membership, ending_refusal, overlapping
from app.teams.service import day_asked

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow


MEMBER = "member"
"""How the log of erasures calls a member."""


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member of a department to register."""

    name: str
    department_id: UUID
    joined_on: dt.date
    registered_by: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """A member who leaves, after this last day of service."""

    member_id: UUID
    last_day: dt.date


@dataclass(frozen=True, slots=True)
class NewMembership:
    """A member to put on a team from a day on."""

    team_id: UUID
    member_id: UUID
    starts_on: dt.date
    set_by: str


@dataclass(frozen=True, slots=True)
class MembershipEnding:
    """A member's time on a team that ends with this day."""

    team_id: UUID
    member_id: UUID
    last_day: dt.date


async def register_members(session: Session, new: Sequence[NewMember]) -> list[Member | Refusal]:
    """Register members in order."""
    known = await store.load_departments(session, {item.department_id for item in new})
    made = [
        (item, new_id()) if item.department_id in known else UnknownDepartment(department_id=item.department_id)
        for item in new
    ]
    accepted = [one for one in made if not isinstance(one, Refusal)]
    keys = await persons.make_keys(session, [(CITY, member_id) for _, member_id in accepted])
    numbers = await append(session, [_event("registered", member_id) for _, member_id in accepted])
    registered = {
        member_id: Member(
            id=member_id,
            number=number,
            department_id=item.department_id,
            name=item.name,
            joined_on=item.joined_on,
            left_on=None,
            registered_at=session.now(CITY),
        )
        for (item, member_id), number in zip(accepted, numbers, strict=True)
    }
    rows = [
        {
            "member_id": member_id,
            "number": registered[member_id].number,
            "department_id": item.department_id,
            "sealed": seal(keys[CITY, member_id], item.name.encode(), _context(member_id)),
            "joined_on": item.joined_on,
            "registered_by": item.registered_by,
            "registered_at": session.now(CITY),
        }
        for item, member_id in accepted
    ]
    await store.insert_members(session, rows)
    return [one if isinstance(one, Refusal) else registered[one[1]] for one in made]


def _event(what: str, member_id: UUID) -> Event:
    return Event(CITY, f"member.{what}", {"member_id": str(member_id)})


async def let_members_leave(session: Session, leaving: Sequence[Leaving]) -> list[Member | Refusal]:
    """Let members leave in order; with it end their times on teams."""
    members = await _load(session, [item.member_id for item in leaving])
    times = await _times_of(session, members)
    outcomes: list[Member | Refusal] = []
    ended: list[Membership] = []
    left: dict[UUID, dt.date] = {}
    for item in leaving:
        member = members.get(item.member_id)
        refusal = _leaving_refusal(member, times.get(item.member_id, []), item.last_day)
        if member is None or refusal is not None:
            outcomes.append(refusal or NotFound(resource="team member"))
            continue
        left[member.id] = item.last_day
        members[member.id] = replace(member, left_on=item.last_day)
        outcomes.append(members[member.id])
        cut = [one for one in times.get(member.id, []) if ending_refusal(one, item.last_day) is None]
        ended += [replace(one, ends_on=item.last_day) for one in cut]
    await store.let_leave(session, left)
    await store.end_memberships(session, ended)
    await append(session, [_event("left", member_id) for member_id in left])
    return outcomes


def _leaving_refusal(member: Member | None, times: Sequence[Membership], last_day: dt.date) -> Refusal | None:
    if member is None:
        return NotFound(resource="team member")
    refusal = _erasure_of(member) or ending_refusal(member, last_day)
    later = next((one for one in times if one.starts_on > last_day), None)
    if refusal is None and later is not None:
        return InvalidRequest((Fault("/last_day", f"the member's time on a team begins on {later.starts_on}"),))
    return refusal


def _erasure_of(member: Member) -> Refusal | None:
    return None if member.erased_at is None else MemberErased(erased_at=member.erased_at)


async def erase_members(session: Session, new: Sequence[NewErasure]) -> list[Member | Refusal]:
    """Erase members' personal data in order: their keys are destroyed, their dated service stays."""
    members = await _load(session, [item.person_id for item in new])
    outcomes: list[Member | Refusal] = []
    for item in new:
        member = members.get(item.person_id)
        refusal = NotFound(resource="team member") if member is None else _erasure_of(member)
        if member is None or refusal is not None:
            outcomes.append(refusal or NotFound(resource="team member"))
            continue
        now = session.now(CITY)
        members[member.id] = replace(member, name=None, erased_at=now)
        outcomes.append(members[member.id])
        await _erase(session, Erasure(MEMBER, member.id, now, item.erased_by, item.reason))
    return outcomes


async def _erase(session: Session, erasure: Erasure) -> None:
    await store.erase(session, {erasure.person_id: erasure.erased_at})
    await erase_person(session, CITY, erasure)


async def erase_member_again(session: Session, _: int, erasure: Erasure) -> bool:
    """Erase a member whom a restored backup brought back; whether there was one to erase."""
    member = (await _load(session, [erasure.person_id])).get(erasure.person_id)
    if member is None or member.erased_at is not None:
        return False
    await _erase(session, erasure)
    return True


async def add_members(session: Session, new: Sequence[NewMembership]) -> list[Membership | Refusal]:
    """Put members on teams in order; of a member who will have left, the time on the team ends then."""
    teams = await store.load_teams(session, {item.team_id for item in new})
    members = await _load(session, [item.member_id for item in new])
    times = await _times_of(session, members)
    outcomes: list[Membership | Refusal] = []
    rows = []
    for item in new:
        member, taken = members.get(item.member_id), times.setdefault(item.member_id, [])
        refusal = NotFound(resource="team") if item.team_id not in teams else _adding_refusal(member, taken, item)
        if member is None or refusal is not None:
            outcomes.append(refusal or UnknownMember(member_id=item.member_id))
            continue
        ids = {"team_id": str(item.team_id), "member_id": str(item.member_id)}
        (number,) = await append(session, [Event(CITY, "team_membership.began", ids)])
        membership = Membership(
            number, item.team_id, member.id, member.department_id, member.name, item.starts_on, member.left_on
        )
        taken.append(membership)
        outcomes.append(membership)
        rows.append(
            {
                "member_id": member.id,
                "starts_on": item.starts_on,
                "ends_on": member.left_on,
                "team_id": item.team_id,
                "number": number,
                "set_by": item.set_by,
                "set_at": session.now(CITY),
            }
        )
    await store.insert_memberships(session, rows)
    return outcomes


def _adding_refusal(member: Member | None, taken: Sequence[Membership], item: NewMembership) -> Refusal | None:
    if member is None or member.erased_at is not None:
        return UnknownMember(member_id=item.member_id)
    if item.starts_on < member.joined_on:
        return InvalidRequest((Fault("/from", f"the member joined on {member.joined_on} only"),))
    if member.left_on is not None and member.left_on < item.starts_on:
        return AlreadyEnded(ends_on=member.left_on)
    other = overlapping(taken, item.starts_on, member.left_on)
    return AlreadyInTeam(team_id=other.team_id) if other else None


async def end_memberships(session: Session, endings: Sequence[MembershipEnding]) -> list[Membership | Refusal]:
    """End members' times on teams in order: for each the newest one on that team."""
    times = await _times_of(session, await _load(session, [item.member_id for item in endings]))
    outcomes: list[Membership | Refusal] = []
    ended: list[Membership] = []
    for item in endings:
        own = times.get(item.member_id, [])
        place = max((place for place, one in enumerate(own) if one.team_id == item.team_id), default=None)
        refusal = NotFound(resource="membership") if place is None else ending_refusal(own[place], item.last_day)
        if place is None or refusal is not None:
            outcomes.append(refusal or NotFound(resource="membership"))
            continue
        own[place] = replace(own[place], ends_on=item.last_day)
        ended.append(own[place])
        outcomes.append(own[place])
    await store.end_memberships(session, ended)
    ids = [{"team_id": str(one.team_id), "member_id": str(one.member_id)} for one in ended]
    await append(session, [Event(CITY, "team_membership.ended", one) for one in ids])
    return outcomes


async def get_member(session: Session, member_id: UUID) -> Member:
    """Read one member. Raises `Refused` with `NotFound` or `MemberErased`."""
    member = (await _load(session, [member_id])).get(member_id)
    refusal = NotFound(resource="team member") if member is None else _erasure_of(member)
    if member is None or refusal is not None:
        raise Refused(refusal or NotFound(resource="team member"))
    return member


async def list_members(session: Session, _: int, paging: Paging) -> list[Member]:
    """Members who were not erased, newest first; filter: `department_id`."""
    return await _opened(session, await store.page_of_members(session, paging))


async def list_members_of_team(session: Session, team_id: UUID, paging: Paging) -> list[Membership]:
    """Members' times on a team, newest first. Raises `Refused(NotFound)`."""
    if team_id not in await store.load_teams(session, [team_id]):
        raise Refused(NotFound(resource="team"))
    return await _memberships(session, await store.page_of_memberships(session, team_id, paging))


async def list_members_posted_to(session: Session, community: int, team_id: UUID, paging: Paging) -> list[Membership]:
    """Who serves on a team that is posted to a community; filter: `day`, else today. The session sees the city.

    Raises `Refused(NotFound)` for a team that is not posted there on that day.
    """
    day = await day_asked(session, community, paging)
    if not await store.is_posted(session, team_id, community, day):
        raise Refused(NotFound(resource="team"))
    return await _memberships(session, await store.page_of_memberships(session, team_id, paging, day=day))


async def _load(session: Session, member_ids: Collection[UUID]) -> dict[UUID, Member]:
    return {one.id: one for one in await _opened(session, await store.load_members(session, member_ids))}


async def _times_of(session: Session, members: Mapping[UUID, Member]) -> dict[UUID, list[Membership]]:
    """All times of members on teams, the earliest first."""
    times: dict[UUID, list[Membership]] = {}
    for row in await store.load_memberships(session, list(members)):
        times.setdefault(row.member_id, []).append(_membership(row, members[row.member_id].name))
    return times


async def _names(session: Session, rows: Sequence[AnyRow]) -> dict[UUID, str]:
    """The names of members by id; erased ones are missing."""
    keys = await persons.load_keys(session, [(CITY, row.member_id) for row in rows])
    return {
        row.member_id: unseal(keys[CITY, row.member_id], row.sealed, _context(row.member_id)).decode()
        for row in rows
        if (CITY, row.member_id) in keys
    }


async def _opened(session: Session, rows: Sequence[AnyRow]) -> list[Member]:
    names = await _names(session, rows)
    return [
        Member(
            id=row.member_id,
            number=row.number,
            department_id=row.department_id,
            name=names.get(row.member_id),
            joined_on=row.joined_on,
            left_on=row.left_on,
            registered_at=row.registered_at,
            erased_at=row.erased_at,
        )
        for row in rows
    ]


async def _memberships(session: Session, rows: Sequence[AnyRow]) -> list[Membership]:
    names = await _names(session, rows)
    return [_membership(row, names.get(row.member_id)) for row in rows]


def _membership(row: AnyRow, name: str | None) -> Membership:
    return Membership(row.number, row.team_id, row.member_id, row.department_id, name, row.starts_on, row.ends_on)


def _context(member_id: UUID) -> str:
    return f"team member {member_id}"
