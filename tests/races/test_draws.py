"""Vendors who meet: each applies once, the seats are drawn once, and no pitch has two vendors."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from tests.bank import done
from tests.signups.acts import cancel
from tests.stalls.acts import apply, draw, market, repeated
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from tests.races.conftest import Counters

VENDORS, LATE = 32, 8
PITCHES = 10


async def test_of_thirty_two_who_apply_twice_at_once_each_is_drawn_once_and_who_waits_moves_up_in_order(
    counters: Counters,
) -> None:
    bank = counters.bank
    shift = await market(bank, pitches=PITCHES)
    vendors = [await vendor(bank) for _ in range(VENDORS + LATE)]
    early, late = vendors[:VENDORS], vendors[VENDORS:]
    answers = await asyncio.gather(
        *(apply(counters.desk(number), shift, one) for number, one in enumerate([*early, *early]))
    )
    outcomes = Counter(answer.json().get("code") or answer.json()["status"] for answer in answers)
    assert outcomes == {"applied": VENDORS, "already-signed-up": VENDORS}
    bank.clock.move(days=2)
    # Four draw while others still come: those before the draw are in it, those after it wait behind.
    path = f"shifts/{shift['id']}/draw"
    answers = await asyncio.gather(
        *(counters.api("manager", number).post(path) for number in range(4)),
        *(apply(counters.desk(number), shift, one) for number, one in enumerate(late)),
    )
    assert sorted(answer.status_code for answer in answers[:4]) == [200, 409, 409, 409]
    assert {answer.status_code for answer in answers[4:]} == {201}
    drawn = await draw(bank.auditor, shift)
    order = repeated(drawn)
    assert {one["id"] for one in early} <= set(order)
    seats = [(one["participant_id"], one["seat"]) for one in drawn["lots"]]
    assert seats == [(who, rank if rank <= PITCHES else None) for rank, who in enumerate(order, 1)]
    found = done(await bank.desk.get(f"shifts/{shift['id']}/signups", limit=200), 200)["items"]
    assert [one["seat"] for one in found] == [*range(1, PITCHES + 1), *[None] * (VENDORS + LATE - PITCHES)]
    assert [one["participant_id"] for one in found][: len(order)] == order
    assert {one["status"] for one in found[PITCHES:]} == {"waitlisted"}
    gone = await asyncio.gather(*(cancel(counters.desk(number), one) for number, one in enumerate(found[:PITCHES])))
    assert {answer.status_code for answer in gone} == {200}
    risen = done(await bank.desk.get("signups", shift_id=shift["id"], status="confirmed"), 200)["items"]
    assert {one["participant_id"] for one in risen} == set(order[PITCHES : 2 * PITCHES])
    assert {one["seat"] for one in risen} == set(range(1, PITCHES + 1))
