"""Cards of volunteers: for those who are registered, and not erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.access import cards
from app.kernel import persons
from app.kernel.errors import NotFound, Refusal
from app.volunteers import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.access.cards import Card, NewCard
    from app.kernel.database import Session


async def issue_cards(session: Session, new: Sequence[NewCard]) -> list[Card | Refusal]:
    """Issue cards in order, each in place of the volunteer's card before."""
    asked = {(item.community, item.volunteer_id) for item in new}
    # Who was erased is still among the volunteers, but has no key any more.
    consents = await session.ask(store.consent_dates(session.dialect, asked))
    present = consents.keys() & set(await persons.load_keys(session, list(asked)))
    known = [(item.community, item.volunteer_id) in present for item in new]
    issued = iter(await cards.issue_cards(session, [item for item, here in zip(new, known, strict=True) if here]))
    return [next(issued) if here else NotFound(resource="volunteer") for here in known]
