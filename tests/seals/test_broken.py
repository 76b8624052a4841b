"""What contradicts what was signed is neither signed again nor receipted, and keeps no other from its seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from app.kernel import jobs
from app.kernel.heads import ledger_heads
from app.kernel.paging import Paging
from app.ledger import InconsistentError, hash_of, sealing
from app.ledger.tables import ledger_transactions
from app.seals import proofs, store
from app.seals.service import Sealer
from app.seals.tables import checkpoints
from tests.seals.acts import audited, busy, proof_of, seal
from tests.tampering import Statement, tampered

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

_t = ledger_transactions.c


async def committed(bank: Bank, settings: Settings, *statements: Statement) -> None:
    """Change the database behind the service's back, for good."""
    async with tampered(bank.database, settings, *statements) as session:
        await session.connection.exec_driver_sql("COMMIT")


def forged(community: int, number: int, **values: object) -> Statement:
    """Change a transaction."""
    chosen = (_t.community_id == community) & (_t.transaction_number == number)
    return sa.update(ledger_transactions).where(chosen).values(values)


async def sizes(bank: Bank, community: int) -> list[int]:
    async with bank.database.read(community) as session:
        return [one.tree_size for one in await store.checkpoints_between(session, community, 1, None)]


async def unsealed(bank: Bank) -> list[int]:
    async with bank.database.read() as session:
        return [community for community, _ in await jobs.communities_unsealed(session)]


async def test_a_community_with_a_transaction_missing_is_not_sealed_and_all_others_are(
    bank: Bank, settings: Settings
) -> None:
    await busy(bank)
    broken = bank.number
    await bank.open_community()
    await bank.goods(pieces=1)
    await committed(bank, settings, sa.delete(ledger_transactions).where(_t.transaction_number == 2))
    sealer = Sealer(bank.database)
    for _ in range(2):
        await sealer.seal_due()
        assert (await sizes(bank, broken), await sizes(bank, bank.number)) == ([], [1])
        assert await unsealed(bank) == [broken]
    assert await sealer.seal_city()


async def test_nothing_is_signed_over_a_history_that_was_rewritten(bank: Bank, settings: Settings) -> None:
    await busy(bank)
    remembering = Sealer(bank.database)
    count = await remembering.seal_due()
    async with bank.database.read(bank.number) as session:
        leaf = (await sealing.bound(session, bank.number, [2]))[2]._replace(posted_by="nobody")
    await committed(bank, settings, forged(bank.number, 2, posted_by="nobody", leaf=hash_of(leaf)))
    await bank.goods(pieces=1)
    assert await seal(bank) == 0
    assert await sizes(bank, bank.number) == [count]


async def test_a_sealer_that_remembers_more_than_the_database_does_signs_nothing(
    bank: Bank, settings: Settings
) -> None:
    await busy(bank)
    remembering = Sealer(bank.database)
    assert await remembering.seal_due() > 0
    head = sa.update(ledger_heads).where(ledger_heads.c.community_id == bank.number).values(sealed_number=0)
    due = sa.update(jobs.due_work).where(jobs.due_work.c.community_id == bank.number)
    gone = sa.delete(checkpoints).where(checkpoints.c.community_id == bank.number)
    await committed(bank, settings, head, due.values(unsealed_since=bank.clock.moment), gone)
    await bank.goods(pieces=1)
    assert await remembering.seal_due() == 0
    assert await sizes(bank, bank.number) == []


async def test_nobody_gets_a_receipt_or_a_proof_for_what_was_never_posted(bank: Bank, settings: Settings) -> None:
    volunteer, _ = await busy(bank)
    paging = Paging(filters={"volunteer_id": volunteer["id"]})
    await committed(bank, settings, forged(bank.number, 1, posted_by="nobody"))
    async with bank.database.read(bank.number) as session:
        with pytest.raises(InconsistentError, match=r"transaction 1 .* is not what was posted"):
            await proofs.list_evidence(session, bank.number, paging)


async def test_what_was_sealed_otherwise_is_not_proved(bank: Bank, settings: Settings) -> None:
    await busy(bank)
    await seal(bank)
    assert await proof_of(bank, 1)
    async with bank.database.read(bank.number) as session:
        leaf = (await sealing.bound(session, bank.number, [1]))[1]._replace(posted_by="nobody")
    await committed(bank, settings, forged(bank.number, 1, posted_by="nobody", leaf=hash_of(leaf)))
    async with bank.database.read(bank.number) as session:
        with pytest.raises(InconsistentError, match=r"transaction 1 .* is not what was sealed"):
            await proofs.prove_transaction(session, bank.number, 1)


async def test_a_member_of_a_record_that_is_called_receipt_is_none(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    await bank.hours(volunteer["id"], external_ids={"receipt": "1234", "book": "7"})
    assert await audited(bank) == []
