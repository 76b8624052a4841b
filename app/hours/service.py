"""Hours: service kinds, earning rules, service records and their verification. What posts is written for many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from app import ledger
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
    ServiceFacts,
    ServiceRecord,
    award,
    dates_near,
    deposit,
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
    from uuid import UUID

    from app.communities.rules import Community
    from app.hours.rules import Award
    from app.hours.store import RecordKey
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.references import Seen
    from app.kernel.rows import Read

RESOURCE = "service_record"


@dataclass(frozen=True, slots=True)
class NewServiceRecord:
    """A service to record. `alias` names the volunteer where the sender knows no id (a keyed hash of the phone)."""

    community: int
    volunteer_id: UUID | None
    facts: ServiceFacts
    recorded_by: str
    reference: str | None = None
    alias: str | None = None

    @property
    def content(self) -> ServiceFacts:
        """What makes two records under one reference the same."""
        return self.facts


@dataclass(frozen=True, slots=True)
class Verification:
    """A decision about a record by a second principal; `manager` says whether the principal is one."""

    community: int
    service_record_id: UUID
    approve: bool
    verifier: str
    manager: bool
    note: str | None = None


@dataclass(slots=True)
class Grounds:
    """All that decisions about a batch of records rest on; `days` grows as they are decided."""

    communities: Mapping[int, Community]
    kinds: set[tuple[int, str]]
    rules: Mapping[tuple[int, str], list[EarningRule]]
    consents: Mapping[tuple[int, UUID], dt.date]
    days: dict[tuple[int, UUID], Days]


async def record_hours(session: Session, new: Sequence[NewServiceRecord]) -> list[Decided[ServiceRecord]]:
    """Record services in order: checked, kept pending or approved at once, and then posted.

    A row with a reference seen before is a replay or refused; what is invalid uses up no reference.
    """
    grounds = await load_grounds(session, new)
    deciding = Deciding(RESOURCE, partial(_decide, session, grounds), _store, store.load_records)
    return await decide_rows(session, new, deciding)


async def record_services(session: Session, new: Sequence[NewServiceRecord]) -> list[ServiceRecord | Refusal]:
    """Record services that carry no reference: for each the record or the refusal."""
    return unreferenced(await record_hours(session, new))


async def load_grounds(session: Session, new: Sequence[NewServiceRecord]) -> Grounds:
    """Load what decisions about these records rest on."""
    return Grounds(*await session.load(*_grounds(session, new)))


def reads_of_services(session: Session, new: Sequence[NewServiceRecord]) -> list[Read[Any]]:
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
    return [*_grounds(session, new), ledger.ask_states(session, accounts)]


def _grounds(session: Session, new: Sequence[NewServiceRecord]) -> list[Read[Any]]:
    numbers = {item.community for item in new}
    named = [(item, item.volunteer_id) for item in new if item.volunteer_id is not None]
    dates = {(item.community, volunteer_id, date) for item, volunteer_id in named for date in dates_near(item.facts)}
    return [
        communities_by_number(session, numbers),
        store.load_kinds(session.dialect, numbers),
        store.load_rules(session.dialect, numbers),
        consent_dates(session, {(item.community, volunteer_id) for item, volunteer_id in named}),
        store.load_days(session.dialect, dates),
    ]


def _decide(
    session: Session, grounds: Grounds, item: NewServiceRecord, before: Before
) -> ServiceRecord | Seen | Refusal:
    return _wrong_start(session, grounds, item) or before or _made(session, grounds, item)


def decide(session: Session, grounds: Grounds, item: NewServiceRecord) -> ServiceRecord | Refusal:
    """Make the record of a service that carries no reference, or say why not; `grounds` then knows it."""
    return _wrong_start(session, grounds, item) or _made(session, grounds, item)


def _consented_on(grounds: Grounds, item: NewServiceRecord) -> dt.date | None:
    return grounds.consents.get((item.community, item.volunteer_id)) if item.volunteer_id else None


def _wrong_start(session: Session, grounds: Grounds, item: NewServiceRecord) -> InvalidRequest | None:
    consent_on = _consented_on(grounds, item)
    message = None
    if item.facts.started_at > session.now(item.community):
        message = "a service is recorded after it began, so not in the future"
    elif consent_on and grounds.communities[item.community].local_date(item.facts.started_at) < consent_on:
        message = f"the volunteer's consent dates from {consent_on}"
    return InvalidRequest(errors=(Fault("/started_at", message),)) if message else None


def _made(session: Session, grounds: Grounds, item: NewServiceRecord) -> ServiceRecord | Refusal:
    community = grounds.communities[item.community]
    service_date = community.local_date(item.facts.started_at)
    if item.volunteer_id is None or _consented_on(grounds, item) is None:
        return UnknownVolunteer(volunteer_id=item.volunteer_id)
    if (item.community, item.facts.service_kind) not in grounds.kinds:
        return UnknownServiceKind(service_kind=item.facts.service_kind)
    days = grounds.days.setdefault((item.community, item.volunteer_id), Days())
    other = days.overlapping(item.facts.started_at, item.facts.ended_at)
    if other is not None:
        return OverlappingService(service_record_id=other.id)
    over = days.would_be_over(service_date, item.facts.minutes)
    trusted = community.verification == RECORDER and not over
    now = session.now(item.community)
    record = ServiceRecord(
        id=new_id(),
        community=item.community,
        number=0,
        volunteer_id=item.volunteer_id,
        facts=item.facts,
        service_date=service_date,
        late=is_late(community.local_date(item.facts.ended_at), community.local_date(now), is_working_day),
        manager_required=over,
        recorded_by=item.recorded_by,
        recorded_at=now,
        status=APPROVED if trusted else PENDING,
        verified_by=item.recorded_by if trusted else None,
        verified_at=now if trusted else None,
        award=_award(grounds.rules, days, item.community, item.facts, service_date) if trusted else None,
    )
    days.known.append(known_of(record))
    return record


def _award(
    rules: Mapping[tuple[int, str], list[EarningRule]], days: Days, community: int, facts: ServiceFacts, on: dt.date
) -> Award:
    rule = rule_in_force(rules.get((community, facts.service_kind), []), on)
    return award(rule, facts.minutes, days.counted_on(on, facts.service_kind))


async def _store(session: Session, made: Sequence[ServiceRecord]) -> dict[UUID, ServiceRecord]:
    """Store new records, post those that are approved, and give them with their numbers."""
    numbers = await append(session, [event_of(record) for record in made])
    records = [replace(record, number=number) for record, number in zip(made, numbers, strict=True)]
    await store.insert_records(session, records)
    approved = await _post(session, [record for record in records if record.status == APPROVED])
    return {record.id: record for record in [*records, *approved]}


def event_of(record: ServiceRecord) -> Event:
    """The event of a record that was just recorded or decided."""
    what = "recorded" if record.status == PENDING else record.status
    ids = {"service_record_id": str(record.id), "volunteer_id": str(record.volunteer_id)}
    return Event(record.community, f"service_record.{what}", ids)


async def _post(session: Session, approved: Sequence[ServiceRecord]) -> list[ServiceRecord]:
    """Post the minutes and points of approved records, and store their approvals."""
    if not approved:
        return []
    posted = await ledger.post_decided(session, [deposit_entry(record) for record in approved])
    records = [
        replace(record, transaction_id=outcome.transaction_id) for record, outcome in zip(approved, posted, strict=True)
    ]
    await store.insert_verifications(session, records)
    return records


def deposit_entry(record: ServiceRecord) -> Entry:
    """The transaction of an approved record."""
    return Entry(
        community=record.community,
        kind="deposit",
        movements=deposit(record),
        reference=f"service-records/{record.id}",
        posted_by=record.verified_by or record.recorded_by,
        debts=debts_of(record.volunteer_id) if record.award and record.award.points else (),
    )


async def verify_records(session: Session, decisions: Sequence[Verification]) -> list[ServiceRecord | Refusal]:
    """Approve or reject pending records in order; an approval posts minutes and points."""
    records = await store.load_records(session, {(item.community, item.service_record_id) for item in decisions})
    dates = {(record.community, record.volunteer_id, record.service_date) for record in records.values()}
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
    decided = [records[outcome] for outcome in outcomes if not isinstance(outcome, Refusal)]
    for record in await _store_decisions(session, decided):
        records[record.community, record.id] = record
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


async def _store_decisions(session: Session, decided: Sequence[ServiceRecord]) -> list[ServiceRecord]:
    if not decided:
        return []
    await append(session, [event_of(record) for record in decided])
    await store.move_status(session, decided)
    await store.insert_verifications(session, [record for record in decided if record.status == REJECTED])
    return await _post(session, [record for record in decided if record.status == APPROVED])


async def get_record(session: Session, community: int, service_record_id: UUID) -> ServiceRecord:
    """Read one record. Raises `Refused(NotFound)`."""
    found = await store.load_records(session, [(community, service_record_id)])
    if not found:
        raise Refused(NotFound(resource="service record"))
    return found[community, service_record_id]


async def load_records(session: Session, keys: Collection[RecordKey]) -> Mapping[RecordKey, ServiceRecord]:
    """Read records; unknown ones are missing."""
    return await store.load_records(session, keys)


async def list_records(session: Session, community: int, paging: Paging) -> list[ServiceRecord]:
    """Records, newest first; filters: `status`, `volunteer_id`."""
    return await store.page_of_records(session, community, paging)
