"""Hours, pure: what a service record must be, what overlaps, when it is late, and what it earns and why."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, insort
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from app.communities.rules import MINUTES_GIVEN, POINTS_ISSUED
from app.kernel.canonical import canonical
from app.volunteers.rules import minutes_account, points_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

DAY_MINUTES_FREE = 480
"""More live minutes than these on a local date make a record wait for a manager."""

LATE_AFTER_WORKING_DAYS = 10
LONGEST = dt.timedelta(hours=24)
_no_time, _minute = dt.timedelta(0), dt.timedelta(minutes=1)
# No place is further than this from UTC.
_zone_max = dt.timedelta(hours=14)
_reaching_back = LONGEST + _zone_max

PENDING = "pending"
APPROVED = "approved"
REJECTED = "rejected"
CORRECTED = "corrected"
LIVE = (PENDING, APPROVED)


class ServiceFacts(NamedTuple):
    """The facts of one service (Ministry of Civil Affairs order 67, article 7), apart from whose they are."""

    service_kind: str
    activity_name: str
    place: str
    content: str
    organiser: str
    started_at: datetime
    ended_at: datetime
    minutes: int
    recorder_name: str | None = None
    external_ids: tuple[tuple[str, str], ...] = ()
    beneficiary_id: UUID | None = None
    shift_id: UUID | None = None


def origin_of(facts: ServiceFacts) -> dict[str, UUID]:
    """Whom a service was for and the shift that it was given in, as far as it says so.

    Nothing that was written down before records could say so mentions either.
    """
    said = {"beneficiary_id": facts.beneficiary_id, "shift_id": facts.shift_id}
    return {name: value for name, value in said.items() if value is not None}


def content_of(facts: ServiceFacts) -> dict[str, Any]:
    """What makes two records under one reference the same."""
    values = facts._asdict()
    del values["beneficiary_id"], values["shift_id"]
    return {**values, **origin_of(facts)}


@dataclass(frozen=True, slots=True)
class EarningRule:
    """A version of a service kind's rule: points an hour from a local date on, with its caps in minutes."""

    id: UUID
    number: int
    version: int
    service_kind: str
    points_per_hour: int
    effective_from: dt.date
    minutes_per_record_max: int | None
    minutes_per_day_max: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Clip:
    """How many minutes a cap left uncounted."""

    cap: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Award:
    """What a record earned and why: the rule's version, the minutes that counted, the points, what was clipped."""

    earning_rule_id: UUID | None
    points: int
    minutes_counted: int
    clipped: tuple[Clip, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """Why an approved record was taken back, by whom, with which transaction, and the record that replaces it."""

    reason: str
    corrected_by: str
    corrected_at: datetime
    transaction_id: int
    replacement_id: UUID | None


@dataclass(slots=True)
class ServiceRecord:
    """A service record: the facts, who recorded them, its status, and once decided by whom and with which award.

    It gets its number and its transaction as it is stored, once each; otherwise a change makes another record.
    """

    id: UUID
    community: int
    number: int
    volunteer_id: UUID
    facts: ServiceFacts
    service_date: dt.date
    late: bool
    manager_required: bool
    recorded_by: str
    recorded_at: datetime
    status: str
    note: str | None = None
    verified_by: str | None = None
    verified_at: datetime | None = None
    award: Award | None = None
    transaction_id: int | None = None
    correction: Correction | None = None


def evidence_of(record: ServiceRecord) -> bytes:
    """Write what an approved record says: the transaction that it earned is bound to it."""
    facts, earned = record.facts, record.award
    return canonical(
        {
            "activity_name": facts.activity_name,
            "content": facts.content,
            "earning_rule_id": earned.earning_rule_id if earned else None,
            "ended_at": facts.ended_at,
            "external_ids": dict(facts.external_ids),
            "late": record.late,
            "minutes": facts.minutes,
            "minutes_counted": earned.minutes_counted if earned else None,
            "number": record.number,
            "organiser": facts.organiser,
            "place": facts.place,
            "points": earned.points if earned else None,
            "recorded_at": record.recorded_at,
            "recorded_by": record.recorded_by,
            "recorder_name": facts.recorder_name,
            "service_date": record.service_date,
            "service_kind": facts.service_kind,
            "service_record_id": record.id,
            "started_at": facts.started_at,
            "verified_by": record.verified_by,
            "volunteer_id": record.volunteer_id,
            **origin_of(facts),
        }
    )


class Known(NamedTuple):
    """A live record near those to decide: when, how long, of which kind, and how many of its minutes counted."""

    id: UUID
    service_kind: str
    service_date: dt.date
    started_at: datetime
    ended_at: datetime
    minutes: int
    minutes_counted: int


class Days:
    """A volunteer's live records around the dates of a batch; it grows as the batch is decided.

    Each question is answered without going through all of them, so that a long batch of one volunteer stays cheap.
    """

    __slots__ = ("_by_start", "_counted", "_minutes")

    def __init__(self, known: Iterable[Known] = ()) -> None:
        """Begin with the records that are known."""
        # In UTC, because moments of different zones are slow to compare.
        self._by_start: list[tuple[datetime, UUID, Known]] = []
        self._minutes: dict[dt.date, int] = {}
        self._counted: dict[tuple[dt.date, str], int] = {}
        for record in known:
            self.add(record)

    def add(self, record: Known) -> None:
        """Know one more live record."""
        insort(self._by_start, (record.started_at.astimezone(UTC), record.id, record))
        self._count(record, 1)

    def _count(self, record: Known, sign: int) -> None:
        date, kind = record.service_date, (record.service_date, record.service_kind)
        self._minutes[date] = self._minutes.get(date, 0) + sign * record.minutes
        self._counted[kind] = self._counted.get(kind, 0) + sign * record.minutes_counted

    def overlapping(self, started_at: datetime, ended_at: datetime) -> Known | None:
        """The earliest live record that shares more than a moment with this time; touching is not overlapping."""
        start, known = started_at.astimezone(UTC), self._by_start
        # What began longest ago of those that can last until now, up to what begins before the end.
        for place in range(bisect_left(known, (start - LONGEST,)), bisect_left(known, (ended_at.astimezone(UTC),))):
            other = known[place][2]
            if start < other.ended_at:
                return other
        return None

    def would_be_over(self, date: dt.date, minutes: int) -> bool:
        """Whether so many minutes more, of whatever kind, make the local date longer than eight hours."""
        return minutes + self._minutes.get(date, 0) > DAY_MINUTES_FREE

    def replace(self, record: Known) -> None:
        """Put a record in the place of what was known of it."""
        if self.forget(record.id) is not None:
            self.add(record)

    def forget(self, record_id: UUID) -> Known | None:
        """Leave out a record that is live no more, and give what was known of it."""
        for place, (_, other_id, record) in enumerate(self._by_start):
            if other_id == record_id:
                del self._by_start[place]
                self._count(record, -1)
                return record
        return None

    def counted_on(self, date: dt.date, service_kind: str) -> int:
        """Minutes that earned points on a local date in a kind."""
        return self._counted.get((date, service_kind), 0)


def known_of(record: ServiceRecord) -> Known:
    """What decisions about other records need to know of a record."""
    facts = record.facts
    counted = record.award.minutes_counted if record.award else 0
    return Known(
        record.id, facts.service_kind, record.service_date, facts.started_at, facts.ended_at, facts.minutes, counted
    )


def faults_of_times(started_at: datetime, ended_at: datetime, minutes: int) -> str | None:
    """What is wrong with a record's times: end not after start, over 24 hours, more minutes than between them."""
    lasted = ended_at - started_at
    if lasted <= _no_time:
        return "ended_at has to be after started_at"
    if lasted > LONGEST:
        return "a service lasts 24 hours at most"
    if minutes * _minute > lasted:
        return "minutes are the time actually given, so not more than from started_at to ended_at"
    return None


def days_near(facts: ServiceFacts) -> tuple[dt.date, dt.date]:
    """The first and last date, in whatever time zone, on which a record that overlaps this one can begin.

    Its own date is among those between.
    """
    return (facts.started_at - _reaching_back).date(), (facts.ended_at + _zone_max).date()


def dates_between(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """All dates from the first to the last."""
    return map(dt.date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def rule_in_force(versions: Sequence[EarningRule], on: dt.date) -> EarningRule | None:
    """The version with the latest `effective_from` up to a date; None before the first."""
    found = None
    for rule in versions:
        if rule.effective_from <= on and (found is None or found.effective_from < rule.effective_from):
            found = rule
    return found


def award(rule: EarningRule | None, minutes: int, counted_before: int) -> Award:
    """What a record earns when `counted_before` minutes of its day and kind counted already. Caps clip points alone."""
    if rule is None:
        return Award(None, 0, 0)
    counted, clipped = minutes, []
    of_record, of_day = rule.minutes_per_record_max, rule.minutes_per_day_max
    if of_record is not None and counted > of_record:
        clipped.append(Clip("minutes_per_record_max", counted - of_record))
        counted = of_record
    if of_day is not None and counted > (left := max(of_day - counted_before, 0)):
        clipped.append(Clip("minutes_per_day_max", counted - left))
        counted = left
    return Award(rule.id, rule.points_per_hour * counted // 60, counted, tuple(clipped))


def deposit(record: ServiceRecord) -> tuple[tuple[str, int], ...]:
    """What approving moves: the minutes given, and the points of the award if it has any."""
    minutes, points = record.facts.minutes, record.award.points if record.award else 0
    given = ((MINUTES_GIVEN, -minutes), (minutes_account(record.volunteer_id), minutes))
    if not points:
        return given
    return (*given, (POINTS_ISSUED, -points), (points_account(record.volunteer_id), points))


def withdrawal(record: ServiceRecord) -> tuple[tuple[str, int], ...]:
    """What correcting an approved record moves: the opposite of its deposit."""
    return tuple((address, -amount) for address, amount in deposit(record))


@lru_cache(maxsize=4096)
def is_late(ended_on: dt.date, recorded_on: dt.date, is_working_day: Callable[[dt.date], bool]) -> bool:
    """Whether a record came more than ten working days after the service."""
    working = 0
    day = ended_on
    while day < recorded_on and working <= LATE_AFTER_WORKING_DAYS:
        day += dt.timedelta(days=1)
        working += is_working_day(day)
    return working > LATE_AFTER_WORKING_DAYS
