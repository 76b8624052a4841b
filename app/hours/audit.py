"""Checks that service records, their decisions and the ledger tell the same story."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from app import ledger
from app.communities.service import communities_by_number
from app.hours import store
from app.hours.rules import APPROVED, ServiceRecord, award, deposit
from app.ledger import Booked, Discrepancy
from app.volunteers.rules import with_debts_merged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.communities.rules import Community
    from app.hours.rules import EarningRule
    from app.kernel.database import Session

KINDS = frozenset({"deposit"})
"""The kinds of transactions that service records account for."""

_records_per_step = 500


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Recompute every award in the order of approval, and compare records with decisions and postings."""
    found = [
        Discrepancy("status-without-decision", f"service-record/{record_id}", f"status {status}, decision {decision}")
        for record_id, status, decision in await store.undecided(session, community)
    ]
    home = (await communities_by_number(session, [community]))[community]
    versions = await store.load_rules(session, [community])
    rules = {rule.id: rule for listed in versions.values() for rule in listed}
    counted: dict[tuple[UUID, str, dt.date], int] = defaultdict(int)
    after, approvals = 0, 0
    while records := await store.approved_after(session, community, after=after, limit=_records_per_step):
        numbers = [record.transaction_id for record in records if record.transaction_id is not None]
        booked = await ledger.booked(session, community, numbers)
        for record in records:
            found += _wrong_date(record, home)
            found += _wrong_award(record, rules, counted)
            found += _wrong_posting(record, booked.get(record.transaction_id or 0))
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


def _wrong_date(record: ServiceRecord, community: Community) -> Sequence[Discrepancy]:
    expected = community.local_date(record.facts.started_at)
    if record.service_date == expected:
        return []
    detail = f"stored {record.service_date}, expected {expected}"
    return [Discrepancy("service-date-wrong", f"service-record/{record.id}", detail)]


def _wrong_posting(record: ServiceRecord, posted: Booked | None) -> Sequence[Discrepancy]:
    expected = Booked("deposit", f"service-records/{record.id}", dict(deposit(record)))
    if posted and posted._replace(movements=with_debts_merged(posted.movements)) == expected:
        return []
    return [Discrepancy("posting-wrong", f"service-record/{record.id}", f"posted {posted}, expected {expected}")]
