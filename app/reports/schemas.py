"""What the ledger and the events look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.http.pages import PageModel
from app.ledger import Discrepancy
from app.reports.rules import Audit, Found


class EntryModel(BaseModel):
    """A movement on one account, with the account's balance after it."""

    model_config = ConfigDict(title="LedgerEntry", from_attributes=True)

    account: str
    unit: str
    amount: int
    version: int
    balance_after: int


class TransactionModel(BaseModel):
    """A transaction: entries that sum to zero for every unit. Its id is its number in the community."""

    model_config = ConfigDict(title="LedgerTransaction", from_attributes=True)

    id: int
    kind: str
    posted_at: datetime
    posted_by: str
    reference: str = Field(description="what it stands for, as a path below the community")
    reverses: int | None
    reason: str | None
    entries: list[EntryModel]


class TransactionPage(PageModel[TransactionModel]):
    """A page of transactions."""


class AccountModel(BaseModel):
    """An account with what it holds."""

    model_config = ConfigDict(title="LedgerAccount")

    account: str
    unit: str
    balance: int
    version: int


class AccountPage(PageModel[AccountModel]):
    """A page of accounts."""


class UnitModel(BaseModel):
    """The sum of all balances of one unit: zero, always."""

    model_config = ConfigDict(title="UnitSum", from_attributes=True)

    unit: str
    sum: int
    accounts: int


class TrialBalanceModel(BaseModel):
    """The trial balance of a community."""

    model_config = ConfigDict(title="TrialBalance")

    units: list[UnitModel]


class DiscrepancyModel(BaseModel):
    """One thing that does not agree: the check that found it, where, and the numbers involved."""

    model_config = ConfigDict(title="Discrepancy")

    check: str
    subject: str
    detail: str
    cause: Literal["tampering", "tampering-or-bug"] = Field(
        description="`tampering` contradicts what was sealed or signed; what only disagrees with itself may be a bug"
    )

    @classmethod
    def of(cls, found: Found) -> DiscrepancyModel:
        """Show what an audit found."""
        whole = Discrepancy(found.check, found.subject, found.detail)
        return cls(check=whole.check, subject=whole.subject, detail=whole.detail, cause=whole.cause)


class AuditModel(BaseModel):
    """An audit of a community's ledger and of everything that rests on it."""

    model_config = ConfigDict(title="Audit")

    id: UUID
    status: Literal["pending", "running", "done", "failed"]
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_transaction_id: int | None = Field(description="everything up to this transaction was checked; 0: none yet")
    discrepancies_count: int | None = Field(description="how many were found; null until the audit is done")
    discrepancies: list[DiscrepancyModel] | None = Field(description="the first thousand; null until it is done")

    @classmethod
    def of(cls, audit: Audit) -> AuditModel:
        """Show an audit."""
        found = audit.discrepancies
        return cls(
            id=audit.id,
            status=audit.status,
            requested_by=audit.requested_by,
            requested_at=audit.requested_at,
            started_at=audit.started_at,
            finished_at=audit.finished_at,
            last_transaction_id=audit.last_transaction_id,
            discrepancies_count=audit.discrepancies_count,
            discrepancies=None if found is None else [DiscrepancyModel.of(one) for one in found],
        )


class EventModel(BaseModel):
    """Something that happened: a type, a time and ids."""

    model_config = ConfigDict(title="Event", from_attributes=True)

    number: int
    type: str = Field(examples=["service_record.approved"])
    occurred_at: datetime
    data: dict[str, Any] = Field(description="ids of what it concerns; nothing personal")


class EventPage(BaseModel):
    """Events in order. Ask again with the last number as `after`."""

    items: list[EventModel]
