"""Draws of pitches: announced with the shift, made when it is time, repeatable offline, and held by the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.worker import run_due
from tests.activities.acts import activity as organised
from tests.bank import done, refused
from tests.signups.acts import cancel, events, for_people, opened, signed_up, state
from tests.stalls.acts import apply, draw, make_draw, market, repeated
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank


async def applied(bank: Bank, shift: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """So many vendors' applications for a shift."""
    return [done(await apply(bank.manager, shift, await vendor(bank)), 201) for _ in range(count)]


@pytest.mark.usefixtures("own_database")
async def test_a_draw_is_announced_with_the_shift_and_keeps_to_what_was_published(
    bank: Bank, settings: Settings
) -> None:
    shift = await market(bank)
    before = await draw(bank.auditor, shift)
    assert before == {
        "shift_id": shift["id"],
        "commitment": before["commitment"],
        "opened_at": "2026-03-02T04:00:00Z",
        "draws_at": "2026-03-04T04:00:00Z",
        "drawn_at": None,
        "drawn_by": None,
        "secret": None,
        "seed": None,
        "applicants": [],
        "lots": [],
    }
    signups = await applied(bank, shift, 4)
    assert {one["status"] for one in signups} == {"applied"}
    participants = [one["participant_id"] for one in signups]
    assert (await draw(bank.auditor, shift))["applicants"] == sorted(participants)
    path = f"shifts/{shift['id']}/draw"
    refused(await bank.manager.post(path), "draw-not-due", draws_at="2026-03-04T04:00:00+00:00")
    await run_due(bank.database, settings)
    assert (await draw(bank.auditor, shift))["drawn_at"] is None
    bank.clock.move(days=2)
    await run_due(bank.database, settings)
    after = await draw(bank.auditor, shift)
    told = (after["commitment"], after["drawn_at"], after["drawn_by"])
    assert told == (before["commitment"], "2026-03-04T04:00:00Z", "worker")
    order = repeated(after)
    assert sorted(order) == sorted(participants)
    lots = [(one["participant_id"], one["rank"], one["seat"]) for one in after["lots"]]
    seats: list[int | None] = [1, 2, None, None]
    assert lots == [(who, rank, seat) for rank, (who, seat) in enumerate(zip(order, seats, strict=True), 1)]
    refused(await bank.manager.post(path), "already-drawn", drawn_at="2026-03-04T04:00:00+00:00")
    told_in_events = [(one["type"], one["data"]) for one in await events(bank, "draw")]
    assert told_in_events == [
        ("draw.opened", {"shift_id": shift["id"], "commitment": before["commitment"]}),
        ("draw.made", {"shift_id": shift["id"], "secret": after["secret"]}),
    ]


async def test_who_waits_moves_up_by_rank_and_later_ones_after_them(bank: Bank) -> None:
    shift = await market(bank)
    signups = {one["participant_id"]: one for one in await applied(bank, shift, 4)}
    bank.clock.move(days=2)
    order = [signups[who] for who in repeated(await make_draw(bank.manager, shift))]
    late = done(await apply(bank.manager, shift, await vendor(bank)), 201)
    assert late["status"] == "waitlisted"
    for gone, risen, pitch in ((order[1], order[2], 2), (order[0], order[3], 1), (order[2], late, 2)):
        done(await cancel(bank.manager, gone), 200)
        assert await state(bank, risen) == ("confirmed", pitch)


async def test_fewer_vendors_than_pitches_all_have_one_by_rank_and_then_it_is_first_come(bank: Bank) -> None:
    shift, empty = await market(bank, pitches=5), await market(bank)
    await applied(bank, shift, 2)
    bank.clock.move(days=2)
    drawn = await make_draw(bank.manager, shift)
    assert [(one["participant_id"], one["seat"]) for one in drawn["lots"]] == list(
        zip(repeated(drawn), (1, 2), strict=True)
    )
    nobody = await make_draw(bank.manager, empty)
    assert (nobody["applicants"], nobody["lots"], repeated(nobody)) == ([], [], [])
    for place in (shift, empty):
        late = done(await apply(bank.manager, place, await vendor(bank)), 201)
        assert late["status"] == "confirmed"


async def test_who_ended_before_the_draw_gets_no_pitch(bank: Bank) -> None:
    shift = await market(bank)
    gone = await vendor(bank)
    signup = done(await apply(bank.manager, shift, gone), 201)
    (other,) = await applied(bank, shift, 1)
    done(await bank.desk.post(f"vendors/{gone['id']}/ending", {"reason": "不再摆摊了"}), 200)
    bank.clock.move(days=2)
    drawn = await make_draw(bank.manager, shift)
    assert len(drawn["lots"]) == 1
    assert [await state(bank, one) for one in (signup, other)] == [("released", None), ("confirmed", 1)]


@pytest.mark.usefixtures("own_database")
async def test_a_moved_shift_is_drawn_as_long_before_its_new_start_and_a_skipped_one_never(
    bank: Bank, settings: Settings
) -> None:
    shift, skipped = await market(bank, draw_hours_before=48), await market(bank)
    assert (await draw(bank.desk, shift))["draws_at"] == "2026-03-03T04:00:00Z"
    span = {"starts_at": "2026-03-07T04:00:00Z", "ends_at": "2026-03-07T07:00:00Z", "reason": "下雨"}
    done(await bank.desk.post(f"shifts/{shift['id']}/move", span), 200)
    done(await bank.desk.post(f"shifts/{skipped['id']}/skipping", {"reason": "下雨"}), 200)
    assert (await draw(bank.desk, shift))["draws_at"] == "2026-03-05T04:00:00Z"
    bank.clock.move(days=2)
    await run_due(bank.database, settings)
    assert [(await draw(bank.desk, one))["drawn_at"] for one in (shift, skipped)] == [None, None]
    refused(await bank.manager.post(f"shifts/{skipped['id']}/draw"), "shift-skipped")
    bank.clock.move(days=1)
    await run_due(bank.database, settings)
    assert (await draw(bank.desk, shift))["drawn_at"] == "2026-03-05T04:00:00Z"


async def test_seats_that_are_drawn_elsewhere_are_drawn_a_day_before_and_others_have_no_draw(bank: Bank) -> None:
    elsewhere = await opened(bank, for_people(allocation="draw"), start="2026-03-05T09:00")
    assert (await signed_up(bank, elsewhere))["status"] == "applied"
    assert (await draw(bank.desk, elsewhere.shift))["draws_at"] == "2026-03-04T01:00:00Z"
    without = await opened(bank)
    refused(await bank.desk.get(f"shifts/{without.id}/draw"), "not-found", resource="draw")
    refused(await bank.manager.post(f"shifts/{without.id}/draw"), "not-found", resource="draw")
    made = await organised(bank)
    added = {"name": "摊位", "participants": "vendor", "capacity": 2, "allocation": "draw"}
    refused(await bank.desk.post(f"activities/{made['id']}/positions", added), "invalid-request")
