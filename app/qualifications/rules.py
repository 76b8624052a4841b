"""What a qualification is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Revocation:
    """The end of a qualification before its time: it holds no more from the local date `on`."""

    on: dt.date
    revoked_at: datetime
    revoked_by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Qualification:
    """A volunteer's qualification as somebody checked it; it holds from its first to its last day, both included.

    Of an erased volunteer neither the certificate nor the reason of a revocation can be read any more.
    """

    id: UUID
    community: int
    number: int
    volunteer_id: UUID
    code: str
    certificate: str | None
    valid_from: dt.date
    valid_until: dt.date | None
    checked_by: str
    checked_at: datetime
    revocation: Revocation | None = None
    erased: bool = False


class Holding(NamedTuple):
    """A question: whether a volunteer holds the qualification with a code on a local date."""

    community: int
    volunteer_id: UUID
    code: str
    day: dt.date
