"""Sign-ups, pure: who has which seat of a shift, who waits in which order, and what stands against whom."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

APPLIED = "applied"
CONFIRMED = "confirmed"
WAITLISTED = "waitlisted"
CANCELLED = "cancelled"
RELEASED = "released"

LIVE = frozenset({APPLIED, CONFIRMED, WAITLISTED})

DESK_MAY_FOR = timedelta(days=10)
"""How long after a shift's end the desk may still sign people up for it, or take a sign-up back."""


@dataclass(frozen=True, slots=True)
class Signup:
    """Somebody's place in a shift, or the wish for one. Its number is its first event's.

    A `seat` it has while it is confirmed; who waits moves up in the order of `queue`.
    """

    id: UUID
    community: int
    number: int
    shift_id: UUID
    position_id: UUID
    participant_id: UUID
    status: str
    seat: int | None
    queue: int
    signed_up_by: str
    signed_up_at: datetime
    closed_by: str | None = None
    closed_at: datetime | None = None
    reason: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether it was neither cancelled nor released."""
        return self.status in LIVE

    @property
    def place(self) -> Place:
        """What it is for."""
        return Place(self.community, self.shift_id, self.position_id)

    def closed(self, status: str, *, by: str, at: datetime, reason: str | None) -> Signup:
        """The same, cancelled or released."""
        return replace(self, status=status, seat=None, closed_by=by, closed_at=at, reason=reason)


class Place(NamedTuple):
    """A position in a shift, where the position's seats are taken."""

    community: int
    shift_id: UUID
    position_id: UUID


class Span(NamedTuple):
    """From when to when a shift goes on, its end not included."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Span) -> bool:
        """Whether both go on at some moment; one that begins when the other ends does not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


class Lot(NamedTuple):
    """What a draw gave to somebody: a rank among those who applied for the position, and perhaps a seat."""

    signup_id: UUID
    position_id: UUID
    participant_id: UUID
    rank: int
    seat: int | None


@dataclass(frozen=True, slots=True)
class Draw:
    """The draw of a shift's seats. `applicants` are the ids of who applied, in order; `secret` is hex, once drawn."""

    community: int
    shift_id: UUID
    commitment: str
    opened_at: datetime
    draws_at: datetime
    drawn_at: datetime | None = None
    drawn_by: str | None = None
    secret: str | None = None
    applicants: tuple[UUID, ...] = ()
    lots: tuple[Lot, ...] = ()


def commitment_of(secret: bytes) -> str:
    """What is published of a secret before the draw: its SHA-256, in hex."""
    return sha256(secret).hexdigest()


def seed_of(secret: bytes, applicants: Collection[UUID]) -> bytes:
    """What the ranks follow from: SHA-256 of the secret's 32 bytes and then each applicant's 16, in their order.

    Who knows the secret did not know who would apply, and who applied did not know the secret.
    """
    return sha256(secret + b"".join(sorted(one.bytes for one in applicants))).digest()


def ranked(secret: bytes, applicants: Collection[UUID]) -> list[UUID]:
    """The applicants in the order drawn: by the SHA-256 of the seed's 32 bytes and then the applicant's 16."""
    seed = seed_of(secret, applicants)
    return sorted(applicants, key=lambda one: sha256(seed + one.bytes).digest())


def may_still_cancel(signup: Signup, span: Span, cancellation_hours: int, now: datetime) -> bool:
    """Whether who signed up may still take it back alone: a seat until some hours before the start, a wait at will."""
    return signup.status != CONFIRMED or now <= span.starts_at - timedelta(hours=cancellation_hours)


def desk_may(span: Span, now: datetime) -> bool:
    """Whether the desk may still change who is signed up."""
    return now < span.ends_at + DESK_MAY_FOR


_number = attrgetter("number")
_queue = attrgetter("queue", "number")


class Roster:
    """The live sign-ups that a decision rests on; what is decided is noted in it, so that the next rests on that.

    Of every place that is decided about it has to know all, and of everybody concerned all confirmed ones of about
    the same time. `spans` are the shifts' times, `capacities` the positions' seats.
    """

    def __init__(
        self,
        signups: Iterable[Signup],
        *,
        spans: Mapping[tuple[int, UUID], Span],
        capacities: Mapping[tuple[int, UUID], int],
    ) -> None:
        """Take what is live now."""
        self._spans, self._capacities = spans, capacities
        self._known: dict[tuple[int, UUID], Signup] = {}
        self._seats: dict[Place, dict[int, Signup]] = {}
        self._waiting: dict[Place, list[Signup]] = {}
        self._of_participant: dict[tuple[int, UUID], dict[UUID, Signup]] = {}
        for signup in signups:
            self._enter(signup)

    def _enter(self, signup: Signup) -> None:
        self._known[signup.community, signup.id] = signup
        if signup.status == CONFIRMED and signup.seat is not None:
            self._seats.setdefault(signup.place, {})[signup.seat] = signup
        elif signup.status == WAITLISTED:
            insort(self._waiting.setdefault(signup.place, []), signup, key=_queue)
        if signup.is_live:
            self._of_participant.setdefault((signup.community, signup.participant_id), {})[signup.id] = signup

    def _leave(self, signup: Signup) -> None:
        if signup.seat is not None:
            del self._seats[signup.place][signup.seat]
        elif signup.status == WAITLISTED:
            self._waiting[signup.place].remove(signup)
        self._of_participant[signup.community, signup.participant_id].pop(signup.id)

    def note(self, signup: Signup) -> None:
        """Take a new sign-up in, or one as it has become."""
        before = self._known.get((signup.community, signup.id))
        if before is not None:
            self._leave(before)
        self._enter(signup)

    def live_in(self, community: int, shift_id: UUID, participant_id: UUID) -> Signup | None:
        """What somebody has in a shift, if anything."""
        own = self._of_participant.get((community, participant_id), {})
        return next((one for one in own.values() if one.shift_id == shift_id), None)

    def overlapping(self, community: int, shift_id: UUID, participant_id: UUID) -> Signup | None:
        """The confirmed sign-up of somebody to another shift that goes on at the same time; the earliest made."""
        span = self._spans[community, shift_id]
        own = self._of_participant.get((community, participant_id), {})
        in_the_way = [
            one
            for one in own.values()
            if one.status == CONFIRMED
            and one.shift_id != shift_id
            and span.overlaps(self._spans[community, one.shift_id])
        ]
        return min(in_the_way, key=_number, default=None)

    def free_seat(self, place: Place) -> int | None:
        """The lowest seat that nobody has."""
        taken = self._seats.get(place, {})
        seats = range(1, self._capacities[place.community, place.position_id] + 1)
        return next((seat for seat in seats if seat not in taken), None)

    def seat(self, new: Signup, *, draws: bool) -> Signup:
        """Give a new sign-up the lowest free seat, or let it wait; where seats are still to be drawn, apply."""
        seat = self.free_seat(new.place)
        if draws:
            entered = replace(new, status=APPLIED, seat=None)
        elif seat is not None:
            entered = replace(new, status=CONFIRMED, seat=seat)
        else:
            entered = replace(new, status=WAITLISTED, seat=None)
        self.note(entered)
        return entered

    def draw(self, drawn: Sequence[Signup], may: Callable[[Signup], bool]) -> list[Signup]:
        """Give those who applied for a place, in the order in which they were drawn, its seats; the others wait so."""
        outcomes = []
        for rank, applied in enumerate(drawn, 1):
            seat = self.free_seat(applied.place)
            blocked = self.overlapping(applied.community, applied.shift_id, applied.participant_id)
            if seat is None or blocked or not may(applied):
                outcome = replace(applied, status=WAITLISTED, queue=rank)
            else:
                outcome = replace(applied, status=CONFIRMED, queue=rank, seat=seat)
            self.note(outcome)
            outcomes.append(outcome)
        return outcomes

    def promote(self, place: Place, may: Callable[[Signup], bool]) -> list[Signup]:
        """Give the free seats to those who wait, first come first, but to nobody against whom something stands now."""
        promoted = []
        for waiting in list(self._waiting.get(place, ())):
            seat = self.free_seat(place)
            if seat is None:
                break
            if may(waiting) and not self.overlapping(*place[:2], waiting.participant_id):
                risen = replace(waiting, status=CONFIRMED, seat=seat)
                self.note(risen)
                promoted.append(risen)
        return promoted

    def waited_for(self) -> list[Place]:
        """The places for which somebody waits."""
        return [place for place, waiting in self._waiting.items() if waiting]

    def waiting(self, place: Place) -> Sequence[Signup]:
        """Who waits for a seat, in order."""
        return self._waiting.get(place, ())

    def counts(self) -> Counter[tuple[Place, str]]:
        """How many live sign-ups there are, by place and status."""
        return Counter((one.place, one.status) for one in self._known.values() if one.is_live)
