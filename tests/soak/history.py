"""What clients did and saw, with the times on their own clock: all that the judge goes by."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, field

DONE = "done"
REFUSED = "refused"
UNKNOWN = "unknown"


@dataclass(slots=True)
class Act:
    """One effect that a client asked for, and its fate: done and refused are what an answer said, else nobody knows.

    `mark` is what only this effect carries in the database; `quantity` its minutes or points. `posted` says that the
    answer promised a transaction.
    """

    community: int
    kind: str
    mark: str
    quantity: int | None
    began: float
    ended: float = math.inf
    fate: str = UNKNOWN
    posted: bool = False


@dataclass(slots=True)
class Sent:
    """A keyed request with the answer that decided it."""

    town: int
    role: str
    path: str
    body: object
    key: str
    status: int
    content: bytes


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
