"""Hours: service kinds, earning rules, service records and their verification. What posts is written for many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from app import ledger
from app.beneficiaries.errors import UnknownBeneficiary
from app.beneficiaries.service import remembered_beneficiaries
from app.communities.rules import MINUTES_GIVEN, POINTS_ISSUED, RECORDER
from app.communities.service import communities_by_number
from app.hours import store
from app.hours.calendar import is_working_day
from app.hours.errors import (
    AlreadyVerified,
    ManagerRequired,
    OverlappingService,
    SelfVerification,
    UnknownServiceKind,
)
from app.hours.rules import (
    APPROVED,
    PENDING,
    REJECTED,
    Days,
    EarningRule,
    ServiceRecord,
    award,
    content_of,
    dates_between,
    days_near,
    deposit,
    evidence_of,
    is_late,
    known_of,
    rule_in_force,
)
from app.kernel.deciding import Before, Decided, Deciding, decide_rows, unreferenced
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.ledger import Account, Entry
from app.volunteers.errors import UnknownVolunteer
from app.volunteers.rules import debts_of, minutes_account, owed_account, points_account
from app.volunteers.service import consent_dates

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.communities.rules import Community
    from app.hours.rules import Award, ServiceFacts
    from app.hours.store import RecordKey
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.references import Seen
    from app.kernel.rows import Read

RESOURCE = "service_record"


class NewServiceRecord(NamedTuple):
    """A service to record. `alias` names the volunteer where the sender knows no id (a keyed hash of the phone)."""

    community: int
    volunteer_id: UUID | None
    facts: ServiceFacts
    recorded_by: str
    reference: str | None = None
    alias: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What makes two records under one reference the same."""
        return content_of(self.facts)


@dataclass(frozen=True, slots=True)
class Verification:
    """A decision about a record by a second principal; `manager` says whether the principal is one."""

    community: int
    service_record_id: UUID
    approve: bool
    verifier: str
    manager: bool
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Grounds:
    """All that decisions about a batch of records rest on; `days` grows as they are decided."""

    communities: Mapping[int, Community]
    kinds: set[tuple[int, str]]
    rules: Mapping[tuple[int, str], list[EarningRule]]
    consents: Mapping[tuple[int, UUID], dt.date]
    days: Mapping[tuple[int, UUID], Days]
    beneficiaries: Collection[tuple[int, UUID]]
    now: Mapping[int, datetime]
    today: Mapping[int, dt.date]


async def record_hours(session: Session, new: Sequence[NewServiceRecord]) -> list[Decided[ServiceRecord]]:
    """Record services in order: checked, kept pending or approved at once, and then posted.

    A row with a reference seen before is a replay or refused; what is invalid uses up no reference.
    """
    grounds = await load_grounds(session, new)
    deciding = Deciding(RESOURCE, partial(_decide, grounds), _store, store.load_records)
    return await decide_rows(session, new, deciding)


async def record_services(session: Session, new: Sequence[NewServiceRecord]) -> list[ServiceRecord | Refusal]:
    """Record services that carry no reference: for each the record or the refusal."""
    return unreferenced(await record_hours(session, new))


async def load_grounds(session: Session, new: Sequence[NewServiceRecord]) -> Grounds:
    """Load what decisions about these records rest on."""
    communities, kinds, rules, consents, days = await session.load(*_grounds(session.dialect, new))
    # Nearly no record names anybody, and then nothing is asked.
    beneficiaries = await remembered_beneficiaries(session, {one for item in new if (one := _to_look_up(item))})
    now = {number: session.now(number) for number in communities}
    today = {number: community.local_date(now[number]) for number, community in communities.items()}
    return Grounds(communities, kinds, rules, consents, days, beneficiaries, now, today)


def _to_look_up(item: NewServiceRecord) -> tuple[int, UUID] | None:
    """Whom a service was for, if anybody; a shift's activity was looked up as it was organised."""
    beneficiary_id = item.facts.beneficiary_id
    return None if beneficiary_id is None or item.facts.shift_id is not None else (item.community, beneficiary_id)


def reads_of_services(dialect: str, new: Sequence[NewServiceRecord]) -> list[Read[Any]]:
    """Give the questions that recording these services asks, when all of them earn points at once."""
    volunteers = {(item.community, item.volunteer_id) for item in new if item.volunteer_id is not None}
    accounts = [
        Account(community, address)
        for community, volunteer_id in volunteers
        for address in (
            MINUTES_GIVEN,
            POINTS_ISSUED,
            minutes_account(volunteer_id),
            points_account(volunteer_id),
            owed_account(volunteer_id),
        )
    ]
    return [*_grounds(dialect, new), ledger.ask_states(dialect, accounts)]


def _grounds(dialect: str, new: Sequence[NewServiceRecord]) -> list[Read[Any]]:
    numbers = {item.community for item in new}
    spans: dict[tuple[int, UUID], set[tuple[dt.date, dt.date]]] = {}
    for item in new:
        if item.volunteer_id is not None:
            spans.setdefault((item.community, item.volunteer_id), set()).add(days_near(item.facts))
    dates = {
        volunteer: {date for first, last in near for date in dates_between(first, last)}
        for volunteer, near in spans.items()
    }
    return [
        communities_by_number(dialect, numbers),
        store.load_kinds(dialect, numbers),
        store.load_rules(dialect, numbers),
        consent_dates(dialect, spans.keys()),
        store.load_days(dialect, dates),
    ]


def _decide(grounds: Grounds, item: NewServiceRecord, before: Before) -> ServiceRecord | Seen | Refusal:
    community = grounds.communities[item.community]
    consent_on = grounds.consents.get((item.community, item.volunteer_id)) if item.volunteer_id else None
    service_date = community.local_date(item.facts.started_at)
    message = None
    if item.facts.started_at > grounds.now[item.community]:
        message = "a service is recorded after it began, so not in the future"
    elif consent_on and service_date < consent_on:
        message = f"the volunteer's consent dates from {consent_on}"
    if message is not None:
        return InvalidRequest(errors=(Fault("/started_at", message),))
    if before is not None:
        return before
    if item.volunteer_id is None or consent_on is None:
        return UnknownVolunteer(volunteer_id=item.volunteer_id)
    if (item.community, item.facts.service_kind) not in grounds.kinds:
        return UnknownServiceKind(service_kind=item.facts.service_kind)
    if (served := _to_look_up(item)) is not None and served not in grounds.beneficiaries:
        return UnknownBeneficiary(beneficiary_id=served[1])
    days = grounds.days[item.community, item.volunteer_id]
    other = days.overlapping(item.facts.started_at, item.facts.ended_at)
    if other is not None:
        return OverlappingService(service_record_id=other.id)
    record = _recorded(grounds, community, item, item.volunteer_id, service_date, days)
    days.add(known_of(record))
    return record


def decide(grounds: Grounds, item: NewServiceRecord) -> ServiceRecord | Refusal:
    """Make the record of a service that carries no reference, or say why not; `grounds` then knows it."""
    return cast("ServiceRecord | Refusal", _decide(grounds, item, None))


def _recorded(
    grounds: Grounds,
    community: Community,
    item: NewServiceRecord,
    volunteer_id: UUID,
    service_date: dt.date,
    days: Days,
) -> ServiceRecord:
    """Make the record of a service that nothing stands against."""
    number, facts = item.community, item.facts
    now = grounds.now[number]
    over = days.would_be_over(service_date, facts.minutes)
    trusted = community.verification == RECORDER and not over
    return ServiceRecord(
        id=new_id(),
        community=number,
        number=0,
        volunteer_id=volunteer_id,
        facts=facts,
        service_date=service_date,
        late=is_late(community.local_date(facts.ended_at), grounds.today[number], is_working_day),
        manager_required=over,
        recorded_by=item.recorded_by,
        recorded_at=now,
        status=APPROVED if trusted else PENDING,
        verified_by=item.recorded_by if trusted else None,
        verified_at=now if trusted else None,
        award=_award(grounds.rules, days, number, facts, service_date) if trusted else None,
    )


def _award(
    rules: Mapping[tuple[int, str], list[EarningRule]], days: Days, community: int, facts: ServiceFacts, on: dt.date
) -> Award:
    rule = rule_in_force(rules.get((community, facts.service_kind), ()), on)
    return award(rule, facts.minutes, days.counted_on(on, facts.service_kind))


async def _store(session: Session, made: Sequence[ServiceRecord]) -> dict[UUID, ServiceRecord]:
    """Store new records with their numbers, post those that are approved, and give them."""
    numbers = await append(session, [event_of(record) for record in made])
    for record, number in zip(made, numbers, strict=True):
        record.number = number
    await store.insert_records(session, made)
    await _post(session, [record for record in made if record.status == APPROVED])
    return {record.id: record for record in made}


def event_of(record: ServiceRecord) -> Event:
    """The event of a record that was just recorded or decided."""
    what = "recorded" if record.status == PENDING else record.status
    ids = {"service_record_id": record.id, "volunteer_id": record.volunteer_id}
    return Event(record.community, f"service_record.{what}", ids)


async def _post(session: Session, approved: Sequence[ServiceRecord]) -> None:
    """Post the minutes and points of approved records, and store their approvals with their transactions."""
    if not approved:
        return
    posted = await ledger.post_decided(session, [deposit_entry(record) for record in approved])
    for record, outcome in zip(approved, posted, strict=True):
        record.transaction_id = outcome.transaction_id
    await store.insert_verifications(session, approved)


def deposit_entry(record: ServiceRecord) -> Entry:
    """The transaction of an approved record."""
    return Entry(
        community=record.community,
        kind="deposit",
        movements=deposit(record),
        reference=f"service-records/{record.id}",
        posted_by=record.verified_by or record.recorded_by,
        debts=debts_of(record.volunteer_id) if record.award and record.award.points else (),
        evidence=evidence_of(record),
    )


async def verify_records(session: Session, decisions: Sequence[Verification]) -> list[ServiceRecord | Refusal]:
    """Approve or reject pending records in order; an approval posts minutes and points."""
    records = await store.load_records(session, {(item.community, item.service_record_id) for item in decisions})
    dates: dict[tuple[int, UUID], set[dt.date]] = {}
    for record in records.values():
        dates.setdefault((record.community, record.volunteer_id), set()).add(record.service_date)
    rules, all_days = await session.load(
        store.load_rules(session.dialect, {item.community for item in decisions}),
        store.load_days(session.dialect, dates),
    )
    outcomes: list[RecordKey | Refusal] = []
    for item in decisions:
        key = (item.community, item.service_record_id)
        refusal = _verification_refusal(records.get(key), item)
        outcomes.append(refusal or key)
        if refusal is None:
            record = _decided(session, records[key], item)
            if record.status == APPROVED:
                days = all_days[record.community, record.volunteer_id]
                earned = _award(rules, days, record.community, record.facts, record.service_date)
                record = replace(record, award=earned)
                days.replace(known_of(record))
            records[key] = record
    await _store_decisions(session, [records[outcome] for outcome in outcomes if not isinstance(outcome, Refusal)])
    return [outcome if isinstance(outcome, Refusal) else records[outcome] for outcome in outcomes]


def _verification_refusal(record: ServiceRecord | None, item: Verification) -> Refusal | None:
    if record is None:
        return NotFound(resource="service record")
    if record.status != PENDING:
        return AlreadyVerified(record_status=record.status)
    if record.recorded_by == item.verifier:
        return SelfVerification()
    if record.manager_required and not item.manager:
        return ManagerRequired()
    return None


def _decided(session: Session, record: ServiceRecord, item: Verification) -> ServiceRecord:
    return replace(
        record,
        status=APPROVED if item.approve else REJECTED,
        note=item.note,
        verified_by=item.verifier,
        verified_at=session.now(item.community),
    )


async def _store_decisions(session: Session, decided: Sequence[ServiceRecord]) -> None:
    if not decided:
        return
    await append(session, [event_of(record) for record in decided])
    await store.move_status(session, decided)
    await store.insert_verifications(session, [record for record in decided if record.status == REJECTED])
    await _post(session, [record for record in decided if record.status == APPROVED])


async def get_record(session: Session, community: int, service_record_id: UUID) -> ServiceRecord:
    """Read one record. Raises `Refused(NotFound)`."""
    found = await store.load_records(session, [(community, service_record_id)])
    if not found:
        raise Refused(NotFound(resource="service record"))
    return found[community, service_record_id]


async def load_records(session: Session, keys: Collection[RecordKey]) -> Mapping[RecordKey, ServiceRecord]:
    """Read records; unknown ones are missing."""
    return await store.load_records(session, keys)


async def load_days(
    session: Session, dates: Mapping[tuple[int, UUID], Collection[dt.date]]
) -> Mapping[tuple[int, UUID], Days]:
    """Read the live records of volunteers on local dates, by volunteer: all are named."""
    return await session.ask(store.load_days(session.dialect, dates))


async def list_records(session: Session, community: int, paging: Paging) -> list[ServiceRecord]:
    """Records, newest first; filters: `status`, `volunteer_id`."""
    return await store.page_of_records(session, community, paging)
