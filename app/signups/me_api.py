"""What volunteers sign up for themselves."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import OWN, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.kernel.moments import micros
from app.signups import own
from app.signups.closing import Cancellation
from app.signups.schemas import (
    CancellationNew,
    OpenShiftModel,
    OpenShiftPage,
    OwnSignupModel,
    OwnSignupNew,
    OwnSignupPage,
    Status,
)
from app.signups.service import NewSignup

router = Router(prefix="/v1/me", tags=["own data"])


@router.get(
    "/shifts",
    response_model=OpenShiftPage,
    **operation(roles=OWN, summary="List the shifts that one may sign up for", problems=["invalid-cursor"]),
)
async def list_open_shifts(listing: ListingDep, admitted: AdmittedDep) -> OpenShiftPage:
    """The shifts to come of the caller's community with positions for volunteers, soonest first.

    Of others who signed up it tells how many there are. Shifts for a person served, such as visits at somebody's home,
    are offered to nobody but who takes part in their whole series.
    """
    page = await listing.page(
        f"open-shifts/{admitted.volunteer_id}",
        admitted.community,
        partial(own.list_open_shifts, volunteer_id=admitted.volunteer_id),
        place=lambda opened: (micros(opened.shift.starts_at), opened.shift.number),
    )
    return OpenShiftPage.of(page, OpenShiftModel.of)


@router.post(
    "/signups",
    status_code=201,
    response_model=OwnSignupModel,
    **operation(
        roles=OWN,
        summary="Sign oneself up for a shift",
        keyed=True,
        problems=[
            "unknown-shift",
            "unknown-position",
            "unknown-volunteer",
            "wrong-participant",
            "shift-skipped",
            "shift-over",
            "already-signed-up",
            "overlapping-signup",
            "qualification-missing",
        ],
        example={
            "shift_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0d101",
            "position_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0d001",
        },
    ),
)
async def create_own_signup(request: Request, body: OwnSignupNew, admitted: AdmittedDep) -> Response:
    """Take a seat in a shift that has not begun, or a place on its waitlist."""
    return await submit(
        request,
        # Who else may move up with it, of the city's members too.
        replace(admitted, beside=CITY),
        body=body,
        item=NewSignup(
            admitted.community,
            body.shift_id,
            body.position_id,
            admitted.volunteer_id,
            admitted.caller_id,
            by_oneself=True,
        ),
        run=partial(own.sign_up_oneself, objections=request.app.state.objections),
        render=lambda one: created(request, one.signup.id, OwnSignupModel.of(one)),
    )


@router.get(
    "/signups",
    response_model=OwnSignupPage,
    **operation(roles=OWN, summary="List one's own sign-ups", problems=["invalid-cursor"]),
)
async def list_own_signups(
    listing: ListingDep, admitted: AdmittedDep, status: Annotated[Status | None, Query()] = None
) -> OwnSignupPage:
    """The caller's sign-ups with what they are to, newest first."""
    page = await listing.page(
        f"signups-of/{admitted.volunteer_id}",
        admitted.community,
        own.list_own_signups,
        filters={"status": status, "participant_id": str(admitted.volunteer_id)},
        place=lambda one: one.signup.number,
    )
    return OwnSignupPage.of(page, OwnSignupModel.of)


@router.get(
    "/signups/{signup_id}",
    response_model=OwnSignupModel,
    **operation(roles=OWN, summary="Read one's own sign-up"),
)
async def get_own_signup(signup_id: UUID, context: ContextDep, admitted: AdmittedDep) -> OwnSignupModel:
    """One of the caller's sign-ups with what it is to; another volunteer's is not found."""
    async with context.database.read(admitted.community) as session:
        found = await own.get_own_signup(session, admitted.community, signup_id, admitted.volunteer_id)
    return OwnSignupModel.of(found)


@router.post(
    "/signups/{signup_id}/cancellation",
    response_model=OwnSignupModel,
    **operation(
        roles=OWN,
        summary="Cancel one's own sign-up",
        keyed=True,
        problems=["signup-not-open", "cancellation-too-late"],
        example={"reason": "家里有事，来不了"},
    ),
)
async def cancel_own_signup(
    signup_id: UUID, request: Request, body: CancellationNew, admitted: AdmittedDep
) -> Response:
    """Give a seat back in time, or leave a waitlist; another volunteer's sign-up is not found."""
    return await submit(
        request,
        # Who else may move up with it, of the city's members too.
        replace(admitted, beside=CITY),
        body=body,
        item=Cancellation(
            admitted.community, signup_id, admitted.caller_id, body.reason, participant_id=admitted.volunteer_id
        ),
        run=partial(own.cancel_own_signups, objections=request.app.state.objections),
        render=lambda one: answered(OwnSignupModel.of(one)),
    )
