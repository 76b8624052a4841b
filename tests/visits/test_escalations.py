"""Escalations: opened after two absences running, closed by people with a reason that stays the person's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from app.visits.tables import visit_escalations
from tests.bank import done, refused
from tests.signups.acts import events
from tests.visits.acts import Visited, escalations, plan, plan_body, said, two, visited, visits

if TYPE_CHECKING:
    from tests.bank import Bank

REASON = {"reason": "住院了，已联系家属", "action": "每周打电话"}


async def weekly(bank: Bank, **fields: Any) -> tuple[Visited, list[dict[str, Any]]]:
    """邓阿姨 and eight visits to her, all of which have begun."""
    await bank.kind()
    of = await visited(bank, **fields)
    found = await visits(bank, plan_id=of.plan["id"])
    bank.clock.move(days=52)
    return of, found


async def come(bank: Bank, of: dict[str, Any], outcome: str) -> int:
    """Say what came of a visit, and give how many escalations there are then."""
    done(await said(bank.desk, of, outcome), 200)
    return len(await escalations(bank.desk))


async def close(bank: Bank, escalation: dict[str, Any], **fields: Any) -> Any:
    """Close an escalation at the desk."""
    path = f"visit-escalations/{escalation['id']}/closing"
    return done(await bank.desk.post(path, {**REASON, **fields}), 200)


async def test_two_absences_running_escalate_once_and_two_more_after_the_closing(bank: Bank) -> None:
    of, found = await weekly(bank)
    assert [await come(bank, one, "absent") for one in found[:3]] == [0, 1, 1]
    (opened,) = await escalations(bank.desk, status="open")
    assert opened == {
        **opened,
        "beneficiary_id": of.person["id"],
        "first_shift_id": found[0]["shift_id"],
        "second_shift_id": found[1]["shift_id"],
        "closed_at": None,
    }
    closed = await close(bank, opened)
    assert (closed["status"], closed["closed_by"], closed["reason"], closed["action"]) == (
        "closed",
        bank.desk.client_id,
        *REASON.values(),
    )
    path = f"visit-escalations/{opened['id']}"
    refused(await bank.manager.post(f"{path}/closing", REASON), "escalation-closed", status=409)
    # One further absence is no two, though the one before it was an absence as well.
    assert [await come(bank, one, "absent") for one in found[3:6]] == [1, 2, 2]
    (again,) = await escalations(bank.desk, status="open")
    assert (again["first_shift_id"], again["second_shift_id"]) == (found[3]["shift_id"], found[4]["shift_id"])
    assert [one["id"] for one in await escalations(bank.desk, beneficiary_id=of.person["id"])] == [
        opened["id"],
        again["id"],
    ]
    assert await escalations(bank.desk, beneficiary_id=str(uuid4())) == []
    told = [event for noun in ("visit", "escalation") for event in await events(bank, noun)]
    assert [event["data"] for event in told if event["type"] == "visit.escalated"] == [
        {
            "escalation_id": one["id"],
            "beneficiary_id": of.person["id"],
            "shift_ids": [one["first_shift_id"], one["second_shift_id"]],
        }
        for one in (opened, again)
    ]
    assert [event["data"] for event in told if event["type"] == "escalation.closed"] == [
        {"escalation_id": opened["id"], "beneficiary_id": of.person["id"]}
    ]
    for unknown in (await bank.desk.get(f"visit-escalations/{uuid4()}"),
                    await bank.desk.post(f"visit-escalations/{uuid4()}/closing", REASON)):  # fmt: skip
        refused(unknown, "not-found")


async def test_what_was_done_or_refused_between_breaks_the_row_and_what_was_skipped_does_not(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    found = await visits(bank, plan_id=of.plan["id"])
    done(await bank.desk.post(f"shifts/{found[5]['shift_id']}/skipping", {"reason": "下雪"}), 200)
    bank.clock.move(days=52)
    row = ["absent", "done", "absent", "refused", "absent"]
    assert [await come(bank, one, outcome) for one, outcome in zip(found, row, strict=False)] == [0] * 5
    assert await come(bank, found[6], "absent") == 1


async def test_order_is_that_of_the_visits_however_they_are_told_and_the_last_word_counts(bank: Bank) -> None:
    of, found = await weekly(bank)
    assert await come(bank, found[2], "absent") == 0
    assert await come(bank, found[0], "absent") == 1
    (opened,) = await escalations(bank.desk)
    # Nothing is known of the visit between, and it is made up for.
    assert (opened["first_shift_id"], opened["second_shift_id"]) == (found[0]["shift_id"], found[2]["shift_id"])
    await close(bank, opened)
    assert [await come(bank, found[4], word) for word in ("absent", "done")] == [1, 1]
    assert await come(bank, found[3], "absent") == 1
    assert await come(bank, found[5], "absent") == 1
    assert await come(bank, found[4], "absent") == 2
    assert of.person["id"] == opened["beneficiary_id"]


async def test_absences_of_a_person_count_over_all_plans_and_of_another_not_at_all(bank: Bank) -> None:
    of, found = await weekly(bank)
    other = await visited(bank, starts_on="2026-04-24")
    more = await plan(bank.desk, plan_body(of.person, *(await two(bank)), starts_on="2026-04-24"))
    bank.clock.move(days=2)
    (anothers, *_), (further, *_) = [await visits(bank, plan_id=one) for one in (other.plan["id"], more["id"])]
    assert await come(bank, found[7], "absent") == 0
    assert await come(bank, anothers, "absent") == 0
    assert await come(bank, further, "absent") == 1


async def test_what_is_said_of_the_person_is_sealed_and_gone_with_the_person(bank: Bank) -> None:
    of, found = await weekly(bank)
    for one in found[:2]:
        await come(bank, one, "absent")
    (first,) = await escalations(bank.desk)
    await close(bank, first, action=None)
    for one in found[2:4]:
        await come(bank, one, "absent")
    path = f"visit-escalations/{first['id']}"
    for reader, reason in ((bank.desk, REASON["reason"]), (bank.verifier, REASON["reason"]), (bank.auditor, None)):
        assert done(await reader.get(path), 200)["reason"] == reason
        shown = done(await reader.get("visit-escalations", status="closed"), 200)["items"]
        assert [(one["reason"], one["action"]) for one in shown] == [(reason, None)]
    async with bank.database.read(bank.number) as session:
        sealed = list((await session.execute(sa.select(visit_escalations.c.sealed))).scalars())
    assert [text is None or REASON["reason"] in text for text in sealed].count(False) == 1
    done(await bank.manager.post(f"beneficiaries/{of.person['id']}/erasure", {}), 200)
    assert done(await bank.desk.get(path), 200)["reason"] is None
    (still_open,) = await escalations(bank.desk, status="open")
    closed = await close(bank, still_open)
    assert (closed["status"], closed["reason"], closed["action"]) == ("closed", None, None)
