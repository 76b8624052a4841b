"""Routes of a community's sign-ups."""

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
from app.http.operations import DESK, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.signups import closing, service
from app.signups.rules import Signup
from app.signups.schemas import CancellationNew, SignupModel, SignupNew, SignupPage, Status

router = Router(prefix="/v1/communities/{community_id}", tags=["activities"])

_unknown = [
    "unknown-position",
    "unknown-volunteer",
    "unknown-beneficiary",
    "unknown-member",
    "unknown-vendor",
    "not-posted-here",
]
_example = {
    "position_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0d001",
    "participant_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001",
}


def _place(signup: Signup) -> tuple[int, int, int]:
    """Where a sign-up stands in its shift's list."""
    turn = 0 if signup.seat is not None else 1 if signup.is_live else 2
    return turn, signup.seat or signup.queue, signup.number


@router.post(
    "/shifts/{shift_id}/signups",
    status_code=201,
    response_model=SignupModel,
    **operation(
        roles=DESK,
        summary="Sign a participant up for a shift",
        keyed=True,
        problems=[
            *_unknown,
            "shift-skipped",
            "shift-over",
            "already-signed-up",
            "overlapping-signup",
            "qualification-missing",
            "vendor-barred",
        ],
        example=_example,
    ),
)
async def create_signup(shift_id: UUID, request: Request, body: SignupNew, admitted: AdmittedDep) -> Response:
    """Give a participant the lowest free seat, or a place on the waitlist; where seats are drawn, an application.

    The desk may until ten days after the shift.
    """
    signups = f"{request.scope['path'].partition('/shifts/')[0]}/signups"
    return await submit(
        request,
        # Whether its members exist, the city's rows say.
        replace(admitted, beside=CITY),
        body=body,
        item=service.NewSignup(admitted.community, shift_id, body.position_id, body.participant_id, admitted.caller_id),
        run=partial(service.sign_up, objections=request.app.state.objections),
        render=lambda signup: replace(
            created(request, signup.id, SignupModel.of(signup)), location=f"{signups}/{signup.id}"
        ),
    )


@router.get(
    "/shifts/{shift_id}/signups",
    response_model=SignupPage,
    **operation(roles=READERS, summary="List the sign-ups of a shift", problems=["invalid-cursor"]),
)
async def list_shift_signups(
    shift_id: UUID,
    listing: ListingDep,
    admitted: AdmittedDep,
    position_id: Annotated[UUID | None, Query()] = None,
) -> SignupPage:
    """A shift's sign-ups by seat, then who waits in order, then those that were cancelled or released."""
    find = partial(service.list_signups_of_shift, shift_id=shift_id)
    filters = {"position_id": None if position_id is None else str(position_id)}
    page = await listing.page(f"signups/{shift_id}", admitted.community, find, filters=filters, place=_place)
    return SignupPage.of(page, SignupModel.of)


@router.get(
    "/signups",
    response_model=SignupPage,
    **operation(roles=READERS, summary="List sign-ups", problems=["invalid-cursor"]),
)
async def list_signups(
    listing: ListingDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
    participant_id: Annotated[UUID | None, Query()] = None,
    shift_id: Annotated[UUID | None, Query()] = None,
) -> SignupPage:
    """Sign-ups, newest first."""
    named = {"participant_id": participant_id, "shift_id": shift_id}
    filters = {"status": status, **{name: None if value is None else str(value) for name, value in named.items()}}
    page = await listing.page("signups", admitted.community, service.list_signups, filters=filters)
    return SignupPage.of(page, SignupModel.of)


@router.get(
    "/signups/{signup_id}",
    response_model=SignupModel,
    **operation(roles=READERS, summary="Read a sign-up"),
)
async def get_signup(signup_id: UUID, context: ContextDep, admitted: AdmittedDep) -> SignupModel:
    """One sign-up."""
    async with context.database.read(admitted.community) as session:
        return SignupModel.of(await service.get_signup(session, admitted.community, signup_id))


@router.post(
    "/signups/{signup_id}/cancellation",
    response_model=SignupModel,
    **operation(
        roles=DESK,
        summary="Cancel a sign-up",
        keyed=True,
        problems=["signup-not-open", "shift-over"],
        example={"reason": "家里有事，来不了"},
    ),
)
async def cancel_signup(signup_id: UUID, request: Request, body: CancellationNew, admitted: AdmittedDep) -> Response:
    """Cancel a live sign-up at the desk, until the shift begins; whoever waited longest gets the seat."""
    return await submit(
        request,
        # Who of the city's members may move up, its rows say.
        replace(admitted, beside=CITY),
        body=body,
        item=closing.Cancellation(admitted.community, signup_id, admitted.caller_id, body.reason),
        run=partial(closing.cancel_signups, objections=request.app.state.objections),
        render=lambda signup: answered(SignupModel.of(signup)),
    )
