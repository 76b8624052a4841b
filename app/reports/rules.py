"""What an audit is that was asked for, and how far it can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

PENDING = "pending"
RUNNING = "running"
DONE = "done"
FAILED = "failed"

ENDED = (DONE, FAILED)


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
