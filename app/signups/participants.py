"""Who takes part: of each kind of participants, the feature that knows them; and what volunteers are qualified for.

A kind is one line of `KINDS`, for the feature above which sign-ups stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from app.activities.rules import VOLUNTEERS
from app.volunteers.errors import UnknownVolunteer
from app.volunteers.service import consent_dates

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.errors import Refusal

    Participant: TypeAlias = tuple[int, UUID]
    """A participant: the small number of the community, and the participant's id."""


class Kind(NamedTuple):
    """A kind of participants: which of some there are, how the others are refused, and whether they are the city's.

    The city's are looked up when they sign up alone, where the command looks at the city's rows besides.
    """

    known: Callable[[Session, Collection[Participant]], Awaitable[Collection[Participant]]]
    unknown: Callable[[UUID], Refusal]
    of_city: bool = False


async def _volunteers(session: Session, asked: Collection[Participant]) -> Collection[Participant]:
    return await session.ask(consent_dates(session.dialect, asked))


KINDS: Mapping[str, Kind] = {
    VOLUNTEERS: Kind(_volunteers, lambda who: UnknownVolunteer(volunteer_id=who)),
}
"""By what positions say of their participants."""


class Held(NamedTuple):
    """A qualification that a volunteer holds, or would need, on a day."""

    community: int
    volunteer_id: UUID
    qualification: str
    day: dt.date


async def known_of(
    session: Session, asked: Mapping[str, Collection[Participant]], *, of_city: bool
) -> dict[str, Collection[Participant]]:
    """Which of these participants, by their kind, there are; of the city's all, unless those are asked for too."""
    return {
        kind: await KINDS[kind].known(session, participants) if of_city or not KINDS[kind].of_city else participants
        for kind, participants in asked.items()
        if kind in KINDS
    }


async def held_among(_: Session, __: Collection[Held]) -> Collection[Held]:
    """Which of these qualifications the volunteers hold, checked and valid, on the days: none, while nobody checks."""
    return ()
