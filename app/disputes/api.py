"""Routes of disputes: of a community, and of the volunteer who calls."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel

from app.access.guard import Admitted, AdmittedDep
from app.disputes import service
from app.disputes.rules import WITHDRAWN, Dispute
from app.disputes.schemas import (
    DecisionNew,
    DisputeModel,
    DisputeNew,
    DisputePage,
    OwnDisputeNew,
    Status,
    WithdrawalNew,
)
from app.http.commands import answered, created, submit
from app.http.context import Context, ContextDep
from app.http.lists import Listing, ListingDep
from app.http.operations import ACCOUNT_READERS, DESK, MANAGERS, NAMELESS, OWN, VOLUNTEER, operation
from app.http.routes import Router
from app.kernel.errors import Fault, InvalidRequest, Refused
from app.kernel.idempotency import Answer
from app.volunteers.errors import UnknownVolunteer

router = Router(prefix="/v1/communities/{community_id}/disputes", tags=["disputes"])
own = Router(prefix="/v1/me/disputes", tags=["own data"])

_own_example = {
    "service_record_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0c001",
    "reason": "当天服务了两个小时，只记了一个半小时。",
}
_example = {"volunteer_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001", **_own_example}
_withdrawal_example = {"reason": "已经和社区说清楚了。"}
_filing_problems = ["unknown-volunteer", "unknown-service-record", "unknown-transaction", "already-disputed"]


async def _file(request: Request, admitted: Admitted, body: OwnDisputeNew, volunteer_id: UUID) -> Response:
    def render(dispute: Dispute) -> Answer:
        model = DisputeModel.of(dispute, now=dispute.steps[0].taken_at)
        return created(request, dispute.id, model, person=dispute.volunteer_id)

    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, volunteer_id, admitted.caller_id),
        run=service.file_disputes,
        render=render,
    )


async def _end(request: Request, admitted: Admitted, body: BaseModel, ending: service.Ending) -> Response:
    def render(dispute: Dispute) -> Answer:
        model = DisputeModel.of(dispute, now=dispute.steps[-1].taken_at)
        return replace(answered(model), person=None if dispute.erased else dispute.volunteer_id)

    return await submit(request, admitted, body=body, item=ending, run=service.end_disputes, render=render)


def _only(admitted: Admitted) -> UUID | None:
    """The volunteer whose own disputes alone the caller has to do with; None for the community's staff."""
    return admitted.volunteer_id if admitted.role == VOLUNTEER else None


def _withdrawal(admitted: Admitted, dispute_id: UUID, body: WithdrawalNew) -> service.Ending:
    return service.Ending(
        admitted.community, dispute_id, WITHDRAWN, admitted.caller_id, body.reason, volunteer_id=_only(admitted)
    )


async def _list(
    listing: Listing, context: Context, admitted: Admitted, filters: dict[str, str | bool | None]
) -> DisputePage:
    only = _only(admitted)
    # A list of its own for each volunteer, so that no cursor leads into another's.
    name = f"disputes/{only}" if only else "disputes"
    filters = {**filters, "volunteer_id": str(only)} if only else filters
    page = await listing.page(name, admitted.community, service.list_disputes, filters=filters)
    return DisputePage.of(page, partial(_shown, context, admitted))


async def _get(context: Context, admitted: Admitted, dispute_id: UUID) -> DisputeModel:
    async with context.database.read(admitted.community) as session:
        found = await service.get_dispute(session, admitted.community, dispute_id, volunteer_id=_only(admitted))
    return _shown(context, admitted, found)


def _shown(context: Context, admitted: Admitted, dispute: Dispute) -> DisputeModel:
    now = context.database.clock.now(admitted.community)
    return DisputeModel.of(dispute, now=now, reasons=admitted.role not in NAMELESS)


def _contesting(admitted: Admitted, named: UUID | None) -> UUID:
    """Who contests: the volunteer who calls, or whom the desk names. Raises `Refused`."""
    only = _only(admitted)
    if only is None and named is None:
        raise Refused(InvalidRequest((Fault("/volunteer_id", "name the volunteer for whom you file it"),)))
    if only is not None and named not in {None, only}:
        raise Refused(UnknownVolunteer(volunteer_id=named))
    return only or named  # type: ignore[return-value]  # one of them is given


@router.post(
    "",
    status_code=201,
    response_model=DisputeModel,
    **operation(
        roles=(*DESK, VOLUNTEER),
        summary="File a dispute",
        keyed=True,
        problems=_filing_problems,
        example=_example,
    ),
)
async def create_dispute(request: Request, body: DisputeNew, admitted: AdmittedDep) -> Response:
    """Contest a volunteer's service record or a transaction on the volunteer's accounts."""
    return await _file(request, admitted, body, _contesting(admitted, body.volunteer_id))


@router.get(
    "",
    response_model=DisputePage,
    **operation(roles=(*ACCOUNT_READERS, VOLUNTEER), summary="List disputes", problems=["invalid-cursor"]),
)
async def list_disputes(
    listing: ListingDep,
    context: ContextDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
    volunteer_id: Annotated[UUID | None, Query()] = None,
    overdue: Annotated[bool | None, Query(description="open past the day on which an answer was due")] = None,
) -> DisputePage:
    """Disputes, newest first; a volunteer sees the own ones alone."""
    named = None if volunteer_id is None else str(volunteer_id)
    return await _list(listing, context, admitted, {"status": status, "volunteer_id": named, "overdue": overdue})


@router.get(
    "/{dispute_id}",
    response_model=DisputeModel,
    **operation(roles=(*ACCOUNT_READERS, VOLUNTEER), summary="Read a dispute"),
)
async def get_dispute(dispute_id: UUID, context: ContextDep, admitted: AdmittedDep) -> DisputeModel:
    """One dispute with all its steps."""
    return await _get(context, admitted, dispute_id)


@router.post(
    "/{dispute_id}/decision",
    response_model=DisputeModel,
    **operation(
        roles=MANAGERS,
        summary="Decide a dispute",
        keyed=True,
        problems=["dispute-not-open"],
        example={"decision": "uphold", "reason": "签到表上是两个小时。"},
    ),
)
async def decide_dispute(dispute_id: UUID, request: Request, body: DecisionNew, admitted: AdmittedDep) -> Response:
    """Uphold or reject a dispute. Nothing moves by that: `next_step` of an upheld one says where it is set right."""
    ending = service.Ending(admitted.community, dispute_id, body.status, admitted.caller_id, body.reason)
    return await _end(request, admitted, body, ending)


@router.post(
    "/{dispute_id}/withdrawal",
    response_model=DisputeModel,
    **operation(
        roles=(*DESK, VOLUNTEER),
        summary="Withdraw a dispute",
        keyed=True,
        problems=["dispute-not-open"],
        example=_withdrawal_example,
    ),
)
async def withdraw_dispute(dispute_id: UUID, request: Request, body: WithdrawalNew, admitted: AdmittedDep) -> Response:
    """Withdraw an open dispute, as the volunteer or on the volunteer's behalf."""
    return await _end(request, admitted, body, _withdrawal(admitted, dispute_id, body))


@own.post(
    "",
    status_code=201,
    response_model=DisputeModel,
    **operation(
        roles=OWN, summary="File one's own dispute", keyed=True, problems=_filing_problems, example=_own_example
    ),
)
async def create_own_dispute(request: Request, body: OwnDisputeNew, admitted: AdmittedDep) -> Response:
    """Contest a service record or a transaction on one's own accounts."""
    return await _file(request, admitted, body, admitted.volunteer_id)


@own.get(
    "",
    response_model=DisputePage,
    **operation(roles=OWN, summary="List one's own disputes", problems=["invalid-cursor"]),
)
async def list_own_disputes(
    listing: ListingDep,
    context: ContextDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
) -> DisputePage:
    """The caller's disputes, newest first."""
    return await _list(listing, context, admitted, {"status": status})


@own.get("/{dispute_id}", response_model=DisputeModel, **operation(roles=OWN, summary="Read one's own dispute"))
async def get_own_dispute(dispute_id: UUID, context: ContextDep, admitted: AdmittedDep) -> DisputeModel:
    """One of the caller's disputes with all its steps."""
    return await _get(context, admitted, dispute_id)


@own.post(
    "/{dispute_id}/withdrawal",
    response_model=DisputeModel,
    **operation(
        roles=OWN,
        summary="Withdraw one's own dispute",
        keyed=True,
        problems=["dispute-not-open"],
        example=_withdrawal_example,
    ),
)
async def withdraw_own_dispute(
    dispute_id: UUID, request: Request, body: WithdrawalNew, admitted: AdmittedDep
) -> Response:
    """Withdraw one of the caller's open disputes."""
    return await _end(request, admitted, body, _withdrawal(admitted, dispute_id, body))
