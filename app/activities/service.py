"""Activities with their positions, and shifts: made, moved, skipped and read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from app.activities import store
from app.activities.effects import follow
from app.activities.errors import ActivityEnded, PositionsFull
from app.activities.rules import (
    CANCELLATION_HOURS_DEFAULT,
    FIRST_COME,
    POSITIONS_MAX,
    VOLUNTEERS,
    Activity,
    Position,
    Shift,
    moved,
    skipped,
    span_refusal,
)
from app.hours.catalogue import known_kinds
from app.hours.errors import UnknownServiceKind
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.activities.effects import Effects, Follow
    from app.activities.store import Key
    from app.kernel.database import Session
    from app.kernel.paging import Paging


@dataclass(frozen=True, slots=True)
class NewPosition:
    """A role with so many seats on each shift. Only volunteers may need a qualification, which is named by its code."""

    name: str
    capacity: int
    participants: str = VOLUNTEERS
    required_qualification: str | None = None
    allocation: str = FIRST_COME


@dataclass(frozen=True, slots=True)
class NewActivity:
    """An activity to organise; one without a `service_kind` does not count as volunteering."""

    community: int
    kind: str
    service_kind: str | None
    name: str
    place: str
    content: str
    organiser: str
    created_by: str
    positions: tuple[NewPosition, ...]
    cancellation_hours: int = CANCELLATION_HOURS_DEFAULT
    beneficiary_id: UUID | None = None
    partner_id: UUID | None = None
    site_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AddedPosition:
    """A position to add to an activity."""

    community: int
    activity_id: UUID
    position: NewPosition


@dataclass(frozen=True, slots=True)
class NewShift:
    """A single shift of an activity, at the activity's place unless another is given."""

    community: int
    activity_id: UUID
    starts_at: datetime
    ends_at: datetime
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A shift to move to another time, and to another place if one is given."""

    community: int
    shift_id: UUID
    starts_at: datetime
    ends_at: datetime
    place: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Skipping:
    """A shift that is not to take place."""

    community: int
    shift_id: UUID
    reason: str


ChangeT = TypeVar("ChangeT", Move, Skipping)


async def create_activities(session: Session, new: Sequence[NewActivity]) -> list[Activity | Refusal]:
    """Create activities with their positions, in order."""
    known = await session.ask(known_kinds(session.dialect, {item.community for item in new}))
    outcomes = [
        UnknownServiceKind(service_kind=item.service_kind)
        if item.service_kind is not None and (item.community, item.service_kind) not in known
        else _activity(session, item)
        for item in new
    ]
    made = [outcome for outcome in outcomes if isinstance(outcome, Activity)]
    numbers = await append(session, [activity_event(one, "created") for one in made])
    wanted = [item for item, outcome in zip(new, outcomes, strict=True) if isinstance(outcome, Activity)]
    positions = await _make_positions(
        session, [(one, position) for one, item in zip(made, wanted, strict=True) for position in item.positions]
    )
    created = {
        one.id: replace(one, number=number, positions=tuple(p for p in positions if p.activity_id == one.id))
        for one, number in zip(made, numbers, strict=True)
    }
    await store.insert_activities(session, list(created.values()))
    await store.insert_positions(session, positions)
    return [created[outcome.id] if isinstance(outcome, Activity) else outcome for outcome in outcomes]


def _activity(session: Session, item: NewActivity) -> Activity:
    return Activity(
        id=new_id(),
        community=item.community,
        number=0,
        kind=item.kind,
        service_kind=item.service_kind,
        name=item.name,
        place=item.place,
        content=item.content,
        organiser=item.organiser,
        cancellation_hours=item.cancellation_hours,
        beneficiary_id=item.beneficiary_id,
        partner_id=item.partner_id,
        site_id=item.site_id,
        created_by=item.created_by,
        created_at=session.now(item.community),
    )


def activity_event(activity: Activity, what: str) -> Event:
    """The event that tells what became of an activity."""
    return Event(activity.community, f"activity.{what}", {"activity_id": str(activity.id)})


async def _make_positions(session: Session, new: Sequence[tuple[Activity, NewPosition]]) -> list[Position]:
    """The positions with their numbers; they are still to be inserted."""
    made = [
        Position(
            new_id(),
            activity.community,
            activity.id,
            0,
            item.name,
            item.participants,
            item.capacity,
            item.required_qualification,
            item.allocation,
        )
        for activity, item in new
    ]
    happened = [
        Event(one.community, "position.created", {"position_id": str(one.id), "activity_id": str(one.activity_id)})
        for one in made
    ]
    return [replace(one, number=number) for one, number in zip(made, await append(session, happened), strict=True)]


async def add_positions(session: Session, added: Sequence[AddedPosition]) -> list[Position | Refusal]:
    """Add positions to activities in order, which no shift's sign-ups notice."""
    found = await store.load_activities(session, {(item.community, item.activity_id) for item in added})
    free = {key: POSITIONS_MAX - len(activity.positions) for key, activity in found.items()}
    outcomes: list[tuple[Activity, NewPosition] | Refusal] = []
    for item in added:
        key = (item.community, item.activity_id)
        activity = running(found.get(key), item.activity_id)
        if isinstance(activity, Refusal):
            outcomes.append(activity)
        elif free[key] == 0:
            outcomes.append(PositionsFull(positions_max=POSITIONS_MAX))
        else:
            free[key] -= 1
            outcomes.append((activity, item.position))
    made = await _make_positions(session, [outcome for outcome in outcomes if not isinstance(outcome, Refusal)])
    await store.insert_positions(session, made)
    in_order = iter(made)
    return [outcome if isinstance(outcome, Refusal) else next(in_order) for outcome in outcomes]


def running(activity: Activity | None, activity_id: UUID) -> Activity | Refusal:
    """The activity, if there is one and it goes on."""
    if activity is None:
        return NotFound(resource="activity")
    return activity if activity.ended_at is None else ActivityEnded(activity_id=activity_id)


async def create_shifts(session: Session, new: Sequence[NewShift], *, effects: Effects) -> list[Shift | Refusal]:
    """Make single shifts of activities, in order."""
    found = await store.load_activities(session, {(item.community, item.activity_id) for item in new})
    outcomes = [_single(found.get((item.community, item.activity_id)), item) for item in new]
    made = await keep_made(session, [outcome for outcome in outcomes if isinstance(outcome, Shift)], effects)
    in_order = iter(made)
    return [next(in_order) if isinstance(outcome, Shift) else outcome for outcome in outcomes]


def _single(activity: Activity | None, item: NewShift) -> Shift | Refusal:
    there = running(activity, item.activity_id)
    if isinstance(there, Refusal):
        return there
    return span_refusal(item.starts_at, item.ends_at) or Shift(
        id=new_id(),
        community=item.community,
        activity_id=item.activity_id,
        series_id=None,
        occurs_on=None,
        number=0,
        starts_at=item.starts_at,
        ends_at=item.ends_at,
        place=item.place or there.place,
    )


async def keep_made(session: Session, new: Sequence[Shift], effects: Effects) -> list[Shift]:
    """Store new shifts with their numbers, and let follow what follows."""
    numbers = await append(session, [_shift_event(one, "created") for one in new])
    made = [replace(one, number=number) for one, number in zip(new, numbers, strict=True)]
    await store.insert_shifts(session, made)
    await follow(session, effects.made, made)
    return made


def _shift_event(shift: Shift, what: str) -> Event:
    return Event(shift.community, f"shift.{what}", {"shift_id": str(shift.id), "activity_id": str(shift.activity_id)})


async def move_shifts(session: Session, moves: Sequence[Move], *, effects: Effects) -> list[Shift | Refusal]:
    """Move shifts in order that have not begun; a series does not make another for the day of one that was moved."""

    def move(shift: Shift, item: Move) -> Shift | Refusal:
        refusal = span_refusal(item.starts_at, item.ends_at, after=session.now(item.community))
        return refusal or moved(shift, item.starts_at, item.ends_at, item.place, item.reason)

    outcomes = await _change(session, moves, move)
    await _keep_changed(session, outcomes, "moved", effects.moved)
    return outcomes


async def skip_shifts(session: Session, skippings: Sequence[Skipping], *, effects: Effects) -> list[Shift | Refusal]:
    """Let shifts, in order, not take place that have not begun."""
    outcomes = await _change(session, skippings, lambda shift, item: skipped(shift, item.reason))
    await keep_skipped(session, outcomes, effects)
    return outcomes


async def keep_skipped(session: Session, shifts: Sequence[Shift | Refusal], effects: Effects) -> None:
    """Store shifts that were skipped, and let follow what follows."""
    await _keep_changed(session, shifts, "skipped", effects.skipped)


async def _change(
    session: Session, items: Sequence[ChangeT], change: Callable[[Shift, ChangeT], Shift | Refusal]
) -> list[Shift | Refusal]:
    found = await store.load_shifts(session, {(item.community, item.shift_id) for item in items})
    outcomes: list[Shift | Refusal] = []
    for item in items:
        key = (item.community, item.shift_id)
        if key not in found:
            outcomes.append(NotFound(resource="shift"))
            continue
        outcome = found[key].change_refusal(session.now(item.community)) or change(found[key], item)
        outcomes.append(outcome)
        if isinstance(outcome, Shift):
            found[key] = outcome
    return outcomes


async def _keep_changed(
    session: Session, outcomes: Sequence[Shift | Refusal], what: str, follows: Sequence[Follow]
) -> None:
    changed = [outcome for outcome in outcomes if isinstance(outcome, Shift)]
    await append(session, [_shift_event(one, what) for one in changed])
    # Of two changes of a shift the later holds.
    last = list({(one.community, one.id): one for one in changed}.values())
    await store.update_shifts(session, last)
    await follow(session, follows, last)


async def load_activities(session: Session, keys: Collection[Key]) -> dict[Key, Activity]:
    """Load activities with their positions; unknown ones are missing."""
    return await store.load_activities(session, keys)


async def load_positions(session: Session, keys: Collection[Key]) -> dict[Key, Position]:
    """Load positions; unknown ones are missing."""
    return await store.load_positions(session, keys)


async def load_shifts(session: Session, keys: Collection[Key]) -> dict[Key, Shift]:
    """Load shifts; unknown ones are missing."""
    return await store.load_shifts(session, keys)


async def load_coming_of_activities(session: Session, keys: Collection[Key]) -> dict[Key, list[Shift]]:
    """Load the planned shifts of each of these activities that have not begun, in the order of their numbers."""
    return await store.coming_of_activities(session, keys)


async def get_activity(session: Session, community: int, activity_id: UUID) -> Activity:
    """Read one activity. Raises `Refused(NotFound)`."""
    activity = (await store.load_activities(session, [(community, activity_id)])).get((community, activity_id))
    if activity is None:
        raise Refused(NotFound(resource="activity"))
    return activity


async def get_shift(session: Session, community: int, shift_id: UUID) -> Shift:
    """Read one shift. Raises `Refused(NotFound)`."""
    shift = (await store.load_shifts(session, [(community, shift_id)])).get((community, shift_id))
    if shift is None:
        raise Refused(NotFound(resource="shift"))
    return shift


async def list_activities(session: Session, community: int, paging: Paging) -> list[Activity]:
    """Activities, newest first; filters: `kind`, `ended`."""
    return await store.page_of_activities(session, community, paging)


async def list_shifts(session: Session, community: int, paging: Paging) -> list[Shift]:
    """Shifts, newest first; filters: `activity_id`, `series_id`, `status`, and `from` and `to` of their starts."""
    return await store.page_of_shifts(session, community, paging)
