"""Changes of what is known of a beneficiary, and the end of serving one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from app.beneficiaries import store
from app.beneficiaries.errors import BeneficiaryEnded, BeneficiaryRegistered
from app.beneficiaries.rules import ACTIVE, ENDED, Beneficiary, Particulars
from app.beneficiaries.service import absence, birth_fault, event, identity_hash, opened, sealed
from app.communities.service import communities_by_number
from app.kernel import persons
from app.kernel.editing import edited
from app.kernel.effects import follow
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import append

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.editing import Expected
    from app.kernel.effects import PersonEffects
    from app.kernel.rows import AnyRow

_particulars = tuple(one.name for one in fields(Particulars))


@dataclass(frozen=True, slots=True)
class BeneficiaryChange:
    """New values of a beneficiary, by name as in `Beneficiary`, and the revision that they were made on."""

    community: int
    beneficiary_id: UUID
    values: Mapping[str, Any]
    expected: Expected


@dataclass(frozen=True, slots=True)
class Ending:
    """A beneficiary who is to be served no more, and why."""

    community: int
    beneficiary_id: UUID
    reason: str
    ended_by: str


async def change_beneficiaries(session: Session, changes: Sequence[BeneficiaryChange]) -> list[Beneficiary | Refusal]:
    """Change beneficiaries in order; what differs in nothing changes nothing."""
    return [await _change(session, item) for item in changes]


async def _change(session: Session, item: BeneficiaryChange) -> Beneficiary | Refusal:
    found = await _active(session, item.community, item.beneficiary_id)
    if isinstance(found, Refusal):
        return found
    refusal: Refusal | None = item.expected.refusal(found.revision)
    if refusal:
        return refusal
    (before,) = await opened(session, [found])
    after = edited(before, item.values)
    if after is before:
        return before
    refusal = await _refusal(session, after)
    if refusal:
        return refusal
    await _store(session, after, {"needs": list(after.needs), "living_alone": after.living_alone})
    await append(session, [event(item.community, item.beneficiary_id, "changed")])
    return after


async def _active(session: Session, community: int, beneficiary_id: UUID) -> AnyRow | Refusal:
    row = (await store.load(session, [(community, beneficiary_id)])).get((community, beneficiary_id))
    refusal = absence(row)
    if row is None or refusal:
        return refusal or NotFound(resource="beneficiary")
    return row if row.status == ACTIVE else BeneficiaryEnded(ended_at=row.ended_at)


async def _refusal(session: Session, after: Beneficiary) -> Refusal | None:
    community = (await session.ask(communities_by_number(session.dialect, [after.community])))[after.community]
    fault = birth_fault(after.birth_date, community.local_date(session.now(after.community)))
    if fault:
        return fault
    place = (after.community, identity_hash(session.vault, after.community, _of(after)))
    other = (await store.holders(session, [place])).get(place)
    return BeneficiaryRegistered() if other not in {None, after.id} else None


def _of(beneficiary: Beneficiary) -> Particulars:
    return Particulars(**{name: getattr(beneficiary, name) for name in _particulars})


async def _store(session: Session, after: Beneficiary, values: dict[str, Any]) -> None:
    key = (after.community, after.id)
    keys = await persons.load_keys(session, [key])
    values |= {
        "sealed": sealed(keys[key], _of(after), after.id),
        "identity_hash": identity_hash(session.vault, after.community, _of(after)),
        "revision": after.revision,
    }
    await store.update(session, key, values)


async def end_beneficiaries(
    session: Session, endings: Sequence[Ending], *, effects: PersonEffects
) -> list[Beneficiary | Refusal]:
    """End serving beneficiaries, in order; what is known of them stays until somebody erases it."""
    outcomes = [await _end(session, item) for item in endings]
    ended = [(one.community, one.id) for one in outcomes if isinstance(one, Beneficiary)]
    await follow(session, effects.gone, ended)
    return outcomes


async def _end(session: Session, item: Ending) -> Beneficiary | Refusal:
    found = await _active(session, item.community, item.beneficiary_id)
    if isinstance(found, Refusal):
        return found
    (before,) = await opened(session, [found])
    after = replace(
        before,
        status=ENDED,
        ended_at=session.now(item.community),
        ended_by=item.ended_by,
        ended_reason=item.reason,
        revision=before.revision + 1,
    )
    ended = {"status": ENDED, "ended_at": after.ended_at, "ended_by": after.ended_by}
    await _store(session, after, ended)
    await append(session, [event(item.community, item.beneficiary_id, "ended")])
    return after
