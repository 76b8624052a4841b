"""What a need is, and how needs that wait are counted by their age."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.volunteers.rules import masked_phone

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

COMPLAINT = "complaint"

OPEN = "open"
PLANNED = "planned"
ANSWERED = "answered"
WITHDRAWN = "withdrawn"

TOLD_OF = (PLANNED, ANSWERED)
"""What whoever asked is told of."""

YOUNG_BELOW = dt.timedelta(days=7)
OLD_ABOVE = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked, when it is nobody registered."""

    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a need; `reason` is the answer, or why it was withdrawn, `activity_id` what it became."""

    status: str
    decided_by: str
    decided_at: datetime
    activity_id: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """When, by whom and how whoever asked was told."""

    told_by: str
    told_at: datetime
    channel: str


@dataclass(frozen=True, slots=True)
class Need:
    """A resident's need or complaint. Who asked is a volunteer, a beneficiary, somebody else, or not said.

    Its texts are sealed under the key of that person; of an `erased` one they cannot be read any more. So is its place,
    which is often a home, but for a complaint's: those are counted by it.
    """

    id: UUID
    community: int
    number: int
    kind: str
    category: str
    place: str | None
    text: str | None
    asker: Asker | None
    anonymous: bool
    volunteer_id: UUID | None
    beneficiary_id: UUID | None
    filed_by: str
    filed_at: datetime
    decision: Decision | None = None
    telling: Telling | None = None
    erased: bool = False

    @property
    def status(self) -> str:
        """What became of it."""
        return self.decision.status if self.decision else OPEN

    @property
    def counted_place(self) -> str | None:
        """The place as far as it is nobody's own: a complaint's."""
        return self.place if self.kind == COMPLAINT else None

    @property
    def person_id(self) -> UUID:
        """Whose key its texts are sealed under: the registered person's, else one that is the need's own."""
        return self.volunteer_id or self.beneficiary_id or self.id


@dataclass(frozen=True, slots=True)
class Ages:
    """How many needs are open, by how long they have been, and since when the oldest is."""

    under_7_days: int
    from_7_to_30_days: int
    over_30_days: int
    oldest_at: datetime | None


def masked(asker: Asker) -> Asker:
    """Who asked as lists show it: no whole phone."""
    return Asker(asker.name, asker.phone and masked_phone(asker.phone))
