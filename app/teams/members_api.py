"""Routes of the city's departments and of the members that they send."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import CITY, operation
from app.http.routes import Router
from app.kernel.erasures import NewErasure
from app.kernel.idempotency import Answer
from app.teams import members, service
from app.teams.rules import Member
from app.teams.schemas import (
    DepartmentModel,
    DepartmentNew,
    DepartmentPage,
    LastDayNew,
    TeamMemberModel,
    TeamMemberNew,
    TeamMemberPage,
)
from app.volunteers.schemas import ErasureNew

router = Router(prefix="/v1", tags=["teams"])

_member_example = {
    "name": "马建国",
    "department_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0d001",
    "joined_on": "2025-03-01",
}


def _changed(member: Member) -> Answer:
    return replace(answered(TeamMemberModel.of(member)), person=None if member.erased_at else member.id)


@router.post(
    "/departments",
    status_code=201,
    response_model=DepartmentModel,
    **operation(
        roles=CITY,
        summary="Create a department",
        keyed=True,
        problems=["already-exists"],
        example={"code": "police", "name": "城北区公安分局"},
    ),
)
async def create_department(request: Request, body: DepartmentNew, admitted: AdmittedDep) -> Response:
    """Create a department of the city that sends members into embedded teams."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.NewNamed(body.code, body.name),
        run=service.create_departments,
        render=lambda one: created(request, one.id, DepartmentModel.model_validate(one)),
    )


@router.get(
    "/departments",
    response_model=DepartmentPage,
    **operation(roles=CITY, summary="List departments", problems=["invalid-cursor"]),
)
async def list_departments(listing: ListingDep, admitted: AdmittedDep) -> DepartmentPage:
    """The city's departments, newest first."""
    page = await listing.page("departments", admitted.community, service.list_departments)
    return DepartmentPage.of(page, DepartmentModel.model_validate)


@router.post(
    "/team-members",
    status_code=201,
    response_model=TeamMemberModel,
    **operation(
        roles=CITY,
        summary="Register a team member",
        keyed=True,
        problems=["unknown-department"],
        example=_member_example,
    ),
)
async def register_team_member(request: Request, body: TeamMemberNew, admitted: AdmittedDep) -> Response:
    """Register a member of a department, who can be put on teams; the name is kept under a key of the member's own."""
    return await submit(
        request,
        admitted,
        body=body,
        item=members.NewMember(body.name, body.department_id, body.joined_on, admitted.caller_id),
        run=members.register_members,
        render=lambda member: created(request, member.id, TeamMemberModel.of(member), person=member.id),
    )


@router.get(
    "/team-members",
    response_model=TeamMemberPage,
    **operation(roles=CITY, summary="List team members", problems=["invalid-cursor"]),
)
async def list_team_members(
    listing: ListingDep, admitted: AdmittedDep, department_id: Annotated[UUID | None, Query()] = None
) -> TeamMemberPage:
    """Members of all departments or of one, newest first; those who were erased are left out."""
    filters = {"department_id": department_id and str(department_id)}
    page = await listing.page("team-members", admitted.community, members.list_members, filters=filters)
    return TeamMemberPage.of(page, TeamMemberModel.of)


@router.get(
    "/team-members/{member_id}",
    response_model=TeamMemberModel,
    **operation(roles=CITY, summary="Read a team member", problems=["member-erased"]),
)
async def get_team_member(member_id: UUID, context: ContextDep, admitted: AdmittedDep) -> TeamMemberModel:
    """One member."""
    async with context.database.read(admitted.community) as session:
        return TeamMemberModel.of(await members.get_member(session, member_id))


@router.post(
    "/team-members/{member_id}/leaving",
    response_model=TeamMemberModel,
    **operation(
        roles=CITY,
        summary="Let a team member leave",
        keyed=True,
        problems=["already-ended", "member-erased"],
        example={"last_day": "2026-06-30"},
    ),
)
async def let_team_member_leave(member_id: UUID, request: Request, body: LastDayNew, admitted: AdmittedDep) -> Response:
    """End a member's service after a day, and with it the member's time on a team."""
    return await submit(
        request,
        admitted,
        body=body,
        item=members.Leaving(member_id, body.last_day),
        run=members.let_members_leave,
        render=_changed,
    )


@router.post(
    "/team-members/{member_id}/erasure",
    response_model=TeamMemberModel,
    **operation(
        roles=CITY,
        summary="Erase a team member's personal data",
        keyed=True,
        problems=["member-erased"],
        example={"reason": "本人申请"},
    ),
)
async def erase_team_member(member_id: UUID, request: Request, body: ErasureNew, admitted: AdmittedDep) -> Response:
    """Destroy the key of a member's name. On which team the member served when stays, under the member's id."""
    return await submit(
        request,
        admitted,
        body=body,
        item=NewErasure(admitted.community, member_id, admitted.caller_id, body.reason),
        run=members.erase_members,
        render=_changed,
    )
