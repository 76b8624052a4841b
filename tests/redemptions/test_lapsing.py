"""The worker frees what was held too long: just the due ones, once, whatever else fails or happened meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from app.kernel import jobs
from app.redemptions.service import LAPSE, NewRedemption, Wanted, reserve_unreferenced
from app.reports.service import audit_community
from app.worker import lapse_redemptions, run_due
from tests.bank import done
from tests.redemptions.acts import cancel, collect, pieces, points, reserve, rich, status

if TYPE_CHECKING:
    from tests.bank import Bank

# The worker looks at every community.
pytestmark = pytest.mark.usefixtures("own_database")


async def run(bank: Bank) -> int:
    """Run the worker once; give how many jobs it did."""
    return await run_due(bank.database, bank.app.state.context.settings)


async def waiting(bank: Bank) -> list[tuple[int, str | None, bool]]:
    """The lapses still to do, oldest first: attempts, last error, and whether they will be tried again."""
    async with bank.database.read(bank.number) as session:
        found = await session.execute(
            sa.select(jobs.jobs.c.attempts, jobs.jobs.c.error, jobs.jobs.c.claimable_at)
            .where(jobs.jobs.c.community_id == bank.number, jobs.jobs.c.kind == LAPSE)
            .order_by(jobs.jobs.c.due_at)
        )
        return [(row.attempts, row.error, row.claimable_at is not None) for row in found]


async def test_the_worker_lapses_the_due_ones_and_no_other_and_nothing_twice(bank: Bank) -> None:
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=10)
    first = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    bank.clock.move(hours=1)
    second = done(await reserve(bank.desk, volunteer, (article, 2)), 201)
    assert await run(bank) == 0
    bank.clock.move(hours=1)
    assert await run(bank) == 1
    assert [await status(bank, one) for one in (first, second)] == ["lapsed", "reserved"]
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((80, 20), (3, 2, 0))
    assert await run(bank) == 0
    assert await points(bank, volunteer) == (80, 20)
    bank.clock.move(hours=1)
    assert await run(bank) == 1
    assert await status(bank, second) == "lapsed"
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((100, 0), (5, 0, 0))
    assert await waiting(bank) == []
    types = [event["type"] for event in done(await bank.integrator.get("events", limit=200), 200)["items"]]
    assert types[-4:] == ["redemption.reserved", "redemption.reserved", "redemption.lapsed", "redemption.lapsed"]


async def test_the_job_of_what_was_collected_or_cancelled_goes_without_a_trace(bank: Bank) -> None:
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=10)
    first = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    second = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    collected, cancelled = done(await collect(bank.desk, first), 200), done(await cancel(bank.desk, second), 200)
    bank.clock.move(hours=3)
    assert len(await waiting(bank)) == 2
    assert await run(bank) == 2
    assert await waiting(bank) == []
    for one in (collected, cancelled):
        assert done(await bank.desk.get(f"redemptions/{one['id']}"), 200) == one
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((90, 0), (4, 0, 1))


async def test_every_community_with_due_work_gets_its_turn(bank: Bank) -> None:
    held = []
    for hours in (1, 2, 3):
        await bank.open_community(redemption_hold_hours=hours)
        volunteer, article = await rich(bank, 10), await bank.goods(price=10)
        held.append((bank.desk, done(await reserve(bank.desk, volunteer, (article, 1)), 201)))
    bank.clock.move(hours=2)
    assert await run(bank) == 2
    read = [done(await desk.get(f"redemptions/{one['id']}"), 200)["status"] for desk, one in held]
    assert read == ["lapsed", "lapsed", "reserved"]


async def test_a_job_that_fails_holds_up_no_other_and_is_tried_again_ever_later_and_at_last_no_more(
    bank: Bank,
) -> None:
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=10)
    held = [done(await reserve(bank.desk, volunteer, (article, 1)), 201) for _ in range(3)]
    due_at = bank.clock.moment + timedelta(hours=2)
    async with bank.database.write(bank.number) as session:
        await jobs.enqueue(session, [jobs.NewJob(bank.number, LAPSE, due_at, {"redemption_id": "none at all"})])
    bank.clock.move(hours=2)
    with capture_logs() as logs:
        assert await run(bank) == 3
        assert [await status(bank, one) for one in held] == ["lapsed"] * 3
        assert await waiting(bank) == [(1, "ValueError", True)]
        # Two seconds later it is tried again, four after that, and so on up to ten times.
        bank.clock.move(seconds=1.9)
        await run(bank)
        assert await waiting(bank) == [(1, "ValueError", True)]
        bank.clock.move(seconds=0.1)
        await run(bank)
        assert await waiting(bank) == [(2, "ValueError", True)]
        for attempt in range(2, 12):
            bank.clock.move(seconds=2**attempt)
            assert await run(bank) == 0
    assert [entry["attempts"] for entry in logs if entry["event"] == "job failed"] == list(range(1, 11))
    assert await waiting(bank) == [(10, "ValueError", False)]
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_a_worker_that_died_is_replaced_when_its_lease_is_over(bank: Bank) -> None:
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=10)
    held = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    bank.clock.move(hours=2)
    async with bank.database.write(bank.number) as session:
        assert len(await jobs.claim(session, bank.number)) == 1
    bank.clock.move(seconds=59)
    assert await run(bank) == 0
    assert await status(bank, held) == "reserved"
    bank.clock.move(seconds=1)
    assert await run(bank) == 1
    assert await status(bank, held) == "lapsed"


async def test_a_clock_that_was_set_back_after_the_claim_loses_no_lapse(bank: Bank) -> None:
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=10)
    held = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    bank.clock.move(hours=2)
    async with bank.database.write(bank.number) as session:
        claimed = await jobs.claim(session, bank.number)
    bank.clock.move(seconds=-5)
    async with bank.database.write(bank.number) as session:
        await lapse_redemptions(session, claimed, bank.app.state.context.settings)
        await jobs.finish(session, claimed)
    # It is still held, so the job has to come up again.
    assert await status(bank, held) == "reserved"
    bank.clock.move(seconds=5)
    assert await run(bank) == 1
    assert await status(bank, held) == "lapsed"


async def test_more_lapses_than_a_claim_takes_are_all_done_in_one_go(bank: Bank) -> None:
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 450), await bank.goods(pieces=450, price=1)
    orders = [order(bank, volunteer, article) for _ in range(jobs.claimed_max + 1)]
    async with bank.database.write(bank.number) as session:
        await reserve_unreferenced(session, orders)
    assert await points(bank, volunteer) == (249, 201)
    bank.clock.move(hours=2)
    assert await run(bank) == 201
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((450, 0), (450, 0, 0))
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


def order(bank: Bank, volunteer: dict[str, Any], article: dict[str, Any]) -> NewRedemption:
    wanted = (Wanted(UUID(article["id"]), 1),)
    return NewRedemption(bank.number, UUID(volunteer["id"]), wanted, bank.desk.client_id)
