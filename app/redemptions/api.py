"""Routes of redemptions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from app.access.guard import Admitted, AdmittedDep
from app.http.commands import created, submit
from app.http.context import LIMIT_DEFAULT, ContextDep, Cursor, Limit
from app.http.operations import ACCOUNT_READERS, DESK, operation
from app.kernel.idempotency import Answer
from app.kernel.paging import open_page
from app.redemptions import service
from app.redemptions.rules import CANCELLED, COLLECTED, Redemption
from app.redemptions.schemas import (
    CancellationNew,
    CollectionNew,
    RedemptionModel,
    RedemptionNew,
    RedemptionPage,
    Status,
)

router = APIRouter(prefix="/v1/communities/{community_id}/redemptions", tags=["redemptions"])

_example = {
    "volunteer_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001",
    "lines": [{"goods_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0b001", "quantity": 1}],
}


def _body(redemption: Redemption) -> bytes:
    return RedemptionModel.of(redemption).model_dump_json().encode()


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
async def create_redemption(request: Request, body: RedemptionNew, admitted: AdmittedDep) -> Response:
    """Hold points and pieces for a volunteer until they are collected, cancelled or lapse."""
    return await submit(
        request,
        caller_id=admitted.caller.client_id,
        community=admitted.community,
        body=body,
        item=body.command(admitted.community, admitted.caller.client_id),
        run=service.reserve_unreferenced,
        render=lambda redemption: created(request, redemption.id, _body(redemption)),
    )


@router.get(
    "",
    response_model=RedemptionPage,
    **operation(roles=ACCOUNT_READERS, summary="List redemptions", problems=["invalid-cursor"]),
)
async def list_redemptions(
    context: ContextDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
    volunteer_id: Annotated[UUID | None, Query()] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> RedemptionPage:
    """Redemptions, newest first."""
    vault = context.database.vault
    filters = {"status": status, "volunteer_id": volunteer_id and str(volunteer_id)}
    paging = open_page(vault, f"redemptions/{admitted.community}", limit=limit, cursor=cursor, filters=filters)
    only = paging.filters.get("volunteer_id")
    async with context.database.read(admitted.community) as session:
        found = await service.list_redemptions(
            session,
            admitted.community,
            before=paging.position,
            limit=limit + 1,
            status=paging.filters.get("status"),
            volunteer_id=UUID(only) if only else None,
        )
    page = paging.page(vault, found, lambda redemption: redemption.number)
    return RedemptionPage(items=[_shown(one, admitted) for one in page.items], next_cursor=page.next_cursor)


def _shown(redemption: Redemption, admitted: Admitted) -> RedemptionModel:
    return RedemptionModel.of(redemption, code=admitted.role in DESK)


@router.get(
    "/{redemption_id}",
    response_model=RedemptionModel,
    **operation(roles=ACCOUNT_READERS, summary="Read a redemption"),
)
async def get_redemption(redemption_id: UUID, context: ContextDep, admitted: AdmittedDep) -> RedemptionModel:
    """One redemption."""
    async with context.database.read(admitted.community) as session:
        return _shown(await service.get_redemption(session, admitted.community, redemption_id), admitted)


async def _close(request: Request, admitted: Admitted, body: BaseModel, closing: service.Closing) -> Response:
    return await submit(
        request,
        caller_id=admitted.caller.client_id,
        community=admitted.community,
        body=body,
        item=closing,
        run=service.close_redemptions,
        render=lambda redemption: Answer(200, _body(redemption)),
    )


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
async def collect_redemption(
    redemption_id: UUID, request: Request, body: CollectionNew, admitted: AdmittedDep
) -> Response:
    """Hand reserved goods over against the pickup code; the points are spent."""
    closing = service.Closing(
        admitted.community, redemption_id, COLLECTED, admitted.caller.client_id, pickup_code=body.pickup_code
    )
    return await _close(request, admitted, body, closing)


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
async def cancel_redemption(
    redemption_id: UUID, request: Request, body: CancellationNew, admitted: AdmittedDep
) -> Response:
    """Cancel a reserved redemption: points and pieces are free again."""
    closing = service.Closing(
        admitted.community, redemption_id, CANCELLED, admitted.caller.client_id, reason=body.reason
    )
    return await _close(request, admitted, body, closing)
