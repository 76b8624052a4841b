"""Routes of attendance: the organiser's list, the desk, the code of the place, and what is submitted."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.attendance import checking, service, submitting
from app.attendance.schemas import (
    AttendanceListModel,
    AttendanceListNew,
    AttendanceModel,
    AttendancePage,
    AttendanceSubmissionModel,
    AttendanceSubmissionNew,
    CheckOutNew,
    NoShowModel,
    NoShowPage,
    PlaceCodeModel,
    listed_items,
    submitted_items,
)
from app.attendance.service import Line
from app.attendance.submitting import Submitted
from app.http.commands import answered, submit
from app.http.context import ContextDep
from app.http.fields import Moment
from app.http.lists import ListingDep
from app.http.operations import DESK, READERS, operation
from app.http.rendering import json_of
from app.http.routes import Router
from app.kernel.errors import Refusal
from app.kernel.idempotency import Answer
from app.kernel.lazily import lazily

segno: Any = lazily("segno")

router = Router(prefix="/v1/communities/{community_id}", tags=["activities"])

_signup = "01936f5e-7c1a-7bbd-9d2e-0a51b1e0d201"
_changing = ["attendance-submitted", "signup-not-open"]


@router.post(
    "/shifts/{shift_id}/attendance",
    response_model=AttendanceListModel,
    **operation(
        roles=DESK,
        summary="Record who came to a shift",
        keyed=True,
        problems=["shift-not-begun", *_changing],
        example={"items": [{"signup_id": _signup, "outcome": "attended", "break_minutes": 10}]},
    ),
)
async def record_attendance(
    shift_id: UUID, request: Request, body: AttendanceListNew, admitted: AdmittedDep
) -> Response:
    """Record a shift's attendance by its organiser's list, again and again until it is submitted."""
    signup_ids = [line.signup_id for line in body.items]

    def render(lines: list[Line | Refusal]) -> Answer:
        return answered(json_of({"items": listed_items(signup_ids, lines)}))

    return await submit(
        request,
        admitted,
        body=body,
        item=service.NewList(
            admitted.community, shift_id, tuple(line.line() for line in body.items), admitted.caller_id
        ),
        run=service.record_lists,
        render=render,
    )


@router.get(
    "/shifts/{shift_id}/attendance",
    response_model=AttendancePage,
    **operation(roles=READERS, summary="List the attendance of a shift", problems=["invalid-cursor"]),
)
async def list_attendance(shift_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> AttendancePage:
    """Everybody with a seat in a shift, by seat: what is known, what is proposed of it, and what is doubtful."""
    page = await listing.page(
        f"attendance/{shift_id}",
        admitted.community,
        partial(service.list_attendance, shift_id=shift_id),
        place=lambda line: (line.signup.seat, line.signup.number),
    )
    return AttendancePage.of(page, AttendanceModel.of)


@router.get(
    "/shifts/{shift_id}/place-code",
    response_model=PlaceCodeModel,
    **operation(roles=DESK, summary="Show the code of a shift's place"),
)
async def get_place_code(shift_id: UUID, context: ContextDep, admitted: AdmittedDep) -> PlaceCodeModel:
    """The code with which volunteers check in and out at the place; a photo of it is useless half a minute later."""
    async with context.database.read(admitted.community) as session:
        shown = await checking.get_place_code(session, admitted.community, shift_id)
    drawn = segno.make(shown.code, micro=False).svg_inline(scale=8, omitsize=True)
    return PlaceCodeModel(code=shown.code, valid_until=shown.valid_until, qr_svg=drawn)


@router.post(
    "/signups/{signup_id}/check-in",
    response_model=AttendanceModel,
    **operation(
        roles=DESK,
        summary="Check somebody in at the desk",
        keyed=True,
        problems=["shift-not-begun", "attendance-closed", "already-checked-in", *_changing],
    ),
)
async def check_in(signup_id: UUID, request: Request, admitted: AdmittedDep) -> Response:
    """Note that somebody with a seat came, from an hour before the shift to an hour after."""
    return await submit(
        request,
        admitted,
        body=None,
        item=checking.Check(admitted.community, admitted.caller_id, signup_id=signup_id),
        run=checking.check,
        render=_answered,
    )


@router.post(
    "/signups/{signup_id}/check-out",
    response_model=AttendanceModel,
    **operation(
        roles=DESK,
        summary="Check somebody out at the desk",
        keyed=True,
        problems=["shift-not-begun", "attendance-closed", "not-checked-in", *_changing],
        example={"break_minutes": 10},
    ),
)
async def check_out(signup_id: UUID, request: Request, body: CheckOutNew, admitted: AdmittedDep) -> Response:
    """Note that somebody who came left; the time between, less the breaks, is what is proposed."""
    return await submit(
        request,
        admitted,
        body=body,
        item=checking.Check(
            admitted.community,
            admitted.caller_id,
            leaves=True,
            break_minutes=body.break_minutes,
            signup_id=signup_id,
        ),
        run=checking.check,
        render=_answered,
    )


def _answered(line: Line) -> Answer:
    return answered(AttendanceModel.of(line))


@router.post(
    "/shifts/{shift_id}/submission",
    response_model=AttendanceSubmissionModel,
    **operation(
        roles=DESK,
        summary="Submit the attendance of a shift",
        keyed=True,
        problems=["attendance-incomplete", "overlapping-service", "visit-in-vain", *_changing],
        example={"signup_ids": [_signup]},
    ),
)
async def submit_attendance(
    shift_id: UUID, request: Request, body: AttendanceSubmissionNew, admitted: AdmittedDep
) -> Response:
    """Close what was recorded: of volunteers who came to what counts service records are made, of nobody else.

    They wait for another to verify them where the community wants four eyes. What is refused can be mended.
    """
    signup_ids = None if body.signup_ids is None else tuple(body.signup_ids)

    def render(rows: list[Submitted]) -> Answer:
        made = [f"service-records/{row.record.id}" for row in rows if row.record is not None]
        return answered(json_of({"items": submitted_items(rows)}), posted=tuple(made))

    return await submit(
        request,
        admitted,
        body=body,
        item=submitting.Submission(admitted.community, shift_id, admitted.caller_id, signup_ids),
        run=partial(submitting.submit_attendance, contradictions=request.app.state.contradictions),
        render=render,
    )


@router.get(
    "/no-shows",
    response_model=NoShowPage,
    **operation(roles=READERS, summary="List who did not come", problems=["invalid-cursor"]),
)
async def list_no_shows(
    listing: ListingDep,
    admitted: AdmittedDep,
    participant_id: Annotated[UUID | None, Query()] = None,
    since: Annotated[Moment | None, Query(alias="from", description="of shifts that began then or later")] = None,
    before: Annotated[Moment | None, Query(alias="to", description="of shifts that began before")] = None,
) -> NoShowPage:
    """Confirmed sign-ups whose participants were absent, the newest sign-up first."""
    filters = {
        "participant_id": participant_id and str(participant_id),
        "from": since and since.isoformat(),
        "to": before and before.isoformat(),
    }
    find = partial(service.list_no_shows, since=since, before=before)
    page = await listing.page("no-shows", admitted.community, find, filters=filters)
    return NoShowPage.of(page, NoShowModel.model_validate)
