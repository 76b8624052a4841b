"""What transfers look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict

from app.http.fields import Paragraph, Positive, RequestModel
from app.http.pages import PageModel
from app.http.receipts import ReceiptField
from app.transfers.rules import Transfer
from app.transfers.service import NewTransfer


class TransferNew(RequestModel):
    """Points to give: to the volunteer named, or to the community's pool."""

    from_volunteer_id: UUID
    to_volunteer_id: UUID | None = Field(None, description="who gets them (转赠); not together with `to_pool`")
    to_pool: Annotated[bool, Strict()] = Field(default=False, description="true: they go to the pool (捐赠)")
    points: Positive
    note: Paragraph | None = None

    def command(self, community: int, transferred_by: str) -> NewTransfer:
        """Make the command of it."""
        return NewTransfer(community=community, transferred_by=transferred_by, **self.model_dump())


class TransferModel(BaseModel):
    """A transfer of points (转赠 or 捐赠)."""

    model_config = ConfigDict(title="Transfer")

    id: UUID
    kind: Literal["gift", "donation"]
    from_volunteer_id: UUID
    to_volunteer_id: UUID | None = Field(description="null for a donation")
    to_pool: bool
    points: int
    note: str | None
    transferred_by: str
    transferred_at: datetime
    transaction_id: int
    receipt: ReceiptField = None

    @classmethod
    def of(cls, transfer: Transfer) -> TransferModel:
        """Show a transfer."""
        return cls(
            id=transfer.id,
            kind=transfer.kind,
            from_volunteer_id=transfer.from_volunteer_id,
            to_volunteer_id=transfer.to_volunteer_id,
            to_pool=transfer.to_volunteer_id is None,
            points=transfer.points,
            note=transfer.note,
            transferred_by=transfer.transferred_by,
            transferred_at=transfer.transferred_at,
            transaction_id=transfer.transaction_id,
        )


class TransferPage(PageModel[TransferModel]):
    """A page of transfers."""
