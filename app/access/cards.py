"""Cards: issued to volunteers in place of the one before, revoked, and tried with a PIN."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from app.access import store
from app.access.rules import CARD_DIGITS, KNOWN, Tally, attempted, card_number, community_of_card, succeeded
from app.access.store import Tried
from app.kernel.events import Event, append
from app.kernel.heads import CITY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.rows import AnyRow

_no_card = UUID(int=0)


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to issue. Its PIN is known only as the hash that `app.access.pins` made for this card."""

    community: int
    volunteer_id: UUID
    card_id: UUID
    pin_hash: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card just issued."""

    community: int
    id: UUID
    volunteer_id: UUID
    card_number: str
    created_at: datetime


async def issue_cards(session: Session, new: Sequence[NewCard]) -> list[Card]:
    """Issue cards in order, each in place of the volunteer's card before."""
    issued = []
    for item in new:
        await revoke_cards_of(session, item.community, item.volunteer_id)
        number = card_number(item.community, f"{secrets.randbelow(10**CARD_DIGITS):0{CARD_DIGITS}}")
        card = Card(item.community, item.card_id, item.volunteer_id, number, session.now(item.community))
        announced = Event(
            item.community, "card.issued", {"card_id": str(card.id), "volunteer_id": str(card.volunteer_id)}
        )
        (event_number,) = await append(session, [announced])
        row = {
            "community_id": card.community,
            "card_id": card.id,
            "number": event_number,
            "volunteer_id": card.volunteer_id,
            "card_number": card.card_number,
            "pin_hash": item.pin_hash,
            "created_at": card.created_at,
        }
        await store.insert_cards(session, [row])
        issued.append(card)
    return issued


async def revoke_cards_of(session: Session, community: int, volunteer_id: UUID) -> None:
    """Revoke the volunteer's card, if there is a live one: from now on it gets no token and moves nothing."""
    revoked = await store.revoke_cards(session, community, [volunteer_id], session.now(community))
    gone = [
        Event(community, "card.revoked", {"card_id": str(card.card_id), "volunteer_id": str(card.volunteer_id)})
        for card in revoked
    ]
    if gone:
        await append(session, gone)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt on a PIN, counted already. Without a hash there is none that the PIN could fit."""

    tried: Tried
    pin_hash: str | None
    in_card: bool

    @property
    def card_id(self) -> UUID:
        """The card whose PIN is tried."""
        return self.tried.card_id


@dataclass(frozen=True, slots=True)
class Holder:
    """The volunteer whose card and PIN were right."""

    community: int
    volunteer_id: UUID
    card_id: UUID


async def count_attempt(session: Session, number: str, source: str) -> Attempt:
    """Count an attempt on a card's PIN as a wrong one, in a transaction of its own before the PIN is looked at.

    What is no card, or none any more, is counted as well, so that it takes as long. No head is locked: who guesses
    must not hold up the community.
    """
    community = community_of_card(number)
    await session.show(CITY if community is None else community, CITY)
    row = None if community is None else await store.find_card_by_number(session, community, number)
    if row is not None and row.revoked_at is not None:
        row = None
    place = (CITY, _no_card) if row is None else (row.community_id, row.card_id)
    tried = Tried(place[0], place[1], session.vault.hash("source of a PIN", source))
    now = session.now(tried.community)
    await store.forget_tallies(session, tried.community, before=now - KNOWN)
    of_card, of_source = (_tally(found) for found in await store.lock_tallies(session, tried, now))
    after = attempted(of_source, of_card, now)
    # Written in any case: an attempt that is refused takes as long as one that is not.
    source_after, card_after = after or (of_source, of_card)
    await store.write_tallies(session, tried, card_after, source_after, now)
    pin_hash = row.pin_hash if row is not None and after is not None else None
    return Attempt(tried, pin_hash, in_card=card_after != of_card)


async def let_in(session: Session, attempt: Attempt) -> Holder | None:
    """Take back what was counted for an attempt with the right PIN; None if the card was revoked in the meantime."""
    tried = attempt.tried
    await session.show(tried.community)
    now = session.now(tried.community)
    of_card, _ = await store.lock_tallies(session, tried, now)
    source_after, card_after = succeeded(_tally(of_card), now, in_card=attempt.in_card)
    await store.write_tallies(session, tried, card_after, source_after, now)
    row = await store.find_card(session, tried.community, tried.card_id)
    return None if row is None or row.revoked_at is not None else Holder(tried.community, row.volunteer_id, row.card_id)


def _tally(row: AnyRow) -> Tally:
    return Tally(row.failures, row.failed_at, row.succeeded_at)
