"""What volunteers see of themselves."""

from __future__ import annotations

from functools import partial

from fastapi import Response

from app.access.guard import AdmittedDep
from app.http.answers import ReadyAnswer
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import OWN, hot, operation
from app.http.routes import Router
from app.volunteers import accounts, service
from app.volunteers.rules import with_masked_id
from app.volunteers.schemas import BalanceModel, StatementPage, VolunteerModel, balance_json, statement_json

router = Router(prefix="/v1/me", tags=["own data"])


@router.get(
    "",
    response_model=VolunteerModel,
    **operation(roles=OWN, summary="Read one's own data", problems=["volunteer-erased"]),
)
async def get_own_data(context: ContextDep, admitted: AdmittedDep) -> VolunteerModel:
    """The caller, with the ID number masked."""
    async with context.database.read(admitted.community) as session:
        volunteer = await service.get_volunteer(session, admitted.community, admitted.volunteer_id)
    return VolunteerModel.model_validate(with_masked_id(volunteer))


@router.get("/balance", response_model=BalanceModel, **operation(roles=OWN, summary="Read one's own balance"))
@hot
async def get_own_balance(context: ContextDep, admitted: AdmittedDep) -> Response:
    """What the caller holds now."""
    held = await context.reads.ask(
        accounts.get_balances, admitted.community, (admitted.community, admitted.volunteer_id)
    )
    return ReadyAnswer(balance_json(held))


@router.get(
    "/statement",
    response_model=StatementPage,
    **operation(roles=OWN, summary="Read one's own statement", problems=["invalid-cursor"]),
)
@hot
async def get_own_statement(listing: ListingDep, admitted: AdmittedDep) -> Response:
    """The caller's minutes and points with their balances after each line, newest first."""
    page = await listing.page_together(
        f"own-statement/{admitted.volunteer_id}",
        admitted.community,
        accounts.get_statements,
        partial(accounts.AskedStatement, admitted.community, admitted.volunteer_id),
    )
    return ReadyAnswer(statement_json(page))
