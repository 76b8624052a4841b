"""Routes of a community's calendar feeds."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.feeds import service
from app.feeds.schemas import (
    ADDRESS,
    CalendarFeedCreatedModel,
    CalendarFeedModel,
    CalendarFeedNew,
    CalendarFeedPage,
    Subject,
)
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import DESK, operation
from app.http.routes import Router
from app.kernel.heads import CITY

router = Router(prefix="/v1/communities/{community_id}/calendar-feeds", tags=["calendars"])


@router.post(
    "",
    status_code=201,
    response_model=CalendarFeedCreatedModel,
    **operation(
        roles=DESK,
        summary="Make a calendar feed",
        keyed=True,
        problems=["unknown-subject", "too-many-feeds"],
        example={"subject": "volunteer", "subject_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0e101"},
    ),
)
async def create_calendar_feed(
    request: Request, body: CalendarFeedNew, context: ContextDep, admitted: AdmittedDep
) -> Response:
    """Make an address at which programs read the shifts of a volunteer, a team or a site; it is shown this once."""
    return await submit(
        request,
        replace(admitted, beside=CITY),
        body=body,
        item=service.NewFeed(admitted.community, body.subject, body.subject_id, admitted.caller_id),
        run=service.create_feeds,
        render=lambda feed: created(
            request, feed.id, CalendarFeedCreatedModel.of(feed, context.settings.issuer), once=ADDRESS
        ),
    )


@router.get(
    "",
    response_model=CalendarFeedPage,
    **operation(roles=DESK, summary="List calendar feeds", problems=["invalid-cursor"]),
)
async def list_calendar_feeds(
    listing: ListingDep,
    admitted: AdmittedDep,
    subject: Annotated[Subject | None, Query()] = None,
    subject_id: Annotated[UUID | None, Query()] = None,
) -> CalendarFeedPage:
    """Feeds, the revoked ones too, newest first; without their addresses."""
    filters = {"subject": subject, "subject_id": None if subject_id is None else str(subject_id)}
    page = await listing.page("calendar-feeds", admitted.community, service.list_feeds, filters=filters)
    return CalendarFeedPage.of(page, CalendarFeedModel.model_validate)


@router.post(
    "/{feed_id}/revocation",
    response_model=CalendarFeedModel,
    **operation(roles=DESK, summary="Revoke a calendar feed", keyed=True, problems=["feed-revoked"]),
)
async def revoke_calendar_feed(feed_id: UUID, request: Request, admitted: AdmittedDep) -> Response:
    """Let nothing be found at a feed's address any more."""
    return await submit(
        request,
        admitted,
        body=None,
        item=service.FeedRevocation(admitted.community, feed_id, admitted.caller_id),
        run=service.revoke_feeds,
        render=lambda feed: answered(CalendarFeedModel.model_validate(feed)),
    )
