"""Checks that service records, their decisions and the ledger tell the same story."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from app import ledger
from app.communities.rules import MINUTES_GIVEN, POINTS_ISSUED
from app.hours import store
from app.hours.rules import APPROVED, ServiceRecord, award
from app.ledger import Discrepancy
from app.volunteers.rules import minutes_account, points_account

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.hours.rules import EarningRule
    from app.kernel.database import Session
    from app.ledger import Line

_records_per_step = 500


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Recompute every award in the order of approval, and compare records with decisions and postings."""
    found = [
        Discrepancy("status-without-decision", f"service-record/{record_id}", f"status {status}, decision {decision}")
        for record_id, status, decision in await store.undecided(session, community)
    ]
    versions = await store.load_rules(session, [community])
    rules = {rule.id: rule for listed in versions.values() for rule in listed}
    counted: dict[tuple[UUID, str, dt.date], int] = defaultdict(int)
    after, approvals = 0, 0
    while records := await store.approved_after(session, community, after=after, limit=_records_per_step):
        numbers = [record.transaction_id for record in records if record.transaction_id is not None]
        lines = await ledger.lines_of_transactions(session, community, numbers)
        for record in records:
            found += _wrong_award(record, rules, counted)
            found += _wrong_posting(record, lines.get(record.transaction_id or 0, []))
        approvals += len(records)
        after = numbers[-1]
    deposits = (await ledger.count_by_kind(session, community)).get("deposit", 0)
    if deposits != approvals:
        found.append(Discrepancy("deposit-without-record", "community", f"deposits {deposits}, approvals {approvals}"))
    return found


def _wrong_award(
    record: ServiceRecord, rules: Mapping[UUID, EarningRule], counted: dict[tuple[UUID, str, dt.date], int]
) -> Sequence[Discrepancy]:
    if record.award is None:
        return [Discrepancy("award-missing", f"service-record/{record.id}", "approved without an award")]
    rule = rules.get(record.award.earning_rule_id) if record.award.earning_rule_id else None
    day = (record.volunteer_id, record.facts.service_kind, record.service_date)
    expected = award(rule, record.facts.minutes, counted[day])
    if record.status == APPROVED:
        counted[day] += record.award.minutes_counted
    if record.award == expected:
        return []
    return [Discrepancy("award-wrong", f"service-record/{record.id}", f"stored {record.award}, expected {expected}")]


def _wrong_posting(record: ServiceRecord, lines: Sequence[Line]) -> Sequence[Discrepancy]:
    minutes, points = record.facts.minutes, record.award.points if record.award else 0
    expected = {MINUTES_GIVEN: -minutes, minutes_account(record.volunteer_id): minutes}
    if points:
        expected |= {POINTS_ISSUED: -points, points_account(record.volunteer_id): points}
    posted = {line.account: line.amount for line in lines}
    named = {line.reference for line in lines} == {f"service-records/{record.id}"}
    if posted == expected and named:
        return []
    return [Discrepancy("posting-wrong", f"service-record/{record.id}", f"posted {posted}, expected {expected}")]
