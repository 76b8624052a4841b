"""Signing up at the desk: seats, the waitlist, applications, and all that stands against a sign-up."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.bank import done, refused
from tests.signups.acts import another, cancel, events, for_people, opened, sign_up, signed_up

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_seats_are_given_from_the_lowest_and_then_people_wait_in_order(bank: Bank) -> None:
    visit = await opened(bank)
    people = [await bank.volunteer() for _ in range(4)]
    made = [await signed_up(bank, visit, who) for who in people]
    assert [(one["status"], one["seat"]) for one in made] == [
        ("confirmed", 1),
        ("confirmed", 2),
        ("waitlisted", None),
        ("waitlisted", None),
    ]
    assert made[2]["queue"] < made[3]["queue"]
    for one in made:
        assert done(await bank.auditor.get(f"signups/{one['id']}"), 200) == one
    assert [event["type"] for event in await events(bank)] == ["signup.confirmed"] * 2 + ["signup.waitlisted"] * 2
    assert (await events(bank))[0]["data"] == {
        "signup_id": made[0]["id"],
        "shift_id": visit.id,
        "position_id": visit.position(),
        "participant_id": people[0]["id"],
    }


async def test_answer_to_a_sign_up_names_where_it_is_read(bank: Bank) -> None:
    answer = await sign_up(bank.desk, await opened(bank), await bank.volunteer())
    assert done(await bank.desk.get(answer.headers["location"]), 200) == answer.json()


async def test_shift_lists_seats_first_then_the_queue_then_who_is_gone(bank: Bank) -> None:
    visit = await opened(bank, for_people(), for_people(capacity=1))
    gone = await signed_up(bank, visit)
    done(await cancel(bank.desk, gone), 200)
    first, second, third = [await signed_up(bank, visit) for _ in range(3)]
    other = await signed_up(bank, visit, position=1)
    path = f"shifts/{visit.id}/signups"
    page = done(await bank.auditor.get(path, limit=1), 200)
    found = page["items"]
    while page["next_cursor"]:
        page = done(await bank.auditor.get(path, limit=1, cursor=page["next_cursor"]), 200)
        found += page["items"]
    assert [item["id"] for item in found] == [first["id"], other["id"], second["id"], third["id"], gone["id"]]
    of_position = done(await bank.desk.get(path, position_id=visit.position(1)), 200)["items"]
    assert [item["id"] for item in of_position] == [other["id"]]
    refused(await bank.desk.get(f"shifts/{uuid4()}/signups"), "not-found")


async def test_sign_ups_are_listed_by_status_participant_and_shift(bank: Bank) -> None:
    visit, clinic = await opened(bank, for_people(capacity=1)), await opened(bank, start="2026-03-06T09:00")
    who = await bank.volunteer()
    first, waits = await signed_up(bank, visit, who), await signed_up(bank, visit)
    third = await signed_up(bank, clinic, who)

    async def listed(**filters: str) -> list[str]:
        return [item["id"] for item in done(await bank.integrator.get("signups", **filters), 200)["items"]]

    assert await listed() == [third["id"], waits["id"], first["id"]]
    assert await listed(participant_id=who["id"]) == [third["id"], first["id"]]
    assert await listed(shift_id=visit.id, status="waitlisted") == [waits["id"]]


async def test_position_with_a_draw_takes_applications(bank: Bank) -> None:
    stall = await opened(bank, for_people(allocation="draw", capacity=1))
    made = [await signed_up(bank, stall) for _ in range(2)]
    assert [(one["status"], one["seat"]) for one in made] == [("applied", None)] * 2
    assert [event["type"] for event in await events(bank)] == ["signup.applied"] * 2


async def test_nobody_signs_up_for_what_there_is_not(bank: Bank) -> None:
    visit, clinic, who = await opened(bank), await opened(bank), await bank.volunteer()
    body = {"position_id": visit.position(), "participant_id": who["id"]}
    refused(await bank.desk.post(f"shifts/{uuid4()}/signups", body), "not-found", resource="shift")
    path, nobody = f"shifts/{visit.id}/signups", str(uuid4())
    for position in (clinic.position(), nobody):
        wrong = {**body, "position_id": position}
        refused(await bank.desk.post(path, wrong), "unknown-position", position_id=position)
    refused(await bank.desk.post(path, {**body, "participant_id": nobody}), "unknown-volunteer", volunteer_id=nobody)
    done(await bank.manager.post(f"volunteers/{who['id']}/erasure", {"reason": "本人要求"}), 200)
    refused(await bank.desk.post(path, body), "unknown-volunteer")
    refused(await bank.desk.get(f"signups/{uuid4()}"), "not-found", resource="signup")


async def test_nobody_has_two_places_in_a_shift(bank: Bank) -> None:
    visit, who = await opened(bank, for_people(), for_people()), await bank.volunteer()
    first = await signed_up(bank, visit, who)
    for position in (0, 1):
        refused(await sign_up(bank.desk, visit, who, position), "already-signed-up", signup_id=first["id"])
    done(await cancel(bank.desk, first), 200)
    assert (await signed_up(bank, visit, who, 1))["status"] == "confirmed"


async def test_nobody_has_seats_in_shifts_that_overlap_and_touching_is_not_overlapping(bank: Bank) -> None:
    visit, who = await opened(bank, start="2026-03-05T09:00"), await bank.volunteer()
    first = await signed_up(bank, visit, who)
    for start, end in (("10:59", "12:00"), ("08:00", "09:01"), ("09:30", "10:00"), ("08:00", "12:00")):
        other = await another(bank, visit.activity, f"2026-03-05T{start}", f"2026-03-05T{end}")
        facts = {"signup_id": first["id"], "shift_id": visit.id}
        refused(await sign_up(bank.desk, other, who), "overlapping-signup", **facts)
    for start, end in (("11:00", "12:00"), ("08:00", "09:00")):
        await signed_up(bank, await another(bank, visit.activity, f"2026-03-05T{start}", f"2026-03-05T{end}"), who)


async def test_who_only_waits_may_have_a_seat_elsewhere_at_the_time(bank: Bank) -> None:
    visit, clinic, who = await opened(bank, for_people(capacity=1)), await opened(bank), await bank.volunteer()
    await signed_up(bank, visit)
    assert (await signed_up(bank, visit, who))["status"] == "waitlisted"
    assert (await signed_up(bank, clinic, who))["status"] == "confirmed"


async def test_position_with_a_qualification_refuses_who_does_not_hold_it(bank: Bank) -> None:
    clinic, who = await opened(bank, for_people(required_qualification="nurse")), await bank.volunteer()
    refused(await sign_up(bank.desk, clinic, who), "qualification-missing", qualification="nurse")


async def test_nobody_signs_up_for_a_skipped_shift(bank: Bank) -> None:
    visit = await opened(bank)
    done(await bank.desk.post(f"shifts/{visit.id}/skipping", {"reason": "台风"}), 200)
    refused(await sign_up(bank.desk, visit, await bank.volunteer()), "shift-skipped", shift_id=visit.id)


@pytest.mark.parametrize(("days", "may"), [(9, True), (10, False)])
async def test_desk_signs_up_until_ten_days_after_the_shift(bank: Bank, days: int, may: bool) -> None:  # noqa: FBT001
    visit, who = await opened(bank), await bank.volunteer()
    # To the shift's end, and some days more.
    bank.clock.move(days=3 + days, hours=-1)
    answer = await sign_up(bank.desk, visit, who)
    if may:
        assert done(answer, 201)["status"] == "confirmed"
    else:
        refused(answer, "shift-over", until="2026-03-15T03:00:00+00:00")
