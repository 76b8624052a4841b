"""Sign-ups that meet: no seat is taken twice, who waits stays in order, and nobody is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.bank import done
from tests.signups.acts import Open, cancel, for_people, opened, sign_up

if TYPE_CHECKING:
    from tests.bank import Bank
    from tests.races.conftest import Counters

PEOPLE = 32
SEATS = 3


async def listed(bank: Bank, shift: Open) -> list[dict[str, Any]]:
    """The shift's sign-ups as the desk sees them: by seat, then by the queue, then those that were closed."""
    found: list[dict[str, Any]] = done(await bank.desk.get(f"shifts/{shift.id}/signups", limit=200), 200)["items"]
    return found


async def test_of_thirty_two_who_sign_up_at_once_few_have_seats_and_the_others_wait_in_order(
    counters: Counters,
) -> None:
    bank = counters.bank
    shift = await opened(bank, for_people(capacity=SEATS))
    people = [await bank.volunteer() for _ in range(PEOPLE)]
    answers = await asyncio.gather(*(sign_up(counters.desk(number), shift, who) for number, who in enumerate(people)))
    made = [done(answer, 201) for answer in answers]
    assert Counter(one["status"] for one in made) == {"confirmed": SEATS, "waitlisted": PEOPLE - SEATS}
    before = await listed(bank, shift)
    assert [one["seat"] for one in before] == [*range(1, SEATS + 1), *[None] * (PEOPLE - SEATS)]
    assert {one["participant_id"] for one in before} == {who["id"] for who in people}
    queue = [one["id"] for one in sorted(made, key=lambda one: one["queue"]) if one["status"] == "waitlisted"]
    assert [one["id"] for one in before[SEATS:]] == queue
    # All with seats give them back while ten of those who wait leave: the first of the others move up.
    leaving = [*before[:SEATS], *before[SEATS + 1 : SEATS + 11]]
    gone = await asyncio.gather(*(cancel(counters.desk(number), one) for number, one in enumerate(leaving)))
    outcomes = [answer.json()["status"] for answer in gone]
    assert outcomes == ["cancelled"] * len(leaving)
    after = await listed(bank, shift)
    staying = [one["id"] for one in before if one not in leaving]
    assert Counter(one["status"] for one in after) == {
        "confirmed": SEATS,
        "waitlisted": PEOPLE - SEATS - len(leaving),
        "cancelled": len(leaving),
    }
    assert {one["seat"] for one in after[:SEATS]} == set(range(1, SEATS + 1))
    live = [one["id"] for one in after if one["status"] != "cancelled"]
    assert set(live) == set(staying)
    # Whoever of those leaving had moved up by then gave the seat on, so the queue's order holds among who stays.
    assert set(live[:SEATS]) == set(staying[:SEATS])
    assert live[SEATS:] == staying[SEATS:]


async def test_of_sign_ups_of_one_person_to_overlapping_shifts_at_once_one_holds(counters: Counters) -> None:
    bank = counters.bank
    who = await bank.volunteer()
    shifts = [await opened(bank, start=f"2026-03-05T09:{minute:02}") for minute in range(12)]
    answers = await asyncio.gather(*(sign_up(counters.desk(number), shift, who) for number, shift in enumerate(shifts)))
    assert Counter(answer.json().get("code", "made") for answer in answers) == {"made": 1, "overlapping-signup": 11}


async def test_sign_ups_and_cancellations_that_meet_leave_every_seat_taken(counters: Counters) -> None:
    bank = counters.bank
    shift = await opened(bank, for_people(capacity=SEATS))
    people = [await bank.volunteer() for _ in range(PEOPLE)]
    made = [done(await sign_up(bank.desk, shift, who), 201) for who in people[: PEOPLE // 2]]
    answers = await asyncio.gather(
        *(cancel(counters.desk(number), one) for number, one in enumerate(made)),
        *(sign_up(counters.desk(number), shift, who) for number, who in enumerate(people[PEOPLE // 2 :])),
    )
    assert {answer.status_code for answer in answers} == {200, 201}
    after = [one for one in await listed(bank, shift) if one["status"] != "cancelled"]
    assert {one["participant_id"] for one in after} == {who["id"] for who in people[PEOPLE // 2 :]}
    assert [one["seat"] for one in after] == [*range(1, SEATS + 1), *[None] * (PEOPLE // 2 - SEATS)]
    new = sorted((answer.json() for answer in answers if answer.status_code == 201), key=lambda one: one["queue"])
    assert {one["id"] for one in after[:SEATS]} == {one["id"] for one in new[:SEATS]}
