"""What volunteers see of shifts and do for themselves: of others they see how many there are, and not who."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.activities.rules import VOLUNTEERS
from app.activities.service import load_activities, load_shifts
from app.kernel.errors import Refusal
from app.signups import store
from app.signups.closing import cancel_signups
from app.signups.errors import UnknownShift
from app.signups.grounds import gather
from app.signups.participants import NO_OBJECTIONS
from app.signups.rules import APPLIED, CONFIRMED, WAITLISTED, Place, Signup
from app.signups.service import NewSignup, get_signup, list_signups, refusal_of, sign_up

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.activities.rules import Activity, Position, Shift
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.signups.closing import Cancellation
    from app.signups.participants import Objections


class OpenPosition(NamedTuple):
    """A position of a shift: how many seats are free, how many wait or applied, and why one may not sign up, if so."""

    position: Position
    free: int
    waiting: int
    applied: int
    refusal: Refusal | None


class OpenShift(NamedTuple):
    """A shift to come, its positions for volunteers, and the sign-up that one has to it."""

    shift: Shift
    activity: Activity
    positions: list[OpenPosition]
    own: Signup | None


class OwnSignup(NamedTuple):
    """A sign-up with what it is to."""

    signup: Signup
    shift: Shift
    activity: Activity
    position: Position


async def list_open_shifts(session: Session, community: int, paging: Paging, *, volunteer_id: UUID) -> list[OpenShift]:
    """The shifts to come that are offered to a volunteer, soonest first, as they stand open to that one."""
    now = session.now(community)
    rows = await store.page_of_open_shifts(session, community, paging, now, volunteer_id)
    shifts = await load_shifts(session, [(community, row.shift_id) for row in rows])
    activities = await load_activities(session, {(community, shift.activity_id) for shift in shifts.values()})
    wishes = {
        Place(community, shift.id, position.id): NewSignup(
            community, shift.id, position.id, volunteer_id, "", by_oneself=True
        )
        for shift in shifts.values()
        for position in activities[community, shift.activity_id].positions
        if position.participants == VOLUNTEERS
    }
    grounds = await gather(session, shifts, list(wishes.values()))
    counts = grounds.roster.counts()
    opened = []
    for row in rows:
        shift = shifts[community, row.shift_id]
        activity = activities[community, shift.activity_id]
        positions = [
            OpenPosition(
                position,
                position.capacity - counts[place, CONFIRMED],
                counts[place, WAITLISTED],
                counts[place, APPLIED],
                refusal_of(grounds, wishes[place], now),
            )
            for position in activity.positions
            if (place := Place(community, shift.id, position.id)) in wishes
        ]
        opened.append(OpenShift(shift, activity, positions, grounds.roster.live_in(community, shift.id, volunteer_id)))
    return opened


async def sign_up_oneself(
    session: Session, new: Sequence[NewSignup], *, objections: Objections = NO_OBJECTIONS
) -> list[OwnSignup | Refusal]:
    """Sign volunteers up who do it by themselves, in order; shifts that are not offered to them are not known."""
    kept_from = await store.kept_from(session, [_asked(item) for item in new])
    offered = [item for item in new if _asked(item) not in kept_from]
    outcomes = iter(await sign_up(session, offered, objections=objections))
    return await _described_among(
        session,
        [UnknownShift(shift_id=item.shift_id) if _asked(item) in kept_from else next(outcomes) for item in new],
    )


def _asked(item: NewSignup) -> tuple[int, UUID, UUID]:
    return item.community, item.shift_id, item.participant_id


async def cancel_own_signups(
    session: Session, cancellations: Sequence[Cancellation], *, objections: Objections = NO_OBJECTIONS
) -> list[OwnSignup | Refusal]:
    """Take sign-ups back for those who do it by themselves, in order."""
    return await _described_among(session, await cancel_signups(session, cancellations, objections=objections))


async def list_own_signups(session: Session, community: int, paging: Paging) -> list[OwnSignup]:
    """Sign-ups with what they are to, newest first; filters: `status`, `participant_id`."""
    return await _described(session, await list_signups(session, community, paging))


async def get_own_signup(session: Session, community: int, signup_id: UUID, volunteer_id: UUID) -> OwnSignup:
    """Read one of a volunteer's sign-ups. Raises `Refused(NotFound)`."""
    signup = await get_signup(session, community, signup_id, participant_id=volunteer_id)
    (found,) = await _described(session, [signup])
    return found


async def _described(session: Session, signups: Sequence[Signup]) -> list[OwnSignup]:
    """Sign-ups with what they are to."""
    shifts = await load_shifts(session, {(one.community, one.shift_id) for one in signups})
    activities = await load_activities(session, {(one.community, one.activity_id) for one in shifts.values()})
    positions = {one.id: one for activity in activities.values() for one in activity.positions}
    described = []
    for signup in signups:
        shift = shifts[signup.community, signup.shift_id]
        activity = activities[shift.community, shift.activity_id]
        described.append(OwnSignup(signup, shift, activity, positions[signup.position_id]))
    return described


async def _described_among(session: Session, outcomes: Sequence[Signup | Refusal]) -> list[OwnSignup | Refusal]:
    """Sign-ups with what they are to; refusals as they are."""
    described = iter(await _described(session, [outcome for outcome in outcomes if isinstance(outcome, Signup)]))
    return [outcome if isinstance(outcome, Refusal) else next(described) for outcome in outcomes]
