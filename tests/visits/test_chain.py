"""The whole chain by the clock: a plan, four weeks, outcomes, what is submitted and verified, and points of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.reports.service import audit_community
from tests.bank import done
from tests.hours.acts import verify
from tests.signups.acts import events
from tests.visits.acts import TASKS, escalations, run_due, said, visited, visits

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank


async def test_four_weeks_of_visits_from_the_plan_to_points(bank: Bank, settings: Settings) -> None:
    await bank.kind(points_per_hour=10)
    of = await visited(bank)
    li, zhang = of.pair
    me = await bank.volunteer_api(li["id"])
    made = await visits(bank, plan_id=of.plan["id"])
    # Tuesdays at 16:00 the visits of 3, 10, 17 and 24 March are over; the last is told by nobody.
    bank.clock.move(days=1, hours=4)
    done(await said(me, made[0], tasks=TASKS), 200)
    for one in made[1:3]:
        bank.clock.move(days=7)
        await run_due(bank, settings)
        done(await said(bank.desk, one, "absent"), 200)
    bank.clock.move(days=8)
    for _ in range(2):
        await run_due(bank, settings)
    found = await visits(bank, plan_id=of.plan["id"])
    # By 25 March those up to 20 May are made: twelve Tuesdays.
    assert [one["status"] for one in found] == ["done", "absent", "absent", "overdue"] + ["due"] * 8
    (opened,) = await escalations(bank.desk, status="open")
    assert opened["second_shift_id"] == made[2]["shift_id"]
    told = [event["type"] for event in await events(bank, "visit")]
    assert told == ["visit.done", "visit.absent", "visit.absent", "visit.escalated", "visit.overdue"]
    done(await said(bank.desk, made[3], tasks=["cleaning"], absent_volunteer_ids=[zhang["id"]]), 200)
    records = []
    for one in made[:4]:
        items = done(await bank.desk.post(f"shifts/{one['shift_id']}/submission", {}), 200)["items"]
        records += [item["service_record_id"] for item in items if item["service_record_id"]]
    for record_id in records:
        done(await verify(bank.verifier, {"id": record_id}), 200)
    # 李佳儒 came twice for 90 minutes, 张文静 once: at 10 points an hour 15 each time.
    assert [(one["minutes"], one["points"]) for one in [await bank.balance(who["id"]) for who in of.pair]] == [
        (180, 30),
        (90, 15),
    ]
    lines = done(await bank.desk.get(f"volunteers/{zhang['id']}/statement"), 200)["items"]
    (points,) = [one for one in lines if one["unit"] == "POINT"]
    transaction = done(await bank.auditor.get(f"ledger/transactions/{points['transaction_id']}"), 200)
    record = done(await bank.desk.get(transaction["reference"]), 200)
    assert (record["shift_id"], record["beneficiary_id"]) == (made[0]["shift_id"], of.person["id"])
    visit = done(await bank.desk.get(f"visits/{record['shift_id']}"), 200)
    assert (visit["plan_id"], visit["outcome"]["tasks"]) == (of.plan["id"], TASKS)
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []
