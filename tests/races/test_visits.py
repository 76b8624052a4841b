"""What is said of a visit while its attendance is submitted: nobody earns by a visit that was in vain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.bank import done
from tests.visits.acts import said, visit, visited, visits

if TYPE_CHECKING:
    from tests.races.conftest import Counters

ROUNDS = 4
OUTCOMES = ("done", "absent", "refused", "done")


async def test_outcomes_and_submissions_at_once_agree_in_the_end(counters: Counters) -> None:
    bank = counters.bank
    await bank.kind()
    of = await visited(bank)
    for of_week in (await visits(bank, plan_id=of.plan["id"]))[:ROUNDS]:
        bank.clock.move(days=7)
        done(await said(bank.desk, of_week), 200)
        path = f"shifts/{of_week['shift_id']}/submission"
        acts = []
        for number, outcome in enumerate(OUTCOMES):
            acts += [said(counters.desk(number), of_week, outcome), counters.desk(number + 1).post(path, {})]
        answers = await asyncio.gather(*acts)
        assert {answer.json().get("code", "done") for answer in answers} <= {"done", "attendance-submitted"}
        records = [
            one
            for one in done(await bank.desk.get("service-records", limit=200), 200)["items"]
            if one["shift_id"] == of_week["shift_id"]
        ]
        is_done = (await visit(bank, of_week))["status"] == "done"
        assert len(records) == (len(of.pair) if is_done else 0)
