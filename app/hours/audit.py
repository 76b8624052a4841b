"""Checks that service records, their decisions and the ledger tell the same story."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from app.communities.service import communities_by_number
from app.hours import store
from app.hours.rules import ServiceRecord, award, deposit, evidence_of, withdrawal
from app.ledger import Act, Booked, Claims, Discrepancy
from app.volunteers.rules import with_debts_merged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.communities.rules import Community
    from app.hours.rules import Correction, EarningRule
    from app.ledger import Books, Stretch

KINDS = frozenset({"deposit", "correction"})
"""The kinds of transactions that service records account for."""


class Audit:
    """Every award worked out again in the order of approval, and records beside their decisions and postings."""

    def __init__(self, books: Books) -> None:
        """Begin with nothing compared."""
        self._books = books
        self._deposits = Claims("deposit-without-record", frozenset({"deposit"}))
        self._corrections = Claims("correction-without-record", frozenset({"correction"}))
        self._found: list[Discrepancy] = []
        self._counted = _Counted()
        self._of_community: tuple[Community, dict[UUID, EarningRule]] | None = None

    async def step(self, stretch: Stretch) -> None:
        """Compare what a stretch approved and corrected, and name its transactions that are without a record."""
        home, rules = self._of_community = self._of_community or await self._load()
        approved = await store.approved_in(self._books.session, stretch)
        for record in approved:
            self._found += _wrong_date(record, home)
            self._found += _wrong_award(record, rules, self._counted)
            self._found += _wrong_deposit(record, stretch.booked.get(record.transaction_id or 0))
        self._deposits.hold(stretch, [record.transaction_id for record in approved if record.transaction_id])
        corrected = await store.corrected_in(self._books.session, stretch)
        numbers = []
        for record in corrected:
            if record.correction:
                number = record.correction.transaction_id
                numbers.append(number)
                self._found += _wrong_correction(record, record.correction, stretch.booked.get(number))
        self._corrections.hold(stretch, numbers)

    async def _load(self) -> tuple[Community, dict[UUID, EarningRule]]:
        session, community = self._books.session, self._books.community
        home = (await session.ask(communities_by_number(session.dialect, [community])))[community]
        versions = await session.ask(store.load_rules(session.dialect, [community]))
        return home, {rule.id: rule for listed in versions.values() for rule in listed}

    async def finish(self) -> list[Discrepancy]:
        """Compare statuses with decisions, and give what disagreed."""
        undecided = [
            Discrepancy("status-without-decision", f"service-record/{one}", f"status {status}, decision {decision}")
            for one, status, decision in await store.undecided(self._books.session, self._books.community)
        ]
        return [*undecided, *self._found, *self._deposits.finish(), *self._corrections.finish()]


@dataclass(slots=True)
class _Counted:
    """The minutes that counted on each day and in each kind, as they were when a record was approved."""

    minutes: dict[tuple[UUID, str, dt.date], int] = field(default_factory=lambda: defaultdict(int))
    leaving: list[tuple[int, tuple[UUID, str, dt.date], int]] = field(default_factory=list)

    def before(self, record: ServiceRecord) -> int:
        """Minutes that counted on the record's day when it was approved; corrected by then, they count no more."""
        while self.leaving and self.leaving[0][0] < (record.transaction_id or 0):
            _, day, minutes = heappop(self.leaving)
            self.minutes[day] -= minutes
        return self.minutes[_day(record)]

    def add(self, record: ServiceRecord, minutes: int) -> None:
        """Count an approved record, until it is corrected."""
        self.minutes[_day(record)] += minutes
        if record.correction:
            heappush(self.leaving, (record.correction.transaction_id, _day(record), minutes))


def _day(record: ServiceRecord) -> tuple[UUID, str, dt.date]:
    return record.volunteer_id, record.facts.service_kind, record.service_date


def _wrong_award(record: ServiceRecord, rules: Mapping[UUID, EarningRule], counted: _Counted) -> Sequence[Discrepancy]:
    if record.award is None:
        return [Discrepancy("award-missing", f"service-record/{record.id}", "approved without an award")]
    rule = rules.get(record.award.earning_rule_id) if record.award.earning_rule_id else None
    expected = award(rule, record.facts.minutes, counted.before(record))
    counted.add(record, record.award.minutes_counted)
    if record.award == expected:
        return []
    return [Discrepancy("award-wrong", f"service-record/{record.id}", f"stored {record.award}, expected {expected}")]


def _wrong_date(record: ServiceRecord, community: Community) -> Sequence[Discrepancy]:
    expected = community.local_date(record.facts.started_at)
    if record.service_date == expected:
        return []
    detail = f"stored {record.service_date}, expected {expected}"
    return [Discrepancy("service-date-wrong", f"service-record/{record.id}", detail)]


def _wrong_deposit(record: ServiceRecord, posted: Booked | None) -> list[Discrepancy]:
    """What approving should have posted, by whom and when, and for which record as it stands."""
    expected = Booked("deposit", _reference(record), dict(deposit(record)))
    wrong = _wrong_posting(record, posted, expected)
    if posted is None:
        return wrong
    if not posted.stands_for(evidence_of(record)):
        wrong.append(Discrepancy("evidence-differs", f"service-record/{record.id}", "it is not what was approved"))
    return wrong + _wrong_act(record, posted, Act(record.verified_by, record.verified_at))


def _wrong_correction(record: ServiceRecord, correction: Correction, posted: Booked | None) -> list[Discrepancy]:
    """What correcting should have posted, by whom, when and why."""
    wrong = _wrong_posting(record, posted, Booked("correction", _reference(record), dict(withdrawal(record))))
    if posted is None:
        return wrong
    return wrong + _wrong_act(record, posted, Act(correction.corrected_by, correction.corrected_at, correction.reason))


def _wrong_act(record: ServiceRecord, posted: Booked, decided: Act) -> list[Discrepancy]:
    if posted.act == decided:
        return []
    detail = f"{posted.kind}: posted {posted.act}, decided {decided}"
    return [Discrepancy("decision-differs", f"service-record/{record.id}", detail)]


def _reference(record: ServiceRecord) -> str:
    return f"service-records/{record.id}"


def _wrong_posting(record: ServiceRecord, posted: Booked | None, expected: Booked) -> list[Discrepancy]:
    if posted == expected or (posted is not None and _merged(posted) == expected):
        return []
    return [Discrepancy("posting-wrong", f"service-record/{record.id}", f"posted {posted}, expected {expected}")]


def _merged(posted: Booked) -> Booked:
    return replace(posted, movements=with_debts_merged(posted.movements))
