"""A volunteer contests a record or a posting; a manager answers; every step is kept, and no unit moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app.disputes.tables import dispute_steps
from app.kernel.events import read_after
from app.kernel.idempotency import idempotency_answers
from app.kernel.persons import person_keys
from tests.bank import done, refused

if TYPE_CHECKING:
    from tests.bank import Api, Bank

WHY = "李佳儒说当天服务了两个小时。"


@pytest.fixture
async def volunteer(bank: Bank) -> Any:
    """A volunteer of a bank where home visits earn points."""
    await bank.kind()
    return await bank.volunteer()


def contested(record: Any) -> dict[str, Any]:
    """The body of a dispute about a record."""
    return {"service_record_id": record["id"], "reason": WHY}


async def test_dispute_is_filed_by_the_volunteer_and_upheld_by_a_manager_and_moves_nothing(
    bank: Bank, volunteer: Any
) -> None:
    me, record = await bank.volunteer_api(volunteer["id"]), await bank.hours(volunteer["id"])
    before = await bank.balance(volunteer["id"])
    answer = await me.post("disputes", contested(record), key="d-1")
    dispute = done(answer, 201)
    assert answer.headers["location"] == f"/v1/me/disputes/{dispute['id']}"
    opened = {"status": "open", "taken_by": me.client_id, "taken_at": "2026-03-02T04:00:00Z", "reason": WHY}
    assert dispute == {
        "id": dispute["id"],
        "volunteer_id": volunteer["id"],
        "service_record_id": record["id"],
        "transaction_id": None,
        "reference": f"service-records/{record['id']}",
        "status": "open",
        "reason": WHY,
        "filed_by": me.client_id,
        "filed_at": opened["taken_at"],
        "due_at": "2026-03-16T16:00:00Z",
        "overdue": False,
        "next_step": None,
        "steps": [opened],
    }
    assert (await me.post("disputes", contested(record), key="d-1")).content == answer.content
    refused(await me.post("disputes", contested(record)), "already-disputed", dispute_id=dispute["id"])
    bank.clock.move(days=1)
    path = f"disputes/{dispute['id']}"
    upheld = done(
        await bank.manager.post(f"{path}/decision", {"decision": "uphold", "reason": "签到表上是两小时。"}), 200
    )
    decided = {
        "status": "upheld",
        "taken_by": bank.manager.client_id,
        "taken_at": "2026-03-03T04:00:00Z",
        "reason": "签到表上是两小时。",
    }
    assert upheld == {
        **dispute,
        "status": "upheld",
        "next_step": f"service-records/{record['id']}/correction",
        "steps": [opened, decided],
    }
    assert done(await me.get(path), 200) == done(await bank.desk.get(path), 200) == upheld
    for late in (("decision", {"decision": "reject", "reason": "不"}), ("withdrawal", {})):
        refused(await bank.manager.post(f"{path}/{late[0]}", late[1]), "dispute-not-open", dispute_status="upheld")
    assert (await bank.balance(volunteer["id"]))["points"] == before["points"]
    # What was answered can be contested once more.
    assert done(await me.post("disputes", contested(record)), 201)["id"] != dispute["id"]
    async with bank.database.read(bank.number) as session:
        found = await read_after(session, bank.number, after=0, limit=200)
    assert [event.type for event in found if event.type.startswith("dispute.")] == [
        "dispute.opened",
        "dispute.upheld",
        "dispute.opened",
    ]


async def test_posting_is_contested_by_whoever_it_touches_and_the_desk_files_for_the_volunteer(
    bank: Bank, volunteer: Any
) -> None:
    other = await bank.volunteer()
    await bank.hours(volunteer["id"])
    (line, *_) = done(await bank.desk.get(f"volunteers/{volunteer['id']}/statement"), 200)["items"]
    body = {"transaction_id": line["transaction_id"], "reason": WHY}
    refused(await bank.desk.post("disputes", body), "invalid-request")
    refused(await bank.desk.post("disputes", {**body, "volunteer_id": other["id"]}), "unknown-transaction")
    refused(await bank.desk.post("disputes", {**body, "volunteer_id": str(uuid4())}), "unknown-volunteer")
    refused(await bank.desk.post("disputes", {**body, "service_record_id": str(uuid4())}), "invalid-request")
    refused(await bank.desk.post("disputes", {"volunteer_id": other["id"], "reason": WHY}), "invalid-request")
    dispute = done(await bank.desk.post("disputes", {**body, "volunteer_id": volunteer["id"]}), 201)
    assert (dispute["transaction_id"], dispute["reference"]) == (line["transaction_id"], line["reference"])
    withdrawn = done(await bank.desk.post(f"disputes/{dispute['id']}/withdrawal", {}), 200)
    assert [(step["status"], step["reason"]) for step in withdrawn["steps"]] == [("open", WHY), ("withdrawn", None)]


async def test_volunteer_has_to_do_with_the_own_disputes_alone(bank: Bank, volunteer: Any) -> None:
    me, other = await bank.volunteer_api(volunteer["id"]), await bank.volunteer_api((await bank.volunteer())["id"])
    record, base = await bank.hours(volunteer["id"]), bank.manager.base
    mine = done(await me.post(f"{base}/disputes", contested(record)), 201)
    refused(await other.post("disputes", contested(record)), "unknown-service-record")
    named = {**contested(record), "volunteer_id": volunteer["id"]}
    refused(await other.post(f"{base}/disputes", named), "unknown-volunteer")
    for place in ("disputes", f"{base}/disputes"):
        refused(await other.get(f"{place}/{mine['id']}"), "not-found")
        refused(await other.post(f"{place}/{mine['id']}/withdrawal", {}), "not-found")
        assert done(await other.get(place), 200)["items"] == []
        assert done(await me.get(place), 200)["items"] == [mine]
    assert done(await other.get(f"{base}/disputes", volunteer_id=volunteer["id"]), 200)["items"] == []
    refused(
        await me.post(f"{base}/disputes/{mine['id']}/decision", {"decision": "uphold", "reason": "是"}), "role-missing"
    )
    withdrawn = done(await me.post(f"disputes/{mine['id']}/withdrawal", {"reason": "说清楚了"}), 200)
    assert (withdrawn["status"], withdrawn["steps"][1]["reason"]) == ("withdrawn", "说清楚了")


async def test_disputes_are_listed_by_status_and_by_who_waits_too_long(bank: Bank, volunteer: Any) -> None:
    filed = []
    for hour in (9, 12, 15):
        record = await bank.hours(volunteer["id"], start=f"2026-03-01T{hour:02}:00")
        body = {**contested(record), "volunteer_id": volunteer["id"]}
        filed.append(done(await bank.desk.post("disputes", body), 201)["id"])
    done(await bank.manager.post(f"disputes/{filed[0]}/decision", {"decision": "reject", "reason": "记录属实"}), 200)

    async def listed(api: Api, **filters: Any) -> list[str]:
        return [one["id"] for one in done(await api.get("disputes", **filters), 200)["items"]]

    assert await listed(bank.manager) == filed[::-1]
    assert await listed(bank.manager, status="rejected") == filed[:1]
    assert await listed(bank.manager, overdue="true") == []
    bank.clock.move(days=15)
    assert await listed(bank.manager, overdue="true") == filed[:0:-1]
    assert await listed(bank.manager, overdue="false") == filed[:1]
    first = done(await bank.manager.get("disputes", overdue="true", limit=1), 200)
    assert first["items"][0]["overdue"] is True
    assert await listed(bank.manager, cursor=first["next_cursor"]) == [filed[1]]
    refused(await bank.manager.get("disputes", cursor="x"), "invalid-cursor")
    # Reasons may name people.
    for api in (bank.auditor, bank.integrator):
        shown = done(await api.get(f"disputes/{filed[0]}"), 200)
        assert [shown["reason"], *(step["reason"] for step in shown["steps"])] == [None] * 3


async def test_reasons_are_stored_sealed_and_go_with_the_key_of_the_person(bank: Bank, volunteer: Any) -> None:
    record = await bank.hours(volunteer["id"])
    body = {**contested(record), "volunteer_id": volunteer["id"]}
    dispute = done(await bank.desk.post("disputes", body, key="filed"), 201)
    async with bank.database.read(bank.number) as session:
        of_steps = await session.execute(
            sa.select(dispute_steps.c.reason).where(dispute_steps.c.community_id == bank.number)
        )
        of_answers = await session.execute(
            sa.select(idempotency_answers.c.body).where(idempotency_answers.c.community_id == bank.number)
        )
        stored = [*of_steps.scalars(), *of_answers.scalars()]
    assert stored
    assert not any(WHY in text for text in stored)
    async with bank.database.write(bank.number) as session:
        await session.execute(
            sa.delete(person_keys).where(
                person_keys.c.community_id == bank.number, person_keys.c.person_id == UUID(volunteer["id"])
            )
        )
    path = f"disputes/{dispute['id']}"
    assert done(await bank.manager.get(path), 200)["reason"] is None
    refused(await bank.desk.post("disputes", body, key="filed"), "idempotency-answer-erased")
    refused(await bank.desk.post("disputes", body), "unknown-volunteer")
    # It can be ended still, and what is said about the person then is not kept.
    decision = {"decision": "reject", "reason": WHY}
    ended = done(await bank.manager.post(f"{path}/decision", decision), 200)
    assert [(step["status"], step["reason"]) for step in ended["steps"]] == [("open", None), ("rejected", None)]
