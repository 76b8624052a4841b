"""Limits per person and period, and the order in which an order is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app.worker import run_due
from tests.bank import done, refused
from tests.redemptions.acts import cancel, collect, pieces, points, reserve, rich

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_a_limit_counts_within_the_calendar_period_of_when_it_took_place(bank: Bank) -> None:
    volunteer = await rich(bank, 100)
    # An order, one in its period and one outside; each pair lies on both sides of a midnight in Xining that is no
    # midnight by UTC, or the other way round. Then the days that the refusal names.
    for period, first, within, outside, days in [
        ("day", "2026-02-20T00:10", "2026-02-20T23:50", "2026-02-21T00:10", ("2026-02-20", "2026-02-20")),
        ("month", "2026-02-01T00:10", "2026-02-28T23:50", "2026-01-31T23:50", ("2026-02-01", "2026-02-28")),
        ("quarter", "2025-12-31T23:50", "2025-10-01T00:10", "2026-01-01T00:10", ("2025-10-01", "2025-12-31")),
        ("year", "2025-01-01T00:10", "2025-12-31T23:50", "2024-12-31T23:50", ("2025-01-01", "2025-12-31")),
    ]:
        article = await bank.goods(price=10, limit_per_person=1, limit_period=period)
        done(await reserve(bank.desk, volunteer, (article, 1), occurred_at=f"{first}:00+08:00"), 201)
        answer = await reserve(bank.desk, volunteer, (article, 1), occurred_at=f"{within}:00+08:00")
        facts = {"goods": article["code"], "limit": 1, "taken": 1, "needed": 1}
        refused(answer, "limit-reached", status=409, **facts, period_from=days[0], period_to=days[1])
        done(await reserve(bank.desk, volunteer, (article, 1), occurred_at=f"{outside}:00+08:00"), 201)


@pytest.mark.usefixtures("own_database")
async def test_reserved_and_collected_pieces_count_and_cancelled_and_lapsed_ones_do_not(bank: Bank) -> None:
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 100), await bank.goods(price=10, limit_per_person=3)
    first = done(await reserve(bank.desk, volunteer, (article, 2)), 201)
    refused(await reserve(bank.desk, volunteer, (article, 2)), "limit-reached", taken=2, needed=2)
    second = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    done(await collect(bank.desk, second), 200)
    refused(await reserve(bank.desk, volunteer, (article, 1)), "limit-reached", taken=3)
    done(await cancel(bank.desk, first), 200)
    third = done(await reserve(bank.desk, volunteer, (article, 2)), 201)
    refused(await reserve(bank.desk, volunteer, (article, 1)), "limit-reached", taken=3)
    bank.clock.move(hours=2)
    await run_due(bank.database, bank.app.state.context.settings)
    refused(await reserve(bank.desk, volunteer, (article, 3)), "limit-reached", taken=1)
    fourth = done(await reserve(bank.desk, volunteer, (article, 2)), 201)
    assert third["status"] == fourth["status"] == "reserved"
    # A limit is each person's own, and each article's.
    done(await reserve(bank.desk, await rich(bank, 30), (article, 3)), 201)
    done(await reserve(bank.desk, volunteer, (await bank.goods(price=10, limit_per_person=3), 3)), 201)


async def test_a_redemption_does_not_take_place_in_the_future(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(price=10)
    answer = await reserve(bank.desk, volunteer, (article, 1), occurred_at="2026-03-02T12:00:01+08:00")
    problem = refused(answer, "invalid-request", status=422)
    assert [fault["pointer"] for fault in problem["errors"]] == ["/occurred_at"]
    past = done(await reserve(bank.desk, volunteer, (article, 1), occurred_at="2025-11-23T10:00:00+08:00"), 201)
    assert done(await bank.desk.get(f"redemptions/{past['id']}"), 200) == past
    # The hold counts from now, whenever it took place.
    assert (past["occurred_at"], past["lapses_at"]) == ("2025-11-23T02:00:00Z", "2026-03-05T04:00:00Z")
    done(await reserve(bank.desk, volunteer, (article, 1), occurred_at="2026-03-02T12:00:00+08:00"), 201)


async def test_points_that_are_held_or_missing_buy_nothing_and_the_answer_says_how_many_there_are(bank: Bank) -> None:
    volunteer, article = await rich(bank, 50), await bank.goods(price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    answer = await reserve(bank.desk, volunteer, (article, 1))
    refused(answer, "insufficient-points", status=409, balance=20, needed=30)
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((20, 30), (9, 1, 0))
    done(await cancel(bank.desk, made), 200)
    exact = await bank.goods(price=25)
    done(await reserve(bank.desk, volunteer, (exact, 2)), 201)
    assert await points(bank, volunteer) == (0, 50)


async def test_no_more_pieces_are_held_than_lie_on_the_shelf(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(price=10, pieces=2)
    answer = await reserve(bank.desk, volunteer, (article, 3))
    refused(answer, "out-of-stock", status=409, goods=article["code"], available=2, needed=3)
    done(await reserve(bank.desk, volunteer, (article, 2)), 201)
    refused(await reserve(bank.desk, volunteer, (article, 1)), "out-of-stock", available=0)


async def test_of_several_reasons_the_first_by_the_contract_is_told(bank: Bank) -> None:
    await bank.kind(points_per_hour=60)
    nobody, nothing = {"id": str(uuid4())}, {"id": str(uuid4())}
    poor = await bank.volunteer()
    limited = await bank.goods(price=10, limit_per_person=1, pieces=1)
    scarce, dear = await bank.goods(price=10, pieces=0), await bank.goods(price=10_000, pieces=1)
    # Unknown volunteer, unknown goods, limit, stock, points: each order still has all the reasons that come after.
    everything = [(dear, 1), (scarce, 1), (limited, 2), (nothing, 1)]
    for who, wanted, code, status in [
        (nobody, everything, "unknown-volunteer", 422),
        (poor, everything, "unknown-goods", 422),
        (poor, everything[:3], "limit-reached", 409),
        (poor, everything[:2], "out-of-stock", 409),
        (poor, everything[:1], "insufficient-points", 409),
    ]:
        refused(await reserve(bank.desk, who, *wanted), code, status=status)
    problem = refused(await reserve(bank.desk, nobody, (dear, 1)), "unknown-volunteer", volunteer_id=nobody["id"])
    assert problem["detail"]
    refused(await reserve(bank.desk, poor, (nothing, 1)), "unknown-goods", goods=nothing["id"])


async def test_what_is_no_order_is_refused(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(price=10)
    line = {"goods_id": article["id"], "quantity": 1}
    order: dict[str, object] = {"volunteer_id": volunteer["id"], "lines": [line]}
    changes: list[tuple[dict[str, object], str]] = [
        ({"lines": []}, "/lines"),
        ({"lines": [line, line]}, ""),
        ({"lines": [line, {**line, "quantity": 2}]}, ""),
        ({"lines": [{"goods_id": str(uuid4()), "quantity": 1} for _ in range(51)]}, "/lines"),
        ({"lines": [{**line, "quantity": 0}]}, "/lines/0/quantity"),
        ({"lines": [{**line, "quantity": -1}]}, "/lines/0/quantity"),
        ({"lines": [{**line, "quantity": 1.5}]}, "/lines/0/quantity"),
        ({"lines": [{**line, "quantity": 10_001}]}, "/lines/0/quantity"),
        ({"lines": [{"goods_id": article["id"]}]}, "/lines/0/quantity"),
        ({"lines": [{**line, "price": 1}]}, "/lines/0/price"),
        ({"volunteer_id": "17"}, "/volunteer_id"),
        ({"points": 1}, "/points"),
        ({"occurred_at": "yesterday"}, "/occurred_at"),
    ]
    for change, pointer in changes:
        answer = await bank.desk.post("redemptions", {**order, **change})
        problem = refused(answer, "invalid-request", status=422)
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer], change
    assert await points(bank, volunteer) == (100, 0)
    # A neighbour's article cannot be had here.
    await bank.open_community()
    there = await bank.goods(price=1)
    refused(await reserve(bank.desk, await rich(bank, 10), (article, 1), (there, 1)), "unknown-goods")


async def test_a_refused_order_stays_refused_under_its_key_and_may_be_tried_under_another(bank: Bank) -> None:
    volunteer, article = await rich(bank, 10), await bank.goods(price=30)
    body = {"volunteer_id": volunteer["id"], "lines": [{"goods_id": article["id"], "quantity": 1}]}
    first = await bank.desk.post("redemptions", body, key="order-1")
    refused(first, "insufficient-points")
    await bank.hours(volunteer["id"], start="2026-02-20T09:00", minutes=60)
    again = await bank.desk.post("redemptions", body, key="order-1")
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    done(await bank.desk.post("redemptions", body, key="order-2"), 201)
