"""Routes of activities and their positions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.activities import changing, service
from app.activities.schemas import (
    ActivityChange,
    ActivityKind,
    ActivityModel,
    ActivityNew,
    ActivityPage,
    EndingNew,
    PositionAdded,
    PositionModel,
)
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.edits import ExpectedDep, edit, etag
from app.http.lists import ListingDep
from app.http.operations import DESK, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY

router = Router(prefix="/v1/communities/{community_id}/activities", tags=["activities"])

_position_example = {"name": "探访员", "participants": "volunteer", "capacity": 2}
_example = {
    "kind": "home_visit",
    "counts_as_volunteering": True,
    "service_kind": "home_visit",
    "name": "入户探访",
    "place": "祁连家园",
    "content": "量血压、打扫卫生、陪老人聊天",
    "organiser": "祁连路西社区居委会",
    "positions": [_position_example],
}


@router.post(
    "",
    status_code=201,
    response_model=ActivityModel,
    **operation(
        roles=DESK, summary="Create an activity", keyed=True, problems=["unknown-service-kind"], example=_example
    ),
)
async def create_activity(request: Request, body: ActivityNew, admitted: AdmittedDep) -> Response:
    """Create an activity with its positions; its shifts are made singly or by a series."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, admitted.caller_id),
        run=service.create_activities,
        render=lambda activity: created(request, activity.id, ActivityModel.model_validate(activity)),
    )


@router.get(
    "",
    response_model=ActivityPage,
    **operation(roles=READERS, summary="List activities", problems=["invalid-cursor"]),
)
async def list_activities(
    listing: ListingDep,
    admitted: AdmittedDep,
    kind: Annotated[ActivityKind | None, Query()] = None,
    ended: Annotated[bool | None, Query(description="those that have ended, or those that go on")] = None,
) -> ActivityPage:
    """Activities with their positions, newest first."""
    filters = {"kind": kind, "ended": ended}
    page = await listing.page("activities", admitted.community, service.list_activities, filters=filters)
    return ActivityPage.of(page, ActivityModel.model_validate)


@router.get(
    "/{activity_id}",
    response_model=ActivityModel,
    **operation(roles=READERS, summary="Read an activity", tagged=True),
)
async def get_activity(
    activity_id: UUID, response: Response, context: ContextDep, admitted: AdmittedDep
) -> ActivityModel:
    """One activity with its positions. The ETag is of the activity alone; adding positions leaves it."""
    async with context.database.read(admitted.community) as session:
        activity = await service.get_activity(session, admitted.community, activity_id)
    response.headers["ETag"] = etag(activity.revision)
    return ActivityModel.model_validate(activity)


@router.patch(
    "/{activity_id}",
    response_model=ActivityModel,
    **operation(roles=DESK, summary="Change an activity", edits=True, example={"organiser": "朝阳街道办事处"}),
)
async def change_activity(
    activity_id: UUID, request: Request, body: ActivityChange, admitted: AdmittedDep, expected: ExpectedDep
) -> Response:
    """Change what is said of an activity; shifts that were made keep their places."""
    return await edit(
        request,
        admitted,
        item=changing.ActivityChange(admitted.community, activity_id, body.changes(), expected),
        run=changing.change_activities,
        render=lambda activity: (ActivityModel.model_validate(activity), activity.revision),
    )


@router.post(
    "/{activity_id}/ending",
    response_model=ActivityModel,
    **operation(
        roles=DESK,
        summary="End an activity",
        keyed=True,
        problems=["activity-ended"],
        example={"reason": "老人搬到女儿家去了。"},
    ),
)
async def end_activity(activity_id: UUID, request: Request, body: EndingNew, admitted: AdmittedDep) -> Response:
    """End an activity with its series; its shifts that have not begun are skipped."""
    return await submit(
        request,
        # Who of the city's members may move up or stay, its rows say.
        replace(admitted, beside=CITY),
        body=body,
        item=changing.ActivityEnding(admitted.community, activity_id, body.reason),
        run=partial(changing.end_activities, effects=request.app.state.effects),
        render=lambda activity: answered(ActivityModel.model_validate(activity)),
    )


@router.post(
    "/{activity_id}/positions",
    status_code=201,
    response_model=PositionModel,
    **operation(
        roles=DESK,
        summary="Add a position",
        keyed=True,
        problems=["activity-ended", "positions-full"],
        example=_position_example,
    ),
)
async def create_position(activity_id: UUID, request: Request, body: PositionAdded, admitted: AdmittedDep) -> Response:
    """Add a position to an activity, on all its shifts; it never changes afterwards."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.AddedPosition(admitted.community, activity_id, body.command()),
        run=service.add_positions,
        render=lambda position: created(request, position.id, PositionModel.model_validate(position)),
    )
