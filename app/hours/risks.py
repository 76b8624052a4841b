"""Which service records are worth a call to the volunteer, and a draw among them that anybody can repeat.

The draw is without replacement and weighted (Efraimidis and Spirakis, 2006). With `h` the first 52 bits of
SHA-256("SEED/SERVICE_RECORD_ID") and `u` = (h + 1/2) / 2^52, those records are drawn whose `-ln(u) / weight` is lowest.
That depends on the seed, the record's id (lower-case, with hyphens) and its weight alone: neither on the order in which
records are read nor on which others there are.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from app.hours.rules import DAY_MINUTES_FREE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from uuid import UUID

    from app.communities.rules import Community

TOGETHER_RECORDS_MIN = 10
TOGETHER_PERCENT_MIN = 90
NIGHT_FROM_HOUR, NIGHT_UNTIL_HOUR = 22, 6

WEIGHT_OF_ALL = 1
"""What each record weighs before any reason is added: nobody may rely on never being asked."""

_fraction_bits = 52


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record is drawn more often: a code, what it adds to the record's weight, and what it means."""

    code: str
    weight: int
    meaning: str


OVER_LONG_DAY = Reason(
    "over_long_day", 6, f"The volunteer's records of that day come to more than {DAY_MINUTES_FREE} minutes."
)
LATE = Reason("late", 4, "It was recorded more than ten working days after the service.")
ALWAYS_TOGETHER = Reason(
    "always_together",
    4,
    f"One verifier decides at least {TOGETHER_PERCENT_MIN} % of this recorder's records,"
    f" of which there are at least {TOGETHER_RECORDS_MIN}.",
)
AFTER_HOURS = Reason(
    "after_hours",
    2,
    f"It was recorded between {NIGHT_FROM_HOUR}:00 and {NIGHT_UNTIL_HOUR}:00, by the community's clock.",
)
CHANCE = Reason("chance", 0, "Nothing about it stands out: it was drawn by chance.")
REASONS = (OVER_LONG_DAY, LATE, ALWAYS_TOGETHER, AFTER_HOURS)


class Observed(NamedTuple):
    """What of a live service record tells whether it is worth a call; `day_minutes` are the volunteer's of that day."""

    number: int
    id: UUID
    volunteer_id: UUID
    service_date: dt.date
    minutes: int
    late: bool
    recorded_by: str
    recorded_at: datetime
    verified_by: str | None
    day_minutes: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A record that was drawn: those with the lowest `key` are, and `reasons` say why this one weighs what it does."""

    key: float
    record: Observed
    community: Community
    reasons: tuple[Reason, ...]

    @property
    def weight(self) -> int:
        """How much more often it is drawn than a record of which nothing stands out."""
        return weight_of(self.reasons)


def weight_of(reasons: Iterable[Reason]) -> int:
    """Add up what a record weighs."""
    return WEIGHT_OF_ALL + sum(reason.weight for reason in reasons)


def always_together(decided: Iterable[tuple[str, str, int]]) -> frozenset[tuple[str, str]]:
    """Find (recorder, verifier) who are always together, by how many records of whom each decided.

    Who verifies their own, as where a community trusts its recorders, is no pair.
    """
    counts = Counter[tuple[str, str]]()
    for recorder, verifier, records in decided:
        counts[recorder, verifier] += records
    by_recorder = Counter[str]()
    for (recorder, _), records in counts.items():
        by_recorder[recorder] += records
    return frozenset(
        (recorder, verifier)
        for (recorder, verifier), records in counts.items()
        if recorder != verifier
        and by_recorder[recorder] >= TOGETHER_RECORDS_MIN
        and records * 100 >= by_recorder[recorder] * TOGETHER_PERCENT_MIN
    )


def reasons_of(record: Observed, community: Community, together: Collection[tuple[str, str]]) -> tuple[Reason, ...]:
    """Say what about a record stands out; nothing does about most."""
    hour = community.local_hour(record.recorded_at)
    holds = {
        OVER_LONG_DAY: record.day_minutes > DAY_MINUTES_FREE,
        LATE: record.late,
        ALWAYS_TOGETHER: record.verified_by is not None and (record.recorded_by, record.verified_by) in together,
        AFTER_HOURS: hour >= NIGHT_FROM_HOUR or hour < NIGHT_UNTIL_HOUR,
    }
    return tuple(reason for reason in REASONS if holds[reason])


def key_of(seed: int, record_id: UUID, weight: int) -> float:
    """Give a record's place in the draw with this seed; the lowest keys are drawn."""
    digest = sha256(f"{seed}/{record_id}".encode()).digest()
    steps = int.from_bytes(digest[:8]) >> (64 - _fraction_bits)
    return -math.log((steps + 0.5) / 2**_fraction_bits) / weight


def lowest(drawn: Iterable[Drawn], size: int) -> list[Drawn]:
    """Keep those that are drawn, in the order of the draw."""
    return nsmallest(size, drawn, key=lambda one: (one.key, one.record.id))


def drawn_as(record: Observed, community: Community, together: Collection[tuple[str, str]], *, seed: int) -> Drawn:
    """Put a record into the draw."""
    reasons = reasons_of(record, community, together)
    return Drawn(key_of(seed, record.id, weight_of(reasons)), record, community, reasons or (CHANCE,))
