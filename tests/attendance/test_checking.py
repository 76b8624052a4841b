"""Checking in and out at the desk, and with the code that the place shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from app.kernel.tables import metadata
from tests.attendance.acts import begun, line, listed, local, row_of
from tests.bank import done, refused
from tests.signups.acts import another, events, for_people, signed_up

if TYPE_CHECKING:
    from tests.bank import Api, Bank
    from tests.signups.acts import Open


async def check(api: Api, what: str, code: str, **fields: Any) -> Any:
    """Send a code."""
    return await api.post(f"check-{what}s", {"code": code, **fields})


async def code_at(bank: Bank, to: Open) -> str:
    """The code that the shift's place shows now."""
    shown: str = done(await bank.desk.get(f"shifts/{to.id}/place-code"), 200)["code"]
    return shown


async def own(bank: Bank, to: Open) -> tuple[Api, dict[str, Any]]:
    """A volunteer with a seat in a shift, as the volunteer sees the API, and the seat."""
    who = await bank.volunteer()
    signup = await signed_up(bank, to, who)
    return await bank.volunteer_api(who["id"]), signup


async def test_the_desk_checks_in_and_out_and_the_time_between_is_proposed(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, start="2026-03-02T13:01")
    signup = await signed_up(bank, to)
    path = f"signups/{signup['id']}"
    refused(await bank.desk.post(f"{path}/check-in"), "shift-not-begun")
    bank.clock.move(minutes=50)
    refused(await bank.desk.post(f"{path}/check-out", {}), "not-checked-in")
    came = done(await bank.desk.post(f"{path}/check-in"), 200)
    assert (came["outcome"], came["method"], came["checked_in_at"]) == ("present", "desk", local("2026-03-02T12:50"))
    assert (came["proposed"], came["doubts"]) == (None, ["no_check_out"])
    refused(await bank.desk.post(f"{path}/check-in"), "already-checked-in")
    bank.clock.move(minutes=100)
    refused(await bank.desk.post(f"{path}/check-out", {"break_minutes": 101}), "invalid-request")
    gone = done(await bank.desk.post(f"{path}/check-out", {"break_minutes": 10}), 200)
    span = {"started_at": local("2026-03-02T12:50"), "ended_at": local("2026-03-02T14:30")}
    assert (gone["outcome"], gone["proposed"], gone["doubts"]) == ("attended", {**span, "minutes": 90}, [])
    refused(await bank.desk.post(f"{path}/check-out", {}), "not-checked-in")
    assert [event["type"] for event in await events(bank)][-2:] == ["signup.checked_in", "signup.checked_out"]


async def test_the_desk_checks_nobody_in_without_a_seat_or_long_after(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, for_people(capacity=1))
    signup, waiting = await signed_up(bank, to), await signed_up(bank, to)
    refused(await bank.desk.post(f"signups/{waiting['id']}/check-in"), "signup-not-open")
    refused(await bank.desk.post(f"signups/{uuid4()}/check-in"), "not-found")
    bank.clock.move(minutes=60.1)
    refused(await bank.desk.post(f"signups/{signup['id']}/check-in"), "attendance-closed")


async def test_who_was_listed_as_absent_may_still_come(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank)
    signup = await signed_up(bank, to)
    await listed(bank, to, [], line(signup, "absent"))
    done(await bank.desk.post(f"signups/{signup['id']}/check-in"), 200)
    await listed(bank, to, [signup])
    row = await row_of(bank, signup)
    # What the desk saw stays beside what the organiser says.
    assert (row["outcome"], row["method"], row["checked_in_at"]) == ("attended", "list", local("2026-03-02T12:00"))
    assert row["doubts"] == ["no_check_out"]


async def test_volunteers_check_in_and_out_with_the_code_of_the_place(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, start="2026-03-02T12:00")
    me, signup = await own(bank, to)
    shown = done(await bank.desk.get(f"shifts/{to.id}/place-code"), 200)
    assert shown["valid_until"] == "2026-03-02T04:00:30Z"
    assert shown["qr_svg"].startswith("<svg")
    came = done(await check(me, "in", shown["code"]), 200)
    assert (came["signup_id"], came["outcome"], came["method"]) == (signup["id"], "present", "code")
    assert came["recorded_by"] == me.client_id
    bank.clock.move(minutes=65)
    refused(await check(me, "in", await code_at(bank, to)), "already-checked-in")
    gone = done(await check(me, "out", await code_at(bank, to), break_minutes=5), 200)
    assert (gone["outcome"], gone["proposed"]["minutes"]) == ("attended", 60)
    refused(await check(me, "out", await code_at(bank, to)), "not-checked-in")


async def test_a_photo_of_a_code_is_useless_later(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, for_people(capacity=5), start="2026-03-02T12:00")
    (first, _), (second, _), (third, _) = [await own(bank, to) for _ in range(3)]
    photo = await code_at(bank, to)
    done(await check(first, "in", photo), 200)
    bank.clock.move(seconds=39.9)
    done(await check(second, "in", photo), 200)
    for seconds in (0.1, 20, 3600):
        bank.clock.move(seconds=seconds)
        refused(await check(third, "in", photo), "place-code-invalid")
        refused(await check(second, "out", photo), "place-code-invalid")
    done(await check(third, "in", await code_at(bank, to)), 200)


async def test_codes_are_those_of_one_place_one_moment_and_one_community(bank: Bank) -> None:
    await bank.kind()
    here, there = await begun(bank, start="2026-03-02T12:00"), await begun(bank, start="2026-03-02T12:00", place="别处")
    me, _ = await own(bank, here)
    first = await code_at(bank, here)
    # A code of another place where a shift is on is a right one, but the caller has no seat there.
    refused(await check(me, "in", await code_at(bank, there)), "no-shift-here")
    refused(await check(me, "in", first[::-1]), "place-code-invalid")
    refused(await check(me, "in", "无"), "place-code-invalid")
    same = await another(bank, here.activity, "2026-03-02T12:30")
    assert await code_at(bank, same) == first
    bank.clock.move(seconds=30)
    assert await code_at(bank, here) != first
    bank.clock.move(seconds=-30)
    await bank.open_community()
    await bank.kind()
    assert await code_at(bank, await begun(bank, start="2026-03-02T12:00")) != first


async def test_without_a_seat_in_a_shift_that_is_on_nobody_checks_in(bank: Bank) -> None:
    await bank.kind()
    to, later = await begun(bank, start="2026-03-02T12:00"), await begun(bank, start="2026-03-02T15:00")
    me, _ = await own(bank, later)
    refused(await check(me, "in", await code_at(bank, to)), "no-shift-here")
    bank.clock.move(hours=2)
    done(await check(me, "in", await code_at(bank, to)), 200)


async def test_of_two_shifts_on_end_each_is_entered_and_left_in_its_turn(bank: Bank) -> None:
    await bank.kind()
    first = await begun(bank, start="2026-03-02T12:00")
    second = await another(bank, first.activity, "2026-03-02T14:00")
    who = await bank.volunteer()
    signups = [await signed_up(bank, to, who) for to in (first, second)]
    me = await bank.volunteer_api(who["id"])
    done(await check(me, "in", await code_at(bank, first)), 200)
    bank.clock.move(minutes=125)
    gone = done(await check(me, "out", await code_at(bank, first)), 200)
    came = done(await check(me, "in", await code_at(bank, first)), 200)
    assert [gone["signup_id"], came["signup_id"]] == [one["id"] for one in signups]


async def test_neither_a_code_nor_any_location_is_stored(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, start="2026-03-02T12:00")
    me, _ = await own(bank, to)
    code = await code_at(bank, to)
    done(await check(me, "in", code), 200)
    async with bank.database.read(bank.number) as session:
        for table in metadata.sorted_tables:
            if "community_id" in table.c:
                of_community = sa.select(table).where(table.c.community_id == bank.number)
                assert code not in repr([tuple(row) for row in await session.execute(of_community)]), table.name
    where = re.compile("latitude|longitude|coordinate|gps")
    assert not [column.name for table in metadata.sorted_tables for column in table.c if where.search(column.name)]
    refused(await me.post("check-ins", {"code": code, "latitude": 36.6}), "invalid-request")


async def test_whoever_came_before_the_shift_was_moved_has_not_come_to_it(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, start="2026-03-02T12:30")
    came = await signed_up(bank, to)
    path = f"signups/{came['id']}"
    done(await bank.desk.post(f"{path}/check-in"), 200)
    times = {"starts_at": "2026-03-04T09:00:00+08:00", "ends_at": "2026-03-04T11:00:00+08:00"}
    done(await bank.desk.post(f"shifts/{to.id}/move", {**times, "reason": "停水"}), 200)
    bank.clock.move(days=1, hours=21)
    refused(await bank.desk.post(f"{path}/check-out", {}), "not-checked-in")
    assert done(await bank.desk.post(f"{path}/check-in"), 200)["checked_in_at"] == local("2026-03-04T09:00")
    bank.clock.move(hours=2)
    assert done(await bank.desk.post(f"{path}/check-out", {}), 200)["proposed"]["minutes"] == 120
