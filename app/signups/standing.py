"""Standing sign-ups: who takes part in every shift of a series is signed up for each that is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from app.activities.series import load_coming_shifts, load_series
from app.activities.service import load_positions
from app.communities.service import communities_by_number
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.signups import store
from app.signups.closing import Cancellation, cancel_signups
from app.signups.errors import AlreadySignedUp, UnknownPosition
from app.signups.participants import NO_OBJECTIONS, Presence, refusals_of
from app.signups.rules import Signup
from app.signups.service import NewSignup, sign_up
from app.signups.store import StandingSignup

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.activities.rules import Position, Series, Shift
    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.persons import Person
    from app.signups.participants import Objections
    from app.signups.store import Key


@dataclass(frozen=True, slots=True)
class NewStandingSignup:
    """Somebody who is to take part in every shift of a series; of those that are made, in these from a day on."""

    community: int
    series_id: UUID
    position_id: UUID
    participant_id: UUID
    set_by: str
    from_day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class StandingEnding:
    """A standing sign-up to end, with its sign-ups to the shifts to come, or to these from a day on."""

    community: int
    series_id: UUID
    participant_id: UUID
    ended_by: str
    reason: str | None = None
    from_day: dt.date | None = None


class RefusedShift(NamedTuple):
    """A shift to which a standing sign-up led to none, and why."""

    shift_id: UUID
    code: str


class Standing(NamedTuple):
    """A standing sign-up, with the sign-ups that were made or cancelled with it, and shifts where it could not be."""

    standing: StandingSignup
    signups: list[Signup]
    refused: list[RefusedShift]


async def set_standing(
    session: Session, new: Sequence[NewStandingSignup], *, objections: Objections = NO_OBJECTIONS
) -> list[Standing | Refusal]:
    """Let participants take part, in order, in every shift of a series: in those to come that are made, at once."""
    all_series = await load_series(session, {(item.community, item.series_id) for item in new})
    positions = await load_positions(session, {(item.community, item.position_id) for item in new})
    communities = await session.ask(communities_by_number(session.dialect, {item.community for item in new}))
    coming = await load_coming_shifts(session, all_series)
    presences = [_presence(session, item, communities[item.community], coming) for item in new]
    asked: dict[str, set[Presence]] = {}
    for presence, item in zip(presences, new, strict=True):
        if position := positions.get((item.community, item.position_id)):
            asked.setdefault(position.participants, set()).add(presence)
    unfit = await refusals_of(session, asked)
    taken = {
        (one.community, one.series_id, one.participant_id)
        for one in await store.standing_of_series(session, all_series)
    }
    outcomes: list[StandingSignup | Refusal] = []
    for item, presence in zip(new, presences, strict=True):
        refusal = _refusal(item, all_series, positions, unfit, presence)
        place = (item.community, item.series_id, item.participant_id)
        if refusal is None and place in taken:
            refusal = AlreadySignedUp()
        taken.add(place)
        since = session.now(item.community)
        outcomes.append(refusal or StandingSignup(*place, item.position_id, since, item.set_by))
    set_now = [outcome for outcome in outcomes if isinstance(outcome, StandingSignup)]
    await store.insert_standing(session, set_now)
    await append(session, [_event(one, "set") for one in set_now])
    wanted = [
        (outcome, [shift for shift in coming[item.community, item.series_id] if shift.is_from(item.from_day)])
        for item, outcome in zip(new, outcomes, strict=True)
        if isinstance(outcome, StandingSignup)
    ]
    followed = await _sign_up(session, wanted, objections)
    in_order = iter(followed)
    return [outcome if isinstance(outcome, Refusal) else next(in_order) for outcome in outcomes]


def _presence(
    session: Session, item: NewStandingSignup, community: Community, coming: Mapping[Key, Sequence[Shift]]
) -> Presence:
    """Who takes part from the next shift on, or from today where none is made."""
    shifts = coming.get((item.community, item.series_id), ())
    begins = min((shift.starts_at for shift in shifts), default=session.now(item.community))
    return Presence(item.community, item.participant_id, community.local_date(begins))


def _refusal(
    item: NewStandingSignup,
    all_series: Mapping[Key, Series],
    positions: Mapping[Key, Position],
    unfit: Mapping[tuple[str, Presence], Refusal],
    presence: Presence,
) -> Refusal | None:
    series = all_series.get((item.community, item.series_id))
    if series is None:
        return NotFound(resource="series")
    position = positions.get((item.community, item.position_id))
    if position is None or position.activity_id != series.activity_id:
        return UnknownPosition(position_id=item.position_id)
    return unfit.get((position.participants, presence))


def _event(standing: StandingSignup, what: str, **more: str) -> Event:
    ids = {"series_id": str(standing.series_id), "participant_id": str(standing.participant_id), **more}
    return Event(standing.community, f"standing_signup.{what}", ids)


async def _sign_up(
    session: Session, wanted: Sequence[tuple[StandingSignup, Sequence[Shift]]], objections: Objections
) -> list[Standing]:
    """Sign up for shifts whoever stands in their series; where that is refused, an event tells."""
    new = [
        NewSignup(one.community, shift.id, one.position_id, one.participant_id, one.set_by)
        for one, shifts in wanted
        for shift in shifts
    ]
    outcomes = iter(await sign_up(session, new, objections=objections))
    followed, events = [], []
    for one, shifts in wanted:
        signups, refused = [], []
        for shift in shifts:
            outcome = next(outcomes)
            if isinstance(outcome, Signup):
                signups.append(outcome)
            else:
                refused.append(RefusedShift(shift.id, outcome.code))
                events.append(_event(one, "refused", shift_id=str(shift.id), code=outcome.code))
        followed.append(Standing(one, signups, refused))
    await append(session, events)
    return followed


async def follow_made(session: Session, shifts: Sequence[Shift], *, objections: Objections = NO_OBJECTIONS) -> None:
    """Sign up for new shifts whoever stands in their series."""
    coming: dict[Key, list[Shift]] = {}
    for shift in shifts:
        if shift.series_id is not None and not shift.begun_at(session.now(shift.community)):
            coming.setdefault((shift.community, shift.series_id), []).append(shift)
    standing = await store.standing_of_series(session, coming)
    if standing:
        await _sign_up(session, [(one, coming[one.community, one.series_id]) for one in standing], objections)


async def end_standing(
    session: Session, endings: Sequence[StandingEnding], *, objections: Objections = NO_OBJECTIONS
) -> list[Standing | Refusal]:
    """End standing sign-ups in order, and cancel those to the shifts to come that they led to."""
    series_keys = {(item.community, item.series_id) for item in endings}
    found = {_place(one): one for one in await store.standing_of_series(session, series_keys)}
    outcomes: list[StandingSignup | Refusal] = []
    for item in endings:
        standing = found.pop(_place(item), None)
        outcomes.append(standing or NotFound(resource="standing sign-up"))
    ended = [outcome for outcome in outcomes if isinstance(outcome, StandingSignup)]
    await store.delete_standing(session, ended)
    await append(session, [_event(one, "ended") for one in ended])
    places = {_place(one) for one in ended}
    cancelled = await _cancel_to_come(session, [item for item in endings if _place(item) in places], objections)
    return [
        outcome if isinstance(outcome, Refusal) else Standing(outcome, cancelled.get(_place(outcome), []), [])
        for outcome in outcomes
    ]


def _place(one: StandingSignup | StandingEnding) -> tuple[int, UUID, UUID]:
    return one.community, one.series_id, one.participant_id


async def _cancel_to_come(
    session: Session, endings: Sequence[StandingEnding], objections: Objections
) -> dict[tuple[int, UUID, UUID], list[Signup]]:
    """Cancel what is live of participants in the shifts of series to come."""
    coming = await load_coming_shifts(session, {(item.community, item.series_id) for item in endings})
    of_series = {(shift.community, shift.id): (key[1], shift) for key, shifts in coming.items() for shift in shifts}
    by_place = {_place(item): item for item in endings}
    wanted = []
    for one in await store.live_of_shifts(session, of_series):
        series_id, shift = of_series[one.community, one.shift_id]
        place = (one.community, series_id, one.participant_id)
        if (item := by_place.get(place)) and shift.is_from(item.from_day):
            wanted.append((place, Cancellation(one.community, one.id, item.ended_by, item.reason)))
    cancelled: dict[tuple[int, UUID, UUID], list[Signup]] = {}
    outcomes = await cancel_signups(session, [cancellation for _, cancellation in wanted], objections=objections)
    for (place, _), outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Signup):
            cancelled.setdefault(place, []).append(outcome)
    return cancelled


async def standing_of(session: Session, series_keys: Collection[Key]) -> list[StandingSignup]:
    """Load the standing sign-ups of series, those first that stand for longest."""
    return await store.standing_of_series(session, series_keys)


async def follow_gone(session: Session, persons: Collection[Person]) -> None:
    """End what those stand in who take part in nothing any more."""
    ended = await store.standing_of_participants(session, persons)
    await store.delete_standing(session, ended)
    await append(session, [_event(one, "ended") for one in ended])


async def list_standing(session: Session, community: int, paging: Paging, *, series_id: UUID) -> list[StandingSignup]:
    """A series' standing sign-ups, in the order of who registered when. Raises `Refused(NotFound)` without a series."""
    if (community, series_id) not in await load_series(session, [(community, series_id)]):
        raise Refused(NotFound(resource="series"))
    return await store.page_of_standing(session, community, series_id, paging)


async def get_standing(session: Session, community: int, series_id: UUID, participant_id: UUID) -> StandingSignup:
    """Read one standing sign-up. Raises `Refused(NotFound)`."""
    for one in await store.standing_of_series(session, [(community, series_id)]):
        if one.participant_id == participant_id:
            return one
    raise Refused(NotFound(resource="standing sign-up"))
