"""The route at which calendars are read, by whoever has the address."""

from __future__ import annotations

import asyncio

from fastapi import Request, Response

from app.feeds import ics, service
from app.feeds.rules import community_of
from app.http.context import ContextDep
from app.http.operations import ANYONE, operation
from app.http.routes import Router
from app.kernel.errors import NotFound, Refused
from app.kernel.heads import CITY

router = Router(prefix="/v1/calendars", tags=["calendars"])


class CalendarResponse(Response):
    """A calendar in iCalendar."""

    media_type = ics.MEDIA_TYPE


_read = operation(roles=ANYONE, summary="Read a calendar", problems=["not-found"])
_tag = {"description": "changes with every change of what the calendar shows", "schema": {"type": "string"}}
_read["responses"] = {
    200: {"description": "The calendar in iCalendar (RFC 5545).", "headers": {"ETag": _tag}},
    304: {"description": "The calendar is still the one with the ETag in If-None-Match.", "headers": {"ETag": _tag}},
    **_read["responses"],
}


@router.get("/{token}.ics", response_class=CalendarResponse, **_read)
async def get_calendar(token: str, request: Request, context: ContextDep) -> Response:
    """The shifts of the last 30 days and the next 60, for programs that read them again: no names, no addresses."""
    community = community_of(token)
    if community is None:
        raise Refused(NotFound(resource="calendar"))
    async with context.database.read(community, CITY) as session:
        calendar = await service.read_calendar(session, community, token)
    tag = ics.tag_of(calendar)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Referrer-Policy": "no-referrer"}
    if tag in _tags(request):
        return Response(status_code=304, headers=headers)
    # A long calendar takes half a second to write, in which everybody else would wait.
    written = await asyncio.to_thread(ics.written, calendar, context.database.signer.origin)
    return CalendarResponse(written, headers=headers)


def _tags(request: Request) -> set[str]:
    """The entity tags in If-None-Match, compared weakly (RFC 9110, section 13.1.2)."""
    given = ",".join(request.headers.getlist("if-none-match")).split(",")
    return {f"W/{one.strip().removeprefix('W/')}" for one in given}
