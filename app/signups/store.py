"""All SQL of sign-ups. What goes on at which time it reads from the shifts, which activities write."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.activities.rules import PLANNED, VOLUNTEERS
from app.activities.tables import activities, positions, shifts
from app.kernel.moments import of_micros
from app.kernel.rows import insert_rows, looked_up, routed, rows_of, update_rows
from app.kernel.types import Id, Instant
from app.signups.rules import CONFIRMED, Signup, Span
from app.signups.tables import signups, standing_signups

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query

Key = tuple[int, UUID]
"""A resource: the community's small number and the resource's id."""

_u, _h, _g, _p, _y = signups.c, shifts.c, standing_signups.c, positions.c, activities.c
_to_its_shift = (_h.community_id == _u.community_id) & (_h.shift_id == _u.shift_id)
_changes = ("status", "seat", "queue", "closed_by", "closed_at", "reason")


@dataclass(frozen=True, slots=True)
class StandingSignup:
    """Somebody who takes part in every shift of a series: signed up as each is made."""

    community: int
    series_id: UUID
    participant_id: UUID
    position_id: UUID
    since: datetime
    set_by: str


class Counts(NamedTuple):
    """How many have a seat in a place, and how many wait for one, or for the draw."""

    confirmed: int
    waiting: int


async def insert(session: Session, new: Sequence[Signup]) -> None:
    """Insert new sign-ups."""
    rows = [
        {
            "community_id": one.community,
            "signup_id": one.id,
            "number": one.number,
            "shift_id": one.shift_id,
            "position_id": one.position_id,
            "participant_id": one.participant_id,
            "status": one.status,
            "seat": one.seat,
            "queue": one.queue,
            "signed_up_by": one.signed_up_by,
            "signed_up_at": one.signed_up_at,
        }
        for one in new
    ]
    await insert_rows(session, signups, rows)


async def update(session: Session, changed: Sequence[Signup]) -> None:
    """Store what became of sign-ups."""
    rows = [
        {"community_id": one.community, "signup_id": one.id, **{name: getattr(one, name) for name in _changes}}
        for one in changed
    ]
    await update_rows(session, signups, ("community_id", "signup_id"), rows)


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_u.community_id, _u.signup_id])
    matches = (_u.community_id == asked.c.community_id) & (_u.signup_id == asked.c.signup_id)
    return looked_up(dialect, asked, sa.select(signups), matches)


async def load(session: Session, keys: Collection[Key]) -> dict[Key, Signup]:
    """Load sign-ups; unknown ones are missing."""
    asked = [{"community_id": community, "signup_id": signup_id} for community, signup_id in sorted(set(keys))]
    found = await session.execute_rows(_by_id(session.dialect), asked) if asked else []
    return {(row.community_id, row.signup_id): _signup(row) for row in found}


@cache
def _live_of_shifts(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_u.community_id, _u.shift_id])
    matches = (_u.community_id == asked.c.community_id) & (_u.shift_id == asked.c.shift_id)
    return looked_up(dialect, asked, sa.select(signups).where(_u.closed_at.is_(None)), matches)


async def live_of_shifts(session: Session, keys: Collection[Key]) -> list[Signup]:
    """Load the live sign-ups to shifts, in the order of their numbers."""
    asked = [{"community_id": community, "shift_id": shift_id} for community, shift_id in sorted(set(keys))]
    found = await session.execute_rows(_live_of_shifts(session.dialect), asked) if asked else []
    return sorted((_signup(row) for row in found), key=lambda one: (one.community, one.number))


@cache
def _engaged(dialect: str) -> Query:
    within = [sa.Column("starts_at", Instant), sa.Column("ends_at", Instant)]
    asked = rows_of(dialect, "rows", [_u.community_id, _u.participant_id, *within])
    matches = (_u.community_id == asked.c.community_id) & (_u.participant_id == asked.c.participant_id)
    then = (_h.starts_at < asked.c.ends_at) & (_h.ends_at > asked.c.starts_at)
    found = sa.select(signups, _h.starts_at, _h.ends_at).join_from(signups, shifts, _to_its_shift)
    return looked_up(dialect, asked, found.where(_u.status == CONFIRMED), matches & then)


async def engaged(session: Session, within: Mapping[Key, Span]) -> list[tuple[Signup, Span]]:
    """Load the confirmed sign-ups of participants to shifts that overlap a span, with the shifts' own spans."""
    asked = [
        {"community_id": community, "participant_id": who, "starts_at": span.starts_at, "ends_at": span.ends_at}
        for (community, who), span in within.items()
    ]
    found = await session.execute_rows(_engaged(session.dialect), asked) if asked else []
    return [(_signup(row), Span(row.starts_at, row.ends_at)) for row in found]


@cache
def _to_come(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_u.community_id, _u.participant_id, sa.Column("after", Instant)])
    matches = (_u.community_id == asked.c.community_id) & (_u.participant_id == asked.c.participant_id)
    to_come = (_h.status == PLANNED) & (_h.starts_at > asked.c.after)
    found = sa.select(signups).join_from(signups, shifts, _to_its_shift)
    return looked_up(dialect, asked, found.where(_u.closed_at.is_(None)), matches & to_come)


async def live_to_come(session: Session, participants: Collection[Key]) -> list[Signup]:
    """Load the live sign-ups of participants to shifts to come, in the order of their numbers."""
    asked = [
        {"community_id": community, "participant_id": who, "after": session.now(community)}
        for community, who in sorted(set(participants))
    ]
    found = await session.execute_rows(_to_come(session.dialect), asked) if asked else []
    return sorted((_signup(row) for row in found), key=lambda one: (one.community, one.number))


async def insert_standing(session: Session, new: Sequence[StandingSignup]) -> None:
    """Insert standing sign-ups."""
    rows = [
        {
            "community_id": one.community,
            "series_id": one.series_id,
            "participant_id": one.participant_id,
            "position_id": one.position_id,
            "since": one.since,
            "set_by": one.set_by,
        }
        for one in new
    ]
    await insert_rows(session, standing_signups, rows)


async def delete_standing(session: Session, ended: Sequence[StandingSignup]) -> None:
    """Delete standing sign-ups."""
    for one in ended:
        await session.execute(
            sa.delete(standing_signups).where(
                _g.community_id == one.community,
                _g.series_id == one.series_id,
                _g.participant_id == one.participant_id,
            )
        )


@cache
def _standing_of(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_g.community_id, _g.participant_id])
    matches = (_g.community_id == asked.c.community_id) & (_g.participant_id == asked.c.participant_id)
    return looked_up(dialect, asked, sa.select(standing_signups), matches)


async def standing_of_participants(session: Session, keys: Collection[Key]) -> list[StandingSignup]:
    """Load the standing sign-ups of participants, the oldest first."""
    asked = [{"community_id": community, "participant_id": who} for community, who in sorted(set(keys))]
    found = await session.execute_rows(_standing_of(session.dialect), asked) if asked else []
    return sorted((_standing_signup(row) for row in found), key=lambda one: (one.since, one.series_id))


@cache
def _standing(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_g.community_id, _g.series_id])
    matches = (_g.community_id == asked.c.community_id) & (_g.series_id == asked.c.series_id)
    return looked_up(dialect, asked, sa.select(standing_signups), matches)


async def standing_of_series(session: Session, keys: Collection[Key]) -> list[StandingSignup]:
    """Load the standing sign-ups of series, those first that stand for longest."""
    asked = [{"community_id": community, "series_id": series_id} for community, series_id in sorted(set(keys))]
    found = await session.execute_rows(_standing(session.dialect), asked) if asked else []
    return sorted((_standing_signup(row) for row in found), key=lambda one: (one.since, one.participant_id))


async def page_of_standing(session: Session, community: int, series_id: UUID, paging: Paging) -> list[StandingSignup]:
    """Load a series' standing sign-ups, in the order of who registered when."""
    statement = sa.select(standing_signups).where(_g.community_id == community, _g.series_id == series_id)
    if paging.position is not None:
        statement = statement.where(_g.participant_id > UUID(paging.position))
    found = await session.execute(statement.order_by(_g.participant_id).limit(paging.wanted))
    return [_standing_signup(row) for row in found]


async def page(session: Session, community: int, paging: Paging) -> list[Signup]:
    """Load sign-ups, newest first; filters: `status`, `participant_id`, `shift_id`."""
    statement = sa.select(signups).where(_u.community_id == community)
    if status := paging.filters.get("status"):
        statement = statement.where(_u.status == status)
    if participant_id := paging.filtered_id("participant_id"):
        statement = statement.where(_u.participant_id == participant_id)
    if shift_id := paging.filtered_id("shift_id"):
        statement = statement.where(_u.shift_id == shift_id)
    return [_signup(row) for row in await session.execute(paging.newest_first(statement, _u.number))]


# Seats before those who wait, and these before those who are gone.
_turn = sa.case((_u.seat.is_not(None), 0), (_u.closed_at.is_(None), 1), else_=2)
_order = (_turn, sa.func.coalesce(_u.seat, _u.queue), _u.number)


async def page_of_shift(session: Session, community: int, shift_id: UUID, paging: Paging) -> list[Signup]:
    """Load a shift's sign-ups by seat, then by the queue, then those that were closed; filters: `position_id`."""
    statement = sa.select(signups).where(_u.community_id == community, _u.shift_id == shift_id)
    if position_id := paging.filtered_id("position_id"):
        statement = statement.where(_u.position_id == position_id)
    if paging.position is not None:
        statement = statement.where(sa.tuple_(*_order) > sa.tuple_(*paging.position))
    return [_signup(row) for row in await session.execute(statement.order_by(*_order).limit(paging.wanted))]


def _at_home_of_others(
    participant_id: sa.ColumnElement[UUID], named: Callable[[sa.Table], sa.ColumnElement[bool]]
) -> sa.ColumnElement[bool]:
    """Whether a shift is for a person served, and a participant does not stand in its series.

    Whom such a person lets in is for the desk to say: their shifts are offered to nobody else. `named` names the
    statement's community for a table.
    """
    for_a_person = sa.exists().where(
        named(activities),
        _y.community_id == _h.community_id,
        _y.activity_id == _h.activity_id,
        _y.beneficiary_id.is_not(None),
    )
    stands = sa.exists().where(
        named(standing_signups),
        _g.community_id == _h.community_id,
        _g.series_id == _h.series_id,
        _g.participant_id == participant_id,
    )
    return for_a_person.correlate(shifts) & ~stands.correlate_except(standing_signups)


@cache
def _kept_from(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_h.community_id, _h.shift_id, _u.participant_id])
    matches = (_h.community_id == asked.c.community_id) & (_h.shift_id == asked.c.shift_id)
    found = sa.select(_h.community_id, _h.shift_id, asked.c.participant_id)
    kept = _at_home_of_others(asked.c.participant_id, partial(routed, dialect))
    return looked_up(dialect, asked, found, matches & kept)


async def kept_from(session: Session, asked: Collection[tuple[int, UUID, UUID]]) -> set[tuple[int, UUID, UUID]]:
    """Find, among communities' shifts and participants, those of whom the shift is not offered to the participant."""
    rows = [
        {"community_id": community, "shift_id": shift_id, "participant_id": participant_id}
        for community, shift_id, participant_id in sorted(set(asked))
    ]
    return {tuple(row) for row in await session.execute_rows(_kept_from(session.dialect), rows)}


async def page_of_open_shifts(
    session: Session, community: int, paging: Paging, after: datetime, volunteer_id: UUID
) -> list[AnyRow]:
    """Find the shifts that are offered to a volunteer and that begin after a moment, soonest first."""
    for_volunteers = sa.exists().where(
        _p.community_id == _h.community_id, _p.activity_id == _h.activity_id, _p.participants == VOLUNTEERS
    )
    statement = sa.select(_h.shift_id, _h.starts_at, _h.number).where(
        _h.community_id == community, _h.status == PLANNED, _h.starts_at > after, for_volunteers
    )
    kept = _at_home_of_others(sa.literal(volunteer_id, Id()), lambda table: table.c.community_id == community)
    statement = statement.where(~kept)
    if paging.position is not None:
        since_1970, number = paging.position
        begins = sa.literal(of_micros(since_1970), Instant())
        statement = statement.where((_h.starts_at > begins) | ((_h.starts_at == begins) & (_h.number > number)))
    return list(await session.execute(statement.order_by(_h.starts_at, _h.number).limit(paging.wanted)))


def _signup(row: AnyRow) -> Signup:
    return Signup(
        id=row.signup_id,
        community=row.community_id,
        number=row.number,
        shift_id=row.shift_id,
        position_id=row.position_id,
        participant_id=row.participant_id,
        status=row.status,
        seat=row.seat,
        queue=row.queue,
        signed_up_by=row.signed_up_by,
        signed_up_at=row.signed_up_at,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        reason=row.reason,
    )


def _standing_signup(row: AnyRow) -> StandingSignup:
    return StandingSignup(row.community_id, row.series_id, row.participant_id, row.position_id, row.since, row.set_by)
