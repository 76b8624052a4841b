"""Disputes: filed by volunteers or for them at the desk, upheld or rejected by a manager, or withdrawn; and read.

No dispute moves a unit. An upheld one names where it is set right: a correction, a return, a transfer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import ledger
from app.communities.service import communities_by_number
from app.disputes import store
from app.disputes.errors import AlreadyDisputed, DisputeNotOpen, UnknownServiceRecord
from app.disputes.rules import OPEN, Dispute, Step, due_at
from app.hours.calendar import is_working_day
from app.hours.service import load_records
from app.kernel import persons
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.vault import seal, unseal
from app.ledger import UnknownTransaction
from app.volunteers.errors import UnknownVolunteer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.communities.rules import Community
    from app.disputes.store import DisputeKey
    from app.hours.rules import ServiceRecord
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.persons import Person
    from app.ledger import Booked


@dataclass(frozen=True, slots=True)
class NewDispute:
    """What a volunteer contests, one of record and transaction, and why."""

    community: int
    volunteer_id: UUID
    service_record_id: UUID | None
    transaction_id: int | None
    reason: str
    filed_by: str


@dataclass(frozen=True, slots=True)
class Ending:
    """A dispute to end as upheld, rejected or withdrawn.

    `volunteer_id` is given when only that volunteer's own may be ended.
    """

    community: int
    dispute_id: UUID
    status: str
    ended_by: str
    reason: str | None = None
    volunteer_id: UUID | None = None


@dataclass(slots=True)
class _Loaded:
    """All that filing rests on; `open` grows as disputes are filed."""

    communities: Mapping[int, Community]
    keys: Mapping[Person, bytes]
    records: Mapping[tuple[int, UUID], ServiceRecord]
    booked: Mapping[tuple[int, int], Booked]
    open: dict[tuple[int, UUID, UUID | int], UUID]


async def file_disputes(session: Session, new: Sequence[NewDispute]) -> list[Dispute | Refusal]:
    """File disputes in order, about what is the volunteer's own, each thing once at a time."""
    loaded = await _load(session, new)
    outcomes: list[Dispute | Refusal] = []
    for item in new:
        outcome = _decide(session, loaded, item)
        if isinstance(outcome, Dispute) and outcome.contested is not None:
            loaded.open[item.community, item.volunteer_id, outcome.contested] = outcome.id
        outcomes.append(outcome)
    filed = [outcome for outcome in outcomes if isinstance(outcome, Dispute)]
    numbers = await append(session, [_event(one, "opened") for one in filed])
    numbered = {one.id: replace(one, number=number) for one, number in zip(filed, numbers, strict=True)}
    await store.insert(session, [_sealed(one, loaded.keys) for one in numbered.values()])
    return [numbered[outcome.id] if isinstance(outcome, Dispute) else outcome for outcome in outcomes]


async def _load(session: Session, new: Sequence[NewDispute]) -> _Loaded:
    volunteers = {(item.community, item.volunteer_id) for item in new}
    numbers: dict[int, list[int]] = {}
    for item in new:
        if item.transaction_id is not None:
            numbers.setdefault(item.community, []).append(item.transaction_id)
    records = {(item.community, item.service_record_id) for item in new if item.service_record_id is not None}
    communities = await session.ask(communities_by_number(session.dialect, {item.community for item in new}))
    return _Loaded(
        communities=communities,
        keys=await persons.load_keys(session, sorted(volunteers)),
        records=await load_records(session, records),
        booked={
            (community, number): booked
            for community, wanted in numbers.items()
            for number, booked in (await ledger.booked(session, community, wanted)).items()
        },
        open=await store.open_ones(session, volunteers),
    )


def _decide(session: Session, loaded: _Loaded, item: NewDispute) -> Dispute | Refusal:
    # Who was erased has no key, and nobody any more for whom a dispute could be filed.
    if (item.community, item.volunteer_id) not in loaded.keys:
        return UnknownVolunteer(volunteer_id=item.volunteer_id)
    found = _reference(loaded, item)
    if isinstance(found, Refusal):
        return found
    now, community = session.now(item.community), loaded.communities[item.community]
    dispute = Dispute(
        id=new_id(),
        community=item.community,
        number=0,
        volunteer_id=item.volunteer_id,
        service_record_id=item.service_record_id,
        transaction_id=item.transaction_id,
        reference=found,
        due_at=due_at(community.local_date(now), community.timezone, is_working_day),
        status=OPEN,
        steps=(Step(OPEN, item.filed_by, now, item.reason),),
    )
    other = dispute.contested and loaded.open.get((item.community, item.volunteer_id, dispute.contested))
    return AlreadyDisputed(dispute_id=other) if other else dispute


def _reference(loaded: _Loaded, item: NewDispute) -> str | Refusal:
    """What is contested, as a path; a refusal if it is not the volunteer's."""
    if item.service_record_id is not None:
        record = loaded.records.get((item.community, item.service_record_id))
        if record is None or record.volunteer_id != item.volunteer_id:
            return UnknownServiceRecord(service_record_id=item.service_record_id)
        return f"service-records/{record.id}"
    number = item.transaction_id or 0
    booked = loaded.booked.get((item.community, number))
    own = f"volunteer/{item.volunteer_id}/"
    if booked is None or not any(account.startswith(own) for account in booked.movements):
        return UnknownTransaction(transaction_id=number)
    return booked.reference


def _event(dispute: Dispute, what: str) -> Event:
    ids = {"dispute_id": str(dispute.id), "volunteer_id": str(dispute.volunteer_id)}
    return Event(dispute.community, f"dispute.{what}", ids)


async def end_disputes(session: Session, endings: Sequence[Ending]) -> list[Dispute | Refusal]:
    """End open disputes in order, each once."""
    sealed = await store.load(session, {(item.community, item.dispute_id) for item in endings})
    keys = await _keys_of(session, sealed.values())
    found = {place: _opened(one, keys) for place, one in sealed.items()}
    outcomes: list[DisputeKey | Refusal] = []
    for item in endings:
        place = (item.community, item.dispute_id)
        refusal = _ending_refusal(found.get(place), item)
        outcomes.append(refusal or place)
        if refusal is None:
            one = found[place]
            # Nothing that may be personal is kept of somebody who was erased.
            reason = None if one.erased else item.reason
            step = Step(item.status, item.ended_by, session.now(item.community), reason)
            found[place] = replace(one, status=item.status, steps=(*one.steps, step))
    ended = [found[outcome] for outcome in outcomes if not isinstance(outcome, Refusal)]
    if ended:
        await store.move_on(session, [_sealed(one, keys) for one in ended])
        await append(session, [_event(one, one.status) for one in ended])
    return [outcome if isinstance(outcome, Refusal) else found[outcome] for outcome in outcomes]


def _ending_refusal(dispute: Dispute | None, item: Ending) -> Refusal | None:
    if dispute is None or item.volunteer_id not in {None, dispute.volunteer_id}:
        return NotFound(resource="dispute")
    return None if dispute.status == OPEN else DisputeNotOpen(dispute_status=dispute.status)


async def get_dispute(
    session: Session, community: int, dispute_id: UUID, *, volunteer_id: UUID | None = None
) -> Dispute:
    """Read one dispute, of this volunteer if one is given. Raises `Refused(NotFound)`."""
    dispute = (await store.load(session, [(community, dispute_id)])).get((community, dispute_id))
    if dispute is None or volunteer_id not in {None, dispute.volunteer_id}:
        raise Refused(NotFound(resource="dispute"))
    return _opened(dispute, await _keys_of(session, [dispute]))


async def list_disputes(session: Session, community: int, paging: Paging) -> list[Dispute]:
    """Disputes, newest first; filters: `status`, `volunteer_id`, `overdue`."""
    found = await store.page(session, community, paging, session.now(community))
    keys = await _keys_of(session, found)
    return [_opened(one, keys) for one in found]


async def _keys_of(session: Session, disputes: Collection[Dispute]) -> dict[Person, bytes]:
    return await persons.load_keys(session, [(one.community, one.volunteer_id) for one in disputes])


def _context(dispute: Dispute, number: int) -> str:
    return f"dispute {dispute.community}/{dispute.id}/{number}"


def _sealed(dispute: Dispute, keys: Mapping[Person, bytes]) -> Dispute:
    """The dispute as it is stored: the reason of its last step, the new one, sealed under the volunteer's key."""
    step = dispute.steps[-1]
    if step.reason is None:
        return dispute
    key = keys[dispute.community, dispute.volunteer_id]
    text = seal(key, step.reason.encode(), _context(dispute, len(dispute.steps)))
    return replace(dispute, steps=(*dispute.steps[:-1], replace(step, reason=text)))


def _opened(dispute: Dispute, keys: Mapping[Person, bytes]) -> Dispute:
    """The dispute with its reasons readable; without any if the volunteer was erased."""
    key = keys.get((dispute.community, dispute.volunteer_id))
    steps = tuple(
        replace(
            step, reason=unseal(key, step.reason, _context(dispute, number)).decode() if key and step.reason else None
        )
        for number, step in enumerate(dispute.steps, 1)
    )
    return replace(dispute, steps=steps, erased=key is None)
