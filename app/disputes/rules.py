"""Disputes, pure: their states, until when they are to be answered, and where an upheld one is set right."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

OPEN = "open"
UPHELD = "upheld"
REJECTED = "rejected"
WITHDRAWN = "withdrawn"

ANSWER_WITHIN_WORKING_DAYS = 10
"""A dispute is to be answered by the end of this working day after the day on which it was filed."""


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a dispute: its status from then on, by whom, when and why (None: nothing was said, or erased)."""

    status: str
    taken_by: str
    taken_at: dt.datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A volunteer's objection to a service record or to a transaction of the ledger (one of the two).

    `reference` is what it is about, as a path below the community. The first step is the filing. Of an `erased`
    volunteer no reason can be read any more.
    """

    id: UUID
    community: int
    number: int
    volunteer_id: UUID
    service_record_id: UUID | None
    transaction_id: int | None
    reference: str
    due_at: dt.datetime
    status: str
    steps: tuple[Step, ...]
    erased: bool = False

    @property
    def contested(self) -> UUID | int | None:
        """The record or the transaction."""
        return self.service_record_id or self.transaction_id

    def overdue_at(self, moment: dt.datetime) -> bool:
        """Whether it should have been answered by a moment."""
        return self.status == OPEN and self.due_at <= moment

    @property
    def next_step(self) -> str | None:
        """Where an upheld dispute is set right, as a path below the community; upholding itself moves no unit."""
        noun = self.reference.partition("/")[0]
        return _remedies[noun].format(self.reference) if self.status == UPHELD and noun in _remedies else None


_remedies = {
    "service-records": "{}/correction",
    "redemptions": "{}/return",
    "transfers": "transfers",
}


def due_at(filed_on: dt.date, timezone: str, is_working_day: Callable[[dt.date], bool]) -> dt.datetime:
    """The end, by the community's calendar, of the last day on which a dispute of `filed_on` is answered in time."""
    day, working = filed_on, 0
    while working < ANSWER_WITHIN_WORKING_DAYS:
        day += dt.timedelta(days=1)
        working += is_working_day(day)
    after = day + dt.timedelta(days=1)
    return dt.datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(timezone)).astimezone(dt.UTC)
