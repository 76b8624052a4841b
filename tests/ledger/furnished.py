"""A community with a row in every table, made over HTTP, for attacks on what the database itself guards."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from app import ledger
from app.access.cards import count_attempt
from app.kernel.paging import Paging
from app.kernel.rows import insert_rows
from app.seals import store
from app.seals.service import Sealer
from app.seals.tables import tree_nodes, witness_signatures
from app.seals.witnesses import NewWitness, name_witnesses
from tests.bank import done
from tests.ledger.furnished_work import furnish_work
from tests.volunteers.people import id_number

if TYPE_CHECKING:
    from tests.bank import Bank


async def furnish(bank: Bank) -> None:
    """Let a volunteer of the bank's community serve and redeem; records and redemptions stay open and are closed."""
    await bank.kind(points_per_hour=60)
    volunteer = await bank.volunteer(id_number=id_number(dt.date(1985, 7, 1)))
    article = await bank.goods(pieces=5, price=10)
    record = await bank.hours(volunteer["id"])
    done(await bank.manager.post(f"service-records/{record['id']}/correction", {"reason": "记错了"}), 200)
    await bank.hours(volunteer["id"], start="2026-02-01T09:00")
    gone = await bank.volunteer()
    done(await bank.manager.post(f"volunteers/{gone['id']}/erasure", {}), 200)
    done(await bank.desk.post("households", {"volunteer_ids": [volunteer["id"]]}), 201)
    done(await bank.desk.post("service-records", bank.record(volunteer["id"], start="2026-03-01T14:00")), 201)
    referenced: dict[str, Any] = {**bank.record(volunteer["id"], start="2026-03-01T18:00"), "reference": "QL-1"}
    batch = done(await bank.desk.post("service-record-batches", {"records": [referenced]}), 200)
    assert batch["counts"] == {"created": 1}
    donation = {"from_volunteer_id": volunteer["id"], "to_pool": True, "points": 1}
    done(await bank.desk.post("transfers", donation), 201)
    await bank.reserve(volunteer["id"], article["id"])
    reserved = await bank.reserve(volunteer["id"], article["id"])
    path = f"redemptions/{reserved['id']}/collection"
    done(await bank.desk.post(path, {"pickup_code": reserved["pickup_code"]}), 200)
    done(await bank.desk.post(f"redemptions/{reserved['id']}/return", {"reason": "有破损"}), 200)
    dispute = {"volunteer_id": volunteer["id"], "service_record_id": record["id"], "reason": "没有记错"}
    done(await bank.desk.post("disputes", dispute), 201)
    done(await bank.auditor.post("ledger/audits"), 202)
    await furnish_work(bank, volunteer["id"])
    card = done(await bank.desk.post(f"volunteers/{volunteer['id']}/cards"), 201)
    async with bank.database.write() as session:
        await count_attempt(session, card["card_number"], "127.0.0.1")
    async with bank.database.write(bank.number) as session:
        newest, *_ = await ledger.transactions(session, bank.number, Paging(limit=1))
        await ledger.reverse(session, bank.number, [newest["transaction_number"]], reason="test", posted_by="test")
    await seal(bank)


async def seal(bank: Bank) -> None:
    """Seal the community, and make up a node of its tree, which has too few leaves for one, and a witness."""
    sealer = Sealer(bank.database)
    await sealer.seal_due()
    await sealer.seal_city()
    async with bank.database.write(bank.number) as session:
        sealed = await store.latest(session, bank.number)
        assert sealed is not None
        of_community = {"community_id": bank.number}
        await insert_rows(session, tree_nodes, [{**of_community, "level": 8, "place": 0, "hash": bytes(32)}])
        await name_witnesses(session, [NewWitness(bank.number, "w", "w", "w")])
        signature = {
            "witness": "w",
            "public_key": "w",
            "signature": "w",
            "received_by": "w",
            "received_at": bank.clock.moment,
        }
        await insert_rows(session, witness_signatures, [{**of_community, "tree_size": sealed.tree_size, **signature}])
