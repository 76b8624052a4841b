"""Routes of the ledger and the events."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app import ledger
from app.access.guard import AdmittedDep
from app.http.commands import created, submit
from app.http.context import ContextDep
from app.http.lists import LimitQuery, ListingDep
from app.http.operations import AUDITORS, EVENT_READERS, operation
from app.http.routes import Router
from app.kernel import events
from app.kernel.paging import limit_default
from app.reports import audits, service
from app.reports.schemas import (
    AccountModel,
    AccountPage,
    AuditModel,
    EventModel,
    EventPage,
    TransactionModel,
    TransactionPage,
    TrialBalanceModel,
    UnitModel,
)

router = Router(prefix="/v1/communities/{community_id}", tags=["ledger"])

_NUMBER_MAX = 2**53 - 1


@router.get(
    "/ledger/transactions",
    response_model=TransactionPage,
    **operation(roles=AUDITORS, summary="List transactions", problems=["invalid-cursor"]),
)
async def list_transactions(listing: ListingDep, admitted: AdmittedDep) -> TransactionPage:
    """Transactions with their entries, newest first."""
    page = await listing.page("transactions", admitted.community, service.list_transactions, place=lambda one: one.id)
    return TransactionPage.of(page, TransactionModel.model_validate)


@router.get(
    "/ledger/transactions/{transaction_id}",
    response_model=TransactionModel,
    **operation(roles=AUDITORS, summary="Read a transaction"),
)
async def get_transaction(
    transaction_id: Annotated[int, Path(ge=1, le=_NUMBER_MAX)], context: ContextDep, admitted: AdmittedDep
) -> TransactionModel:
    """One transaction with its entries."""
    async with context.database.read(admitted.community) as session:
        found = await service.get_transaction(session, admitted.community, transaction_id)
    return TransactionModel.model_validate(found)


@router.get(
    "/ledger/accounts",
    response_model=AccountPage,
    **operation(roles=AUDITORS, summary="List accounts", problems=["invalid-cursor"]),
)
async def list_accounts(listing: ListingDep, admitted: AdmittedDep) -> AccountPage:
    """Accounts with what they hold, in the order of their opening."""
    page = await listing.page("accounts", admitted.community, ledger.accounts, place=lambda row: row["account_number"])
    return AccountPage.of(
        page,
        lambda row: AccountModel(
            account=row["address"], unit=row["unit"], balance=row["balance"], version=row["version"]
        ),
    )


@router.get(
    "/ledger/trial-balance",
    response_model=TrialBalanceModel,
    **operation(roles=AUDITORS, summary="Read the trial balance"),
)
async def get_trial_balance(context: ContextDep, admitted: AdmittedDep) -> TrialBalanceModel:
    """The sum of all balances by unit; each is zero, or the ledger is broken."""
    async with context.database.read(admitted.community) as session:
        rows = await ledger.trial_balance(session, admitted.community)
    return TrialBalanceModel(units=[UnitModel(**row) for row in rows])


@router.post(
    "/ledger/audits",
    status_code=202,
    response_model=AuditModel,
    **operation(roles=AUDITORS, summary="Start an audit", keyed=True),
)
async def create_audit(request: Request, admitted: AdmittedDep) -> Response:
    """Have everything recomputed from the postings, while posting goes on. An audit that still waits is answered."""
    return await submit(
        request,
        admitted,
        body=None,
        item=audits.AuditRequest(admitted.community, admitted.caller_id),
        run=audits.request_audits,
        render=lambda audit: replace(created(request, audit.id, AuditModel.of(audit)), status=202),
    )


@router.get(
    "/ledger/audits/{audit_id}",
    response_model=AuditModel,
    **operation(roles=AUDITORS, summary="Read an audit"),
)
async def get_audit(audit_id: UUID, context: ContextDep, admitted: AdmittedDep) -> AuditModel:
    """How far an audit is, and in the end what it found."""
    async with context.database.read(admitted.community) as session:
        return AuditModel.of(await audits.get_audit(session, admitted.community, audit_id))


@router.get(
    "/events",
    response_model=EventPage,
    tags=["events"],
    **operation(roles=EVENT_READERS, summary="Read events"),
)
async def list_events(
    context: ContextDep,
    admitted: AdmittedDep,
    after: Annotated[int, Query(ge=0, le=_NUMBER_MAX, description="number of the last event read")] = 0,
    limit: LimitQuery = limit_default,
) -> EventPage:
    """Events after a number, in the order of commits; none ever appears behind a reader."""
    async with context.database.read(admitted.community) as session:
        found = await events.read_after(session, admitted.community, after=after, limit=limit)
    return EventPage(items=[EventModel.model_validate(event) for event in found])
