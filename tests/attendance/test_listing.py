"""Attendance by the organiser's list, what is proposed and doubted of it, and who did not come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app.attendance.service import no_shows_since
from tests.attendance.acts import begun, line, listed, local, row_of, rows, submitted
from tests.bank import done, refused
from tests.signups.acts import events, for_people, opened, signed_up

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_the_list_says_who_came_and_proposes_the_shift_less_the_breaks(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, for_people(capacity=4))
    whole, part, missing, excused = [await signed_up(bank, to) for _ in range(4)]
    nothing: dict[str, Any] = {"outcome": None, "method": None, "proposed": None, "doubts": [], "submitted_at": None}
    assert [{name: row[name] for name in nothing} for row in await rows(bank, to)] == [nothing] * 4
    times: dict[str, Any] = {
        "started_at": "2026-03-02T10:30:00+08:00",
        "ended_at": "2026-03-02T11:30:00+08:00",
        "break_minutes": 10,
    }
    items = await listed(
        bank,
        to,
        [whole],
        line(part, **times),
        line(missing, "absent"),
        line(excused, "excused", break_minutes=0),
    )
    assert [item["outcome"] for item in items] == ["recorded"] * 4
    assert [item["attendance"] for item in items] == await rows(bank, to)
    assert [row["outcome"] for row in await rows(bank, to)] == ["attended", "attended", "absent", "excused"]
    proposed = [row["proposed"] for row in await rows(bank, to)]
    ten, noon = local("2026-03-02T10:00"), local("2026-03-02T12:00")
    assert proposed == [
        {"started_at": ten, "ended_at": noon, "minutes": 120},
        {"started_at": local("2026-03-02T10:30"), "ended_at": local("2026-03-02T11:30"), "minutes": 50},
        None,
        None,
    ]
    row = await row_of(bank, part)
    assert (row["method"], row["break_minutes"], row["recorded_by"], row["doubts"]) == (
        "list",
        10,
        bank.desk.client_id,
        [],
    )


async def test_each_line_is_refused_by_itself(bank: Bank) -> None:
    await bank.kind()
    to, other = await begun(bank, for_people(capacity=1)), await begun(bank)
    good, elsewhere = await signed_up(bank, to), await signed_up(bank, other)
    waiting = await signed_up(bank, to)
    items = await listed(
        bank,
        to,
        [elsewhere, waiting, {"id": str(uuid4())}, good],
        line(good, started_at="2026-03-02T12:01:00+08:00", ended_at="2026-03-02T12:05:00+08:00"),
    )
    assert [item.get("problem", item).get("code", item["outcome"]) for item in items] == [
        "not-found",
        "signup-not-open",
        "not-found",
        "recorded",
        "invalid-request",
    ]
    assert (await row_of(bank, good))["proposed"]["minutes"] == 120
    body = {"items": [line(good, "absent", minutes=5)]}
    refused(await bank.desk.post(f"shifts/{to.id}/attendance", body), "invalid-request")
    refused(await bank.desk.post(f"shifts/{uuid4()}/attendance", {"items": [line(good)]}), "not-found")
    refused(await bank.desk.get(f"shifts/{uuid4()}/attendance"), "not-found")


async def test_nobody_is_listed_before_the_shift_begins(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, start="2026-03-02T12:01")
    body = {"items": [line(await signed_up(bank, to))]}
    refused(await bank.desk.post(f"shifts/{to.id}/attendance", body), "shift-not-begun")
    bank.clock.move(minutes=1)
    done(await bank.desk.post(f"shifts/{to.id}/attendance", body), 200)


async def test_the_list_may_change_until_it_is_submitted_and_never_after(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank)
    signup = await signed_up(bank, to)
    await listed(bank, to, [], line(signup, "absent"))
    await listed(bank, to, [signup])
    await listed(bank, to, [], line(signup, "absent"))
    assert (await row_of(bank, signup))["proposed"] is None
    await listed(bank, to, [], line(signup, minutes=30))
    (done_with,) = await submitted(bank, to)
    before = await row_of(bank, signup)
    assert (before["submitted_by"], before["service_record_id"]) == (
        bank.desk.client_id,
        done_with["service_record_id"],
    )
    (item,) = await listed(bank, to, [], line(signup, "absent"))
    assert item["problem"]["code"] == "attendance-submitted"
    for path in ("check-in", "check-out"):
        refused(await bank.desk.post(f"signups/{signup['id']}/{path}"), "attendance-submitted")
    assert await row_of(bank, signup) == before
    # Each time somebody became absent it was told.
    told = [event for event in await events(bank, "attendance") if event["type"] == "attendance.absent"]
    assert [event["data"]["signup_id"] for event in told] == [signup["id"]] * 2


async def test_doubts_stand_beside_the_facts(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, for_people(capacity=3), start="2026-02-27T10:00")
    early, twice = await signed_up(bank, to), await bank.volunteer()
    busy = await signed_up(bank, to, twice)
    await bank.hours(twice["id"], start="2026-02-27T14:00", minutes=400)
    long = {"started_at": "2026-02-27T09:40:00+08:00", "ended_at": "2026-02-27T12:10:00+08:00"}
    await listed(bank, to, [busy], line(early, **long))
    assert (await row_of(bank, early))["doubts"] == ["over_long", "outside_shift"]
    assert (await row_of(bank, busy))["doubts"] == ["over_day"]
    # The ten working days after the 27th of February, of which one is a Saturday, end with the 12th of March.
    bank.clock.moment = datetime(2026, 3, 12, 15, 59, tzinfo=UTC)
    assert "late" not in (await row_of(bank, busy))["doubts"]
    bank.clock.move(minutes=1)
    assert (await row_of(bank, busy))["doubts"] == ["late", "over_day"]
    await submitted(bank, to)
    # The record stands in the day by now, and is not counted twice.
    assert (await row_of(bank, busy))["doubts"] == ["late", "over_day"]
    assert (await row_of(bank, early))["doubts"] == ["late", "over_long", "outside_shift"]


async def test_whoever_is_absent_is_a_no_show_until_the_list_says_otherwise(bank: Bank) -> None:
    await bank.kind()
    who = await bank.volunteer()
    first, second = await begun(bank, start="2026-03-01T09:00"), await begun(bank, start="2026-03-02T09:00")
    missed, came = await signed_up(bank, first, who), await signed_up(bank, second, who)
    other = await signed_up(bank, second)
    await listed(bank, first, [], line(missed, "absent"))
    await listed(bank, second, [], line(came, "absent"), line(other, "absent"))
    assert await no_shows(bank) == [other["id"], came["id"], missed["id"]]
    assert await no_shows(bank, participant_id=who["id"]) == [came["id"], missed["id"]]
    assert await no_shows(bank, **{"from": "2026-03-02T09:00:00+08:00"}) == [other["id"], came["id"]]
    assert await no_shows(bank, to="2026-03-02T09:00:00+08:00") == [missed["id"]]
    assert await counted(bank, who, since=datetime(2026, 2, 1, tzinfo=UTC)) == [missed["id"], came["id"]]
    assert await counted(bank, who, since=datetime(2026, 3, 2, tzinfo=UTC)) == [came["id"]]
    await listed(bank, second, [came])
    assert await no_shows(bank, participant_id=who["id"]) == [missed["id"]]
    # Who is excused after all was not awaited.
    await listed(bank, first, [], line(missed, "excused"))
    assert await no_shows(bank, participant_id=who["id"]) == []
    assert await counted(bank, who, since=datetime(2026, 2, 1, tzinfo=UTC)) == []


async def no_shows(bank: Bank, **filters: str) -> list[str]:
    """The sign-ups of those who did not come."""
    found = done(await bank.auditor.get("no-shows", **filters), 200)["items"]
    return [one["signup_id"] for one in found]


async def counted(bank: Bank, who: dict[str, str], *, since: datetime) -> list[str]:
    """The sign-ups to which somebody did not come, as features above count them."""
    key = (bank.number, UUID(who["id"]))
    async with bank.database.read(bank.number) as session:
        found = await no_shows_since(session, [key], since)
    return [str(one.signup_id) for one in found.get(key, [])]


async def test_a_list_names_only_who_has_a_seat(bank: Bank) -> None:
    to = await opened(bank, for_people(capacity=1))
    seated, _waiting = await signed_up(bank, to), await signed_up(bank, to)
    assert [row["signup_id"] for row in await rows(bank, to)] == [seated["id"]]


async def test_nobody_is_listed_for_time_that_is_still_to_come(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, start="2026-03-02T11:00")
    signup = await signed_up(bank, to)
    (row,) = await listed(bank, to, [signup])
    assert row["problem"]["errors"] == [
        {"pointer": "/ended_at", "message": "nobody has left in the future: say until when it was"}
    ]
    (row,) = await listed(bank, to, [], line(signup, ended_at=local("2026-03-02T12:00")))
    assert row["attendance"]["proposed"]["minutes"] == 60
    bank.clock.move(hours=1)
    (row,) = await listed(bank, to, [signup])
    assert row["attendance"]["proposed"]["minutes"] == 120
