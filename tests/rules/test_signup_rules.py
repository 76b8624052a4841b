"""The pure rules of sign-ups: seats, the queue, overlaps, deadlines and promotion, against a naive model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.signups.rules import (
    APPLIED,
    CANCELLED,
    CONFIRMED,
    DESK_MAY_FOR,
    WAITLISTED,
    Place,
    Roster,
    Signup,
    Span,
    desk_may,
    may_still_cancel,
)

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SHIFTS = {
    (1, UUID(int=100 + number)): Span(NOW + timedelta(hours=start), NOW + timedelta(hours=start + 2))
    for number, start in enumerate((48, 49, 50))
}
"""Three shifts of two hours: the middle one overlaps both others, which touch each other."""

POSITIONS = {(1, UUID(int=200)): 1, (1, UUID(int=201)): 2}
PEOPLE = [UUID(int=300 + number) for number in range(5)]


def wish(number: int, shift: int = 0, position: int = 0, participant: int = 0) -> Signup:
    """A sign-up that has not been decided."""
    return Signup(
        id=UUID(int=number),
        community=1,
        number=number,
        shift_id=list(SHIFTS)[shift][1],
        position_id=list(POSITIONS)[position][1],
        participant_id=PEOPLE[participant],
        status=WAITLISTED,
        seat=None,
        queue=number,
        signed_up_by="1-desk",
        signed_up_at=NOW,
    )


def roster(*signups: Signup) -> Roster:
    """A roster of the three shifts."""
    return Roster(signups, spans=SHIFTS, capacities=POSITIONS)


def shut(signup: Signup) -> Signup:
    """The same, cancelled."""
    return signup.closed(CANCELLED, by="1-desk", at=NOW, reason=None)


class Act(NamedTuple):
    """A sign-up to a shift's position, or (with `cancels`) the cancellation of the one made so many acts ago."""

    shift: int
    position: int
    participant: int
    cancels: int | None


acts = st.lists(
    st.builds(
        Act,
        st.integers(0, 2),
        st.integers(0, 1),
        st.integers(0, 4),
        st.one_of(st.none(), st.integers(0, 8)),
    ),
    max_size=40,
)


def overlap_of(one: Signup, other: Signup) -> bool:
    """Whether the shifts of two sign-ups overlap, by their minutes."""
    minutes = [
        {SHIFTS[1, each.shift_id].starts_at + timedelta(minutes=minute) for minute in range(120)}
        for each in (one, other)
    ]
    return bool(minutes[0] & minutes[1])


def naive_next(place: Place, live: list[Signup]) -> Signup | None:
    """Who is to be promoted at a place: whoever waited longest and is not confirmed elsewhere at the time."""
    there = [one for one in live if one.place == place]
    if sum(one.status == CONFIRMED for one in there) >= POSITIONS[1, place.position_id]:
        return None
    for one in sorted(there, key=lambda one: one.queue):
        confirmed = [
            other for other in live if other.participant_id == one.participant_id and other.status == CONFIRMED
        ]
        if one.status == WAITLISTED and not any(overlap_of(one, other) for other in confirmed):
            return one
    return None


@given(acts)
def test_seats_queue_and_promotion_are_those_of_a_naive_model(steps: list[Act]) -> None:
    book, model, made = roster(), {}, []  # type: ignore[var-annotated]
    for number, act in enumerate(steps, 1):
        live = [one for one in model.values() if one.is_live]
        if act.cancels is not None:
            if not made or not model[made[-1 - act.cancels % len(made)]].is_live:
                continue
            closed = shut(model[made[-1 - act.cancels % len(made)]])
            book.note(closed)
            model[closed.id] = closed
        else:
            new = wish(number, act.shift, act.position, act.participant)
            mine = [one for one in live if one.participant_id == new.participant_id]
            here = [one for one in mine if one.shift_id == new.shift_id]
            assert book.live_in(1, new.shift_id, new.participant_id) == (here[0] if here else None)
            in_the_way = [one for one in mine if one.status == CONFIRMED and overlap_of(one, new) and not here]
            if not here:
                found = book.overlapping(1, new.shift_id, new.participant_id)
                assert found == min(in_the_way, key=lambda one: one.number, default=None)
            if here or in_the_way:
                continue
            taken = {one.seat for one in live if one.place == new.place}
            free = [seat for seat in range(1, POSITIONS[1, new.position_id] + 1) if seat not in taken]
            expected = replace(new, status=CONFIRMED, seat=free[0]) if free else new
            assert book.seat(new, draws=False) == expected
            model[new.id] = expected
            made.append(new.id)
        for shift in SHIFTS:
            for position in POSITIONS:
                place = Place(*shift, position[1])
                for risen in book.promote(place, lambda _: True):
                    awaited = naive_next(place, [one for one in model.values() if one.is_live])
                    assert awaited is not None
                    assert (risen.id, risen.status) == (awaited.id, CONFIRMED)
                    model[risen.id] = risen
                assert naive_next(place, [one for one in model.values() if one.is_live]) is None
        confirmed = [one for one in model.values() if one.status == CONFIRMED]
        assert len({(one.place, one.seat) for one in confirmed}) == len(confirmed)


def test_the_lowest_free_seat_is_given() -> None:
    book = roster()
    seats = [book.seat(wish(number, position=1, participant=number), draws=False) for number in (1, 2)]
    assert [one.seat for one in seats] == [1, 2]
    book.note(shut(seats[0]))
    assert book.seat(wish(3, position=1, participant=3), draws=False).seat == 1


def test_whoever_may_not_rise_is_passed_over_and_keeps_the_place_in_the_queue() -> None:
    book = roster()
    first = book.seat(wish(1, participant=1), draws=False)
    waiting = [book.seat(wish(number, participant=number), draws=False) for number in (2, 3, 4)]
    book.note(shut(first))
    (risen,) = book.promote(first.place, lambda one: one.participant_id != PEOPLE[2])
    assert (risen.participant_id, risen.seat) == (PEOPLE[3], 1)
    assert list(book.waiting(first.place)) == [waiting[0], waiting[2]]


def test_who_applies_waits_for_the_draw_and_whoever_comes_after_it_for_a_seat() -> None:
    book = roster()
    applied = [book.seat(wish(number, position=1, participant=number), draws=True) for number in (1, 2, 3)]
    assert {one.status for one in applied} == {APPLIED}
    drawn = book.draw([applied[2], applied[0], applied[1]], lambda _: True)
    assert [(one.participant_id, one.status, one.seat) for one in drawn] == [
        (PEOPLE[3], CONFIRMED, 1),
        (PEOPLE[1], CONFIRMED, 2),
        (PEOPLE[2], WAITLISTED, None),
    ]
    assert book.seat(wish(4, position=1, participant=4), draws=False).status == WAITLISTED
    assert [one.participant_id for one in book.waiting(drawn[0].place)] == [PEOPLE[2], PEOPLE[4]]


def test_who_is_drawn_but_confirmed_elsewhere_at_the_time_waits() -> None:
    book = roster()
    applied = book.seat(wish(1, shift=0, participant=1), draws=True)
    book.seat(wish(2, shift=1, participant=1), draws=False)
    assert [one.status for one in book.draw([applied], lambda _: True)] == [WAITLISTED]


def test_who_is_drawn_but_may_not_have_the_seat_waits_and_the_next_one_has_it() -> None:
    book = roster()
    first, second = (book.seat(wish(number, participant=number), draws=True) for number in (1, 2))
    drawn = book.draw([first, second], lambda one: one.participant_id != PEOPLE[1])
    assert [(one.status, one.seat) for one in drawn] == [(WAITLISTED, None), (CONFIRMED, 1)]


@pytest.mark.parametrize(("minutes_before", "may"), [(24 * 60 + 1, True), (24 * 60, True), (24 * 60 - 1, False)])
def test_a_seat_is_given_back_up_to_the_deadline_alone(minutes_before: int, may: bool) -> None:  # noqa: FBT001  a case
    span = Span(NOW + timedelta(minutes=minutes_before), NOW + timedelta(minutes=minutes_before + 60))
    assert may_still_cancel(replace(wish(1), status=CONFIRMED, seat=1), span, 24, NOW) is may
    assert may_still_cancel(wish(1), span, 24, NOW)


def test_the_desk_may_change_a_shift_for_ten_days_after_its_end() -> None:
    span = Span(NOW, NOW + timedelta(hours=1))
    assert desk_may(span, span.ends_at + DESK_MAY_FOR - timedelta(seconds=1))
    assert not desk_may(span, span.ends_at + DESK_MAY_FOR)
