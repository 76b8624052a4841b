"""Work that hangs is told apart from work that takes long: the one breaks a promise, the other is too slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest

from app.kernel import metrics
from tests.soak import waiting
from tests.soak.parts import SQLITE, Plan, ViolationError
from tests.soak.waiting import in_time, waiting_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def plan(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plan]:
    """A part's plan, whose work is late at once."""
    monkeypatch.setattr(waiting, "_seconds_max", 0.1)
    monkeypatch.setattr(waiting, "_look_seconds", 0.05)
    engine = "postgresql" if "database_url" in request.fixturenames else SQLITE
    made = Plan(engine, "1", 1.0)
    with waiting_for(made):
        yield made


async def commit_for(seconds: float) -> str:
    """End one transaction after the other for a while."""
    async with asyncio.timeout(seconds * 10):
        for _ in range(int(seconds / 0.05)):
            await asyncio.sleep(0.05)
            metrics.transaction_seconds.observe(0.05)
    return "done"


async def test_what_ends_late_is_too_slow_and_breaks_no_promise(plan: Plan) -> None:
    assert await in_time("a worker", commit_for(1.5)) == "done"
    (told,) = plan.too_slow
    assert told.startswith("a worker took")


async def test_what_ends_in_time_is_not_noted(plan: Plan) -> None:
    assert await in_time("a worker", asyncio.sleep(0, "done")) == "done"
    assert (plan.too_slow, plan.slowest) == ([], {})


async def test_what_stands_still_hangs_and_is_told_with_where_it_stands(plan: Plan) -> None:
    with pytest.raises(ViolationError, match=r"a worker hangs(.|\n)*test_waiting.py") as caught:
        await in_time("a worker", wait_for_nothing())
    assert (plan.too_slow, caught.value.__cause__) == ([], None)


async def wait_for_nothing() -> None:
    await asyncio.Event().wait()


async def test_what_goes_on_for_ever_hangs(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_more_seconds", 0.5)
    with pytest.raises(ViolationError, match="a worker hangs"):
        await in_time("a worker", commit_for(5.0))
    assert plan.too_slow == []


async def test_what_raises_is_raised(plan: Plan) -> None:
    async def fail() -> None:
        raise LookupError(plan.seed)

    with pytest.raises(LookupError, match="1"):
        await in_time("a worker", fail())


@on_postgresql
async def test_who_waits_for_a_lock_that_nobody_gives_up_hangs_and_the_holder_is_named(
    plan: Plan, settings: Settings
) -> None:
    async with (
        await psycopg.AsyncConnection.connect(settings.database_url) as holding,
        await psycopg.AsyncConnection.connect(settings.database_url) as asking,
    ):
        await holding.execute("SELECT pg_advisory_xact_lock(7)")
        with pytest.raises(ViolationError, match=rf"Lock, advisory, for .{holding.info.backend_pid}\D"):
            await in_time("a worker", asking.execute("SELECT pg_advisory_xact_lock(7)"))
    assert plan.too_slow == []
