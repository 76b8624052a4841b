"""Hours, pure: what a service record must be, what overlaps, when it is late, and what it earns and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from app.communities.rules import MINUTES_GIVEN, POINTS_ISSUED
from app.volunteers.rules import minutes_account, points_account

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

DAY_MINUTES_FREE = 480
"""More live minutes than these on a local date make a record wait for a manager."""

LATE_AFTER_WORKING_DAYS = 10
LONGEST = dt.timedelta(hours=24)
# No place is further than this from UTC.
_zone_max = dt.timedelta(hours=14)

PENDING = "pending"
APPROVED = "approved"
REJECTED = "rejected"
CORRECTED = "corrected"
LIVE = (PENDING, APPROVED)


@dataclass(frozen=True, slots=True)
class ServiceFacts:
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


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service record: the facts, who recorded them, its status, and once decided by whom and with which award."""

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


@dataclass(frozen=True, slots=True)
class Known:
    """A live record near those to decide: when, how long, of which kind, and how many of its minutes counted."""

    id: UUID
    service_kind: str
    service_date: dt.date
    started_at: datetime
    ended_at: datetime
    minutes: int
    minutes_counted: int


@dataclass(slots=True)
class Days:
    """A volunteer's live records around the dates of a batch; it grows as the batch is decided."""

    known: list[Known] = field(default_factory=list)

    def overlapping(self, started_at: datetime, ended_at: datetime) -> Known | None:
        """The earliest live record that shares more than a moment with this time; touching is not overlapping."""
        shared = [other for other in self.known if other.started_at < ended_at and started_at < other.ended_at]
        return min(shared, key=lambda other: (other.started_at, other.id), default=None)

    def would_be_over(self, date: dt.date, minutes: int) -> bool:
        """Whether so many minutes more, of whatever kind, make the local date longer than eight hours."""
        return minutes + sum(other.minutes for other in self.known if other.service_date == date) > DAY_MINUTES_FREE

    def replace(self, record: Known) -> None:
        """Put a record in the place of what was known of it."""
        self.known = [record if other.id == record.id else other for other in self.known]

    def forget(self, record_id: UUID) -> None:
        """Leave out a record that is live no more."""
        self.known = [other for other in self.known if other.id != record_id]

    def counted_on(self, date: dt.date, service_kind: str) -> int:
        """Minutes that earned points on a local date in a kind."""
        return sum(
            other.minutes_counted
            for other in self.known
            if other.service_date == date and other.service_kind == service_kind
        )


def known_of(record: ServiceRecord) -> Known:
    """What decisions about other records need to know of a record."""
    facts = record.facts
    counted = record.award.minutes_counted if record.award else 0
    return Known(
        record.id, facts.service_kind, record.service_date, facts.started_at, facts.ended_at, facts.minutes, counted
    )


def faults_of_times(started_at: datetime, ended_at: datetime, minutes: int) -> str | None:
    """What is wrong with a record's times: end not after start, over 24 hours, more minutes than between them."""
    if ended_at <= started_at:
        return "ended_at has to be after started_at"
    if ended_at - started_at > LONGEST:
        return "a service lasts 24 hours at most"
    if dt.timedelta(minutes=minutes) > ended_at - started_at:
        return "minutes are the time actually given, so not more than from started_at to ended_at"
    return None


def dates_near(facts: ServiceFacts) -> list[dt.date]:
    """The dates, in whatever time zone, on which a record that overlaps this one can begin, its own date among them."""
    first, last = (facts.started_at - LONGEST - _zone_max).date(), (facts.ended_at + _zone_max).date()
    return [first + dt.timedelta(days=shift) for shift in range((last - first).days + 1)]


def rule_in_force(versions: Sequence[EarningRule], on: dt.date) -> EarningRule | None:
    """The version with the latest `effective_from` up to a date; None before the first."""
    return max(
        (rule for rule in versions if rule.effective_from <= on), key=lambda rule: rule.effective_from, default=None
    )


def award(rule: EarningRule | None, minutes: int, counted_before: int) -> Award:
    """What a record earns when `counted_before` minutes of its day and kind counted already. Caps clip points alone."""
    if rule is None:
        return Award(None, 0, 0)
    counted, clipped = minutes, []
    caps = (
        ("minutes_per_record_max", rule.minutes_per_record_max),
        (
            "minutes_per_day_max",
            None if rule.minutes_per_day_max is None else rule.minutes_per_day_max - counted_before,
        ),
    )
    for cap, left in caps:
        if left is not None and counted > max(left, 0):
            clipped.append(Clip(cap, counted - max(left, 0)))
            counted = max(left, 0)
    return Award(rule.id, rule.points_per_hour * counted // 60, counted, tuple(clipped))


def deposit(record: ServiceRecord) -> tuple[tuple[str, int], ...]:
    """What approving moves: the minutes given, and the points of the award if it has any."""
    minutes, points = record.facts.minutes, record.award.points if record.award else 0
    movements = [(MINUTES_GIVEN, -minutes), (minutes_account(record.volunteer_id), minutes)]
    if points:
        movements += [(POINTS_ISSUED, -points), (points_account(record.volunteer_id), points)]
    return tuple(movements)


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
