"""Routes of qualifications: of a volunteer, and of all."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import Admitted, AdmittedDep
from app.http.commands import answered, created, submit
from app.http.fields import Code, Day
from app.http.lists import Listing, ListingDep
from app.http.operations import MANAGERS, NAMELESS, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.kernel.idempotency import Answer
from app.qualifications import service
from app.qualifications.rules import Qualification
from app.qualifications.schemas import QualificationModel, QualificationNew, QualificationPage, RevocationNew

router = Router(prefix="/v1/communities/{community_id}", tags=["qualifications"])

CodeQuery = Annotated[Code | None, Query()]
DayQuery = Annotated[Day | None, Query(description="those that hold on this day")]


async def _list(
    listing: Listing, admitted: Admitted, code: str | None, valid_on: dt.date | None, volunteer_id: UUID | None = None
) -> QualificationPage:
    page = await listing.page(
        f"qualifications/{volunteer_id}" if volunteer_id else "qualifications",
        admitted.community,
        partial(service.list_qualifications, volunteer_id=volunteer_id),
        filters={"code": code, "valid_on": valid_on and valid_on.isoformat()},
    )
    return QualificationPage.of(page, partial(QualificationModel.of, texts=admitted.role not in NAMELESS))


@router.post(
    "/volunteers/{volunteer_id}/qualifications",
    status_code=201,
    response_model=QualificationModel,
    **operation(
        roles=MANAGERS,
        summary="Check a qualification in",
        keyed=True,
        example={
            "code": "doctor",
            "certificate": "医师资格证 202363110630105",
            "valid_from": "2024-01-01",
            "valid_until": "2028-12-31",
        },
    ),
)
async def create_qualification(
    volunteer_id: UUID, request: Request, body: QualificationNew, admitted: AdmittedDep
) -> Response:
    """Say that a volunteer's qualification was checked, now and by who calls, and from when to when it holds."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, volunteer_id, admitted.caller_id),
        run=service.check_qualifications,
        render=lambda one: created(request, one.id, QualificationModel.of(one), person=one.volunteer_id),
    )


@router.get(
    "/volunteers/{volunteer_id}/qualifications",
    response_model=QualificationPage,
    **operation(roles=READERS, summary="List a volunteer's qualifications", problems=["invalid-cursor"]),
)
async def list_qualifications_of_volunteer(
    volunteer_id: UUID,
    listing: ListingDep,
    admitted: AdmittedDep,
    code: CodeQuery = None,
    valid_on: DayQuery = None,
) -> QualificationPage:
    """What of a volunteer was checked, newest first, with what holds no more."""
    return await _list(listing, admitted, code, valid_on, volunteer_id)


@router.get(
    "/qualifications",
    response_model=QualificationPage,
    **operation(roles=READERS, summary="List qualifications", problems=["invalid-cursor"]),
)
async def list_qualifications(
    listing: ListingDep, admitted: AdmittedDep, code: CodeQuery = None, valid_on: DayQuery = None
) -> QualificationPage:
    """All volunteers' qualifications, newest first: with both filters, who may fill a position on a day."""
    return await _list(listing, admitted, code, valid_on)


@router.post(
    "/qualifications/{qualification_id}/revocation",
    response_model=QualificationModel,
    **operation(
        roles=MANAGERS,
        summary="Revoke a qualification",
        keyed=True,
        problems=["qualification-revoked"],
        example={"reason": "证书已注销"},
    ),
)
async def revoke_qualification(
    qualification_id: UUID, request: Request, body: RevocationNew, admitted: AdmittedDep
) -> Response:
    """Let a qualification hold no more from today on: seats that need it are given up, what was done stays as it is."""

    def render(one: Qualification) -> Answer:
        return replace(answered(QualificationModel.of(one)), person=None if one.erased else one.volunteer_id)

    return await submit(
        request,
        # Who moves up may be of the city's teams.
        replace(admitted, beside=CITY),
        body=body,
        item=service.NewRevocation(admitted.community, qualification_id, body.reason, admitted.caller_id),
        run=partial(service.revoke_qualifications, effects=request.app.state.person_effects),
        render=render,
    )
