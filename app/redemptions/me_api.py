"""What volunteers redeem for themselves."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import Hot, answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import OWN, hot, operation
from app.http.routes import Router
from app.redemptions import service
from app.redemptions.rules import CANCELLED
from app.redemptions.schemas import CancellationBody, OwnRedemptionNew, RedemptionModel, RedemptionPage, Status

router = Router(prefix="/v1/me/redemptions", tags=["own data"])


@router.post(
    "",
    status_code=201,
    response_model=RedemptionModel,
    **operation(
        roles=OWN,
        summary="Reserve goods for oneself",
        keyed=True,
        problems=["unknown-goods", "limit-reached", "out-of-stock", "insufficient-points"],
        example={"lines": [{"goods_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0b001", "quantity": 1}]},
    ),
)
@hot
async def create_own_redemption(request: Request, body: OwnRedemptionNew, admitted: AdmittedDep) -> Response:
    """Hold the caller's points and pieces until they are collected at the counter, cancelled or lapse."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.NewRedemption(admitted.community, admitted.volunteer_id, body.wanted, admitted.caller_id),
        run=service.reserve_unreferenced,
        hot=Hot(),
        render=lambda redemption: created(
            request, redemption.id, RedemptionModel.of(redemption), posted=(f"redemptions/{redemption.id}",)
        ),
    )


@router.get(
    "",
    response_model=RedemptionPage,
    **operation(roles=OWN, summary="List one's own redemptions", problems=["invalid-cursor"]),
)
async def list_own_redemptions(
    listing: ListingDep, admitted: AdmittedDep, status: Annotated[Status | None, Query()] = None
) -> RedemptionPage:
    """The caller's redemptions, newest first, with their pickup codes."""
    filters = {"status": status, "volunteer_id": str(admitted.volunteer_id)}
    # A list of its own for each volunteer, so that no cursor leads into another's.
    name = f"redemptions/{admitted.volunteer_id}"
    page = await listing.page(name, admitted.community, service.list_redemptions, filters=filters)
    return RedemptionPage.of(page, RedemptionModel.of)


@router.get(
    "/{redemption_id}",
    response_model=RedemptionModel,
    **operation(roles=OWN, summary="Read one's own redemption"),
)
async def get_own_redemption(redemption_id: UUID, context: ContextDep, admitted: AdmittedDep) -> RedemptionModel:
    """One redemption of the caller; another volunteer's is not found."""
    async with context.database.read(admitted.community) as session:
        redemption = await service.get_redemption(
            session, admitted.community, redemption_id, volunteer_id=admitted.volunteer_id
        )
    return RedemptionModel.of(redemption)


@router.post(
    "/{redemption_id}/cancellation",
    response_model=RedemptionModel,
    **operation(
        roles=OWN,
        summary="Cancel one's own redemption",
        keyed=True,
        problems=["redemption-not-open"],
        example={"reason": "不需要了"},
    ),
)
@hot
async def cancel_own_redemption(
    redemption_id: UUID, request: Request, body: CancellationBody, admitted: AdmittedDep
) -> Response:
    """Cancel a reserved redemption of the caller; another volunteer's is not found. The body may be left out."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.Closing(
            admitted.community,
            redemption_id,
            CANCELLED,
            admitted.caller_id,
            reason=body.reason,
            volunteer_id=admitted.volunteer_id,
        ),
        run=service.close_redemptions,
        hot=Hot(),
        render=lambda redemption: answered(RedemptionModel.of(redemption), posted=(f"redemptions/{redemption.id}",)),
    )
