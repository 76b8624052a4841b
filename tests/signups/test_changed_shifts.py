"""What becomes of sign-ups when a shift is skipped or moved, or its activity ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.activities.acts import span
from tests.bank import done
from tests.qualifications.acts import qualification
from tests.signups.acts import another, cancel, events, for_people, opened, signed_up, state
from tests.teams import acts as teams

if TYPE_CHECKING:
    from tests.bank import Bank
    from tests.signups.acts import Open


async def move(bank: Bank, shift: Open, start: str, end: str, *, day: str = "2026-03-05") -> None:
    body = {**span(f"{day}T{start}", f"{day}T{end}"), "reason": "会议室有事"}
    done(await bank.desk.post(f"shifts/{shift.id}/move", body), 200)


async def test_skipped_shift_releases_all_who_signed_up(bank: Bank) -> None:
    visit = await opened(bank, for_people(capacity=1), for_people(allocation="draw"))
    made = [await signed_up(bank, visit, position=number) for number in (0, 0, 1)]
    gone = await signed_up(bank, visit)
    done(await cancel(bank.desk, gone), 200)
    done(await bank.desk.post(f"shifts/{visit.id}/skipping", {"reason": "台风"}), 200)
    for one in made:
        found = done(await bank.desk.get(f"signups/{one['id']}"), 200)
        assert (found["status"], found["seat"], found["reason"]) == ("released", None, "台风")
        assert found["closed_at"] == "2026-03-02T04:00:00Z"
    assert (await state(bank, gone))[0] == "cancelled"
    assert [event["type"] for event in await events(bank)][-3:] == ["signup.released"] * 3


async def test_who_is_released_moves_up_where_the_skipped_shift_stood_in_the_way(bank: Bank) -> None:
    visit, clinic, busy = await opened(bank, for_people(capacity=1)), await opened(bank), await bank.volunteer()
    first = await signed_up(bank, visit)
    waits = await signed_up(bank, visit, busy)
    await signed_up(bank, clinic, busy)
    done(await cancel(bank.desk, first), 200)
    done(await bank.desk.post(f"shifts/{clinic.id}/skipping", {"reason": "台风"}), 200)
    assert await state(bank, waits) == ("confirmed", 1)


async def test_ended_activity_releases_all_to_come(bank: Bank) -> None:
    visit = await opened(bank)
    signup = await signed_up(bank, visit)
    done(await bank.desk.post(f"activities/{visit.activity['id']}/ending", {"reason": "结束了"}), 200)
    assert (await state(bank, signup))[0] == "released"


async def test_moved_shift_keeps_who_can_come_and_releases_who_is_elsewhere(bank: Bank) -> None:
    visit = await opened(bank)
    later = await another(bank, visit.activity, "2026-03-05T14:00")
    busy, free = await bank.volunteer(), await bank.volunteer()
    of_busy, of_free = await signed_up(bank, visit, busy), await signed_up(bank, visit, free)
    waits = await signed_up(bank, visit)
    stays = await signed_up(bank, later, busy)
    await move(bank, visit, "15:59", "17:00")
    found = done(await bank.desk.get(f"signups/{of_busy['id']}"), 200)
    assert (found["status"], found["reason"]) == ("released", "会议室有事")
    states = [await state(bank, one) for one in (of_free, waits, stays)]
    assert states == [("confirmed", 2), ("confirmed", 1), ("confirmed", 1)]
    assert [event["type"] for event in await events(bank)][-2:] == ["signup.released", "signup.promoted"]


async def test_shift_moved_next_to_another_releases_nobody(bank: Bank) -> None:
    visit, who = await opened(bank), await bank.volunteer()
    later = await another(bank, visit.activity, "2026-03-05T14:00")
    made = [await signed_up(bank, one, who) for one in (visit, later)]
    await move(bank, visit, "12:00", "14:00")
    await move(bank, visit, "12:30", "13:30")
    assert [await state(bank, one) for one in made] == [("confirmed", 1)] * 2


async def test_who_has_time_once_a_shift_is_moved_moves_up_where_they_wait(bank: Bank) -> None:
    visit, clinic, busy = await opened(bank, for_people(capacity=1)), await opened(bank), await bank.volunteer()
    first = await signed_up(bank, visit)
    waits = await signed_up(bank, visit, busy)
    stays = await signed_up(bank, clinic, busy)
    done(await cancel(bank.desk, first), 200)
    await move(bank, clinic, "14:00", "16:00")
    assert [await state(bank, one) for one in (waits, stays)] == [("confirmed", 1)] * 2


async def test_who_waits_for_the_moved_shift_itself_moves_up_when_it_fits(bank: Bank) -> None:
    visit, clinic, busy = await opened(bank, for_people(capacity=1)), await opened(bank), await bank.volunteer()
    first = await signed_up(bank, visit)
    waits = await signed_up(bank, visit, busy)
    await signed_up(bank, clinic, busy)
    done(await cancel(bank.desk, first), 200)
    await move(bank, visit, "14:00", "16:00")
    assert await state(bank, waits) == ("confirmed", 1)


async def test_moved_shift_releases_who_is_not_qualified_on_the_new_day(bank: Bank) -> None:
    clinic = await opened(bank, for_people(required_qualification="doctor"))
    lapses, stays = await bank.volunteer(), await bank.volunteer()
    await qualification(bank, lapses["id"], "doctor", valid_until="2026-03-05")
    await qualification(bank, stays["id"], "doctor")
    gone, kept = await signed_up(bank, clinic, lapses), await signed_up(bank, clinic, stays)
    await move(bank, clinic, "09:00", "11:00", day="2026-03-10")
    assert [await state(bank, one) for one in (gone, kept)] == [("released", None), ("confirmed", 2)]
    assert done(await bank.desk.get(f"signups/{gone['id']}"), 200)["reason"]


async def test_moved_duty_releases_members_whose_posting_has_ended_by_then(bank: Bank) -> None:
    member = await teams.member(bank)
    await teams.post(bank, await teams.team(bank, member), until="2026-03-05")
    duty = await opened(bank, for_people(participants="member"), kind="team_duty")
    one = await signed_up(bank, duty, member)
    await move(bank, duty, "09:00", "11:00", day="2026-03-06")
    assert await state(bank, one) == ("released", None)
