"""Routes of a volunteer's own calendar feeds."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response

from app.access.guard import AdmittedDep
from app.feeds import service
from app.feeds.rules import VOLUNTEER
from app.feeds.schemas import ADDRESS, CalendarFeedCreatedModel, CalendarFeedModel, CalendarFeedPage
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import OWN, operation
from app.http.routes import Router
from app.kernel.heads import CITY

router = Router(prefix="/v1/me/calendar-feeds", tags=["own data"])


@router.post(
    "",
    status_code=201,
    response_model=CalendarFeedCreatedModel,
    **operation(
        roles=OWN,
        summary="Make a calendar feed of one's own shifts",
        keyed=True,
        problems=["unknown-subject", "too-many-feeds"],
    ),
)
async def create_own_calendar_feed(request: Request, context: ContextDep, admitted: AdmittedDep) -> Response:
    """Make an address at which programs read the caller's shifts; it is shown this once."""
    return await submit(
        request,
        replace(admitted, beside=CITY),
        body=None,
        item=service.NewFeed(admitted.community, VOLUNTEER, admitted.volunteer_id, admitted.caller_id),
        run=service.create_feeds,
        render=lambda feed: created(
            request, feed.id, CalendarFeedCreatedModel.of(feed, context.settings.issuer), once=ADDRESS
        ),
    )


@router.get(
    "",
    response_model=CalendarFeedPage,
    **operation(roles=OWN, summary="List the calendar feeds of one's own shifts", problems=["invalid-cursor"]),
)
async def list_own_calendar_feeds(listing: ListingDep, admitted: AdmittedDep) -> CalendarFeedPage:
    """Feeds of the caller's shifts, whoever made them, newest first; without their addresses."""
    page = await listing.page(
        f"calendar-feeds-of/{admitted.volunteer_id}",
        admitted.community,
        service.list_feeds,
        filters={"subject_id": str(admitted.volunteer_id)},
    )
    return CalendarFeedPage.of(page, CalendarFeedModel.model_validate)


@router.post(
    "/{feed_id}/revocation",
    response_model=CalendarFeedModel,
    **operation(roles=OWN, summary="Revoke a calendar feed of one's own shifts", keyed=True, problems=["feed-revoked"]),
)
async def revoke_own_calendar_feed(feed_id: UUID, request: Request, admitted: AdmittedDep) -> Response:
    """Let nothing be found at an address of the caller's shifts any more; other feeds are not found."""
    return await submit(
        request,
        admitted,
        body=None,
        item=service.FeedRevocation(admitted.community, feed_id, admitted.caller_id, admitted.volunteer_id),
        run=service.revoke_feeds,
        render=lambda feed: answered(CalendarFeedModel.model_validate(feed)),
    )
