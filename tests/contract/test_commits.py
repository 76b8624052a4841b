"""A connection that is cut during COMMIT: nobody can know what became of it, and the same key finds the one effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.main import create_app
from tests.bank import Bank, done
from tests.contract.test_outages import is_unavailable
from tests.contract.wire import Wire
from tests.races.books import assert_books_agree

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.settings import Settings
    from tests.bank import TestClock

pytestmark = [pytest.mark.deadlines, pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)]

# As often as the service tries by itself, and more.
ALWAYS = 100


@pytest.fixture
async def wire(settings: Settings) -> AsyncIterator[Wire]:
    async with Wire(settings) as wire:
        yield wire


@pytest.fixture
async def bank(wire: Wire, clock: TestClock) -> AsyncIterator[Bank]:
    """A bank that reaches its database over the wire."""
    async with Bank(create_app(wire.settings, clock=clock), clock) as bank:
        yield bank
        await bank.database.close()


@pytest.mark.parametrize("after", [False, True], ids=["before the server has it", "when the server has done it"])
async def test_a_commit_cut_off_once_is_carried_out_once_without_the_caller_noticing(
    bank: Bank, wire: Wire, *, after: bool
) -> None:
    article = await bank.goods(pieces=0)
    path, body = f"goods/{article['id']}/stock-movements", {"kind": "received", "quantity": 7}
    wire.cut_at_commits(1, after=after)
    answer = await bank.manager.post(path, body, key="k")
    assert wire.cuts_left == 0
    movement = done(answer, 201)
    assert ("idempotency-replayed" in answer.headers) == after
    assert done(await bank.manager.post(path, body, key="k"), 201) == movement
    assert done(await bank.manager.get(f"goods/{article['id']}"), 200)["stock"]["shelf"] == 7


@pytest.mark.parametrize("after", [False, True], ids=["before the server has it", "when the server has done it"])
async def test_a_commit_that_is_always_cut_off_is_told_and_the_keyed_retry_finds_the_one_effect(
    bank: Bank, wire: Wire, *, after: bool
) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    record = done(await bank.desk.post("service-records", bank.record(volunteer["id"], minutes=60)), 201)
    path, body = f"service-records/{record['id']}/verification", {"decision": "approve"}
    wire.cut_at_commits(ALWAYS, after=after)
    is_unavailable(await bank.manager.post(path, body, key="k"))
    wire.cut_at_commits(0, after=after)
    answer = await bank.manager.post(path, body, key="k")
    assert done(answer, 200)["status"] == "approved"
    assert ("idempotency-replayed" in answer.headers) == after
    balance = await bank.balance(volunteer["id"])
    assert (balance["minutes"], balance["points"], balance["version"]) == (60, 10, 1)
    await assert_books_agree(bank.database, bank.number)
