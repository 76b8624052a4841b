"""Postings of embedded teams: in which community a team serves, from when to when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.communities.service import communities_by_id, communities_by_number
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.heads import CITY
from app.kernel.ids import new_id
from app.teams import store
from app.teams.errors import AlreadyPosted, UnknownCommunity
from app.teams.rules import Posting, ending_refusal, overlapping

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow


@dataclass(frozen=True, slots=True)
class NewPosting:
    """A team to post to a community from a day on, with a last day if that is known."""

    team_id: UUID
    community_id: UUID
    starts_on: dt.date
    ends_on: dt.date | None
    posted_by: str


@dataclass(frozen=True, slots=True)
class PostingEnding:
    """A posting of a team that ends with this day."""

    team_id: UUID
    posting_id: UUID
    last_day: dt.date


async def post_teams(session: Session, new: Sequence[NewPosting]) -> list[Posting | Refusal]:
    """Post teams to communities in order."""
    teams = await store.load_teams(session, {item.team_id for item in new})
    communities = await session.ask(communities_by_id(session.dialect, {item.community_id for item in new}))
    times = await _postings_of(session, list(teams))
    outcomes: list[Posting | Refusal] = []
    for item in new:
        community, taken = communities.get(item.community_id), times.setdefault(item.team_id, [])
        other = overlapping(taken, item.starts_on, item.ends_on)
        if item.team_id not in teams:
            outcomes.append(NotFound(resource="team"))
        elif community is None:
            outcomes.append(UnknownCommunity(community_id=item.community_id))
        elif other is not None:
            outcomes.append(AlreadyPosted(posting_id=other.id))
        else:
            taken.append(await _post(session, item, community.number))
            outcomes.append(taken[-1])
    await store.insert_postings(session, [one for one in outcomes if isinstance(one, Posting)])
    return outcomes


async def _post(session: Session, item: NewPosting, community: int) -> Posting:
    posting_id = new_id()
    ids = {"team_id": str(item.team_id), "posting_id": str(posting_id), "community_id": str(item.community_id)}
    (number,) = await append(session, [Event(CITY, "team.posted", ids)])
    return Posting(
        id=posting_id,
        number=number,
        team_id=item.team_id,
        posted_to=community,
        community_id=item.community_id,
        starts_on=item.starts_on,
        ends_on=item.ends_on,
        posted_by=item.posted_by,
        posted_at=session.now(CITY),
    )


async def end_postings(session: Session, endings: Sequence[PostingEnding]) -> list[Posting | Refusal]:
    """End postings in order."""
    found = await _postings_of(session, {item.team_id for item in endings})
    postings = {one.id: one for of_team in found.values() for one in of_team}
    outcomes: list[Posting | Refusal] = []
    for item in endings:
        posting = postings.get(item.posting_id)
        if posting is None or posting.team_id != item.team_id:
            outcomes.append(NotFound(resource="posting"))
        elif refusal := ending_refusal(posting, item.last_day):
            outcomes.append(refusal)
        else:
            postings[posting.id] = replace(posting, ends_on=item.last_day)
            outcomes.append(postings[posting.id])
    ended = [one for one in outcomes if isinstance(one, Posting)]
    await store.end_postings(session, ended)
    ids = [{"team_id": str(one.team_id), "posting_id": str(one.id)} for one in ended]
    await append(session, [Event(CITY, "team_posting.ended", one) for one in ids])
    return outcomes


async def list_postings(session: Session, team_id: UUID, paging: Paging) -> list[Posting]:
    """A team's postings, newest first. Raises `Refused(NotFound)`."""
    if team_id not in await store.load_teams(session, [team_id]):
        raise Refused(NotFound(resource="team"))
    return await _opened(session, await store.page_of_postings(session, team_id, paging))


async def _postings_of(session: Session, team_ids: Collection[UUID]) -> dict[UUID, list[Posting]]:
    times: dict[UUID, list[Posting]] = {}
    for posting in await _opened(session, await store.load_postings(session, team_ids)):
        times.setdefault(posting.team_id, []).append(posting)
    return times


async def _opened(session: Session, rows: Sequence[AnyRow]) -> list[Posting]:
    known = await session.ask(communities_by_number(session.dialect, {row.posted_to for row in rows}))
    return [
        Posting(
            id=row.posting_id,
            number=row.number,
            team_id=row.team_id,
            posted_to=row.posted_to,
            community_id=known[row.posted_to].id,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            posted_by=row.posted_by,
            posted_at=row.posted_at,
        )
        for row in rows
    ]
