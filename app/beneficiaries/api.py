"""Routes of beneficiaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import Admitted, AdmittedDep
from app.beneficiaries import changing, erasing, service
from app.beneficiaries.rules import Beneficiary, with_masked_phone, with_name_alone, without_person
from app.beneficiaries.schemas import (
    BeneficiaryChange,
    BeneficiaryEndingNew,
    BeneficiaryErasureModel,
    BeneficiaryModel,
    BeneficiaryNew,
    BeneficiaryPage,
    Need,
    Status,
)
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.edits import ExpectedDep, edit, etag
from app.http.lists import ListingDep
from app.http.operations import DESK, MANAGERS, NAMELESS, READERS, VERIFIER, operation
from app.http.routes import Router
from app.kernel.erasures import NewErasure
from app.kernel.heads import CITY
from app.volunteers.schemas import ErasureNew

router = Router(prefix="/v1/communities/{community_id}/beneficiaries", tags=["beneficiaries"])

_gone = ["beneficiary-ended", "beneficiary-erased"]


def _view(admitted: Admitted, *, listed: bool) -> Callable[[Beneficiary], BeneficiaryModel]:
    """How the caller's role sees a beneficiary, in a list or on the beneficiary's own page."""

    def show(beneficiary: Beneficiary) -> BeneficiaryModel:
        if admitted.role in NAMELESS:
            return BeneficiaryModel.of(without_person(beneficiary))
        if admitted.role == VERIFIER:
            return BeneficiaryModel.of(with_name_alone(beneficiary))
        return BeneficiaryModel.of(with_masked_phone(beneficiary) if listed else beneficiary)

    return show


@router.post(
    "",
    status_code=201,
    response_model=BeneficiaryModel,
    **operation(
        roles=DESK,
        summary="Register a beneficiary",
        keyed=True,
        problems=["already-registered"],
        example={
            "name": "邓秀兰",
            "phone": "0971-6123456",
            "address": "祁连家园 3 号楼 201",
            "birth_date": "1939-05-02",
            "needs": ["blood_pressure", "company", "shopping"],
            "living_alone": True,
            "consent": {"version": "2024-09", "given_at": "2025-03-01T09:00:00+08:00"},
        },
    ),
)
async def register_beneficiary(request: Request, body: BeneficiaryNew, admitted: AdmittedDep) -> Response:
    """Register a person to be served, with consent; who calls has taken it. Nobody served is ever charged."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, admitted.caller_id),
        run=service.register_beneficiaries,
        render=lambda one: created(request, one.id, BeneficiaryModel.of(one), person=one.id),
    )


@router.get(
    "",
    response_model=BeneficiaryPage,
    **operation(roles=READERS, summary="List beneficiaries", problems=["invalid-cursor"]),
)
async def list_beneficiaries(
    listing: ListingDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
    living_alone: Annotated[bool | None, Query()] = None,
    need: Annotated[Need | None, Query(description="who needs this")] = None,
) -> BeneficiaryPage:
    """Beneficiaries, newest first, with masked phone numbers; erased ones are not among them."""
    filters = {"status": status, "living_alone": living_alone, "need": need}
    page = await listing.page("beneficiaries", admitted.community, service.list_beneficiaries, filters=filters)
    return BeneficiaryPage.of(page, _view(admitted, listed=True))


@router.get(
    "/{beneficiary_id}",
    response_model=BeneficiaryModel,
    **operation(roles=READERS, summary="Read a beneficiary", tagged=True, problems=["beneficiary-erased"]),
)
async def get_beneficiary(
    beneficiary_id: UUID, response: Response, context: ContextDep, admitted: AdmittedDep
) -> BeneficiaryModel:
    """One beneficiary, as far as the caller may see."""
    async with context.database.read(admitted.community) as session:
        beneficiary = await service.get_beneficiary(session, admitted.community, beneficiary_id)
    response.headers["ETag"] = etag(beneficiary.revision)
    return _view(admitted, listed=False)(beneficiary)


@router.patch(
    "/{beneficiary_id}",
    response_model=BeneficiaryModel,
    **operation(
        roles=DESK,
        summary="Change a beneficiary",
        edits=True,
        problems=[*_gone, "already-registered"],
        example={"phone": None, "needs": ["company", "paperwork"]},
    ),
)
async def change_beneficiary(
    beneficiary_id: UUID, request: Request, body: BeneficiaryChange, admitted: AdmittedDep, expected: ExpectedDep
) -> Response:
    """Change what is known of a beneficiary; what is left out stays, null clears what may be empty."""
    return await edit(
        request,
        admitted,
        item=changing.BeneficiaryChange(admitted.community, beneficiary_id, body.changes(), expected),
        run=changing.change_beneficiaries,
        render=lambda one: (BeneficiaryModel.of(one), one.revision),
    )


@router.post(
    "/{beneficiary_id}/ending",
    response_model=BeneficiaryModel,
    **operation(
        roles=DESK,
        summary="End serving a beneficiary",
        keyed=True,
        problems=_gone,
        example={"reason": "搬到女儿家住了"},
    ),
)
async def end_beneficiary(
    beneficiary_id: UUID, request: Request, body: BeneficiaryEndingNew, admitted: AdmittedDep
) -> Response:
    """End serving a beneficiary: nothing new names the person from now on. What is known of them stays."""
    return await submit(
        request,
        # Who moves up may be of the city's teams.
        replace(admitted, beside=CITY),
        body=body,
        item=changing.Ending(admitted.community, beneficiary_id, body.reason, admitted.caller_id),
        run=partial(changing.end_beneficiaries, effects=request.app.state.person_effects),
        render=lambda one: replace(answered(BeneficiaryModel.of(one)), person=one.id),
    )


@router.post(
    "/{beneficiary_id}/erasure",
    response_model=BeneficiaryErasureModel,
    **operation(
        roles=MANAGERS,
        summary="Erase a beneficiary's personal data",
        keyed=True,
        problems=["beneficiary-erased"],
        example={"reason": "家属申请"},
    ),
)
async def erase_beneficiary(
    beneficiary_id: UUID, request: Request, body: ErasureNew, admitted: AdmittedDep
) -> Response:
    """Destroy the key of a beneficiary's personal data, for good. Ids, and what was done for the person, stay."""
    return await submit(
        request,
        # Who moves up may be of the city's teams.
        replace(admitted, beside=CITY),
        body=body,
        item=NewErasure(admitted.community, beneficiary_id, admitted.caller_id, body.reason),
        run=partial(erasing.erase_beneficiaries, effects=request.app.state.person_effects),
        render=lambda erasure: answered(BeneficiaryErasureModel.of(erasure)),
    )
