"""Routes of series."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from uuid import UUID

from fastapi import Request, Response

from app.access.guard import AdmittedDep
from app.activities import series
from app.activities.rules import Series
from app.activities.schemas import SeriesEndingNew, SeriesModel, SeriesNew, SeriesPage
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import DESK, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.kernel.idempotency import Answer

router = Router(prefix="/v1/communities/{community_id}", tags=["activities"])


@router.post(
    "/activities/{activity_id}/series",
    status_code=201,
    response_model=SeriesModel,
    **operation(
        roles=DESK,
        summary="Create a series",
        keyed=True,
        problems=["activity-ended"],
        example={
            "rule": "FREQ=WEEKLY;BYDAY=TU",
            "starts_on": "2026-12-01",
            "time_of_day": "14:30",
            "minutes": 90,
        },
    ),
)
async def create_series(activity_id: UUID, request: Request, body: SeriesNew, admitted: AdmittedDep) -> Response:
    """Have an activity recur: the shifts of the next 56 days are made at once, and later ones as time goes on."""
    of_community = request.scope["path"].partition("/activities/")[0]

    def render(one: Series) -> Answer:
        return replace(created(request, one.id, SeriesModel.of(one)), location=f"{of_community}/series/{one.id}")

    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, activity_id, admitted.caller_id),
        run=partial(series.create_series, effects=request.app.state.effects),
        render=render,
    )


@router.get(
    "/activities/{activity_id}/series",
    response_model=SeriesPage,
    **operation(roles=READERS, summary="List an activity's series", problems=["invalid-cursor"]),
)
async def list_series(activity_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> SeriesPage:
    """An activity's series, newest first."""
    find = partial(series.list_series, activity_id=activity_id)
    page = await listing.page(f"series/{activity_id}", admitted.community, find)
    return SeriesPage.of(page, SeriesModel.of)


@router.get("/series/{series_id}", response_model=SeriesModel, **operation(roles=READERS, summary="Read a series"))
async def get_series(series_id: UUID, context: ContextDep, admitted: AdmittedDep) -> SeriesModel:
    """One series."""
    async with context.database.read(admitted.community) as session:
        return SeriesModel.of(await series.get_series(session, admitted.community, series_id))


@router.post(
    "/series/{series_id}/ending",
    response_model=SeriesModel,
    **operation(
        roles=DESK,
        summary="End a series",
        keyed=True,
        problems=["series-ended"],
        example={"last_day": "2026-12-31", "reason": "明年换别的志愿者。"},
    ),
)
async def end_series(series_id: UUID, request: Request, body: SeriesEndingNew, admitted: AdmittedDep) -> Response:
    """End a series after a day: its shifts of later days that have not begun are skipped, and none are made."""
    return await submit(
        request,
        # Who of the city's members may move up or stay, its rows say.
        replace(admitted, beside=CITY),
        body=body,
        item=body.command(admitted.community, series_id),
        run=partial(series.end_series, effects=request.app.state.effects),
        render=lambda one: answered(SeriesModel.of(one)),
    )
