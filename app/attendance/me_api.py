"""How volunteers check in and out by themselves: with the code that the place shows at that moment."""

from __future__ import annotations

from fastapi import Request, Response

from app.access.guard import AdmittedDep
from app.attendance.checking import Check, check
from app.attendance.schemas import AttendanceModel, OwnCheckInNew, OwnCheckOutNew
from app.http.commands import answered, submit
from app.http.operations import OWN, operation
from app.http.routes import Router

router = Router(prefix="/v1/me", tags=["own data"])

_example = {"code": "7KQ2MXHR4P"}
_problems = ["place-code-invalid", "no-shift-here", "shift-not-begun", "attendance-closed", "attendance-submitted"]


@router.post(
    "/check-ins",
    response_model=AttendanceModel,
    **operation(
        roles=OWN,
        summary="Check oneself in",
        keyed=True,
        problems=[*_problems, "already-checked-in"],
        example=_example,
    ),
)
async def create_own_check_in(request: Request, body: OwnCheckInNew, admitted: AdmittedDep) -> Response:
    """Check in to the shift at the place whose code this is, from an hour before it to an hour after."""
    return await submit(
        request,
        admitted,
        body=body,
        item=Check(admitted.community, admitted.caller_id, participant_id=admitted.volunteer_id, code=body.code),
        run=check,
        render=lambda line: answered(AttendanceModel.of(line)),
    )


@router.post(
    "/check-outs",
    response_model=AttendanceModel,
    **operation(
        roles=OWN,
        summary="Check oneself out",
        keyed=True,
        problems=[*_problems, "not-checked-in"],
        example={**_example, "break_minutes": 10},
    ),
)
async def create_own_check_out(request: Request, body: OwnCheckOutNew, admitted: AdmittedDep) -> Response:
    """Check out of the shift at the place whose code this is; the time between, less the breaks, is proposed."""
    return await submit(
        request,
        admitted,
        body=body,
        item=Check(
            admitted.community,
            admitted.caller_id,
            leaves=True,
            break_minutes=body.break_minutes,
            participant_id=admitted.volunteer_id,
            code=body.code,
        ),
        run=check,
        render=lambda line: answered(AttendanceModel.of(line)),
    )
