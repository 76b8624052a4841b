"""The journey that the service is for: hours in, points, goods out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.reports.service import audit_community
from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_hours_become_points_and_points_become_a_towel(bank: Bank) -> None:
    await bank.kind(points_per_hour=12)
    volunteer = await bank.volunteer(name="张文静")
    article = await bank.goods(pieces=5, price=12)
    recorded = done(await bank.desk.post("service-records", bank.record(volunteer["id"])), 201)
    assert (recorded["status"], recorded["award"]) == ("pending", None)
    assert (await bank.balance(volunteer["id"]))["points"] == 0

    path = f"service-records/{recorded['id']}/verification"
    approved = done(await bank.verifier.post(path, {"decision": "approve"}), 200)
    assert approved["award"]["points"] == 18
    redemption = await bank.reserve(volunteer["id"], article["id"])
    held = await bank.balance(volunteer["id"])
    assert (held["minutes"], held["points"], held["points_reserved"]) == (90, 6, 12)

    path = f"redemptions/{redemption['id']}/collection"
    collected = done(await bank.desk.post(path, {"pickup_code": redemption["pickup_code"]}), 200)
    assert collected["status"] == "collected"
    stock = done(await bank.desk.get(f"goods/{article['id']}"), 200)["stock"]
    assert stock == {"shelf": 4, "reserved": 0, "handed_out": 1, "written_off": 0}

    lines = done(await bank.desk.get(f"volunteers/{volunteer['id']}/statement"), 200)["items"]
    assert [(line["unit"], line["amount"], line["balance_after"]) for line in lines] == [
        ("POINT", -12, 6),
        ("MINUTE", 90, 90),
        ("POINT", 18, 18),
    ]
    units = done(await bank.auditor.get("ledger/trial-balance"), 200)["units"]
    assert [unit["sum"] for unit in units] == [0, 0, 0]
    types = [event["type"] for event in done(await bank.integrator.get("events"), 200)["items"]]
    assert types[-4:] == [
        "service_record.recorded",
        "service_record.approved",
        "redemption.reserved",
        "redemption.collected",
    ]
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []
