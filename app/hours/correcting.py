"""Corrections: an approved record is taken back by a transaction that names its deposit, and may be replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import ledger
from app.hours import store
from app.hours.errors import RecordNotApproved
from app.hours.rules import APPROVED, CORRECTED, Correction, ServiceRecord, withdrawal
from app.hours.service import NewServiceRecord, decide, deposit_entry, event_of, load_grounds
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal
from app.kernel.events import append
from app.ledger import AlreadyReversed, Entry
from app.volunteers.rules import debts_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.hours.service import Grounds
    from app.hours.store import RecordKey
    from app.kernel.database import Session


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """An approved record to take back: why, by whom, and the record that is to stand in its place, if any."""

    community: int
    service_record_id: UUID
    reason: str
    corrected_by: str
    replacement: NewServiceRecord | None = None


@dataclass(frozen=True, slots=True)
class _Decided:
    """A correction that holds: the record as it becomes, and its replacement, both without transaction so far."""

    item: NewCorrection
    record: ServiceRecord
    replacement: ServiceRecord | None


async def correct_records(session: Session, new: Sequence[NewCorrection]) -> list[ServiceRecord | Refusal]:
    """Take approved records back in order, and record their replacements under the usual verification.

    Minutes and points go back; of the points, what the volunteer no longer has is charged to `points_owed`. No other
    award is computed again. When a replacement is refused, its correction is refused with it.
    """
    records = await store.load_records(session, {(item.community, item.service_record_id) for item in new})
    grounds = await load_grounds(session, [item.replacement for item in new if item.replacement])
    outcomes: list[RecordKey | Refusal] = []
    decided: list[_Decided] = []
    for item in new:
        key = (item.community, item.service_record_id)
        outcome = _decide(grounds, item, records.get(key))
        if isinstance(outcome, Refusal):
            outcomes.append(outcome)
        else:
            outcomes.append(key)
            decided.append(outcome)
            records[key] = outcome.record
    for record in await _store(session, decided):
        records[record.community, record.id] = record
    return [outcome if isinstance(outcome, Refusal) else records[outcome] for outcome in outcomes]


def _decide(grounds: Grounds, item: NewCorrection, record: ServiceRecord | None) -> _Decided | Refusal:
    if record is None:
        return NotFound(resource="service record")
    if record.status == CORRECTED and record.transaction_id is not None:
        return AlreadyReversed(transaction_id=record.transaction_id)
    if record.status != APPROVED:
        return RecordNotApproved(record_status=record.status)
    days = grounds.days.get((record.community, record.volunteer_id))
    forgotten = days.forget(record.id) if days else None
    replacement = decide(grounds, item.replacement) if item.replacement else None
    if isinstance(replacement, Refusal):
        if days and forgotten:
            days.add(forgotten)
        return _below_replacement(replacement)
    if replacement is not None:
        # It was given in the same shift, so that its points lead there too.
        replacement.facts = replacement.facts._replace(shift_id=record.facts.shift_id)
    return _Decided(item, replace(record, status=CORRECTED), replacement)


def _below_replacement(refusal: Refusal) -> Refusal:
    """The refusal with pointers that lead from the whole body."""
    if not isinstance(refusal, InvalidRequest):
        return refusal
    return InvalidRequest(
        errors=tuple(Fault(f"/replacement{fault.pointer}", fault.message) for fault in refusal.errors)
    )


async def _store(session: Session, decided: Sequence[_Decided]) -> list[ServiceRecord]:
    """Post and store corrections with their replacements; give the corrected records."""
    if not decided:
        return []
    replacements = await _insert_replacements(session, decided)
    # A correction is posted before its replacement, so that the replacement's award does not count what it replaces.
    entries: list[Entry] = []
    for one in decided:
        entries.append(_withdrawal_entry(one))
        replacement = replacements.get(one.record.id)
        if replacement and replacement.status == APPROVED:
            entries.append(deposit_entry(replacement))
    posted = iter(await ledger.post_decided(session, entries))
    corrected: list[tuple[ServiceRecord, Correction]] = []
    approved: list[ServiceRecord] = []
    for one in decided:
        replacement = replacements.get(one.record.id)
        correction = Correction(
            reason=one.item.reason,
            corrected_by=one.item.corrected_by,
            corrected_at=session.now(one.item.community),
            transaction_id=next(posted).transaction_id,
            replacement_id=replacement.id if replacement else None,
        )
        corrected.append((one.record, correction))
        if replacement and replacement.status == APPROVED:
            replacement.transaction_id = next(posted).transaction_id
            approved.append(replacement)
    await store.move_status(session, [record for record, _ in corrected])
    await store.insert_corrections(session, corrected)
    await store.insert_verifications(session, approved)
    return [replace(record, correction=correction) for record, correction in corrected]


async def _insert_replacements(session: Session, decided: Sequence[_Decided]) -> dict[UUID, ServiceRecord]:
    """Append the events of all, number the replacements and insert them; give these by what they replace."""
    changed = [record for one in decided for record in (one.record, one.replacement) if record]
    numbers = iter(await append(session, [event_of(record) for record in changed]))
    replacements = {}
    for one in decided:
        next(numbers)
        if one.replacement:
            one.replacement.number = next(numbers)
            replacements[one.record.id] = one.replacement
    await store.insert_records(session, list(replacements.values()))
    return replacements


def _withdrawal_entry(one: _Decided) -> Entry:
    record = one.record
    return Entry(
        community=record.community,
        kind="correction",
        movements=withdrawal(record),
        reference=f"service-records/{record.id}",
        posted_by=one.item.corrected_by,
        reverses=record.transaction_id,
        reason=one.item.reason,
        debts=debts_of(record.volunteer_id) if record.award and record.award.points else (),
    )
