"""Sign-ups to shifts: the lowest free seat, or a place on the waitlist; drawn where a position says so; and read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.activities.errors import ShiftSkipped
from app.activities.rules import SKIPPED, VOLUNTEERS
from app.activities.service import get_shift
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.signups import store
from app.signups.errors import (
    AlreadySignedUp,
    OverlappingSignup,
    ShiftOver,
    SignupNotOpen,
    UnknownPosition,
    UnknownShift,
    WrongParticipant,
)
from app.signups.grounds import gather
from app.signups.participants import NO_OBJECTIONS
from app.signups.rules import APPLIED, DESK_MAY_FOR, WAITLISTED, Signup, Span, desk_may

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Shift
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.signups.grounds import Grounds
    from app.signups.participants import Objections
    from app.signups.store import Key


@dataclass(frozen=True, slots=True)
class NewSignup:
    """Somebody to sign up for a position of a shift, at the desk or by oneself."""

    community: int
    shift_id: UUID
    position_id: UUID
    participant_id: UUID
    signed_up_by: str
    by_oneself: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """Those who applied for a position of a shift, in the order in which they were drawn."""

    community: int
    signup_ids: tuple[UUID, ...]


async def sign_up(
    session: Session, new: Sequence[NewSignup], *, objections: Objections = NO_OBJECTIONS
) -> list[Signup | Refusal]:
    """Sign participants up in order, but nobody to whom the features above object."""
    shift_keys = {(item.community, item.shift_id) for item in new}
    grounds = await gather(session, shift_keys, new, objections=objections)
    # A seat that fell free while nobody who waits could have it goes to whoever can by now.
    await keep_promoted(session, grounds)
    outcomes: list[Signup | Refusal] = []
    for item in new:
        refusal = refusal_of(grounds, item, session.now(item.community))
        outcomes.append(refusal or _seated(session, grounds, item))
    entered = [outcome for outcome in outcomes if isinstance(outcome, Signup)]
    numbers = await append(session, [signup_event(one, one.status) for one in entered])
    numbered = {one.id: replace(one, number=number, queue=number) for one, number in zip(entered, numbers, strict=True)}
    await store.insert(session, list(numbered.values()))
    return [numbered[outcome.id] if isinstance(outcome, Signup) else outcome for outcome in outcomes]


def refusal_of(grounds: Grounds, item: NewSignup, now: datetime) -> Refusal | None:
    """Why somebody is not signed up."""
    shift = grounds.shifts.get((item.community, item.shift_id))
    if shift is None:
        return UnknownShift(shift_id=item.shift_id) if item.by_oneself else NotFound(resource="shift")
    position = grounds.positions.get((item.community, item.position_id))
    if position is None or position.activity_id != shift.activity_id:
        return UnknownPosition(position_id=item.position_id)
    if shift.status == SKIPPED:
        return ShiftSkipped(shift_id=shift.id)
    if item.by_oneself and position.participants != VOLUNTEERS:
        return WrongParticipant(participants=position.participants)
    refusal = too_late(shift, now, by_oneself=item.by_oneself) or grounds.unfit(item)
    if refusal is not None:
        return refusal
    place = (item.community, item.shift_id, item.participant_id)
    if here := grounds.roster.live_in(*place):
        return AlreadySignedUp(signup_id=here.id)
    if other := grounds.roster.overlapping(*place):
        return OverlappingSignup(signup_id=other.id, shift_id=other.shift_id)
    return None


def too_late(shift: Shift, now: datetime, *, by_oneself: bool) -> ShiftOver | None:
    """Why nobody is signed up for a shift any more: by oneself once it has begun, by the desk some days after it."""
    if by_oneself:
        return ShiftOver(until=shift.starts_at) if shift.begun_at(now) else None
    return None if desk_may(span_of(shift), now) else ShiftOver(until=shift.ends_at + DESK_MAY_FOR)


def span_of(shift: Shift) -> Span:
    """From when to when a shift goes on."""
    return Span(shift.starts_at, shift.ends_at)


def _seated(session: Session, grounds: Grounds, item: NewSignup) -> Signup:
    signup = Signup(
        id=new_id(),
        community=item.community,
        number=0,
        shift_id=item.shift_id,
        position_id=item.position_id,
        participant_id=item.participant_id,
        status=WAITLISTED,
        seat=None,
        queue=0,
        signed_up_by=item.signed_up_by,
        signed_up_at=session.now(item.community),
    )
    return grounds.roster.seat(signup, draws=grounds.draws(item))


def signup_event(signup: Signup, what: str) -> Event:
    """The event of what became of a sign-up."""
    ids = {
        "signup_id": str(signup.id),
        "shift_id": str(signup.shift_id),
        "position_id": str(signup.position_id),
        "participant_id": str(signup.participant_id),
    }
    return Event(signup.community, f"signup.{what}", ids)


async def keep_promoted(session: Session, grounds: Grounds) -> list[Signup]:
    """Give free seats to those who wait, and store that."""
    risen = grounds.promote({community: session.now(community) for community, _ in grounds.shifts})
    await store.update(session, risen)
    await append(session, [signup_event(one, "promoted") for one in risen])
    return risen


async def settle_draws(
    session: Session, drawn: Sequence[Drawn], *, objections: Objections = NO_OBJECTIONS
) -> list[list[Signup] | Refusal]:
    """Give seats to those who applied, in the order drawn; whoever gets none waits in that order.

    The features above may object by now to who applied in time: such a one gets none.
    """
    found = await store.load(session, {(item.community, one) for item in drawn for one in item.signup_ids})
    shift_keys = {(one.community, one.shift_id) for one in found.values()}
    grounds = await gather(session, shift_keys, list(found.values()), objections=objections)
    outcomes: list[list[Signup] | Refusal] = []
    for item in drawn:
        applied = [found.get((item.community, one)) for one in item.signup_ids]
        refusal = next((refusal for one in applied if (refusal := _draw_refusal(one))), None)
        outcomes.append(
            refusal
            or grounds.roster.draw([one for one in applied if one is not None], lambda one: grounds.unfit(one) is None)
        )
    settled = [one for outcome in outcomes if not isinstance(outcome, Refusal) for one in outcome]
    await store.update(session, settled)
    await append(session, [signup_event(one, one.status) for one in settled])
    return outcomes


def _draw_refusal(signup: Signup | None) -> Refusal | None:
    if signup is None:
        return NotFound(resource="signup")
    return None if signup.status == APPLIED else SignupNotOpen(signup_status=signup.status)


async def load_signups(session: Session, keys: Collection[Key]) -> dict[Key, Signup]:
    """Load sign-ups; unknown ones are missing."""
    return await store.load(session, keys)


async def live_signups(session: Session, shift_keys: Collection[Key]) -> dict[Key, list[Signup]]:
    """Load the live sign-ups of shifts, by shift, in the order of their numbers; shifts without any are missing."""
    by_shift: dict[Key, list[Signup]] = {}
    for one in await store.live_of_shifts(session, shift_keys):
        by_shift.setdefault((one.community, one.shift_id), []).append(one)
    return by_shift


async def get_signup(
    session: Session, community: int, signup_id: UUID, *, participant_id: UUID | None = None
) -> Signup:
    """Read one sign-up, of this participant if one is given. Raises `Refused(NotFound)`."""
    signup = (await store.load(session, [(community, signup_id)])).get((community, signup_id))
    if signup is None or participant_id not in {None, signup.participant_id}:
        raise Refused(NotFound(resource="signup"))
    return signup


async def list_signups(session: Session, community: int, paging: Paging) -> list[Signup]:
    """Sign-ups, newest first; filters: `status`, `participant_id`, `shift_id`."""
    return await store.page(session, community, paging)


async def list_signups_of_shift(session: Session, community: int, paging: Paging, *, shift_id: UUID) -> list[Signup]:
    """A shift's sign-ups by seat, then by the queue, then those that were closed; filters: `position_id`.

    Raises `Refused(NotFound)` without such a shift.
    """
    await get_shift(session, community, shift_id)
    return await store.page_of_shift(session, community, shift_id, paging)
