"""Overdue visits: found by the list, told by an event once, and counted by month."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from app import worker
from app.kernel import jobs
from app.visits.overdue import TELL_OVERDUE
from tests.bank import done
from tests.signups.acts import events
from tests.visits.acts import run_due, said, visited, visits

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank


async def told(bank: Bank) -> list[str]:
    """The visits of which an event told that they are overdue."""
    found = await events(bank, "visit")
    return [event["data"]["shift_id"] for event in found if event["type"] == "visit.overdue"]


async def test_overdue_visit_is_told_once_a_day_after_its_end(bank: Bank, settings: Settings) -> None:
    await bank.kind()
    of = await visited(bank, rule="FREQ=WEEKLY;COUNT=3")
    first, second, _ = await visits(bank)
    # Its end is tomorrow at 16:00; now it is noon.
    bank.clock.move(days=2, hours=4, seconds=-1)
    await run_due(bank, settings)
    assert await told(bank) == []
    assert await visits(bank, status="overdue") == []
    bank.clock.move(seconds=1)
    for _ in range(2):
        await run_due(bank, settings)
        assert await told(bank) == [first["shift_id"]]
    (late,) = await visits(bank, status="overdue", plan_id=of.plan["id"])
    assert (late["shift_id"], late["status"]) == (first["shift_id"], "overdue")
    done(await said(bank.desk, first), 200)
    assert await visits(bank, status="overdue") == []
    bank.clock.move(days=6)
    done(await said(bank.desk, second, "refused"), 200)
    bank.clock.move(days=1)
    await run_due(bank, settings)
    assert await told(bank) == [first["shift_id"]]
    assert [one["status"] for one in await visits(bank)] == ["done", "refused", "due"]


async def test_moved_visit_is_awaited_at_its_new_time_and_a_skipped_one_not_at_all(
    bank: Bank, settings: Settings
) -> None:
    await bank.kind()
    await visited(bank, rule="FREQ=WEEKLY;COUNT=3")
    earlier, later, skipped = await visits(bank)
    for shift, start in ((earlier, "2026-03-02T13:00"), (later, "2026-03-20T13:00")):
        span = {"starts_at": f"{start}:00+08:00", "ends_at": f"{start[:10]}T14:00:00+08:00", "reason": "改期"}
        done(await bank.desk.post(f"shifts/{shift['shift_id']}/move", span), 200)
    done(await bank.desk.post(f"shifts/{skipped['shift_id']}/skipping", {"reason": "下雪"}), 200)
    bank.clock.move(days=1, hours=2)
    await run_due(bank, settings)
    assert await told(bank) == [earlier["shift_id"]]
    bank.clock.move(days=16, hours=23)
    await run_due(bank, settings)
    assert await told(bank) == [earlier["shift_id"]]
    bank.clock.move(days=1, hours=1)
    await run_due(bank, settings)
    assert await told(bank) == [earlier["shift_id"], later["shift_id"]]


async def test_job_that_was_claimed_before_the_clock_was_set_back_waits_again(bank: Bank, settings: Settings) -> None:
    await bank.kind()
    await visited(bank, rule="FREQ=WEEKLY;COUNT=1")
    (only,) = await visits(bank)
    bank.clock.move(days=2, hours=4)
    async with bank.database.write(bank.number) as session:
        claimed = await jobs.claim(session, bank.number)
        while claimed[0].kind != TELL_OVERDUE:
            claimed = await jobs.claim(session, bank.number)
    bank.clock.move(hours=-1)
    async with bank.database.write(bank.number) as session:
        await worker.HANDLERS[TELL_OVERDUE](session, claimed, settings)
        await jobs.finish(session, claimed)
    await run_due(bank, settings)
    assert await told(bank) == []
    bank.clock.move(hours=1)
    await run_due(bank, settings)
    assert await told(bank) == [only["shift_id"]]


async def test_visits_are_counted_by_month_of_the_communitys_calendar(bank: Bank) -> None:
    await bank.kind()
    # At half past midnight of 1 April by the clocks it is March in UTC.
    await visited(bank, rule="FREQ=WEEKLY;BYDAY=WE;COUNT=6", starts_on="2026-03-04", time_of_day="00:30")
    assert await _months(bank) == [("2026-03", 4, 0, 0, 0, 0), ("2026-04", 2, 0, 0, 0, 0)]
    first, second, third, fourth, fifth, _ = await visits(bank)
    bank.clock.move(days=31)
    for one, outcome in ((first, "done"), (second, "absent"), (third, "refused"), (fifth, "done")):
        done(await said(bank.desk, one, outcome), 200)
    assert (await visits(bank, status="overdue")) == [{**fourth, "status": "overdue"}]
    assert await _months(bank) == [("2026-03", 0, 1, 1, 1, 1), ("2026-04", 1, 1, 0, 0, 0)]
    assert await _months(bank, last=dt.date(2026, 3, 31)) == [("2026-03", 0, 1, 1, 1, 1)]
    within = {"from": "2026-04-01T00:30:00+08:00", "to": "2026-04-08T00:30:00+08:00"}
    assert [one["shift_id"] for one in await visits(bank, **within)] == [fifth["shift_id"]]


async def _months(bank: Bank, last: dt.date = dt.date(2026, 4, 30)) -> list[tuple[object, ...]]:
    days = {"from": "2026-03-01", "to": last.isoformat()}
    return [tuple(row.values()) for row in done(await bank.auditor.get("reports/visits", **days), 200)["rows"]]
