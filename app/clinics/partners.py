"""Partner organisations: taken up, changed and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.clinics import store
from app.clinics.errors import PartnerExists
from app.clinics.rules import Partner
from app.kernel.editing import edited
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.editing import Expected
    from app.kernel.paging import Paging


@dataclass(frozen=True, slots=True)
class NewPartner:
    """A partner to take up, with its unified social credit identifier if it has one."""

    community: int
    name: str
    kind: str
    uscc: str | None
    created_by: str


@dataclass(frozen=True, slots=True)
class PartnerChange:
    """What to change of a partner, by name as in `Partner`, and the revision that it was made on."""

    community: int
    partner_id: UUID
    values: Mapping[str, Any]
    expected: Expected


async def create_partners(session: Session, new: Sequence[NewPartner]) -> list[Partner | Refusal]:
    """Take up partners in order, each identifier once in a community."""
    return [await _create(session, item) for item in new]


async def _create(session: Session, item: NewPartner) -> Partner | Refusal:
    if item.uscc and await store.holders(session, item.community, [item.uscc]):
        return PartnerExists(resource=item.uscc)
    partner_id = new_id()
    (number,) = await append(session, [Event(item.community, "partner.created", {"partner_id": str(partner_id)})])
    partner = Partner(
        id=partner_id,
        community=item.community,
        number=number,
        revision=1,
        name=item.name,
        kind=item.kind,
        uscc=item.uscc,
        created_by=item.created_by,
        created_at=session.now(item.community),
    )
    await store.insert_partners(session, [partner])
    return partner


async def change_partners(session: Session, changes: Sequence[PartnerChange]) -> list[Partner | Refusal]:
    """Change partners in order. What differs in nothing changes nothing."""
    return [await _change(session, item) for item in changes]


async def _change(session: Session, item: PartnerChange) -> Partner | Refusal:
    partner = (await store.load_partners(session, item.community, [item.partner_id])).get(item.partner_id)
    if partner is None:
        return NotFound(resource="partner")
    refusal = item.expected.refusal(partner.revision)
    if refusal is not None:
        return refusal
    after = edited(partner, item.values)
    if after is partner:
        return partner
    if after.uscc and after.uscc != partner.uscc and await store.holders(session, item.community, [after.uscc]):
        return PartnerExists(resource=after.uscc)
    await store.update_partners(session, [after])
    await append(session, [Event(item.community, "partner.changed", {"partner_id": str(partner.id)})])
    return after


async def get_partner(session: Session, community: int, partner_id: UUID) -> Partner:
    """Read one partner. Raises `Refused(NotFound)`."""
    partner = (await store.load_partners(session, community, [partner_id])).get(partner_id)
    if partner is None:
        raise Refused(NotFound(resource="partner"))
    return partner


async def list_partners(session: Session, community: int, paging: Paging) -> list[Partner]:
    """A community's partners, newest first."""
    return await store.page_of_partners(session, community, paging)
