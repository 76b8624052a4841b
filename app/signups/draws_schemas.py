"""What draws look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.signups.rules import seed_of

if TYPE_CHECKING:
    from app.signups.rules import Draw


class LotModel(BaseModel):
    """What the draw gave to somebody who applied."""

    model_config = ConfigDict(title="Lot", from_attributes=True)

    position_id: UUID
    participant_id: UUID
    signup_id: UUID
    rank: int = Field(description="among those who applied for the position")
    seat: int | None = Field(description="a vendor's is the number of the pitch; null to who waits")


class DrawModel(BaseModel):
    """The draw (抽签) of a shift's seats."""

    model_config = ConfigDict(title="Draw")

    shift_id: UUID
    commitment: str = Field(description="SHA-256 of the secret, in hex: published when the shift was made")
    opened_at: datetime
    draws_at: datetime = Field(description="who applies before takes part")
    drawn_at: datetime | None
    drawn_by: str | None
    secret: str | None = Field(description="32 bytes in hex; null until it was drawn")
    seed: str | None = Field(description="SHA-256 of the secret and all applicants' ids, in hex; null until then")
    applicants: list[UUID] = Field(description="who has applied so far, or took part; ascending")
    lots: list[LotModel] = Field(description="by position and rank; empty until then")

    @classmethod
    def of(cls, draw: Draw) -> DrawModel:
        """Show a draw."""
        return cls(
            shift_id=draw.shift_id,
            commitment=draw.commitment,
            opened_at=draw.opened_at,
            draws_at=draw.draws_at,
            drawn_at=draw.drawn_at,
            drawn_by=draw.drawn_by,
            secret=draw.secret,
            seed=draw.secret and seed_of(bytes.fromhex(draw.secret), draw.applicants).hex(),
            applicants=list(draw.applicants),
            lots=[LotModel.model_validate(one) for one in draw.lots],
        )
