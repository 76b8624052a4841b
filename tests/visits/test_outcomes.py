"""What comes of visits: said by the desk or the pair, again and again until the attendance is submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from app.visits.tables import visit_outcomes
from tests.bank import done, refused
from tests.hours.acts import verify
from tests.signups.acts import events
from tests.visits.acts import TASKS, attendance, said, visit, visited, visits

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_done_records_who_came_and_the_tasks_by_code(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    first, second, *_ = await visits(bank, plan_id=of.plan["id"])
    refused(await said(bank.desk, first), "shift-not-begun", status=409)
    bank.clock.move(days=1, hours=4)
    recorded = done(await said(bank.desk, first, tasks=[*TASKS, "company"]), 200)
    assert recorded == await visit(bank, first)
    assert (recorded["status"], recorded["outcome"]["tasks"]) == ("done", TASKS)
    assert recorded["outcome"]["recorded_by"] == bank.desk.client_id
    here, missing = of.pair
    assert await attendance(bank, first) == {one["id"]: ("attended", 90) for one in of.pair}
    when: dict[str, Any] = {
        "started_at": "2026-03-03T14:40:00+08:00",
        "ended_at": "2026-03-03T15:40:00+08:00",
        "break_minutes": 10,
    }
    again = done(await said(bank.desk, first, absent_volunteer_ids=[missing["id"]], **when), 200)
    assert again["outcome"]["absent_volunteer_ids"] == [missing["id"]]
    assert await attendance(bank, first) == {here["id"]: ("attended", 50), missing["id"]: ("absent", None)}
    assert (await visit(bank, second))["status"] == "due"
    told = [event["data"] for event in await events(bank, "visit") if event["type"] == "visit.done"]
    ids = {"shift_id": first["shift_id"], "plan_id": of.plan["id"], "beneficiary_id": of.person["id"]}
    assert told == [ids, ids]


async def test_no_value_of_blood_pressure_can_be_sent(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    first, *_ = await visits(bank, plan_id=of.plan["id"])
    bank.clock.move(days=1, hours=4)
    me = await bank.volunteer_api(of.pair[0]["id"])
    for api in (bank.desk, me):
        for fields in (
            {"blood_pressure": "150/95"},
            {"systolic": 150, "diastolic": 95},
            {"value": 150},
            {"note": "血压 150/95"},
            {"tasks": ["blood_pressure 150/95"]},
            {"tasks": [{"code": "blood_pressure", "value": "150/95"}]},
            {"tasks": {"blood_pressure": "150/95"}},
            {"tasks": ["company", 150]},
        ):
            refused(await said(api, first, **fields), "invalid-request", status=422)
    assert (await visit(bank, first))["outcome"] is None


async def test_what_was_not_done_has_no_tasks_times_or_missing_volunteers(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    first, *_ = await visits(bank, plan_id=of.plan["id"])
    bank.clock.move(days=1, hours=4)
    for fields in (
        {"tasks": TASKS},
        {"started_at": first["starts_at"]},
        {"ended_at": first["ends_at"]},
        {"break_minutes": 5},
        {"absent_volunteer_ids": [of.pair[0]["id"]]},
    ):
        for outcome in ("absent", "refused"):
            refused(await said(bank.desk, first, outcome, **fields), "invalid-request")
    for outcome in ("absent", "refused"):
        assert done(await said(bank.desk, first, outcome), 200)["status"] == outcome
        assert await attendance(bank, first) == {one["id"]: ("excused", None) for one in of.pair}
    strangers, late = [str(uuid4())], "2026-03-03T20:00:00+08:00"
    for fields, pointer in (
        ({"absent_volunteer_ids": strangers}, "/absent_volunteer_ids"),
        ({"absent_volunteer_ids": [one["id"] for one in of.pair]}, "/outcome"),
        ({"started_at": late}, "/started_at"),
        ({"ended_at": late}, "/ended_at"),
        ({"ended_at": "2026-03-03T14:00:00+08:00"}, "/ended_at"),
        ({"break_minutes": 90}, "/break_minutes"),
    ):
        problem = refused(await said(bank.desk, first, **fields), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [pointer], fields
    assert (await visit(bank, first))["status"] == "refused"


async def test_one_of_the_pair_says_it_and_nobody_else(bank: Bank) -> None:
    await bank.kind()
    of, others = await visited(bank), await visited(bank)
    first, *_ = await visits(bank, plan_id=of.plan["id"])
    me, another = [await bank.volunteer_api(one["id"]) for one in (of.pair[0], others.pair[0])]
    own = done(await me.get("visits"), 200)["items"]
    assert {one["plan_id"] for one in own} == {of.plan["id"]}
    assert len(own) == 8
    bank.clock.move(days=1, hours=4)
    refused(await said(another, first), "not-found", status=404)
    refused(await me.post(f"visits/{uuid4()}/outcome", {"outcome": "done"}), "not-found")
    recorded = done(await said(me, first, tasks=TASKS), 200)
    assert recorded["outcome"]["recorded_by"] == f"volunteer/{of.pair[0]['id']}"
    assert done(await me.get("visits", status="done"), 200)["items"] == [recorded]
    # Who signed off is none of the pair any more.
    change = {"volunteer_ids": [one["id"] for one in others.pair], "reason": "换人"}
    done(await bank.desk.post(f"{of.path}/pair", change), 200)
    assert done(await me.get("visits"), 200)["items"] == [recorded]
    bank.clock.move(days=7)
    second = (await visits(bank, plan_id=of.plan["id"]))[1]
    refused(await said(me, second), "not-found")


async def test_outcome_is_replaced_until_the_attendance_is_submitted_and_each_stays(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    first, *_ = await visits(bank, plan_id=of.plan["id"])
    bank.clock.move(days=1, hours=4)
    for outcome in ("absent", "refused", "done"):
        done(await said(bank.desk, first, outcome), 200)
    path = f"shifts/{first['shift_id']}/submission"
    items = done(await bank.desk.post(path, {}), 200)["items"]
    assert {item["outcome"] for item in items} == {"submitted"}
    refused(await said(bank.desk, first, "absent"), "attendance-submitted", status=409)
    me = await bank.volunteer_api(of.pair[0]["id"])
    refused(await said(me, first), "attendance-submitted")
    async with bank.database.read(bank.number) as session:
        kept = await session.execute(sa.select(visit_outcomes.c.outcome).order_by(visit_outcomes.c.number))
        assert list(kept.scalars()) == ["absent", "refused", "done"]
    for item in items:
        record = done(await verify(bank.verifier, {"id": item["service_record_id"]}), 200)
        assert (record["beneficiary_id"], record["shift_id"]) == (of.person["id"], first["shift_id"])
    assert (await bank.balance(of.pair[0]["id"]))["points"] == 15


async def listed(bank: Bank, of: dict[str, Any], *outcomes: str) -> None:
    """Record the pair's coming by the organiser's list, as attended or not, and submit it."""
    seats = done(await bank.desk.get(f"shifts/{of['shift_id']}/signups"), 200)["items"]
    lines = [
        {"signup_id": seat["id"], "outcome": outcome} for seat, outcome in zip(seats, outcomes, strict=True) if outcome
    ]
    done(await bank.desk.post(f"shifts/{of['shift_id']}/attendance", {"items": lines}), 200)
    done(await bank.desk.post(f"shifts/{of['shift_id']}/submission", {}), 200)


async def test_what_came_of_a_visit_is_said_once_after_its_attendance_was_submitted_and_not_against_it(
    bank: Bank,
) -> None:
    await bank.kind()
    of = await visited(bank)
    first, second, third, *_ = await visits(bank, plan_id=of.plan["id"])
    bank.clock.move(days=15, hours=6)
    await listed(bank, first, "attended", "attended")
    for against in ("absent", "refused"):
        refused(await said(bank.desk, first, against), "attendance-submitted", status=409)
    for fields in (
        {"absent_volunteer_ids": [of.pair[0]["id"]]},
        {"ended_at": "2026-03-03T15:00:00+08:00"},
        {"break_minutes": 5},
    ):
        refused(await said(bank.desk, first, **fields), "attendance-submitted")
    assert (await visit(bank, first))["status"] == "overdue"
    recorded = done(await said(bank.desk, first, tasks=TASKS), 200)
    assert (recorded["status"], recorded["outcome"]["tasks"]) == ("done", TASKS)
    refused(await said(bank.desk, first, tasks=TASKS), "attendance-submitted")
    assert await attendance(bank, first) == {one["id"]: ("attended", 90) for one in of.pair}
    # Of a visit in vain nobody is listed as having come.
    await listed(bank, second, "excused", "absent")
    refused(await said(bank.desk, second), "attendance-submitted")
    assert done(await said(bank.desk, second, "absent"), 200)["status"] == "absent"
    # What is still open of the attendance follows what is said.
    await listed(bank, third, "attended", "")
    here, missing = of.pair
    assert done(await said(bank.desk, third, absent_volunteer_ids=[missing["id"]]), 200)["status"] == "done"
    assert await attendance(bank, third) == {here["id"]: ("attended", 90), missing["id"]: ("absent", None)}


async def test_nobody_has_given_time_at_a_visit_in_vain(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    first, *_ = await visits(bank, plan_id=of.plan["id"])
    bank.clock.move(days=1, hours=3, minutes=30)
    done(await said(bank.desk, first, "absent"), 200)
    # One comes back later and checks in and out, the other is listed as having come.
    here, other = done(await bank.desk.get(f"shifts/{first['shift_id']}/signups"), 200)["items"]
    done(await bank.desk.post(f"signups/{here['id']}/check-in"), 200)
    bank.clock.move(hours=1)
    done(await bank.desk.post(f"signups/{here['id']}/check-out", {}), 200)
    lines = [{"signup_id": other["id"], "outcome": "attended"}]
    done(await bank.desk.post(f"shifts/{first['shift_id']}/attendance", {"items": lines}), 200)
    path = f"shifts/{first['shift_id']}/submission"
    items = done(await bank.desk.post(path, {}), 200)["items"]
    assert [(item["outcome"], item["problem"]["code"]) for item in items] == [("refused", "visit-in-vain")] * 2
    assert done(await bank.desk.get("service-records"), 200)["items"] == []
    # What was seen stays, and is submitted once it is said that the visit was done after all.
    done(await said(bank.desk, first), 200)
    items = done(await bank.desk.post(path, {}), 200)["items"]
    assert [item["outcome"] for item in items] == ["submitted"] * 2
    minutes = {here["participant_id"]: ("attended", 60), other["participant_id"]: ("attended", 90)}
    assert await attendance(bank, first) == minutes


async def test_skipped_visit_has_no_outcome_and_one_without_a_pair_only_in_vain(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    first, second, *_ = await visits(bank, plan_id=of.plan["id"])
    done(await bank.desk.post(f"shifts/{first['shift_id']}/skipping", {"reason": "下雪"}), 200)
    for signup in done(await bank.desk.get(f"shifts/{second['shift_id']}/signups"), 200)["items"]:
        done(await bank.desk.post(f"signups/{signup['id']}/cancellation", {}), 200)
    bank.clock.move(days=8, hours=4)
    refused(await said(bank.desk, first), "shift-skipped", status=409)
    assert [one["status"] for one in await visits(bank, status="skipped")] == ["skipped"]
    problem = refused(await said(bank.desk, second), "invalid-request")
    assert [error["pointer"] for error in problem["errors"]] == ["/outcome"]
    assert done(await said(bank.desk, second, "refused"), 200)["volunteer_ids"] == []


async def test_who_checked_in_and_out_gave_the_time_between_unless_another_is_said(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    first, *_ = await visits(bank, plan_id=of.plan["id"])
    here, other = of.pair
    items = done(await bank.desk.get(f"shifts/{first['shift_id']}/signups"), 200)["items"]
    (path,) = [f"signups/{one['id']}" for one in items if one["participant_id"] == here["id"]]
    # In at 14:40 and out at 15:50, of which ten minutes were a break.
    bank.clock.move(days=1, hours=2, minutes=40)
    done(await bank.desk.post(f"{path}/check-in"), 200)
    bank.clock.move(hours=1, minutes=10)
    done(await bank.desk.post(f"{path}/check-out", {"break_minutes": 10}), 200)
    # The last break that was said stays with the time that was seen. The other gave what has passed of the visit.
    for pause, minutes in ((0, (60, 80)), (20, (50, 60)), (0, (50, 80))):
        done(await said(bank.desk, first, break_minutes=pause), 200)
        assert await attendance(bank, first) == {
            here["id"]: ("attended", minutes[0]),
            other["id"]: ("attended", minutes[1]),
        }
    invalid = refused(await said(bank.desk, first, break_minutes=70), "invalid-request")
    assert [fault["pointer"] for fault in invalid["errors"]] == ["/break_minutes"]
    when = {"started_at": "2026-03-03T14:30:00+08:00", "ended_at": "2026-03-03T15:15:00+08:00"}
    done(await said(bank.desk, first, **when), 200)
    assert set((await attendance(bank, first)).values()) == {("attended", 45)}
