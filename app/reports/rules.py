"""What an audit is that was asked for, how far it can be, and what stands in reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from datetime import datetime
    from uuid import UUID

PENDING = "pending"
RUNNING = "running"
DONE = "done"
FAILED = "failed"

ENDED = (DONE, FAILED)


DAYS_MAX = 366
"""How many days a report is of at most."""


class Month(NamedTuple):
    """A month, or what of it a report is of; both days are of it."""

    name: str
    first: dt.date
    last: dt.date


class HoursOfMonth(NamedTuple):
    """What was served of a kind in a month, by approved records."""

    month: str
    service_kind: str
    records: int
    minutes: int
    points: int
    volunteers: int


class DutyOfMonth(NamedTuple):
    """How long members of a department were on duty in a month, on a team; None for who was on none."""

    month: str
    team_id: UUID | None
    team: str | None
    department_id: UUID | None
    department: str | None
    members: int
    attendances: int
    minutes: int


class UseOfMonth(NamedTuple):
    """How a site's pitches were used in a month: on all its shifts together, and by how many vendors."""

    month: str
    site_id: UUID
    site: str
    shifts: int
    offered: int
    taken: int
    attended: int
    vendors: int


def months_of(first: dt.date, last: dt.date) -> list[Month]:
    """The months from one day to another, both included; the first and the last may be parts of theirs."""
    found = []
    while first <= last:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        found.append(Month(f"{first:%Y-%m}", first, min(last, following - timedelta(days=1))))
        first = following
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """A discrepancy as it is kept: the check that found it, where, and the numbers involved."""

    check: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit that was asked for. Of one that is done, everything up to `last_transaction_id` was checked.

    `discrepancies` are the first thousand of `discrepancies_count`; both are None before the end.
    """

    id: UUID
    community: int
    requested_by: str
    requested_at: datetime
    status: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    last_transaction_id: int | None = None
    discrepancies_count: int | None = None
    discrepancies: tuple[Found, ...] | None = None
