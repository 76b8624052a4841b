"""Witnesses of a log: who countersigns its checkpoints, each named first, with its key, by who is in charge.

Else whoever came first could take the name of a ministry for a key of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.seals import store
from app.seals.errors import WitnessExists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.kernel.paging import Paging


@dataclass(frozen=True, slots=True)
class NewWitness:
    """A witness to name for the log of a community, or of the city (0)."""

    community: int
    name: str
    public_key: str
    named_by: str


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness of a log; `public_key` is its name, id and key, as verifiers take it."""

    id: UUID
    number: int
    name: str
    public_key: str
    named_by: str
    named_at: datetime


async def name_witnesses(session: Session, new: Sequence[NewWitness]) -> list[Witness | Refusal]:
    """Name witnesses in order."""
    return [await _name(session, item) for item in new]


async def _name(session: Session, item: NewWitness) -> Witness | Refusal:
    is_log = item.name == session.signer.origin_of(item.community)
    if is_log or await store.find_witness(session, item.community, item.name):
        return WitnessExists(name=item.name)
    witness_id, now = new_id(), session.now(item.community)
    (number,) = await append(session, [Event(item.community, "witness.named", {"witness_id": str(witness_id)})])
    await store.insert_witness(
        session,
        {
            "community_id": item.community,
            "witness_id": witness_id,
            "number": number,
            "name": item.name,
            "public_key": item.public_key,
            "named_by": item.named_by,
            "named_at": now,
        },
    )
    return Witness(witness_id, number, item.name, item.public_key, item.named_by, now)


async def list_witnesses(session: Session, community: int, paging: Paging) -> list[Witness]:
    """Witnesses of a log, newest first."""
    return [
        Witness(row.witness_id, row.number, row.name, row.public_key, row.named_by, row.named_at)
        for row in await store.page_of_witnesses(session, community, paging)
    ]
