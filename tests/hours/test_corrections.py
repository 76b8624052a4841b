"""Corrections: minutes and points go back by a transaction that names the deposit, and what was spent is owed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.bank import done, refused
from tests.hours.acts import approved, pointers, record, verify
from tests.races.books import assert_books_agree

if TYPE_CHECKING:
    import httpx

    from tests.bank import Bank


async def correct(bank: Bank, record: dict[str, Any], *, key: str | None = None, **fields: Any) -> httpx.Response:
    """Take a record back as the manager."""
    body = {"reason": "志愿者没有到场", **fields}
    return await bank.manager.post(f"service-records/{record['id']}/correction", body, key=key)


async def held(bank: Bank, volunteer: dict[str, Any]) -> tuple[int, int, int]:
    """A volunteer's minutes, points and points owed."""
    balance = await bank.balance(volunteer["id"])
    return balance["minutes"], balance["points"], balance["points_owed"]


async def test_correcting_takes_minutes_and_points_back_and_names_the_transaction_it_reverses(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    wrong = await approved(bank, volunteer)
    bank.clock.move(minutes=5)
    corrected = done(await correct(bank, wrong), 200)
    assert corrected == {**wrong, "status": "corrected", "correction": corrected["correction"]}
    assert corrected["correction"] == {
        "reason": "志愿者没有到场",
        "corrected_by": bank.manager.client_id,
        "corrected_at": "2026-03-02T04:05:00Z",
        "transaction_id": wrong["transaction_id"] + 1,
        "replacement_id": None,
    }
    assert done(await bank.desk.get(f"service-records/{wrong['id']}"), 200) == corrected
    path = f"ledger/transactions/{corrected['correction']['transaction_id']}"
    transaction = done(await bank.auditor.get(path), 200)
    assert (transaction["kind"], transaction["reverses"]) == ("correction", wrong["transaction_id"])
    assert (transaction["reason"], transaction["posted_by"]) == ("志愿者没有到场", bank.manager.client_id)
    assert {entry["account"]: entry["amount"] for entry in transaction["entries"]} == {
        "community/minutes_given": 90,
        f"volunteer/{volunteer['id']}/minutes": -90,
        "community/points_issued": 15,
        f"volunteer/{volunteer['id']}/points": -15,
    }
    assert await held(bank, volunteer) == (0, 0, 0)
    lines = done(await bank.desk.get(f"volunteers/{volunteer['id']}/statement"), 200)["items"]
    assert [(line["kind"], line["unit"], line["amount"], line["balance_after"]) for line in lines] == [
        ("correction", "MINUTE", -90, 0),
        ("correction", "POINT", -15, 0),
        ("deposit", "MINUTE", 90, 90),
        ("deposit", "POINT", 15, 15),
    ]
    assert [event["type"] for event in done(await bank.auditor.get("events"), 200)["items"]][-1:] == [
        "service_record.corrected"
    ]
    await assert_books_agree(bank.database, bank.number)


async def test_points_that_were_spent_are_owed_and_later_earnings_settle_them_first(bank: Bank) -> None:
    await bank.kind(points_per_hour=60)
    volunteer, article = await bank.volunteer(), await bank.goods(price=50)
    wrong = await approved(bank, volunteer, minutes=60)
    reserved = await bank.reserve(volunteer["id"], article["id"])
    done(await correct(bank, wrong), 200)
    assert await held(bank, volunteer) == (0, 0, -50)
    await assert_books_agree(bank.database, bank.number)
    await approved(bank, volunteer, start="2026-02-20T09:00", minutes=30)
    assert await held(bank, volunteer) == (30, 0, -20)
    # The cancelled reservation's points settle what is left, and the rest is free.
    done(await bank.desk.post(f"redemptions/{reserved['id']}/cancellation", {}), 200)
    assert await held(bank, volunteer) == (30, 30, 0)
    await assert_books_agree(bank.database, bank.number)


async def test_only_an_approved_record_is_corrected_and_only_once(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    pending, rejected = await record(bank, volunteer), await record(bank, volunteer, start="2026-02-20T09:00")
    done(await verify(bank.verifier, rejected, "reject"), 200)
    refused(await correct(bank, pending), "record-not-approved", status=409, record_status="pending")
    refused(await correct(bank, rejected), "record-not-approved", record_status="rejected")
    refused(await correct(bank, {"id": str(uuid4())}), "not-found")
    wrong = done(await verify(bank.verifier, pending), 200)
    first = await correct(bank, wrong, key="k")
    done(first, 200)
    refused(await correct(bank, wrong), "already-reversed", status=409, transaction_id=wrong["transaction_id"])
    again = await correct(bank, wrong, key="k")
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert await held(bank, volunteer) == (0, 0, 0)


async def test_a_replacement_stands_in_the_place_of_the_corrected_record(bank: Bank) -> None:
    """It may cover the same time, and the corrected record counts neither for the caps nor for the eight hours."""
    await bank.kind(minutes_per_day_max=120)
    volunteer, other = await bank.volunteer(), await bank.volunteer()
    wrong = await approved(bank, volunteer, minutes=120)
    await approved(bank, volunteer, start="2026-03-01T14:00", minutes=60)
    assert await held(bank, volunteer) == (180, 20, 0)
    body = bank.record(volunteer["id"], minutes=100)
    corrected = done(await correct(bank, wrong, replacement=body), 200)
    replacement_id = corrected["correction"]["replacement_id"]
    replacement = done(await bank.desk.get(f"service-records/{replacement_id}"), 200)
    assert (replacement["status"], replacement["recorded_by"]) == ("pending", bank.manager.client_id)
    assert await held(bank, volunteer) == (60, 0, 0)
    refused(await verify(bank.manager, replacement), "self-verification")
    done(await verify(bank.verifier, replacement), 200)
    assert await held(bank, volunteer) == (160, 16, 0)
    # A replacement may be another's: the wrong volunteer was named.
    named = done(await correct(bank, replacement, replacement=bank.record(other["id"], minutes=90)), 200)
    assert named["volunteer_id"] == volunteer["id"]
    listed = done(await bank.desk.get("service-records", volunteer_id=other["id"]), 200)["items"]
    assert [item["id"] for item in listed] == [named["correction"]["replacement_id"]]
    corrected_ids = done(await bank.desk.get("service-records", status="corrected"), 200)["items"]
    assert [item["id"] for item in corrected_ids] == [replacement["id"], wrong["id"]]
    await assert_books_agree(bank.database, bank.number)


async def test_a_trusted_recorders_replacement_is_approved_with_its_correction(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind(minutes_per_day_max=60)
    volunteer = await bank.volunteer()
    wrong = done(await bank.desk.post("service-records", bank.record(volunteer["id"], minutes=60)), 201)
    capped = done(
        await bank.desk.post("service-records", bank.record(volunteer["id"], start="2026-03-01T14:00", minutes=60)), 201
    )
    assert capped["award"]["points"] == 0
    body = bank.record(volunteer["id"], minutes=30)
    replacement_id = done(await correct(bank, wrong, replacement=body), 200)["correction"]["replacement_id"]
    replacement = done(await bank.desk.get(f"service-records/{replacement_id}"), 200)
    # The award of the other record is not computed again; the replacement does not count what it replaces.
    assert (replacement["status"], replacement["award"]["points"]) == ("approved", 5)
    assert await held(bank, volunteer) == (90, 5, 0)
    await assert_books_agree(bank.database, bank.number)


async def test_a_refused_replacement_refuses_its_correction_with_pointers_into_the_whole_body(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    wrong = await approved(bank, volunteer)
    other = await approved(bank, volunteer, start="2026-03-01T14:00")
    body = bank.record(volunteer["id"])
    future = {**body, "started_at": "2026-04-01T09:00:00+08:00", "ended_at": "2026-04-01T10:30:00+08:00"}
    assert pointers(refused(await correct(bank, wrong, replacement=future), "invalid-request")) == [
        "/replacement/started_at"
    ]
    overlapping = bank.record(volunteer["id"], start="2026-03-01T14:30")
    refused(await correct(bank, wrong, replacement=overlapping), "overlapping-service", service_record_id=other["id"])
    unknown = bank.record(str(uuid4()))
    refused(await correct(bank, wrong, replacement=unknown), "unknown-volunteer")
    nowhere = bank.record(volunteer["id"], service_kind="nothing")
    refused(await correct(bank, wrong, replacement=nowhere), "unknown-service-kind")
    answer = await correct(bank, wrong, replacement={**body, "minutes": 0})
    assert pointers(refused(answer, "invalid-request")) == ["/replacement/minutes"]
    assert await held(bank, volunteer) == (180, 30, 0)
    assert done(await bank.desk.get(f"service-records/{wrong['id']}"), 200) == wrong


async def test_a_reference_of_a_corrected_record_gives_the_record_as_it_is(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind()
    volunteer = await bank.volunteer()
    row = {**bank.record(volunteer["id"]), "reference": "QL-1"}
    batch = {"records": [row]}
    made = done(await bank.desk.post("service-record-batches", batch), 200)["items"][0]["service_record"]
    corrected = done(await correct(bank, made), 200)
    again = done(await bank.desk.post("service-record-batches", batch), 200)["items"][0]
    assert (again["outcome"], again["service_record"]) == ("replayed", corrected)


async def test_volunteers_list_their_own_records_and_no_one_elses(bank: Bank) -> None:
    await bank.kind()
    volunteer, other = await bank.volunteer(), await bank.volunteer()
    first, second = await approved(bank, volunteer), await record(bank, volunteer, start="2026-02-20T09:00")
    await approved(bank, other)
    own = await bank.volunteer_api(volunteer["id"])
    page = done(await own.get("service-records", limit=1), 200)
    rest = done(await own.get("service-records", limit=1, cursor=page["next_cursor"]), 200)
    assert [item["id"] for item in page["items"] + rest["items"]] == [second["id"], first["id"]]
    pending = done(await own.get("service-records", status="pending"), 200)["items"]
    assert [item["id"] for item in pending] == [second["id"]]
    refused(await bank.desk.get("/v1/me/service-records"), "role-missing")
