"""Routes of partner organisations, free clinics and head-counts."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import Request, Response

from app.access.guard import AdmittedDep
from app.clinics import partners, service
from app.clinics.rules import HeadCount
from app.clinics.schemas import (
    ClinicModel,
    ClinicNew,
    ClinicPage,
    ClinicWithShiftsModel,
    HeadCountModel,
    HeadCountNew,
    HeadCountPage,
    PartnerChange,
    PartnerModel,
    PartnerNew,
    PartnerPage,
)
from app.http.commands import created, submit
from app.http.context import ContextDep
from app.http.edits import ExpectedDep, edit, etag
from app.http.lists import ListingDep
from app.http.operations import DESK, READERS, operation
from app.http.routes import Router
from app.kernel.database import Session
from app.kernel.paging import Paging

router = Router(prefix="/v1/communities/{community_id}", tags=["clinics"])

_partner_example = {"name": "青海省红十字会", "kind": "red_cross"}
_clinic_example = {
    "partner_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0f001",
    "name": "春季义诊",
    "place": "祁连路西社区党群服务中心",
    "content": "量血压、测血糖、用药咨询",
    "organiser": "祁连路西社区居委会",
    "service_kind": "home_visit",
    "shift": {"starts_at": "2026-11-28T09:00:00+08:00", "ends_at": "2026-11-28T12:00:00+08:00"},
    "positions": [
        {"name": "医生", "capacity": 2, "required_qualification": "doctor"},
        {"name": "引导员", "capacity": 4},
        {"name": "居民预约", "participants": "beneficiary", "capacity": 60},
    ],
}
_counts_example = {"counts": {"served": 58, "blood_pressure": 51, "consultation": 23, "referral": 2}}


@router.post(
    "/partners",
    status_code=201,
    response_model=PartnerModel,
    **operation(
        roles=DESK, summary="Take up a partner", keyed=True, problems=["already-exists"], example=_partner_example
    ),
)
async def create_partner(request: Request, body: PartnerNew, admitted: AdmittedDep) -> Response:
    """Take up an organisation that the community holds clinics with."""
    return await submit(
        request,
        admitted,
        body=body,
        item=partners.NewPartner(admitted.community, body.name, body.kind, body.uscc, admitted.caller_id),
        run=partners.create_partners,
        render=lambda partner: created(request, partner.id, PartnerModel.model_validate(partner)),
    )


@router.get(
    "/partners",
    response_model=PartnerPage,
    **operation(roles=READERS, summary="List partners", problems=["invalid-cursor"]),
)
async def list_partners(listing: ListingDep, admitted: AdmittedDep) -> PartnerPage:
    """The community's partners, newest first."""
    page = await listing.page("partners", admitted.community, partners.list_partners)
    return PartnerPage.of(page, PartnerModel.model_validate)


@router.get(
    "/partners/{partner_id}",
    response_model=PartnerModel,
    **operation(roles=READERS, summary="Read a partner", tagged=True),
)
async def get_partner(partner_id: UUID, response: Response, context: ContextDep, admitted: AdmittedDep) -> PartnerModel:
    """One partner."""
    async with context.database.read(admitted.community) as session:
        partner = await partners.get_partner(session, admitted.community, partner_id)
    response.headers["ETag"] = etag(partner.revision)
    return PartnerModel.model_validate(partner)


@router.patch(
    "/partners/{partner_id}",
    response_model=PartnerModel,
    **operation(
        roles=DESK,
        summary="Change a partner",
        edits=True,
        problems=["already-exists"],
        example={"name": "城北区红十字会", "uscc": None},
    ),
)
async def change_partner(
    partner_id: UUID, request: Request, body: PartnerChange, admitted: AdmittedDep, expected: ExpectedDep
) -> Response:
    """Change what is said of a partner; its clinics show it as it is now."""
    return await edit(
        request,
        admitted,
        item=partners.PartnerChange(admitted.community, partner_id, body.changes(), expected),
        run=partners.change_partners,
        render=lambda partner: (PartnerModel.model_validate(partner), partner.revision),
    )


@router.post(
    "/clinics",
    status_code=201,
    response_model=ClinicWithShiftsModel,
    **operation(
        roles=DESK,
        summary="Organise a free clinic",
        keyed=True,
        problems=["unknown-partner", "unknown-service-kind"],
        example=_clinic_example,
    ),
)
async def create_clinic(request: Request, body: ClinicNew, admitted: AdmittedDep) -> Response:
    """Organise a free clinic as an activity with its first shift; further ones are made of the activity."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, admitted.caller_id),
        run=partial(service.create_clinics, effects=request.app.state.effects),
        render=lambda clinic: created(request, clinic.activity.id, ClinicWithShiftsModel.of(clinic)),
    )


@router.get(
    "/clinics",
    response_model=ClinicPage,
    **operation(roles=READERS, summary="List free clinics", problems=["invalid-cursor"]),
)
async def list_clinics(listing: ListingDep, admitted: AdmittedDep) -> ClinicPage:
    """Free clinics with their partners, newest first."""
    page = await listing.page("clinics", admitted.community, service.list_clinics)
    return ClinicPage.of(page, ClinicModel.model_validate)


@router.get(
    "/clinics/{clinic_id}",
    response_model=ClinicWithShiftsModel,
    **operation(roles=READERS, summary="Read a free clinic"),
)
async def get_clinic(clinic_id: UUID, context: ContextDep, admitted: AdmittedDep) -> ClinicWithShiftsModel:
    """One free clinic, by the id of its activity, with its newest shifts and the head-counts that stand."""
    async with context.database.read(admitted.community) as session:
        return ClinicWithShiftsModel.of(await service.get_clinic(session, admitted.community, clinic_id))


@router.post(
    "/shifts/{shift_id}/head-counts",
    status_code=201,
    response_model=HeadCountModel,
    **operation(
        roles=DESK,
        summary="Count heads at a free clinic",
        keyed=True,
        problems=["not-a-clinic", "shift-not-begun", "shift-skipped"],
        example=_counts_example,
    ),
)
async def create_head_count(shift_id: UUID, request: Request, body: HeadCountNew, admitted: AdmittedDep) -> Response:
    """Keep how many were served on a shift. A correction is a new head-count: the newest stands, the others stay."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.NewHeadCount(admitted.community, shift_id, body.counts, admitted.caller_id),
        run=service.count_heads,
        render=lambda counted: created(request, counted.id, HeadCountModel.model_validate(counted)),
    )


@router.get(
    "/shifts/{shift_id}/head-counts",
    response_model=HeadCountPage,
    **operation(roles=READERS, summary="List head-counts", problems=["invalid-cursor"]),
)
async def list_head_counts(shift_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> HeadCountPage:
    """The head-counts of a shift, newest first; the first of all stands."""

    async def find(session: Session, community: int, paging: Paging) -> list[HeadCount]:
        return await service.list_head_counts(session, community, shift_id, paging)

    page = await listing.page(f"head-counts/{shift_id}", admitted.community, find)
    return HeadCountPage.of(page, HeadCountModel.model_validate)
