"""Routes of volunteers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.errors import RoleMissing
from app.access.guard import Admitted, AdmittedDep
from app.http.answers import ReadyAnswer
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.edits import ExpectedDep, edit, etag
from app.http.lists import ListingDep
from app.http.operations import ACCOUNT_READERS, DESK, MANAGERS, NAMED, NAMELESS, READERS, VERIFIER, hot, operation
from app.http.routes import Router
from app.kernel.erasures import NewErasure
from app.kernel.errors import Refused
from app.kernel.heads import CITY
from app.kernel.idempotency import Answer
from app.volunteers import accounts, changing, erasing, service
from app.volunteers.rules import Volunteer, with_masked_id, with_masked_phone, without_names
from app.volunteers.schemas import (
    BalanceModel,
    ErasureModel,
    ErasureNew,
    Phone,
    StatementPage,
    VolunteerChange,
    VolunteerModel,
    VolunteerNew,
    VolunteerPage,
    balance_json,
    statement_json,
)

router = Router(prefix="/v1/communities/{community_id}/volunteers", tags=["volunteers"])

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
        problems=["guardian-required", "already-registered", "unknown-household"],
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


@router.get(
    "/{volunteer_id}",
    response_model=VolunteerModel,
    **operation(roles=READERS, summary="Read a volunteer", tagged=True, problems=["volunteer-erased"]),
)
async def get_volunteer(
    volunteer_id: UUID, response: Response, context: ContextDep, admitted: AdmittedDep
) -> VolunteerModel:
    """One volunteer, as far as the caller may see."""
    async with context.database.read(admitted.community) as session:
        volunteer = await service.get_volunteer(session, admitted.community, volunteer_id)
    response.headers["ETag"] = etag(volunteer.revision)
    return VolunteerModel.model_validate(_view(admitted, listed=False)(volunteer))


@router.patch(
    "/{volunteer_id}",
    response_model=VolunteerModel,
    **operation(
        roles=DESK,
        summary="Change a volunteer",
        edits=True,
        problems=["volunteer-erased", "already-registered", "guardian-required", "unknown-household"],
        example={"phone": "13900005678", "estate": None},
    ),
)
async def change_volunteer(
    volunteer_id: UUID, request: Request, body: VolunteerChange, admitted: AdmittedDep, expected: ExpectedDep
) -> Response:
    """Change what is known of a volunteer; what is left out stays, null clears what may be empty."""
    return await edit(
        request,
        admitted,
        item=changing.VolunteerChange(admitted.community, volunteer_id, body.changes(), expected),
        run=changing.change_volunteers,
        render=lambda volunteer: (VolunteerModel.model_validate(with_masked_id(volunteer)), volunteer.revision),
    )


@router.post(
    "/{volunteer_id}/erasure",
    response_model=ErasureModel,
    **operation(
        roles=MANAGERS,
        summary="Erase a volunteer's personal data",
        keyed=True,
        problems=["volunteer-erased", "redemptions-open"],
        example={"reason": "本人申请"},
    ),
)
async def erase_volunteer(volunteer_id: UUID, request: Request, body: ErasureNew, admitted: AdmittedDep) -> Response:
    """Destroy the key of a volunteer's personal data, for good. Ids and postings stay, so that the books agree."""
    return await submit(
        request,
        # Who moves up may be of the city's teams.
        replace(admitted, beside=CITY),
        body=body,
        item=NewErasure(admitted.community, volunteer_id, admitted.caller_id, body.reason),
        run=partial(erasing.erase_volunteers, effects=request.app.state.person_effects),
        render=lambda erasure: answered(ErasureModel.of(erasure)),
    )


@router.get(
    "/{volunteer_id}/balance",
    response_model=BalanceModel,
    **operation(roles=ACCOUNT_READERS, summary="Read a volunteer's balance"),
)
@hot
async def get_balance(volunteer_id: UUID, context: ContextDep, admitted: AdmittedDep) -> Response:
    """What the volunteer holds now."""
    held = await context.reads.ask(accounts.get_balances, admitted.community, (admitted.community, volunteer_id))
    return ReadyAnswer(balance_json(held))


@router.get(
    "/{volunteer_id}/statement",
    response_model=StatementPage,
    **operation(roles=ACCOUNT_READERS, summary="Read a volunteer's statement", problems=["invalid-cursor"]),
)
@hot
async def get_statement(volunteer_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> Response:
    """Minutes and points with their balances after each line, newest first."""
    page = await listing.page_together(
        f"statement/{volunteer_id}",
        admitted.community,
        accounts.get_statements,
        partial(accounts.AskedStatement, admitted.community, volunteer_id),
    )
    return ReadyAnswer(statement_json(page))
