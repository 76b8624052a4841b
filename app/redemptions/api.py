"""Routes of redemptions."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import Admitted, AdmittedDep
from app.http.commands import Hot, answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import ACCOUNT_READERS, DESK, hot, operation
from app.http.routes import Router
from app.redemptions import service
from app.redemptions.rules import CANCELLED, COLLECTED, Redemption
from app.redemptions.schemas import (
    CancellationBody,
    CollectionNew,
    RedemptionModel,
    RedemptionNew,
    RedemptionPage,
    ReturnNew,
    Status,
)

router = Router(prefix="/v1/communities/{community_id}/redemptions", tags=["redemptions"])

_example = {
    "volunteer_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001",
    "lines": [{"goods_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0b001", "quantity": 1}],
}


@router.post(
    "",
    status_code=201,
    response_model=RedemptionModel,
    **operation(
        roles=DESK,
        summary="Reserve goods",
        keyed=True,
        problems=["unknown-volunteer", "unknown-goods", "limit-reached", "out-of-stock", "insufficient-points"],
        example=_example,
    ),
)
@hot
async def create_redemption(request: Request, body: RedemptionNew, admitted: AdmittedDep) -> Response:
    """Hold points and pieces for a volunteer until they are collected, cancelled or lapse."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, admitted.caller_id),
        run=service.reserve_unreferenced,
        hot=Hot(),
        render=lambda redemption: created(
            request, redemption.id, RedemptionModel.of(redemption), posted=(f"redemptions/{redemption.id}",)
        ),
    )


@router.get(
    "",
    response_model=RedemptionPage,
    **operation(roles=ACCOUNT_READERS, summary="List redemptions", problems=["invalid-cursor"]),
)
async def list_redemptions(
    listing: ListingDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
    volunteer_id: Annotated[UUID | None, Query()] = None,
) -> RedemptionPage:
    """Redemptions, newest first."""
    filters = {"status": status, "volunteer_id": volunteer_id and str(volunteer_id)}
    page = await listing.page("redemptions", admitted.community, service.list_redemptions, filters=filters)
    return RedemptionPage.of(page, partial(_shown, admitted))


def _shown(admitted: Admitted, redemption: Redemption) -> RedemptionModel:
    return RedemptionModel.of(redemption, code=admitted.role in DESK)


@router.get(
    "/{redemption_id}",
    response_model=RedemptionModel,
    **operation(roles=ACCOUNT_READERS, summary="Read a redemption"),
)
async def get_redemption(redemption_id: UUID, context: ContextDep, admitted: AdmittedDep) -> RedemptionModel:
    """One redemption."""
    async with context.database.read(admitted.community) as session:
        return _shown(admitted, await service.get_redemption(session, admitted.community, redemption_id))


@router.post(
    "/{redemption_id}/collection",
    response_model=RedemptionModel,
    **operation(
        roles=DESK,
        summary="Hand goods over",
        keyed=True,
        problems=["wrong-pickup-code", "redemption-not-open"],
        example={"pickup_code": "042917"},
    ),
)
@hot
async def collect_redemption(
    redemption_id: UUID, request: Request, body: CollectionNew, admitted: AdmittedDep
) -> Response:
    """Hand reserved goods over against the pickup code; the points are spent."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.Closing(
            admitted.community, redemption_id, COLLECTED, admitted.caller_id, pickup_code=body.pickup_code
        ),
        run=service.close_redemptions,
        hot=Hot(),
        render=lambda redemption: answered(RedemptionModel.of(redemption), posted=(f"redemptions/{redemption.id}",)),
    )


@router.post(
    "/{redemption_id}/cancellation",
    response_model=RedemptionModel,
    **operation(
        roles=DESK,
        summary="Cancel a redemption",
        keyed=True,
        problems=["redemption-not-open"],
        example={"reason": "不需要了"},
    ),
)
@hot
async def cancel_redemption(
    redemption_id: UUID, request: Request, body: CancellationBody, admitted: AdmittedDep
) -> Response:
    """Cancel a reserved redemption: points and pieces are free again. The body may be left out."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.Closing(admitted.community, redemption_id, CANCELLED, admitted.caller_id, reason=body.reason),
        run=service.close_redemptions,
        hot=Hot(),
        render=lambda redemption: answered(RedemptionModel.of(redemption), posted=(f"redemptions/{redemption.id}",)),
    )


@router.post(
    "/{redemption_id}/return",
    response_model=RedemptionModel,
    **operation(
        roles=DESK,
        summary="Take goods back",
        keyed=True,
        problems=["redemption-not-collected"],
        example={"reason": "有破损"},
    ),
)
async def return_redemption(redemption_id: UUID, request: Request, body: ReturnNew, admitted: AdmittedDep) -> Response:
    """Take back what was collected: points settle what is owed and are free again, pieces lie on the shelf."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.Return(admitted.community, redemption_id, body.reason, admitted.caller_id),
        run=service.return_redemptions,
        render=lambda redemption: answered(RedemptionModel.of(redemption), posted=(f"redemptions/{redemption.id}",)),
    )
