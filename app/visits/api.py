"""Routes of visits and of escalations."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import Admitted, AdmittedDep
from app.http.commands import answered, submit
from app.http.context import Context, ContextDep
from app.http.fields import Moment
from app.http.lists import ListingDep
from app.http.operations import DESK, NAMELESS, READERS, operation
from app.http.routes import Router
from app.kernel.idempotency import Answer
from app.visits import escalations, service
from app.visits.recording import record_outcomes
from app.visits.rules import Escalation, Visit
from app.visits.schemas import (
    RECORDING_EXAMPLE,
    RECORDING_PROBLEMS,
    EscalationStatus,
    VisitEscalationClosingNew,
    VisitEscalationModel,
    VisitEscalationPage,
    VisitModel,
    VisitOutcomeNew,
    VisitPage,
    VisitStatus,
)

router = Router(prefix="/v1/communities/{community_id}", tags=["visits"])


def _shown_now(context: Context, admitted: Admitted, visit: Visit) -> VisitModel:
    return VisitModel.of(visit, now=context.database.clock.now(admitted.community))


@router.get(
    "/visits",
    response_model=VisitPage,
    **operation(roles=READERS, summary="List visits", problems=["invalid-cursor"]),
)
async def list_visits(
    listing: ListingDep,
    context: ContextDep,
    admitted: AdmittedDep,
    plan_id: Annotated[UUID | None, Query()] = None,
    beneficiary_id: Annotated[UUID | None, Query()] = None,
    status: Annotated[VisitStatus | None, Query(description="what it is now")] = None,
    since: Annotated[Moment | None, Query(alias="from", description="that begin then or later")] = None,
    before: Annotated[Moment | None, Query(alias="to", description="that begin before")] = None,
) -> VisitPage:
    """Visits, those first whose shifts were made last."""
    filters = {
        "plan_id": plan_id and str(plan_id),
        "beneficiary_id": beneficiary_id and str(beneficiary_id),
        "status": status,
        "from": since and since.isoformat(),
        "to": before and before.isoformat(),
    }
    page = await listing.page("visits", admitted.community, service.list_visits, filters=filters)
    return VisitPage.of(page, partial(_shown_now, context, admitted))


@router.get(
    "/visits/{shift_id}",
    response_model=VisitModel,
    **operation(roles=READERS, summary="Read a visit"),
)
async def get_visit(shift_id: UUID, context: ContextDep, admitted: AdmittedDep) -> VisitModel:
    """One visit, by its shift, with the last word on what came of it."""
    async with context.database.read(admitted.community) as session:
        visit = await service.get_visit(session, admitted.community, shift_id)
    return _shown_now(context, admitted, visit)


@router.post(
    "/visits/{shift_id}/outcome",
    response_model=VisitModel,
    **operation(
        roles=DESK,
        summary="Record what came of a visit",
        keyed=True,
        problems=RECORDING_PROBLEMS,
        example=RECORDING_EXAMPLE,
    ),
)
async def record_visit_outcome(
    shift_id: UUID, request: Request, body: VisitOutcomeNew, context: ContextDep, admitted: AdmittedDep
) -> Response:
    """Say whether a visit was done, and with it who of the pair came; the last word stands until that is submitted.

    Where that was submitted first, it is said once, and agrees with it. That nobody was at home twice running is
    escalated.
    """
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, shift_id, admitted.caller_id),
        run=record_outcomes,
        render=lambda visit: answered(_shown_now(context, admitted, visit)),
    )


@router.get(
    "/visit-escalations",
    response_model=VisitEscalationPage,
    **operation(roles=READERS, summary="List escalations of visits", problems=["invalid-cursor"]),
)
async def list_visit_escalations(
    listing: ListingDep,
    admitted: AdmittedDep,
    status: Annotated[EscalationStatus | None, Query()] = None,
    beneficiary_id: Annotated[UUID | None, Query()] = None,
) -> VisitEscalationPage:
    """Persons who were not at home twice running, the last escalated first."""
    filters = {"status": status, "beneficiary_id": beneficiary_id and str(beneficiary_id)}
    page = await listing.page("visit-escalations", admitted.community, escalations.list_escalations, filters=filters)
    return VisitEscalationPage.of(page, partial(_escalation, admitted))


def _escalation(admitted: Admitted, escalation: Escalation) -> VisitEscalationModel:
    return VisitEscalationModel.of(escalation, reasons=admitted.role not in NAMELESS)


@router.get(
    "/visit-escalations/{escalation_id}",
    response_model=VisitEscalationModel,
    **operation(roles=READERS, summary="Read an escalation of visits"),
)
async def get_visit_escalation(escalation_id: UUID, context: ContextDep, admitted: AdmittedDep) -> VisitEscalationModel:
    """One escalation."""
    async with context.database.read(admitted.community) as session:
        return _escalation(admitted, await escalations.get_escalation(session, admitted.community, escalation_id))


@router.post(
    "/visit-escalations/{escalation_id}/closing",
    response_model=VisitEscalationModel,
    **operation(
        roles=DESK,
        summary="Close an escalation of visits",
        keyed=True,
        problems=["escalation-closed"],
        example={"reason": "邓阿姨住院了，已经联系上家属。", "action": "每周打一次电话，出院后恢复探访。"},
    ),
)
async def close_visit_escalation(
    escalation_id: UUID, request: Request, body: VisitEscalationClosingNew, admitted: AdmittedDep
) -> Response:
    """Say that somebody has seen to it, why, and what was done: two absences more would escalate anew."""

    def render(closed: Escalation) -> Answer:
        person = None if closed.erased else closed.beneficiary_id
        return replace(answered(VisitEscalationModel.of(closed)), person=person)

    return await submit(
        request,
        admitted,
        body=body,
        item=escalations.Closing(admitted.community, escalation_id, body.reason, body.action, admitted.caller_id),
        run=escalations.close_escalations,
        render=render,
    )
