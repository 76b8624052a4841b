"""Routes of households."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response

from app.access.guard import Admitted, AdmittedDep
from app.http.commands import created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import DESK, NAMELESS, READERS, operation
from app.http.routes import Router
from app.volunteers import households
from app.volunteers.households import Household, NewHousehold
from app.volunteers.schemas import HouseholdModel, HouseholdNew, HouseholdPage

router = Router(prefix="/v1/communities/{community_id}/households", tags=["volunteers"])

_example = {"name": "祁连家园 3-201", "volunteer_ids": ["01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001"]}


def _shown(admitted: Admitted, household: Household) -> HouseholdModel:
    seen = replace(household, name=None) if admitted.role in NAMELESS else household
    return HouseholdModel.model_validate(seen)


@router.post(
    "",
    status_code=201,
    response_model=HouseholdModel,
    **operation(roles=DESK, summary="Make a household", keyed=True, problems=["unknown-volunteer"], example=_example),
)
async def create_household(request: Request, body: HouseholdNew, admitted: AdmittedDep) -> Response:
    """Make a household of volunteers, who share limits from now on; others join by their own `household_id`."""
    return await submit(
        request,
        admitted,
        body=body,
        item=NewHousehold(admitted.community, body.name, body.volunteer_ids),
        run=households.create_households,
        render=lambda household: created(request, household.id, HouseholdModel.model_validate(household)),
    )


@router.get(
    "",
    response_model=HouseholdPage,
    **operation(roles=READERS, summary="List households", problems=["invalid-cursor"]),
)
async def list_households(listing: ListingDep, admitted: AdmittedDep) -> HouseholdPage:
    """Households, newest first, with who lives there now."""
    page = await listing.page("households", admitted.community, households.list_households)
    return HouseholdPage.of(page, lambda household: _shown(admitted, household))


@router.get("/{household_id}", response_model=HouseholdModel, **operation(roles=READERS, summary="Read a household"))
async def get_household(household_id: UUID, context: ContextDep, admitted: AdmittedDep) -> HouseholdModel:
    """One household with who lives there now."""
    async with context.database.read(admitted.community) as session:
        household = await households.get_household(session, admitted.community, household_id)
    return _shown(admitted, household)
