"""Departments and embedded teams of the city, and what communities and other features ask about them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from app.communities.service import communities_by_number
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.heads import CITY
from app.kernel.ids import new_id
from app.kernel.paging import Paging
from app.teams import store
from app.teams.errors import CodeTaken, NotPostedHere, UnknownMember
from app.teams.rules import Department, Team
from app.teams.tables import departments, teams

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.teams.store import Serving

_NamedT = TypeVar("_NamedT", Department, Team)


@dataclass(frozen=True, slots=True)
class NewNamed:
    """A department or a team to create: a team has no members yet and is posted nowhere."""

    code: str
    name: str


async def create_departments(session: Session, new: Sequence[NewNamed]) -> list[Department | Refusal]:
    """Create departments in order, each code once."""
    taken = await store.codes_taken(session, departments, [item.code for item in new])
    outcomes = await _create(session, Department, "department", new, taken)
    await store.insert_departments(session, [one for one in outcomes if isinstance(one, Department)])
    return outcomes


async def create_teams(session: Session, new: Sequence[NewNamed]) -> list[Team | Refusal]:
    """Create teams in order, each code once."""
    taken = await store.codes_taken(session, teams, [item.code for item in new])
    outcomes = await _create(session, Team, "team", new, taken)
    await store.insert_teams(session, [one for one in outcomes if isinstance(one, Team)])
    return outcomes


async def _create(
    session: Session, kind: type[_NamedT], noun: str, new: Sequence[NewNamed], taken: set[str]
) -> list[_NamedT | Refusal]:
    """Make what is new of these, numbered by the events that announce it."""
    made: list[_NamedT | Refusal] = []
    for item in new:
        if item.code in taken:
            made.append(CodeTaken(resource=item.code))
        else:
            taken.add(item.code)
            made.append(kind(new_id(), 0, item.code, item.name, session.now(CITY)))
    happened = [
        Event(CITY, f"{noun}.created", {f"{noun}_id": str(one.id)}) for one in made if not isinstance(one, Refusal)
    ]
    numbers = iter(await append(session, happened))
    return [one if isinstance(one, Refusal) else replace(one, number=next(numbers)) for one in made]


async def list_departments(session: Session, _: int, paging: Paging) -> list[Department]:
    """The city's departments, newest first."""
    return await store.page_of_departments(session, paging)


async def list_teams(session: Session, _: int, paging: Paging) -> list[Team]:
    """The city's teams, newest first."""
    return await store.page_of_teams(session, paging)


async def get_team(session: Session, team_id: UUID) -> Team:
    """Read one team. Raises `Refused(NotFound)`."""
    team = (await store.load_teams(session, [team_id])).get(team_id)
    if team is None:
        raise Refused(NotFound(resource="team"))
    return team


async def list_teams_posted_to(session: Session, community: int, paging: Paging) -> list[Team]:
    """The teams that are posted to a community, newest first; filter: `day`, else today. The session sees the city."""
    day = await day_asked(session, community, paging)
    return await store.page_of_teams(session, paging, posted=(community, day))


async def day_asked(session: Session, community: int, paging: Paging) -> dt.date:
    """The day that a list is of: the one that was asked for, else the community's today."""
    if day := paging.filters.get("day"):
        return dt.date.fromisoformat(day)
    known = await session.ask(communities_by_number(session.dialect, [community]))
    return known[community].local_date(session.now(community))


async def is_posted_today(session: Session, team_id: UUID, community: int) -> bool:
    """Whether a team is posted to a community today. The session sees the city."""
    return await store.is_posted(session, team_id, community, await day_asked(session, community, Paging()))


async def times_on_team(session: Session, team_id: UUID, first: dt.date, last: dt.date) -> list[store.TimeOnTeam]:
    """Who serves on a team between two days, both included, and from when to when. The session sees the city."""
    return await store.times_on_team(session, team_id, first, last)


async def times_of_members(
    session: Session, member_ids: Collection[UUID]
) -> tuple[list[store.TimeOnTeam], dict[UUID, Team], dict[UUID, Department]]:
    """When members served on which teams, with those teams and the members' departments. The session sees the city."""
    times = await store.times_of_members(session, member_ids)
    teams_of_them = await store.load_teams(session, {one.team_id for one in times})
    return times, teams_of_them, await store.load_departments(session, {one.department_id for one in times})


async def known_members(session: Session, asked: Collection[Serving]) -> dict[Serving, Refusal | None]:
    """For each (community, member, local day): None if the member serves there on that day, else why not.

    The refusals are `UnknownMember` and `NotPostedHere`. The session has to see the city's rows.
    """
    if not asked:
        return {}
    found = await session.ask(store.serving(session.dialect, asked))
    return {one: _not_serving(one, found) for one in asked}


def _not_serving(asked: Serving, found: dict[Serving, store.Service]) -> Refusal | None:
    _, member_id, day = asked
    if asked not in found:
        return UnknownMember(member_id=member_id)
    return None if found[asked].is_posted else NotPostedHere(member_id=member_id, day=day)
