"""Routes of vendors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.errors import RoleMissing
from app.access.guard import Admitted, AdmittedDep
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import DESK, MANAGERS, NAMED, NAMELESS, READERS, VERIFIER, operation
from app.http.routes import Router
from app.kernel.erasures import NewErasure
from app.kernel.errors import Refused
from app.kernel.heads import CITY
from app.vendors import changing, erasing, service
from app.vendors.rules import Vendor, with_masked_phone, without_person
from app.vendors.schemas import (
    Status,
    VendorEndingNew,
    VendorErasureModel,
    VendorModel,
    VendorNew,
    VendorPage,
)
from app.volunteers.schemas import ErasureNew, Phone

router = Router(prefix="/v1/communities/{community_id}/vendors", tags=["tide stalls"])


def _view(admitted: Admitted, *, listed: bool) -> Callable[[Vendor], VendorModel]:
    """How the caller's role sees a vendor, in a list or on the vendor's own page."""

    def show(vendor: Vendor) -> VendorModel:
        if admitted.role in NAMELESS:
            return VendorModel.of(without_person(vendor))
        return VendorModel.of(with_masked_phone(vendor) if listed or admitted.role == VERIFIER else vendor)

    return show


@router.post(
    "",
    status_code=201,
    response_model=VendorModel,
    **operation(
        roles=DESK,
        summary="Register a vendor",
        keyed=True,
        problems=["already-registered"],
        example={"name": "马福祥", "phone": "13800005678", "goods_sold": "烤红薯、酿皮"},
    ),
)
async def register_vendor(request: Request, body: VendorNew, admitted: AdmittedDep) -> Response:
    """Register who is to sell at tide stalls. A pitch costs nothing, whoever has it."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, admitted.caller_id),
        run=service.register_vendors,
        render=lambda one: created(request, one.id, VendorModel.of(one), person=one.id),
    )


@router.get(
    "",
    response_model=VendorPage,
    **operation(roles=READERS, summary="List vendors", problems=["invalid-cursor"]),
)
async def list_vendors(
    context: ContextDep,
    listing: ListingDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
    phone: Annotated[Phone | None, Query(description="exactly this number; not for auditor and integrator")] = None,
) -> VendorPage:
    """Vendors, newest first, with masked phone numbers; erased ones are not among them."""
    if phone and admitted.role in NAMELESS:
        # Finding a person by number would tell them who stands behind an id.
        raise Refused(RoleMissing(role=admitted.role, roles=NAMED))
    filters = {"status": status, "phone": phone and context.database.vault.hash("filter", phone)}
    find = partial(service.list_vendors, phone=phone)
    page = await listing.page("vendors", admitted.community, find, filters=filters)
    return VendorPage.of(page, _view(admitted, listed=True))


@router.get(
    "/{vendor_id}",
    response_model=VendorModel,
    **operation(roles=READERS, summary="Read a vendor", problems=["vendor-erased"]),
)
async def get_vendor(vendor_id: UUID, context: ContextDep, admitted: AdmittedDep) -> VendorModel:
    """One vendor, as far as the caller may see."""
    async with context.database.read(admitted.community) as session:
        vendor = await service.get_vendor(session, admitted.community, vendor_id)
    return _view(admitted, listed=False)(vendor)


@router.post(
    "/{vendor_id}/ending",
    response_model=VendorModel,
    **operation(
        roles=DESK,
        summary="End a vendor's coming",
        keyed=True,
        problems=["vendor-ended", "vendor-erased"],
        example={"reason": "不再摆摊了"},
    ),
)
async def end_vendor(vendor_id: UUID, request: Request, body: VendorEndingNew, admitted: AdmittedDep) -> Response:
    """End a vendor's coming: the vendor signs up for nothing and moves up nowhere. What is known of them stays."""
    return await submit(
        request,
        # Who moves up may be of the city's teams.
        replace(admitted, beside=CITY),
        body=body,
        item=changing.Ending(admitted.community, vendor_id, body.reason, admitted.caller_id),
        run=partial(changing.end_vendors, effects=request.app.state.person_effects),
        render=lambda one: replace(answered(VendorModel.of(one)), person=one.id),
    )


@router.post(
    "/{vendor_id}/erasure",
    response_model=VendorErasureModel,
    **operation(
        roles=MANAGERS,
        summary="Erase a vendor's personal data",
        keyed=True,
        problems=["vendor-erased"],
        example={"reason": "本人申请"},
    ),
)
async def erase_vendor(vendor_id: UUID, request: Request, body: ErasureNew, admitted: AdmittedDep) -> Response:
    """Destroy the key of a vendor's personal data, for good. Ids, and which pitches the vendor had, stay."""
    return await submit(
        request,
        # Who moves up may be of the city's teams.
        replace(admitted, beside=CITY),
        body=body,
        item=NewErasure(admitted.community, vendor_id, admitted.caller_id, body.reason),
        run=partial(erasing.erase_vendors, effects=request.app.state.person_effects),
        render=lambda erasure: answered(VendorErasureModel.of(erasure)),
    )
