"""Checks that service records, their decisions and the ledger tell the same story."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from app import ledger
from app.communities.service import communities_by_number
from app.hours import store
from app.hours.rules import ServiceRecord, award, deposit, evidence_of, withdrawal
from app.ledger import Booked, Discrepancy
from app.volunteers.rules import with_debts_merged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.communities.rules import Community
    from app.hours.rules import EarningRule
    from app.kernel.database import Session

KINDS = frozenset({"deposit", "correction"})
"""The kinds of transactions that service records account for."""

_records_per_step = 500


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Recompute every award in the order of approval, and compare records with decisions and postings."""
    found = [
        Discrepancy("status-without-decision", f"service-record/{record_id}", f"status {status}, decision {decision}")
        for record_id, status, decision in await store.undecided(session, community)
    ]
    home = (await session.ask(communities_by_number(session.dialect, [community])))[community]
    versions = await session.ask(store.load_rules(session.dialect, [community]))
    rules = {rule.id: rule for listed in versions.values() for rule in listed}
    counted = _Counted()
    after, approvals, corrections = 0, 0, 0
    while records := await store.approved_after(session, community, after=after, limit=_records_per_step):
        numbers = [record.transaction_id for record in records if record.transaction_id is not None]
        taken_back = [record.correction.transaction_id for record in records if record.correction]
        booked = await ledger.booked(session, community, [*numbers, *taken_back])
        for record in records:
            found += _wrong_date(record, home)
            found += _wrong_award(record, rules, counted)
            found += _wrong_posting(record, booked)
            found += _wrong_evidence(record, booked)
        approvals += len(records)
        corrections += len(taken_back)
        after = numbers[-1]
    posted = await ledger.count_by_kind(session, community)
    for kind, stored in (("deposit", approvals), ("correction", corrections)):
        if posted.get(kind, 0) != stored:
            detail = f"posted {posted.get(kind, 0)}, stored {stored}"
            found.append(Discrepancy(f"{kind}-without-record", "community", detail))
    return found


def _wrong_evidence(record: ServiceRecord, booked: Mapping[int, Booked]) -> list[Discrepancy]:
    """A record that says something else than when it earned."""
    posted = booked.get(record.transaction_id or 0)
    if posted is None or posted.stands_for(evidence_of(record)):
        return []
    return [Discrepancy("evidence-differs", f"service-record/{record.id}", "it is not what was approved")]


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


def _wrong_posting(record: ServiceRecord, booked: Mapping[int, Booked]) -> Sequence[Discrepancy]:
    reference = f"service-records/{record.id}"
    expected = {record.transaction_id: Booked("deposit", reference, dict(deposit(record)))}
    if record.correction:
        expected[record.correction.transaction_id] = Booked("correction", reference, dict(withdrawal(record)))
    found = []
    for number, wanted in expected.items():
        posted = booked.get(number or 0)
        if posted is None or replace(posted, movements=with_debts_merged(posted.movements)) != wanted:
            detail = f"posted {posted}, expected {wanted}"
            found.append(Discrepancy("posting-wrong", f"service-record/{record.id}", detail))
    return found
