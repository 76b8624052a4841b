"""Routes of volunteers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app.access.errors import RoleMissing
from app.access.guard import Admitted, AdmittedDep
from app.http.commands import created, submit
from app.http.context import ContextDep
from app.http.lists import Listing, ListingDep
from app.http.operations import ACCOUNT_READERS, DESK, NAMED, NAMELESS, READERS, VERIFIER, operation
from app.kernel.errors import Refused
from app.kernel.idempotency import Answer
from app.volunteers import service
from app.volunteers.rules import Volunteer, with_masked_id, with_masked_phone, without_names
from app.volunteers.schemas import (
    BalanceModel,
    LineModel,
    Phone,
    StatementPage,
    VolunteerModel,
    VolunteerNew,
    VolunteerPage,
)

router = APIRouter(prefix="/v1/communities/{community_id}/volunteers", tags=["volunteers"])

_example = {
    "name": "李佳儒",
    "phone": "13800005678",
    "estate": "祁连家园",
    "consent": {"version": "2024-09", "given_at": "2025-03-01T09:00:00+08:00"},
}


def _view(admitted: Admitted, *, listed: bool) -> Callable[[Volunteer], Volunteer]:
    """How the caller's role sees a volunteer, in a list or on the volunteer's own page."""
    if admitted.role in NAMELESS:
        return without_names
    return with_masked_phone if listed or admitted.role == VERIFIER else with_masked_id


@router.post(
    "",
    status_code=201,
    response_model=VolunteerModel,
    **operation(
        roles=DESK,
        summary="Register a volunteer",
        keyed=True,
        problems=["guardian-required", "already-registered"],
        example=_example,
    ),
)
async def register_volunteer(request: Request, body: VolunteerNew, admitted: AdmittedDep) -> Response:
    """Register a volunteer with consent, and open the volunteer's accounts."""

    def render(volunteer: Volunteer) -> Answer:
        shown = VolunteerModel.model_validate(with_masked_id(volunteer))
        return created(request, volunteer.id, shown, person=volunteer.id)

    return await submit(
        request,
        admitted,
        body=body,
        item=body.registration(admitted.community, admitted.caller_id),
        run=service.register_volunteers,
        render=render,
    )


@router.get(
    "",
    response_model=VolunteerPage,
    **operation(roles=READERS, summary="List volunteers", problems=["invalid-cursor"]),
)
async def list_volunteers(
    context: ContextDep,
    listing: ListingDep,
    admitted: AdmittedDep,
    phone: Annotated[Phone | None, Query(description="exactly this number; not for auditor and integrator")] = None,
    id_number: Annotated[
        str | None, Query(max_length=18, description="exactly this; not for auditor and integrator")
    ] = None,
) -> VolunteerPage:
    """Volunteers, newest first, with masked phone numbers."""
    if (phone or id_number) and admitted.role in NAMELESS:
        # Finding a person by number would tell them who stands behind an id.
        raise Refused(RoleMissing(role=admitted.role, roles=NAMED))
    vault = context.database.vault
    filters = {"phone": phone, "id_number": id_number}
    page = await listing.page(
        "volunteers",
        admitted.community,
        partial(service.list_volunteers, phone=phone, id_number=id_number),
        filters={name: value and vault.hash("filter", value) for name, value in filters.items()},
    )
    view = _view(admitted, listed=True)
    return VolunteerPage.of(page, lambda volunteer: VolunteerModel.model_validate(view(volunteer)))


@router.get("/{volunteer_id}", response_model=VolunteerModel, **operation(roles=READERS, summary="Read a volunteer"))
async def get_volunteer(volunteer_id: UUID, context: ContextDep, admitted: AdmittedDep) -> VolunteerModel:
    """One volunteer, as far as the caller may see."""
    async with context.database.read(admitted.community) as session:
        volunteer = await service.get_volunteer(session, admitted.community, volunteer_id)
    return VolunteerModel.model_validate(_view(admitted, listed=False)(volunteer))


@router.get(
    "/{volunteer_id}/balance",
    response_model=BalanceModel,
    **operation(roles=ACCOUNT_READERS, summary="Read a volunteer's balance"),
)
async def get_balance(volunteer_id: UUID, context: ContextDep, admitted: AdmittedDep) -> BalanceModel:
    """What the volunteer holds now."""
    async with context.database.read(admitted.community) as session:
        held = await service.get_balance(session, admitted.community, volunteer_id)
    return BalanceModel.model_validate(held)


@router.get(
    "/{volunteer_id}/statement",
    response_model=StatementPage,
    **operation(roles=ACCOUNT_READERS, summary="Read a volunteer's statement", problems=["invalid-cursor"]),
)
async def get_statement(volunteer_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> StatementPage:
    """Minutes and points with their balances after each line, newest first."""
    return await _statement(listing, admitted.community, volunteer_id)


async def _statement(listing: Listing, community: int, volunteer_id: UUID) -> StatementPage:
    find = partial(service.get_statement, volunteer_id=volunteer_id)
    page = await listing.page(f"statement/{volunteer_id}", community, find, place=lambda line: line.place)
    return StatementPage.of(page, lambda placed: LineModel.model_validate(placed.line))
