"""Batches: rows in order, each created, replayed or refused by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.reports.service import audit_community
from tests.bank import done, refused
from tests.hours.acts import pointers, record, verify

if TYPE_CHECKING:
    from tests.bank import Bank


def row(bank: Bank, volunteer: dict[str, Any], reference: str, **fields: Any) -> dict[str, Any]:
    """A row of a batch."""
    return {"reference": reference, **bank.record(volunteer["id"], **fields)}


async def send(bank: Bank, *rows: Any, **fields: Any) -> dict[str, Any]:
    """Send a batch that has to be taken."""
    answer: dict[str, Any] = done(await bank.desk.post("service-record-batches", {"records": rows, **fields}), 200)
    return answer


def outcomes(batch: dict[str, Any]) -> list[str]:
    """What became of each row: the outcome, with the problem's code where there is one."""
    return [item["outcome"] + (f" {item['problem']['code']}" if "problem" in item else "") for item in batch["items"]]


async def test_each_row_is_created_or_refused_by_itself_in_its_place(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    there = await record(bank, volunteer, start="2026-02-01T09:00")
    nobody = str(uuid4())
    batch = await send(
        bank,
        row(bank, volunteer, "QL-1", start="2026-02-02T09:00"),
        row(bank, volunteer, "QL-2", start="2026-02-01T10:00"),
        {**row(bank, volunteer, "QL-3", start="2026-02-03T09:00"), "volunteer_id": nobody},
        row(bank, volunteer, "QL-4", start="2026-02-03T09:00", service_kind="patrol"),
        {**row(bank, volunteer, "QL-5", start="2026-02-03T09:00"), "place": ""},
        row(bank, volunteer, "QL-6", start="2026-03-05T09:00"),
        row(bank, volunteer, "QL-7", start="2026-02-03T09:00"),
    )
    assert outcomes(batch) == [
        "created",
        "refused overlapping-service",
        "refused unknown-volunteer",
        "refused unknown-service-kind",
        "refused invalid-request",
        "refused invalid-request",
        "created",
    ]
    assert [item["reference"] for item in batch["items"]] == [f"QL-{number}" for number in range(1, 8)]
    assert batch["counts"] == {"created": 2, "refused": 5}
    problems = [item.get("problem", {}) for item in batch["items"]]
    assert problems[1]["service_record_id"] == there["id"]
    assert problems[2]["volunteer_id"] == nobody
    assert [pointers(problem) for problem in problems[4:6]] == [["/place"], ["/started_at"]]
    made = batch["items"][0]["service_record"]
    assert done(await bank.desk.get(f"service-records/{made['id']}"), 200) == made


async def test_a_broken_row_is_refused_alone_whatever_it_is(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    good = row(bank, volunteer, "good")
    broken: list[Any] = [
        None,
        5,
        "QL-1",
        [],
        {},
        {"reference": 7},
        {**good, "reference": ""},
        {name: value for name, value in good.items() if name != "reference"},
        {**good, "minutes": 2**62},
        {**good, "minutes": "90"},
        {**good, "points": 5},
        {**good, "external_ids": [[[]]]},
    ]
    batch = await send(bank, *broken, good)
    assert outcomes(batch) == ["refused invalid-request"] * len(broken) + ["created"]
    named = {index: item["reference"] for index, item in enumerate(batch["items"]) if item["reference"] is not None}
    assert named == {6: "", 8: "good", 9: "good", 10: "good", 11: "good", 12: "good"}
    # What was invalid used no reference up.
    assert outcomes(await send(bank, good)) == ["replayed"]


async def test_a_broken_envelope_is_refused_as_a_whole(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    good = row(bank, volunteer, "good")
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    for body, pointer in [
        ({}, "/records"),
        ({"records": []}, "/records"),
        ({"records": good}, "/records"),
        ({"records": [good] * 501}, "/records"),
        ({"records": [good], "dry_run": "yes"}, "/dry_run"),
        ({"records": [good], "note": "x"}, "/note"),
        ({"records": [good, {**good, "external_ids": deep}]}, "/records/1"),
    ]:
        problem = refused(await bank.desk.post("service-record-batches", body), "invalid-request", status=422)
        assert pointers(problem) == [pointer]
    assert done(await bank.desk.get("service-records"), 200)["items"] == []


async def test_five_hundred_rows_are_taken_at_once(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind(points_per_hour=60)
    volunteers = [await bank.volunteer() for _ in range(5)]
    # Each volunteer gives four minutes an hour on five days, and so stays far below eight hours a day.
    rows = [
        row(bank, volunteer, f"QL-{number}-{day}-{hour}", start=f"2026-02-{day}T{hour:02}:00", minutes=4)
        for number, volunteer in enumerate(volunteers)
        for day in range(10, 15)
        for hour in range(20)
    ]
    assert len(rows) == 500
    batch = await send(bank, *rows)
    assert batch["counts"] == {"created": 500}
    assert [(await bank.balance(volunteer["id"]))["points"] for volunteer in volunteers] == [400] * 5
    again = await send(bank, *rows)
    assert again["counts"] == {"replayed": 500}
    assert [item["service_record"] for item in again["items"]] == [item["service_record"] for item in batch["items"]]
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_a_reference_is_replayed_with_the_same_content_and_refused_with_other(bank: Bank) -> None:
    await bank.kind()
    volunteer, other = await bank.volunteer(), await bank.volunteer()
    mine = row(bank, volunteer, "QL-1", external_ids={"a": "1", "b": "2"}, recorder_name="张文静")
    first = (await send(bank, mine))["items"][0]["service_record"]
    # Content is compared as parsed: another spelling of the same moments and another order are the same.
    same = {
        **mine,
        "started_at": "2026-03-01T01:00:00.000Z",
        "ended_at": "2026-02-28T18:30:00-08:00",
        "place": f" {mine['place']} ",
        "external_ids": {"b": "2", "a": "1"},
    }
    assert outcomes(await send(bank, same)) == ["replayed"]
    for name, value in [
        ("minutes", 89),
        ("place", "别处"),
        ("volunteer_id", other["id"]),
        ("recorder_name", None),
        ("external_ids", {"a": "1"}),
        ("service_kind", "patrol"),
    ]:
        batch = await send(bank, {**mine, name: value})
        assert outcomes(batch) == ["refused reference-reused"], name
    # A replay shows the record as it is by now; nothing was made a second time.
    approved = done(await verify(bank.verifier, first), 200)
    replayed = await send(bank, mine)
    assert replayed["items"] == [{"reference": "QL-1", "outcome": "replayed", "service_record": approved}]
    assert len(done(await bank.desk.get("service-records"), 200)["items"]) == 1


async def test_a_refusal_is_replayed_too_even_when_its_reason_is_gone(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    there = await record(bank, volunteer)
    overlapping = row(bank, volunteer, "QL-1")
    unknown = row(bank, volunteer, "QL-2", start="2026-02-01T09:00", service_kind="patrol")
    first = await send(bank, overlapping, unknown)
    assert outcomes(first) == ["refused overlapping-service", "refused unknown-service-kind"]
    done(await verify(bank.verifier, there, "reject"), 200)
    await bank.kind("patrol")
    again = await send(bank, overlapping, unknown)
    assert outcomes(again) == ["replayed overlapping-service", "replayed unknown-service-kind"]
    assert [item["problem"] for item in again["items"]] == [item["problem"] for item in first["items"]]
    assert again["counts"] == {"replayed": 2}
    # Under a new reference the same service is taken now.
    assert outcomes(await send(bank, {**overlapping, "reference": "QL-3"})) == ["created"]


async def test_rows_of_one_batch_see_each_other(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind(points_per_hour=60, minutes_per_day_max=100)
    volunteer = await bank.volunteer()
    batch = await send(
        bank,
        row(bank, volunteer, "QL-1", start="2026-03-01T08:00", minutes=60),
        row(bank, volunteer, "QL-2", start="2026-03-01T08:30", minutes=60),
        row(bank, volunteer, "QL-1", start="2026-03-01T08:00", minutes=60),
        row(bank, volunteer, "QL-1", start="2026-03-01T08:00", minutes=59),
        row(bank, volunteer, "QL-2", start="2026-03-01T08:30", minutes=60),
        row(bank, volunteer, "QL-3", start="2026-03-01T09:00", minutes=60),
        row(bank, volunteer, "QL-4", start="2026-03-01T10:00", minutes=361),
    )
    assert outcomes(batch) == [
        "created",
        "refused overlapping-service",
        "replayed",
        "refused reference-reused",
        "replayed overlapping-service",
        "created",
        "created",
    ]
    records = [item.get("service_record") for item in batch["items"]]
    assert batch["items"][1]["problem"]["service_record_id"] == records[0]["id"]
    assert records[2] == records[0]
    assert batch["items"][4]["problem"] == batch["items"][1]["problem"]
    # The day's cap goes on from row to row, and the row that goes over eight hours waits for a manager.
    assert [records[index]["award"]["points"] for index in (0, 5)] == [60, 40]
    assert (records[6]["status"], records[6]["manager_required"]) == ("pending", True)


async def test_a_dry_run_answers_as_if_and_stores_nothing(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind(points_per_hour=60)
    volunteer = await bank.volunteer()
    rows = [row(bank, volunteer, "QL-1", minutes=60), row(bank, volunteer, "QL-2", minutes=60)]
    before = done(await bank.integrator.get("events", limit=200), 200)
    body = {"dry_run": True, "records": rows}
    tried = done(await bank.desk.post("service-record-batches", body, key="batch-1"), 200)
    assert outcomes(tried) == ["created", "refused overlapping-service"]
    assert tried["items"][0]["service_record"]["award"]["points"] == 60
    assert done(await bank.desk.get("service-records"), 200)["items"] == []
    assert (await bank.balance(volunteer["id"]))["points"] == 0
    assert done(await bank.integrator.get("events", limit=200), 200) == before
    # Neither its key nor its references are used up: the same key may carry the real batch.
    answer = await bank.desk.post("service-record-batches", {"records": rows}, key="batch-1")
    assert outcomes(done(answer, 200)) == ["created", "refused overlapping-service"]
    assert "idempotency-replayed" not in answer.headers
    replay = await bank.desk.post("service-record-batches", {"records": rows}, key="batch-1")
    assert (replay.content, replay.headers["idempotency-replayed"]) == (answer.content, "true")
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_references_are_the_communitys_own_and_its_callers_share_them(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    mine = row(bank, volunteer, "QL-1")
    assert outcomes(await send(bank, mine)) == ["created"]
    batch = done(await bank.manager.post("service-record-batches", {"records": [mine]}), 200)
    assert outcomes(batch) == ["replayed"]
    await bank.open_community()
    await bank.kind()
    assert outcomes(await send(bank, row(bank, await bank.volunteer(), "QL-1"))) == ["created"]
