"""Whoever posts gets a receipt at once, which anybody can check and which the ledger then keeps to."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from app import ledger
from tests.bank import posted, refused
from tests.redemptions.acts import cancel, collect, reserve, rich
from tests.seals.acts import audited, checked

if TYPE_CHECKING:
    from tests.bank import Bank


async def receipted(bank: Bank, answer: Any) -> list[int]:
    """The numbers of the transactions that an answer's receipt names; the ledger carries the same leaves."""
    named = checked(bank, answer["receipt"]).facts
    assert named["origin"] == f"love-bank.local/communities/{bank.number}"
    numbers = [one["number"] for one in named["transactions"]]
    async with bank.database.read(bank.number) as session:
        stored = await ledger.stored_leaves(session, bank.number, numbers)
        bound = await ledger.bound(session, bank.number, numbers)
    assert [ledger.hash_of(bound[number]) for number in numbers] == [stored[number] for number in numbers]
    assert [checked(bank, answer["receipt"]).facts["transactions"]] == [
        [{"number": number, "leaf": b64encode(stored[number]).decode()} for number in numbers]
    ]
    return numbers


async def test_every_answer_that_posts_carries_a_receipt_for_what_it_posted(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind(points_per_hour=60)
    volunteer, friend = await bank.volunteer(), await bank.volunteer()
    record = posted(await bank.desk.post("service-records", bank.record(volunteer["id"])), 201)
    assert await receipted(bank, record) == [record["transaction_id"]]
    article = await bank.goods(pieces=0)
    stock = {"kind": "received", "quantity": 9, "note": "进货"}
    moved = posted(await bank.manager.post(f"goods/{article['id']}/stock-movements", stock), 201)
    assert await receipted(bank, moved) == [2]
    held = posted(await reserve(bank.desk, volunteer, (article, 1)), 201)
    assert await receipted(bank, held) == [3]
    got = posted(await collect(bank.desk, held), 200)
    assert await receipted(bank, got) == [4]
    returned = await bank.desk.post(f"redemptions/{held['id']}/return", {"reason": "坏了"})
    assert await receipted(bank, posted(returned, 200)) == [5]
    own = await bank.volunteer_api(volunteer["id"])
    wanted = {"lines": [{"goods_id": article["id"], "quantity": 1}]}
    reserved = posted(await own.post("/v1/me/redemptions", wanted), 201)
    assert await receipted(bank, reserved) == [6]
    assert await receipted(bank, posted(await cancel(bank.desk, reserved), 200)) == [7]
    body = {"from_volunteer_id": volunteer["id"], "to_volunteer_id": friend["id"], "points": 5, "note": "谢谢"}
    gift = posted(await bank.desk.post("transfers", body), 201)
    assert await receipted(bank, gift) == [gift["transaction_id"]]
    replacement = bank.record(friend["id"], start="2026-02-02T09:00")
    body = {"reason": "记错了人", "replacement": replacement}
    corrected = posted(await bank.manager.post(f"service-records/{record['id']}/correction", body), 200)
    assert await receipted(bank, corrected) == [9, 10]


async def test_a_verification_carries_the_receipt_of_what_it_approved(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    recorded = posted(await bank.desk.post("service-records", bank.record(volunteer["id"])), 201)
    assert "receipt" not in recorded
    path = f"service-records/{recorded['id']}/verification"
    approved = posted(await bank.verifier.post(path, {"decision": "approve"}), 200)
    assert await receipted(bank, approved) == [approved["transaction_id"]]
    other = posted(await bank.desk.post("service-records", bank.record(volunteer["id"], start="2026-02-01T09:00")), 201)
    path = f"service-records/{other['id']}/verification"
    assert "receipt" not in posted(await bank.verifier.post(path, {"decision": "reject"}), 200)


async def test_a_batch_has_one_receipt_for_all_that_it_posted_and_a_dry_run_none(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind()
    volunteer = await bank.volunteer()
    records = [
        {"reference": f"r{day}", **bank.record(volunteer["id"], start=f"2026-02-{day:02}T09:00")} for day in range(1, 4)
    ]
    records.append({"reference": "r9", **bank.record(volunteer["id"], start="2026-02-01T09:30")})
    dry = posted(await bank.desk.post("service-record-batches", {"records": records, "dry_run": True}), 200)
    assert (dry["counts"], "receipt" in dry) == ({"created": 3, "refused": 1}, False)
    batch = posted(await bank.desk.post("service-record-batches", {"records": records}), 200)
    numbers = [item["service_record"]["transaction_id"] for item in batch["items"][:3]]
    assert await receipted(bank, batch) == numbers == [1, 2, 3]
    again = posted(await bank.desk.post("service-record-batches", {"records": records}), 200)
    assert (again["counts"], "receipt" in again) == ({"replayed": 4}, False)


async def test_a_receipt_is_in_the_answer_and_its_repeats_and_nowhere_else(bank: Bank) -> None:
    volunteer = await rich(bank)
    towel, dear = await bank.goods(), await bank.goods(price=1000)
    body = {"volunteer_id": volunteer["id"], "lines": [{"goods_id": towel["id"], "quantity": 1}]}
    first = await bank.desk.post("redemptions", body, key="once")
    again = await bank.desk.post("redemptions", body, key="once")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    held = posted(first, 201)
    read = posted(await bank.desk.get(f"redemptions/{held['id']}"), 200)
    assert {**read, "receipt": held["receipt"]} == held
    assert "receipt" not in read
    too_many = {**body, "lines": [{"goods_id": dear["id"], "quantity": 1}]}
    assert "receipt" not in refused(await bank.desk.post("redemptions", too_many), "insufficient-points")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_salt_is_new_for_every_transaction(bank: Bank) -> None:
    volunteer = await rich(bank, 480 * 3)
    async with bank.database.read(bank.number) as session:
        booked = await ledger.booked(session, bank.number, [1, 2, 3])
    assert len({one.salt for one in booked.values()}) == 3
    assert all(one.salt and len(one.salt) == 16 for one in booked.values())
    assert len({one.evidence for one in booked.values()}) == 3
    assert await audited(bank) == []
    assert volunteer
