"""Routes of transfers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import Hot, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import ACCOUNT_READERS, DESK, hot, operation
from app.http.routes import Router
from app.transfers import service
from app.transfers.schemas import TransferModel, TransferNew, TransferPage

router = Router(prefix="/v1/communities/{community_id}/transfers", tags=["transfers"])

_example = {
    "from_volunteer_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001",
    "to_volunteer_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a002",
    "points": 10,
    "note": "转赠给邻居",
}


@router.post(
    "",
    status_code=201,
    response_model=TransferModel,
    **operation(
        roles=DESK,
        summary="Transfer points",
        keyed=True,
        problems=["unknown-volunteer", "insufficient-points"],
        example=_example,
    ),
)
@hot
async def create_transfer(request: Request, body: TransferNew, admitted: AdmittedDep) -> Response:
    """Give a volunteer's free points to another volunteer, whose points owed they settle first, or to the pool."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, admitted.caller_id),
        run=service.transfer_points,
        hot=Hot(),
        render=lambda transfer: created(
            request, transfer.id, TransferModel.of(transfer), posted=(f"transfers/{transfer.id}",)
        ),
    )


@router.get(
    "",
    response_model=TransferPage,
    **operation(roles=ACCOUNT_READERS, summary="List transfers", problems=["invalid-cursor"]),
)
async def list_transfers(
    listing: ListingDep,
    admitted: AdmittedDep,
    from_volunteer_id: Annotated[UUID | None, Query()] = None,
    to_volunteer_id: Annotated[UUID | None, Query()] = None,
) -> TransferPage:
    """Transfers, newest first."""
    filters = {
        "from_volunteer_id": from_volunteer_id and str(from_volunteer_id),
        "to_volunteer_id": to_volunteer_id and str(to_volunteer_id),
    }
    page = await listing.page("transfers", admitted.community, service.list_transfers, filters=filters)
    return TransferPage.of(page, TransferModel.of)


@router.get(
    "/{transfer_id}",
    response_model=TransferModel,
    **operation(roles=ACCOUNT_READERS, summary="Read a transfer"),
)
async def get_transfer(transfer_id: UUID, context: ContextDep, admitted: AdmittedDep) -> TransferModel:
    """One transfer."""
    async with context.database.read(admitted.community) as session:
        return TransferModel.of(await service.get_transfer(session, admitted.community, transfer_id))
