"""Why goods are not reserved or not handed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    import datetime as dt


PERSON = "person"
HOUSEHOLD = "household"


@dataclass(frozen=True, slots=True)
class LimitReached(Refusal):
    """The person or the household (`per`) has had as many of an article as the period allows."""

    code: ClassVar[str] = "limit-reached"
    goods: str
    per: str
    limit: int
    taken: int
    needed: int
    period_from: dt.date
    period_to: dt.date

    @property
    def detail(self) -> str:
        """Say what is left."""
        return (
            f"{self.limit} of {self.goods} may be redeemed per {self.per} from {self.period_from} to {self.period_to};"
            f" {self.taken} have been, {self.needed} were asked for."
        )


@dataclass(frozen=True, slots=True)
class WrongPickupCode(Refusal):
    """The code is not the one of this redemption."""

    code: ClassVar[str] = "wrong-pickup-code"

    @property
    def detail(self) -> str:
        """Say what to check."""
        return "This is not the pickup code of this redemption."


@dataclass(frozen=True, slots=True)
class RedemptionNotOpen(Refusal):
    """The redemption is not reserved any more."""

    code: ClassVar[str] = "redemption-not-open"
    redemption_status: str

    @property
    def detail(self) -> str:
        """Say what it is."""
        return f"The redemption is {self.redemption_status}; only a reserved one can be collected or cancelled."


@dataclass(frozen=True, slots=True)
class RedemptionNotCollected(Refusal):
    """Nothing was handed over that could be returned, or it was returned before."""

    code: ClassVar[str] = "redemption-not-collected"
    redemption_status: str

    @property
    def detail(self) -> str:
        """Say what it is, and what to do with what is still held."""
        only = f"The redemption is {self.redemption_status}; only a collected one can be returned."
        return f"{only} Cancel it instead." if self.redemption_status == "reserved" else only
