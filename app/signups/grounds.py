"""What is decided on: shifts with their positions and sign-ups, who wants a seat there, and who may have one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.activities.rules import DRAW, PLANNED
from app.activities.service import load_positions, load_shifts
from app.communities.service import communities_by_number
from app.qualifications.rules import Holding
from app.signups import draws_store, store
from app.signups.errors import QualificationMissing
from app.signups.participants import NO_OBJECTIONS, Presence, held_among, is_known_here, refusals_of
from app.signups.rules import CONFIRMED, WAITLISTED, Roster, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Position, Shift
    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.signups.participants import Objections
    from app.signups.rules import Signup
    from app.signups.store import Key


class Wish(Protocol):
    """Somebody who is to have a seat in a place, or waits for one."""

    @property
    def community(self) -> int:
        """The community's small number."""

    @property
    def shift_id(self) -> UUID:
        """The shift."""

    @property
    def position_id(self) -> UUID:
        """The position."""

    @property
    def participant_id(self) -> UUID:
        """Who: of the kind that the position is for."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """Shifts, positions, who is signed up, who may not take part, and what volunteers hold of what is needed.

    `drawn` are the shifts whose seats were drawn; `known` the positions of whose participants it can be told here
    whether they may take part.
    """

    shifts: Mapping[Key, Shift]
    positions: Mapping[Key, Position]
    roster: Roster
    refusals: Mapping[tuple[str, Presence], Refusal]
    communities: Mapping[int, Community]
    held: Collection[Holding]
    drawn: Collection[Key]
    known: Collection[Key]

    def draws(self, wish: Wish) -> bool:
        """Whether the seats of a place are still to be drawn."""
        position = self.positions[wish.community, wish.position_id]
        return position.allocation == DRAW and (wish.community, wish.shift_id) not in self.drawn

    def unfit(self, wish: Wish) -> Refusal | None:
        """Why somebody may have no seat in a place: unknown, objected to, or not qualified on the day."""
        position = self.positions[wish.community, wish.position_id]
        presence = _presence(wish, self.shifts, self.communities)
        if refusal := self.refusals.get((position.participants, presence)):
            return refusal
        needed = _needed(presence, position)
        return QualificationMissing(needed.code) if needed and needed not in self.held else None

    def promote(self, times: Mapping[int, datetime]) -> list[Signup]:
        """Give free seats of shifts to come to those who wait, of the shift first that begins first.

        `times` are the communities' own.
        """
        to_come = []
        for place in self.roster.waited_for():
            if (place.community, place.position_id) not in self.known:
                continue
            shift = self.shifts[place.community, place.shift_id]
            if shift.status == PLANNED and not shift.begun_at(times[place.community]):
                number = self.positions[place.community, place.position_id].number
                to_come.append((shift.starts_at, shift.number, number, place))
        return [
            risen
            for *_, place in sorted(to_come)
            for risen in self.roster.promote(place, lambda waiting: self.unfit(waiting) is None)
        ]


def _presence(wish: Wish, shifts: Mapping[Key, Shift], communities: Mapping[int, Community]) -> Presence:
    """Who would take part where, and on which day."""
    starts_at = shifts[wish.community, wish.shift_id].starts_at
    return Presence(wish.community, wish.participant_id, communities[wish.community].local_date(starts_at))


def _needed(presence: Presence, position: Position) -> Holding | None:
    """The qualification that somebody needs for a position, if any."""
    code = position.required_qualification
    return None if code is None else Holding(presence.community, presence.participant_id, code, presence.day)


async def gather(
    session: Session,
    shift_keys: Collection[Key],
    wishes: Sequence[Wish] = (),
    *,
    objections: Objections = NO_OBJECTIONS,
) -> Grounds:
    """Load all that is decided on for wishes, and for those who wait where a seat is free."""
    shifts = await load_shifts(session, shift_keys)
    live = await store.live_of_shifts(session, shifts)
    positions = await load_positions(session, {(one.community, one.position_id) for one in (*wishes, *live)})
    possible = [
        wish
        for wish in wishes
        if (wish.community, wish.shift_id) in shifts and (wish.community, wish.position_id) in positions
    ]
    concerned: list[Wish] = [*possible, *_with_room(live, positions)]
    communities = await session.ask(communities_by_number(session.dialect, {key[0] for key in shifts}))
    asked: dict[str, set[Presence]] = {}
    needed: set[Holding] = set()
    for wish in concerned:
        position, presence = positions[wish.community, wish.position_id], _presence(wish, shifts, communities)
        asked.setdefault(position.participants, set()).add(presence)
        if need := _needed(presence, position):
            needed.add(need)
    spans = {key: Span(shift.starts_at, shift.ends_at) for key, shift in shifts.items()}
    elsewhere = [
        (signup, span)
        for signup, span in await store.engaged(session, _within(concerned, spans))
        if (signup.community, signup.shift_id) not in shifts
    ]
    roster = Roster(
        [*live, *(signup for signup, _ in elsewhere)],
        spans={**spans, **{(signup.community, signup.shift_id): span for signup, span in elsewhere}},
        capacities={key: position.capacity for key, position in positions.items()},
    )
    return Grounds(
        shifts=shifts,
        positions=positions,
        roster=roster,
        refusals=await refusals_of(session, asked, objections),
        communities=communities,
        held=await held_among(session, needed),
        drawn=await _drawn(session, possible, positions),
        known={key for key, position in positions.items() if is_known_here(session, position.participants)},
    )


async def _drawn(session: Session, wishes: Iterable[Wish], positions: Mapping[Key, Position]) -> Collection[Key]:
    """The shifts whose seats were drawn, of those in which somebody wants a seat that is to be."""
    by_draw = {
        (wish.community, wish.shift_id)
        for wish in wishes
        if positions[wish.community, wish.position_id].allocation == DRAW
    }
    return {key for key, draw in (await draws_store.load(session, by_draw)).items() if draw.drawn_at is not None}


def _with_room(live: Iterable[Signup], positions: Mapping[Key, Position]) -> list[Signup]:
    """Those who wait where a seat is free."""
    taken = Counter(one.place for one in live if one.status == CONFIRMED)
    return [
        one
        for one in live
        if one.status == WAITLISTED and taken[one.place] < positions[one.community, one.position_id].capacity
    ]


def _within(wishes: Iterable[Wish], spans: Mapping[Key, Span]) -> dict[Key, Span]:
    """For everybody the one span in which all lies that is wished for, so that nobody's sign-ups are loaded twice."""
    within: dict[Key, Span] = {}
    for wish in wishes:
        key, span = (wish.community, wish.participant_id), spans[wish.community, wish.shift_id]
        other = within.get(key, span)
        within[key] = Span(min(span.starts_at, other.starts_at), max(span.ends_at, other.ends_at))
    return within
