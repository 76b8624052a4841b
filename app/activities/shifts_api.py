"""Routes of shifts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.activities import service
from app.activities.rules import Shift
from app.activities.schemas import MoveNew, ShiftModel, ShiftNew, ShiftPage, ShiftStatus, SkippingNew
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.fields import Moment
from app.http.lists import ListingDep
from app.http.operations import DESK, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.kernel.idempotency import Answer

router = Router(prefix="/v1/communities/{community_id}", tags=["activities"])

_span_example = {"starts_at": "2026-11-28T14:00:00+08:00", "ends_at": "2026-11-28T16:00:00+08:00"}
_unchangeable = ["shift-begun", "shift-skipped"]


@router.post(
    "/activities/{activity_id}/shifts",
    status_code=201,
    response_model=ShiftModel,
    **operation(
        roles=DESK, summary="Make a single shift", keyed=True, problems=["activity-ended"], example=_span_example
    ),
)
async def create_shift(activity_id: UUID, request: Request, body: ShiftNew, admitted: AdmittedDep) -> Response:
    """Make a single shift of an activity, beside those of its series; a past one is for a list kept on paper."""
    of_community = request.scope["path"].partition("/activities/")[0]

    def render(shift: Shift) -> Answer:
        answer = created(request, shift.id, ShiftModel.model_validate(shift))
        return replace(answer, location=f"{of_community}/shifts/{shift.id}")

    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, activity_id),
        run=partial(service.create_shifts, effects=request.app.state.effects),
        render=render,
    )


@router.get(
    "/shifts",
    response_model=ShiftPage,
    **operation(roles=READERS, summary="List shifts", problems=["invalid-cursor"]),
)
async def list_shifts(
    listing: ListingDep,
    admitted: AdmittedDep,
    activity_id: Annotated[UUID | None, Query()] = None,
    series_id: Annotated[UUID | None, Query()] = None,
    status: Annotated[ShiftStatus | None, Query()] = None,
    since: Annotated[Moment | None, Query(alias="from", description="those that begin then or later")] = None,
    before: Annotated[Moment | None, Query(alias="to", description="those that begin before")] = None,
) -> ShiftPage:
    """Shifts, newest first: in the order in which they were made, wherever they were moved to."""
    filters: dict[str, Any] = {
        "activity_id": _text(activity_id),
        "series_id": _text(series_id),
        "status": status,
        "from": None if since is None else since.isoformat(),
        "to": None if before is None else before.isoformat(),
    }
    page = await listing.page("shifts", admitted.community, service.list_shifts, filters=filters)
    return ShiftPage.of(page, ShiftModel.model_validate)


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


@router.get("/shifts/{shift_id}", response_model=ShiftModel, **operation(roles=READERS, summary="Read a shift"))
async def get_shift(shift_id: UUID, context: ContextDep, admitted: AdmittedDep) -> ShiftModel:
    """One shift."""
    async with context.database.read(admitted.community) as session:
        return ShiftModel.model_validate(await service.get_shift(session, admitted.community, shift_id))


@router.post(
    "/shifts/{shift_id}/move",
    response_model=ShiftModel,
    **operation(
        roles=DESK,
        summary="Move a shift",
        keyed=True,
        problems=_unchangeable,
        example={**_span_example, "reason": "邓阿姨上午要去医院复查。"},
    ),
)
async def move_shift(shift_id: UUID, request: Request, body: MoveNew, admitted: AdmittedDep) -> Response:
    """Move a shift that has not begun to another time, and to another place if one is given."""
    return await submit(
        request,
        # Who of the city's members may move up or stay, its rows say.
        replace(admitted, beside=CITY),
        body=body,
        item=body.command(admitted.community, shift_id),
        run=partial(service.move_shifts, effects=request.app.state.effects),
        render=_answered,
    )


@router.post(
    "/shifts/{shift_id}/skipping",
    response_model=ShiftModel,
    **operation(
        roles=DESK,
        summary="Skip a shift",
        keyed=True,
        problems=_unchangeable,
        example={"reason": "春节放假。"},
    ),
)
async def skip_shift(shift_id: UUID, request: Request, body: SkippingNew, admitted: AdmittedDep) -> Response:
    """Let a shift that has not begun not take place; its series makes no other for that day."""
    return await submit(
        request,
        # Who of the city's members may move up or stay, its rows say.
        replace(admitted, beside=CITY),
        body=body,
        item=body.command(admitted.community, shift_id),
        run=partial(service.skip_shifts, effects=request.app.state.effects),
        render=_answered,
    )


def _answered(shift: Shift) -> Answer:
    return answered(ShiftModel.model_validate(shift))
