"""What was posted is in a signed tree a moment later, whoever seals, whatever failed before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app import ledger
from app.kernel import jobs
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.idempotency import idempotency_answers
from app.ledger import sealing
from app.ledger.tables import ledger_transactions
from app.seals import service, store
from app.seals.audit import audit_city
from app.seals.service import Sealer
from tests.bank import done
from tests.redemptions.acts import rich
from tests.seals.acts import audited, busy, checked, checkpoint, seal
from tests.tampering import tampered
from tests.trees import root_of

if TYPE_CHECKING:
    import pytest

    from app.kernel.database import Session
    from app.settings import Settings
    from tests.bank import Bank


async def leaves(bank: Bank, last: int) -> list[bytes]:
    async with bank.database.read(bank.number) as session:
        return await ledger.leaves(session, bank.number, 1, last)


async def unsealed(bank: Bank) -> list[int]:
    async with bank.database.read() as session:
        return [community for community, _ in await jobs.communities_unsealed(session)]


async def receive(bank: Bank, goods_id: str, times: int) -> None:
    """Post as often as asked, with as little as posts at all."""
    body = {"kind": "received", "quantity": 1, "note": "进货"}
    path = f"goods/{goods_id}/stock-movements"
    for _ in range(times):
        done(await bank.manager.post(path, body), 201)


async def test_what_was_posted_is_sealed_and_the_checkpoint_is_of_its_tree(bank: Bank) -> None:
    await busy(bank)
    assert await unsealed(bank) == [bank.number]
    count = await seal(bank)
    assert await unsealed(bank) == []
    assert await seal(bank) == 0
    found = await checkpoint(bank)
    assert found["tree_size"] == count
    facts = checked(bank, found["note"]).facts
    assert (facts["origin"], facts["tree_size"]) == (f"love-bank.local/communities/{bank.number}", count)
    async with bank.database.read(bank.number) as session:
        sealed = await store.latest(session, bank.number)
    assert sealed
    assert sealed.checkpoint.root == root_of(await leaves(bank, count))
    assert await audited(bank) == []


async def test_a_sealer_that_remembers_and_one_that_reads_make_the_same_trees(bank: Bank) -> None:
    towel = await bank.goods(pieces=0)
    remembering = Sealer(bank.database)
    for round_number, times in enumerate((1, 2, 254, 1, 3)):
        await receive(bank, towel["id"], times)
        sealer = Sealer(bank.database) if round_number % 2 else remembering
        assert await sealer.seal_due() == times
    size = 261
    async with bank.database.read(bank.number) as session:
        sizes = [one.tree_size for one in await store.checkpoints_between(session, bank.number, 1, None)]
        sealed = await store.latest(session, bank.number)
        nodes = await store.all_nodes(session, bank.number)
    assert sizes == [1, 3, 257, 258, 261]
    assert sealed
    assert sealed.checkpoint.root == root_of(await leaves(bank, size))
    assert list(nodes) == [(8, 0)]
    assert await audited(bank) == []


async def test_two_who_seal_at_once_seal_each_transaction_once(bank: Bank) -> None:
    towel = await bank.goods(pieces=0)
    sealers = [Sealer(bank.database) for _ in range(3)]
    sealed = 0
    for times in range(1, 5):
        await receive(bank, towel["id"], times)
        sealed += sum(await asyncio.gather(*(sealer.seal_due() for sealer in sealers)))
    assert sealed == 10
    assert (await checkpoint(bank))["tree_size"] == 10
    assert await audited(bank) == []


async def test_posting_goes_on_while_it_is_sealed(bank: Bank) -> None:
    towel = await bank.goods(pieces=0)
    sealer = Sealer(bank.database)

    async def seal_again_and_again() -> None:
        while (await checkpoint_size(bank)) < 40:
            await sealer.seal_due()

    await asyncio.gather(seal_again_and_again(), *(receive(bank, towel["id"], 10) for _ in range(4)))
    assert await audited(bank) == []


async def checkpoint_size(bank: Bank) -> int:
    async with bank.database.read(bank.number) as session:
        found = await store.latest(session, bank.number)
    return found.tree_size if found else 0


async def test_a_seal_that_was_not_committed_leaves_no_trace_in_the_sealers_mind(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    towel = await bank.goods(pieces=3)
    sealer = Sealer(bank.database)
    assert await sealer.seal_due() == 1
    await receive(bank, towel["id"], 2)
    carry_out = service.seal

    async def seal_and_break(session: Session, *rest: object, **named: object) -> int:
        await carry_out(session, *rest, **named)  # type: ignore[arg-type]
        raise Unavailable

    monkeypatch.setattr(service, "seal", seal_and_break)
    assert await sealer.seal_due() == 0
    monkeypatch.setattr(service, "seal", carry_out)
    await receive(bank, towel["id"], 1)
    assert await sealer.seal_due() == 3
    assert await audited(bank) == []


async def test_a_long_backlog_is_sealed_in_steps(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    towel = await bank.goods(pieces=0)
    await receive(bank, towel["id"], 7)
    monkeypatch.setattr(sealing, "UNSEALED_MAX", 3)
    sealing.unsealed.cache_clear()
    sealer = Sealer(bank.database)
    assert [await sealer.seal_due() for _ in range(4)] == [3, 3, 1, 0]
    sealing.unsealed.cache_clear()
    assert await audited(bank) == []


async def test_transactions_of_before_there_were_leaves_are_sealed_as_their_rows_are(
    bank: Bank, settings: Settings
) -> None:
    await busy(bank)
    bare = sa.update(ledger_transactions).values(leaf=None, salt=None, evidence=None)
    async with tampered(bank.database, settings, bare, sa.delete(idempotency_answers)) as session:
        await session.connection.exec_driver_sql("COMMIT")
    towel = await bank.goods(pieces=1)
    count = await seal(bank)
    assert count == (await checkpoint(bank))["tree_size"]
    assert await audited(bank) == []
    assert towel


async def test_every_community_has_a_tree_of_its_own_and_the_city_has_all_of_them(bank: Bank) -> None:
    await rich(bank)
    first = bank.number
    await bank.open_community()
    towel = await bank.goods(pieces=1)
    sealer = Sealer(bank.database)
    await sealer.seal_due()
    assert await sealer.seal_city()
    assert not await sealer.seal_city()
    await receive(bank, towel["id"], 2)
    await sealer.seal_due()
    bank.clock.move(seconds=59)
    assert not await sealer.seal_city()
    bank.clock.move(seconds=1)
    assert await Sealer(bank.database).seal_city()
    found = done(await bank.http.get("/v1/ledger/checkpoint"), 200)
    assert (found["origin"], found["tree_size"]) == ("love-bank.local/city", 3)
    proof = (await bank.auditor.get("ledger/city-proof")).text
    said = checked(bank, proof).facts
    assert (said["origin"], said["number"]) == ("love-bank.local/city", 3)
    assert said["stands_for"].startswith(f"love-bank.local/communities/{bank.number}\n3\n")
    async with bank.database.read(CITY, first, bank.number) as session:
        assert await audit_city(session) == []


async def test_a_community_that_somebody_holds_keeps_no_other_from_its_seal(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bank.goods(pieces=1)
    held = bank.number
    await bank.open_community()
    await bank.goods(pieces=1)
    sealer = Sealer(bank.database)
    run = bank.database.run

    async def refuse_the_held(communities: list[int], *rest: object, **named: object) -> object:
        if held in communities:
            raise Unavailable
        return await run(communities, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(bank.database, "run", refuse_the_held)
    assert await sealer.seal_due() == 1
    assert await unsealed(bank) == [held]
