"""Erasure of personal data: the person's key is destroyed; ids and postings stay.

The log of erasures can be taken out of the database, and replayed over a backup from before that was restored.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from app import ledger
from app.access.cards import revoke_cards_of
from app.kernel import persons
from app.kernel.events import Event, append
from app.ledger import Account
from app.volunteers import store
from app.volunteers.errors import RedemptionsOpen
from app.volunteers.rules import reserved_account
from app.volunteers.service import absence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Session
    from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class NewErasure:
    """A volunteer whose personal data is to be erased."""

    community: int
    volunteer_id: UUID
    erased_by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A line of the log: whose data was erased, when, by whom, and why."""

    volunteer_id: UUID
    erased_at: datetime
    erased_by: str
    reason: str | None


async def erase_volunteers(session: Session, new: Sequence[NewErasure]) -> list[Erasure | Refusal]:
    """Erase volunteers' personal data in order."""
    outcomes: list[Erasure | Refusal] = []
    for item in new:
        refusal = await _refusal(session, item)
        if refusal:
            outcomes.append(refusal)
            continue
        erasure = Erasure(item.volunteer_id, session.now(item.community), item.erased_by, item.reason)
        await _erase(session, item.community, erasure)
        outcomes.append(erasure)
    return outcomes


async def _refusal(session: Session, item: NewErasure) -> Refusal | None:
    refusal = absence(await store.find(session, item.community, item.volunteer_id))
    if refusal:
        return refusal
    account = Account(item.community, reserved_account(item.volunteer_id))
    reserved = (await ledger.balances(session, [account]))[account]
    return RedemptionsOpen(points_reserved=reserved) if reserved else None


async def _erase(session: Session, community: int, erasure: Erasure) -> None:
    key = (community, erasure.volunteer_id)
    await persons.destroy_keys(session, [key])
    await store.update(
        session,
        *key,
        {
            "sealed": "",
            "name_hash": "",
            # Nobody's number hashes to this, so that the phone and the ID number may be registered anew.
            "phone_hash": f"erased {erasure.volunteer_id}",
            "phone_tail_hash": "",
            "id_number_hash": None,
            "estate": None,
            "political_status": None,
            "skills": [],
            "external_ids": {},
            "revision": 0,
            "erased_at": erasure.erased_at,
        },
    )
    await store.move_out(session, [key])
    await revoke_cards_of(session, *key)
    (number,) = await append(
        session, [Event(community, "volunteer.erased", {"volunteer_id": str(erasure.volunteer_id)})]
    )
    await store.insert_erasure(
        session,
        {
            "community_id": community,
            "volunteer_id": erasure.volunteer_id,
            "number": number,
            "erased_at": erasure.erased_at,
            "erased_by": erasure.erased_by,
            "reason": erasure.reason,
        },
    )


def log_line(community_id: UUID, erasure: Erasure) -> str:
    """A line of the log as it stands in a file: JSON, without personal data."""
    return orjson.dumps({"community_id": community_id, **asdict(erasure)}).decode()


def of_log_line(line: str) -> tuple[UUID, Erasure]:
    """Read a line of the log's file: the community's id and the erasure. Raises `ValueError`."""
    found = orjson.loads(line)
    try:
        erasure = Erasure(
            UUID(found["volunteer_id"]),
            datetime.fromisoformat(found["erased_at"]),
            str(found["erased_by"]),
            found["reason"],
        )
        return UUID(found["community_id"]), erasure
    except (KeyError, TypeError, AttributeError) as error:
        message = f"no line of a log of erasures: {error}"
        raise ValueError(message) from None


async def log_of_erasures(session: Session, community: int) -> list[Erasure]:
    """A community's erasures, oldest first."""
    rows = await store.all_erasures(session, community)
    return [Erasure(row.volunteer_id, row.erased_at, row.erased_by, row.reason) for row in rows]


async def replay_erasures(session: Session, community: int, log: Sequence[Erasure]) -> list[Erasure]:
    """Erase again whom a restored backup brought back, whatever is open, and give those of the log that were there.

    Who registered after the backup is not in it, and needs no erasing.
    """
    again = []
    for erasure in log:
        if absence(await store.find(session, community, erasure.volunteer_id)) is None:
            await _erase(session, community, erasure)
            again.append(erasure)
    return again
