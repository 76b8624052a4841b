"""Sign-ups that end: cancelled by who signed up or at the desk, or released with a shift. Who waits moves up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.activities.service import load_activities, load_shifts
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import append
from app.signups import store
from app.signups.errors import CancellationTooLate, SignupNotOpen
from app.signups.grounds import gather
from app.signups.participants import NO_OBJECTIONS
from app.signups.rules import CANCELLED, CONFIRMED, RELEASED, WAITLISTED, Signup, may_still_cancel
from app.signups.service import keep_promoted, signup_event, span_of, too_late

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Activity, Shift
    from app.kernel.database import Session
    from app.kernel.persons import Person
    from app.signups.participants import Objections
    from app.signups.store import Key

_for_the_service = "service"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A sign-up to take back. `participant_id` is given when only that participant's own may be, and in time."""

    community: int
    signup_id: UUID
    cancelled_by: str
    reason: str | None = None
    participant_id: UUID | None = None


async def cancel_signups(
    session: Session, cancellations: Sequence[Cancellation], *, objections: Objections = NO_OBJECTIONS
) -> list[Signup | Refusal]:
    """Take live sign-ups back in order, and let those move up who wait."""
    found = await store.load(session, {(item.community, item.signup_id) for item in cancellations})
    shifts = await load_shifts(session, {(one.community, one.shift_id) for one in found.values()})
    activities = await load_activities(session, {(one.community, one.activity_id) for one in shifts.values()})
    outcomes: list[Key | Refusal] = []
    given_up: list[Signup] = []
    for item in cancellations:
        key, now = (item.community, item.signup_id), session.now(item.community)
        refusal = _refusal(found.get(key), item, shifts, activities, now)
        outcomes.append(refusal or key)
        if refusal is None:
            given_up.append(found[key])
            found[key] = found[key].closed(CANCELLED, by=item.cancelled_by, at=now, reason=item.reason)
    await keep_closed(session, [found[one.community, one.id] for one in given_up])
    await let_move_up(session, *_let_go(given_up), objections=objections)
    return [outcome if isinstance(outcome, Refusal) else found[outcome] for outcome in outcomes]


def _refusal(
    signup: Signup | None,
    item: Cancellation,
    shifts: Mapping[Key, Shift],
    activities: Mapping[Key, Activity],
    now: datetime,
) -> Refusal | None:
    if signup is None or item.participant_id not in {None, signup.participant_id}:
        return NotFound(resource="signup")
    if not signup.is_live:
        return SignupNotOpen(signup_status=signup.status)
    shift = shifts[signup.community, signup.shift_id]
    if item.participant_id is None:
        # Once it has begun, who does not come is excused or absent, which is the attendance's to say.
        return too_late(shift, now, by_oneself=True)
    hours = activities[shift.community, shift.activity_id].cancellation_hours
    if may_still_cancel(signup, span_of(shift), hours, now):
        return None
    return CancellationTooLate(until=shift.starts_at - timedelta(hours=hours))


async def keep_closed(session: Session, closed: Sequence[Signup]) -> None:
    """Store that sign-ups were cancelled or released."""
    await store.update(session, closed)
    await append(session, [signup_event(one, one.status) for one in closed])


async def let_move_up(
    session: Session, shift_keys: Collection[Key], participants: Collection[Key], *, objections: Objections
) -> None:
    """Give the free seats of shifts to those who wait; and to participants who have time now, where they wait."""
    to_come = await store.live_to_come(session, participants)
    waited_for = {(one.community, one.shift_id) for one in to_come if one.status == WAITLISTED}
    grounds = await gather(session, {*shift_keys, *waited_for}, objections=objections)
    await keep_promoted(session, grounds)


def _let_go(seats: Collection[Signup]) -> tuple[set[Key], set[Key]]:
    """The shifts in which seats fell free, and who has time now."""
    confirmed = [one for one in seats if one.status == CONFIRMED]
    return (
        {(one.community, one.shift_id) for one in confirmed},
        {(one.community, one.participant_id) for one in confirmed},
    )


async def follow_skipped(session: Session, shifts: Sequence[Shift], *, objections: Objections = NO_OBJECTIONS) -> None:
    """Release everybody who was signed up for shifts that do not take place."""
    live = await store.live_of_shifts(session, {(shift.community, shift.id) for shift in shifts})
    reasons = {(shift.community, shift.id): shift.reason for shift in shifts}
    await keep_closed(
        session,
        [
            one.closed(
                RELEASED,
                by=_for_the_service,
                at=session.now(one.community),
                reason=reasons[one.community, one.shift_id],
            )
            for one in live
        ],
    )
    await let_move_up(session, *_let_go(live), objections=objections)


async def follow_unfit(
    session: Session, persons: Collection[Person], *, objections: Objections = NO_OBJECTIONS
) -> None:
    """Release those from shifts to come who may not take part there any more, and let those move up who wait."""
    to_come = await store.live_to_come(session, persons)
    grounds = await gather(session, {(one.community, one.shift_id) for one in to_come}, to_come)
    unfit = [one for one in to_come if grounds.unfit(one)]
    await keep_closed(
        session,
        [one.closed(RELEASED, by=_for_the_service, at=session.now(one.community), reason=None) for one in unfit],
    )
    await let_move_up(session, *_let_go(unfit), objections=objections)


async def follow_moved(session: Session, shifts: Sequence[Shift], *, objections: Objections = NO_OBJECTIONS) -> None:
    """Release those from moved shifts who at the new time have a seat elsewhere or may not take part.

    The others keep theirs.
    """
    keys = {(shift.community, shift.id) for shift in shifts}
    seated = [one for one in await store.live_of_shifts(session, keys) if one.status == CONFIRMED]
    grounds = await gather(session, keys, seated)
    released = []
    for one in seated:
        elsewhere = grounds.roster.overlapping(one.community, one.shift_id, one.participant_id)
        if elsewhere or grounds.unfit(one):
            reason = grounds.shifts[one.community, one.shift_id].reason
            gone = one.closed(RELEASED, by=_for_the_service, at=session.now(one.community), reason=reason)
            grounds.roster.note(gone)
            released.append(gone)
    await keep_closed(session, released)
    # Those who stayed as well may have time now where they wait.
    participants = {(one.community, one.participant_id) for one in seated}
    await let_move_up(session, keys, participants, objections=objections)
