"""Routes of tide stalls' sites."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import created, submit
from app.http.context import ContextDep
from app.http.fields import Day
from app.http.lists import ListingDep
from app.http.operations import DESK, MANAGERS, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.stalls import changing, service
from app.stalls.schemas import CalendarModel, CalendarNew, SiteModel, SiteNew, SitePage

router = Router(prefix="/v1/communities/{community_id}/sites", tags=["tide stalls"])

_evening = [{"weekday": 5, "hour": hour, "footfall": 320} for hour in (18, 19, 20)]


@router.post(
    "",
    status_code=201,
    response_model=SiteModel,
    **operation(
        roles=MANAGERS,
        summary="Register a site",
        keyed=True,
        problems=["site-code-taken", "unknown-service-kind"],
        example={
            "code": "qilian-square",
            "name": "祁连路夜市",
            "place": "祁连路与门源路口空地",
            "pitches": 12,
            "organiser": "祁连路西社区居委会",
            "guards": 2,
        },
    ),
)
async def register_site(request: Request, body: SiteNew, admitted: AdmittedDep) -> Response:
    """Register a site with the activity of its stalls, which counts as no volunteering, and one of who helps there."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, admitted.caller_id),
        run=service.register_sites,
        render=lambda site: created(request, site.id, SiteModel.of(site)),
    )


@router.get(
    "",
    response_model=SitePage,
    **operation(roles=READERS, summary="List sites", problems=["invalid-cursor"]),
)
async def list_sites(listing: ListingDep, admitted: AdmittedDep) -> SitePage:
    """Sites, newest first."""
    return SitePage.of(await listing.page("sites", admitted.community, service.list_sites), SiteModel.of)


@router.get(
    "/{site_id}",
    response_model=SiteModel,
    **operation(roles=READERS, summary="Read a site"),
)
async def get_site(site_id: UUID, context: ContextDep, admitted: AdmittedDep) -> SiteModel:
    """One site."""
    async with context.database.read(admitted.community) as session:
        return SiteModel.of(await service.get_site(session, admitted.community, site_id))


@router.post(
    "/{site_id}/footfall-calendar",
    status_code=201,
    response_model=CalendarModel,
    **operation(
        roles=DESK,
        summary="Set a site's footfall calendar",
        keyed=True,
        problems=["activity-ended"],
        example={"threshold": 200, "effective_from": "2026-12-01", "lines": _evening},
    ),
)
async def set_footfall_calendar(site_id: UUID, request: Request, body: CalendarNew, admitted: AdmittedDep) -> Response:
    """Open a site from a day on in the hours whose footfall reaches the threshold: hours in a row are one shift.

    The openings of the calendars before end on the day before; who signed up for later ones is released.
    """
    return await submit(
        request,
        # Who of the city's members may move up or stay, its rows say.
        replace(admitted, beside=CITY),
        body=body,
        item=body.command(admitted.community, site_id, admitted.caller_id),
        run=partial(changing.set_calendars, effects=request.app.state.effects),
        render=lambda calendar: replace(
            created(request, calendar.id, CalendarModel.of(calendar)), location=request.scope["path"]
        ),
    )


@router.get(
    "/{site_id}/footfall-calendar",
    response_model=CalendarModel,
    **operation(roles=READERS, summary="Read a site's footfall calendar"),
)
async def get_footfall_calendar(
    site_id: UUID,
    context: ContextDep,
    admitted: AdmittedDep,
    on: Annotated[Day | None, Query(description="that in force on this day; else the one set last")] = None,
) -> CalendarModel:
    """A site's calendar with its openings."""
    async with context.database.read(admitted.community) as session:
        return CalendarModel.of(await changing.get_calendar(session, admitted.community, site_id, on))
