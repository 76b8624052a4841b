"""What clients did and saw, with the times on their own clock: all that the judge goes by."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DONE = "done"
REFUSED = "refused"
UNKNOWN = "unknown"


@dataclass(slots=True)
class Act:
    """One effect that a client asked for, and its fate: done and refused are what an answer said, else nobody knows.

    `mark` is what only this effect carries in the database; `quantity` its minutes or points; `about` what else its row
    has to say, such as whose it is; `moves` the points that its transaction moves, by volunteer. What the answer said
    is `reference` (of what was made) and `transaction`, its number; `posted` says that it promised a transaction.
    """

    community: int
    kind: str
    mark: str
    quantity: int | None
    began: float
    ended: float = math.inf
    fate: str = UNKNOWN
    posted: bool = False
    about: Mapping[str, object] = field(default_factory=dict)
    moves: Mapping[str, int] = field(default_factory=dict)
    reference: str | None = None
    transaction: int | None = None

    def answered(self, reference: str, transaction: int | None = None) -> None:
        """Keep what the answer said was made, and the number of the transaction that it named, if it did."""
        self.reference, self.transaction = reference, transaction
        self.posted = self.posted or transaction is not None


@dataclass(slots=True)
class Sent:
    """A keyed request with the answer that decided it; `began` is when the attempt went out that got that answer."""

    town: int
    role: str
    path: str
    body: object
    key: str
    status: int
    content: bytes
    began: float


@dataclass(frozen=True, slots=True)
class Sight:
    """A balance that a client read: the points of a volunteer, and the version of the account."""

    community: int
    volunteer_id: str
    began: float
    ended: float
    version: int
    points: int


@dataclass
class History:
    """Everything of one round."""

    acts: list[Act] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def new_mark(self) -> str:
        """A text that no other effect carries."""
        return f"第{next(self._numbers)}件"

    def fates(self) -> Counter[str]:
        """How many acts ended how."""
        return Counter(act.fate for act in self.acts)
