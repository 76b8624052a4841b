"""Routes of plans of visits."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import Admitted, AdmittedDep
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import DESK, NAMELESS, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.kernel.idempotency import Answer
from app.visits import plans, service
from app.visits.plans import Paired
from app.visits.rules import PlanInFull
from app.visits.schemas import (
    PairedVisitPlanModel,
    VisitPairNew,
    VisitPlanEndingNew,
    VisitPlanModel,
    VisitPlanNew,
    VisitPlanPage,
)

router = Router(prefix="/v1/communities/{community_id}/visit-plans", tags=["visits"])

_pair = ["01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001", "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a002"]


def _person(whole: PlanInFull) -> UUID | None:
    """Whose data an answer holds that says why the plan ended."""
    return None if whole.erased else whole.plan.beneficiary_id


@router.post(
    "",
    status_code=201,
    response_model=PairedVisitPlanModel,
    **operation(
        roles=DESK,
        summary="Plan visits",
        keyed=True,
        problems=["unknown-beneficiary", "unknown-volunteer", "unknown-service-kind"],
        example={
            "beneficiary_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0b001",
            "volunteer_ids": _pair,
            "service_kind": "home_visit",
            "starts_on": "2026-12-01",
            "time_of_day": "14:30",
            "minutes": 90,
            "place": "祁连家园",
            "organiser": "祁连路西社区居委会",
        },
    ),
)
async def create_visit_plan(request: Request, body: VisitPlanNew, admitted: AdmittedDep) -> Response:
    """Let a pair of volunteers visit a person, every week unless the rule says otherwise.

    It makes an activity with one position and its series, and signs the pair up for the visits to come.
    """
    return await submit(
        request,
        replace(admitted, beside=CITY),
        body=body,
        item=body.command(admitted.community, admitted.caller_id),
        run=partial(plans.create_plans, effects=request.app.state.effects),
        render=lambda one: created(request, one.of.plan.id, PairedVisitPlanModel.paired(one)),
    )


@router.get(
    "",
    response_model=VisitPlanPage,
    **operation(roles=READERS, summary="List plans of visits", problems=["invalid-cursor"]),
)
async def list_visit_plans(
    listing: ListingDep, admitted: AdmittedDep, beneficiary_id: Annotated[UUID | None, Query()] = None
) -> VisitPlanPage:
    """Plans of visits, newest first."""
    filters = {"beneficiary_id": beneficiary_id and str(beneficiary_id)}
    page = await listing.page("visit-plans", admitted.community, service.list_plans, filters=filters)
    return VisitPlanPage.of(page, partial(_shown, admitted))


def _shown(admitted: Admitted, whole: PlanInFull) -> VisitPlanModel:
    return VisitPlanModel.of(whole, reasons=admitted.role not in NAMELESS)


@router.get(
    "/{plan_id}",
    response_model=VisitPlanModel,
    **operation(roles=READERS, summary="Read a plan of visits"),
)
async def get_visit_plan(plan_id: UUID, context: ContextDep, admitted: AdmittedDep) -> VisitPlanModel:
    """One plan of visits."""
    async with context.database.read(admitted.community) as session:
        return _shown(admitted, await service.get_plan(session, admitted.community, plan_id))


@router.post(
    "/{plan_id}/pair",
    response_model=PairedVisitPlanModel,
    **operation(
        roles=DESK,
        summary="Change the pair of a plan",
        keyed=True,
        problems=["unknown-volunteer", "visit-plan-ended"],
        example={"volunteer_ids": _pair, "reason": "张文静这学期周二有课。"},
    ),
)
async def change_visit_pair(plan_id: UUID, request: Request, body: VisitPairNew, admitted: AdmittedDep) -> Response:
    """Let another pair have all visits to come from a day on: everybody else is signed off, these two are signed up."""

    def render(one: Paired) -> Answer:
        return replace(answered(PairedVisitPlanModel.paired(one)), person=_person(one.of))

    return await submit(
        request,
        replace(admitted, beside=CITY),
        body=body,
        item=body.command(admitted.community, plan_id, admitted.caller_id),
        run=plans.change_pairs,
        render=render,
    )


@router.post(
    "/{plan_id}/ending",
    response_model=VisitPlanModel,
    **operation(
        roles=DESK,
        summary="End a plan of visits",
        keyed=True,
        problems=["series-ended"],
        example={"last_day": "2026-12-31", "reason": "搬到女儿家住了。"},
    ),
)
async def end_visit_plan(plan_id: UUID, request: Request, body: VisitPlanEndingNew, admitted: AdmittedDep) -> Response:
    """End a plan after a day: visits of later days that have not begun are skipped, and none are made.

    A plan ends by itself when its person is served no more.
    """

    def render(one: PlanInFull) -> Answer:
        return replace(answered(VisitPlanModel.of(one)), person=_person(one))

    return await submit(
        request,
        replace(admitted, beside=CITY),
        body=body,
        item=body.command(admitted.community, plan_id, admitted.caller_id),
        run=partial(plans.end_plans, effects=request.app.state.effects),
        render=render,
    )
