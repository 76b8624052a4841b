"""What volunteers see and say of the visits for which they are signed up."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import answered, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import OWN, operation
from app.http.routes import Router
from app.visits import service
from app.visits.recording import record_outcomes
from app.visits.schemas import (
    RECORDING_EXAMPLE,
    RECORDING_PROBLEMS,
    VisitModel,
    VisitOutcomeNew,
    VisitPage,
    VisitStatus,
)

router = Router(prefix="/v1/me/visits", tags=["own data"])


@router.get(
    "",
    response_model=VisitPage,
    **operation(roles=OWN, summary="List one's own visits", problems=["invalid-cursor"]),
)
async def list_own_visits(
    listing: ListingDep,
    context: ContextDep,
    admitted: AdmittedDep,
    status: Annotated[VisitStatus | None, Query(description="what it is now")] = None,
) -> VisitPage:
    """The visits for which the caller is signed up, those first whose shifts were made last."""
    page = await listing.page(
        f"visits-of/{admitted.volunteer_id}",
        admitted.community,
        partial(service.list_visits, volunteer_id=admitted.volunteer_id),
        filters={"status": status},
    )
    return VisitPage.of(page, partial(VisitModel.of, now=context.database.clock.now(admitted.community)))


@router.post(
    "/{shift_id}/outcome",
    response_model=VisitModel,
    **operation(
        roles=OWN,
        summary="Record what came of one's own visit",
        keyed=True,
        problems=RECORDING_PROBLEMS,
        example=RECORDING_EXAMPLE,
    ),
)
async def record_own_visit_outcome(
    shift_id: UUID, request: Request, body: VisitOutcomeNew, context: ContextDep, admitted: AdmittedDep
) -> Response:
    """Say what came of a visit, as one of the pair who are signed up for it; others' visits are not found."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, shift_id, admitted.caller_id, volunteer_id=admitted.volunteer_id),
        run=record_outcomes,
        render=lambda visit: answered(VisitModel.of(visit, now=context.database.clock.now(admitted.community))),
    )
