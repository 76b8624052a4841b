"""Routes of the standing sign-ups of a community's series."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from uuid import UUID

from fastapi import Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import DESK, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.signups import standing
from app.signups.schemas import (
    StandingChangeModel,
    StandingSignupEnding,
    StandingSignupModel,
    StandingSignupNew,
    StandingSignupPage,
)

router = Router(prefix="/v1/communities/{community_id}/series/{series_id}/standing-signups", tags=["activities"])

_example = {
    "position_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0d001",
    "participant_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001",
}


@router.post(
    "",
    status_code=201,
    response_model=StandingChangeModel,
    **operation(
        roles=DESK,
        summary="Sign a participant up for every shift of a series",
        keyed=True,
        problems=[
            "unknown-position",
            "unknown-volunteer",
            "unknown-beneficiary",
            "unknown-member",
            "unknown-vendor",
            "not-posted-here",
            "already-signed-up",
        ],
        example=_example,
    ),
)
async def create_standing_signup(
    series_id: UUID, request: Request, body: StandingSignupNew, admitted: AdmittedDep
) -> Response:
    """Sign a participant up for the series' shifts to come that are made, and for each new one as it is made."""
    return await submit(
        request,
        replace(admitted, beside=CITY),
        body=body,
        item=standing.NewStandingSignup(
            admitted.community, series_id, body.position_id, body.participant_id, admitted.caller_id
        ),
        run=partial(standing.set_standing, objections=request.app.state.objections),
        render=lambda one: created(request, one.standing.participant_id, StandingChangeModel.after(one)),
    )


@router.get(
    "",
    response_model=StandingSignupPage,
    **operation(roles=READERS, summary="List the standing sign-ups of a series", problems=["invalid-cursor"]),
)
async def list_standing_signups(series_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> StandingSignupPage:
    """Who takes part in every shift of a series, in the order of who was registered when."""
    page = await listing.page(
        f"standing-signups/{series_id}",
        admitted.community,
        partial(standing.list_standing, series_id=series_id),
        place=lambda one: str(one.participant_id),
    )
    return StandingSignupPage.of(page, StandingSignupModel.of)


@router.get(
    "/{participant_id}",
    response_model=StandingSignupModel,
    **operation(roles=READERS, summary="Read a standing sign-up"),
)
async def get_standing_signup(
    series_id: UUID, participant_id: UUID, context: ContextDep, admitted: AdmittedDep
) -> StandingSignupModel:
    """One participant's standing sign-up to a series."""
    async with context.database.read(admitted.community) as session:
        found = await standing.get_standing(session, admitted.community, series_id, participant_id)
    return StandingSignupModel.of(found)


@router.post(
    "/{participant_id}/ending",
    response_model=StandingChangeModel,
    **operation(
        roles=DESK,
        summary="End a standing sign-up",
        keyed=True,
        example={"reason": "换了一组志愿者"},
    ),
)
async def end_standing_signup(
    series_id: UUID, participant_id: UUID, request: Request, body: StandingSignupEnding, admitted: AdmittedDep
) -> Response:
    """Sign a participant up for no new shift of the series, and cancel what there is to its shifts to come."""
    return await submit(
        request,
        replace(admitted, beside=CITY),
        body=body,
        item=standing.StandingEnding(admitted.community, series_id, participant_id, admitted.caller_id, body.reason),
        run=partial(standing.end_standing, objections=request.app.state.objections),
        render=lambda one: answered(StandingChangeModel.after(one)),
    )
