"""Routes of embedded teams: the city's, which makes and posts them, and those of the communities where they serve."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.fields import Day
from app.http.lists import ListingDep
from app.http.operations import CITY, NAMELESS, READERS, operation
from app.http.routes import Router
from app.kernel import heads
from app.kernel.database import Session
from app.kernel.idempotency import Answer
from app.kernel.paging import Paging
from app.teams import members, postings, service
from app.teams.rules import Membership, Posting, Team
from app.teams.schemas import (
    LastDayNew,
    TeamMembershipModel,
    TeamMembershipNew,
    TeamMembershipPage,
    TeamModel,
    TeamNew,
    TeamPage,
    TeamPostingModel,
    TeamPostingNew,
    TeamPostingPage,
)

city = Router(prefix="/v1/teams", tags=["teams"])
router = Router(prefix="/v1/communities/{community_id}/teams", tags=["teams"])

DayQuery = Annotated[Day | None, Query(description="the day that is asked about; today when it is left out")]

_member_example = {"member_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0e001", "from": "2025-03-01"}
_posting_example = {"community_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0c0de", "from": "2025-03-01"}
_ending_example = {"last_day": "2026-06-30"}


def _filters(day: date | None) -> dict[str, str | None]:
    return {"day": None if day is None else day.isoformat()}


@city.post(
    "",
    status_code=201,
    response_model=TeamModel,
    **operation(
        roles=CITY,
        summary="Create a team",
        keyed=True,
        problems=["already-exists"],
        example={"code": "team-17", "name": "第十七组团"},
    ),
)
async def create_team(request: Request, body: TeamNew, admitted: AdmittedDep) -> Response:
    """Create an embedded team, without members yet and posted nowhere."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.NewNamed(body.code, body.name),
        run=service.create_teams,
        render=lambda team: created(request, team.id, TeamModel.model_validate(team)),
    )


@city.get("", response_model=TeamPage, **operation(roles=CITY, summary="List teams", problems=["invalid-cursor"]))
async def list_teams(listing: ListingDep, admitted: AdmittedDep) -> TeamPage:
    """The city's teams, newest first."""
    page = await listing.page("teams", admitted.community, service.list_teams)
    return TeamPage.of(page, TeamModel.model_validate)


@city.get("/{team_id}", response_model=TeamModel, **operation(roles=CITY, summary="Read a team"))
async def get_team(team_id: UUID, context: ContextDep, admitted: AdmittedDep) -> TeamModel:
    """One team."""
    async with context.database.read(admitted.community) as session:
        return TeamModel.model_validate(await service.get_team(session, team_id))


@city.post(
    "/{team_id}/members",
    status_code=201,
    response_model=TeamMembershipModel,
    **operation(
        roles=CITY,
        summary="Put a member on a team",
        keyed=True,
        problems=["unknown-member", "already-in-team", "already-ended"],
        example=_member_example,
    ),
)
async def add_team_member(team_id: UUID, request: Request, body: TeamMembershipNew, admitted: AdmittedDep) -> Response:
    """Put a member on a team from a day on; a member serves on one team at a time."""

    def render(membership: Membership) -> Answer:
        model = TeamMembershipModel.of(membership)
        return created(request, membership.member_id, model, person=membership.member_id)

    item = members.NewMembership(team_id, body.member_id, body.from_, admitted.caller_id)
    return await submit(request, admitted, body=body, item=item, run=members.add_members, render=render)


@city.get(
    "/{team_id}/members",
    response_model=TeamMembershipPage,
    **operation(roles=CITY, summary="List a team's members", problems=["invalid-cursor"]),
)
async def list_members_of_team(team_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> TeamMembershipPage:
    """Who was on a team from when to when, newest first."""

    async def find(session: Session, _: int, paging: Paging) -> list[Membership]:
        return await members.list_members_of_team(session, team_id, paging)

    page = await listing.page(f"team-members/{team_id}", admitted.community, find)
    return TeamMembershipPage.of(page, TeamMembershipModel.of)


@city.post(
    "/{team_id}/members/{member_id}/ending",
    response_model=TeamMembershipModel,
    **operation(
        roles=CITY,
        summary="Take a member off a team",
        keyed=True,
        problems=["already-ended"],
        example=_ending_example,
    ),
)
async def end_team_membership(
    team_id: UUID, member_id: UUID, request: Request, body: LastDayNew, admitted: AdmittedDep
) -> Response:
    """End a member's time on a team after a day."""

    def render(membership: Membership) -> Answer:
        body = TeamMembershipModel.of(membership).model_dump_json().encode()
        return Answer(200, body, person=None if membership.name is None else membership.member_id)

    item = members.MembershipEnding(team_id, member_id, body.last_day)
    return await submit(request, admitted, body=body, item=item, run=members.end_memberships, render=render)


@city.post(
    "/{team_id}/postings",
    status_code=201,
    response_model=TeamPostingModel,
    **operation(
        roles=CITY,
        summary="Post a team to a community",
        keyed=True,
        problems=["unknown-community", "already-posted"],
        example=_posting_example,
    ),
)
async def create_team_posting(team_id: UUID, request: Request, body: TeamPostingNew, admitted: AdmittedDep) -> Response:
    """Post a team to a community from a day on; a team serves in one community at a time."""
    return await submit(
        request,
        admitted,
        body=body,
        item=postings.NewPosting(team_id, body.community_id, body.from_, body.until, admitted.caller_id),
        run=postings.post_teams,
        render=lambda posting: created(request, posting.id, TeamPostingModel.of(posting)),
    )


@city.get(
    "/{team_id}/postings",
    response_model=TeamPostingPage,
    **operation(roles=CITY, summary="List a team's postings", problems=["invalid-cursor"]),
)
async def list_team_postings(team_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> TeamPostingPage:
    """Where a team serves and served, newest first."""

    async def find(session: Session, _: int, paging: Paging) -> list[Posting]:
        return await postings.list_postings(session, team_id, paging)

    page = await listing.page(f"team-postings/{team_id}", admitted.community, find)
    return TeamPostingPage.of(page, TeamPostingModel.of)


@city.post(
    "/{team_id}/postings/{posting_id}/ending",
    response_model=TeamPostingModel,
    **operation(
        roles=CITY,
        summary="End a team's posting",
        keyed=True,
        problems=["already-ended"],
        example=_ending_example,
    ),
)
async def end_team_posting(
    team_id: UUID, posting_id: UUID, request: Request, body: LastDayNew, admitted: AdmittedDep
) -> Response:
    """End a team's time in a community after a day."""
    return await submit(
        request,
        admitted,
        body=body,
        item=postings.PostingEnding(team_id, posting_id, body.last_day),
        run=postings.end_postings,
        render=lambda posting: answered(TeamPostingModel.of(posting)),
    )


@router.get(
    "",
    response_model=TeamPage,
    **operation(roles=READERS, summary="List the teams posted to the community", problems=["invalid-cursor"]),
)
async def list_posted_teams(listing: ListingDep, admitted: AdmittedDep, day: DayQuery = None) -> TeamPage:
    """The embedded teams that serve in the community on a day, newest first."""

    async def find(session: Session, _: int, paging: Paging) -> list[Team]:
        return await service.list_teams_posted_to(session, admitted.community, paging)

    # The rows are the city's; the name keeps the cursors of communities apart.
    page = await listing.page(f"teams/{admitted.community}", heads.CITY, find, filters=_filters(day))
    return TeamPage.of(page, TeamModel.model_validate)


@router.get(
    "/{team_id}/members",
    response_model=TeamMembershipPage,
    **operation(roles=READERS, summary="List the members of a team posted here", problems=["invalid-cursor"]),
)
async def list_posted_members(
    team_id: UUID, listing: ListingDep, admitted: AdmittedDep, day: DayQuery = None
) -> TeamMembershipPage:
    """Who serves on a team on a day on which it is posted to the community."""

    async def find(session: Session, _: int, paging: Paging) -> list[Membership]:
        return await members.list_members_posted_to(session, admitted.community, team_id, paging)

    name = f"team-members/{team_id}/{admitted.community}"
    page = await listing.page(name, heads.CITY, find, filters=_filters(day))
    return TeamMembershipPage.of(page, partial(TeamMembershipModel.of, named=admitted.role not in NAMELESS))
