"""The pure rules of redemptions: calendar periods, why an order does not hold, and what each step moves."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.goods.errors import OutOfStock
from app.goods.rules import Goods
from app.redemptions.errors import LimitReached
from app.redemptions.rules import (
    COLLECTED,
    LAPSED,
    RESERVED,
    Counter,
    Line,
    Redemption,
    Taken,
    collection,
    order_refusal,
    period_of,
    release,
    reservation,
    takeback,
)
from app.volunteers.errors import InsufficientPoints

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
TODAY = NOW.date()
VOLUNTEER = UUID(int=1)
TOWEL, RICE = UUID(int=11), UUID(int=12)


def article(
    goods_id: UUID, price: int, *, limit: int | None = None, household: int | None = None, period: str = "month"
) -> Goods:
    return Goods(goods_id, 1, f"G{goods_id.int}", "毛巾", None, price, limit, household, period, NOW)


def alone(points: int, taken: Taken) -> Counter:
    """What an order rests on of somebody who shares limits with nobody."""
    return Counter(points, taken, [taken])


def redemption(*lines: Line, status: str = RESERVED) -> Redemption:
    points = sum(line.quantity * line.points_each for line in lines)
    lapses_at = NOW + timedelta(hours=72)
    return Redemption(
        UUID(int=9), 1, 1, VOLUNTEER, lines, points, status, "042917", NOW, TODAY, "1-desk", NOW, lapses_at
    )


@pytest.mark.parametrize(
    ("day", "period", "first", "last"),
    [
        ("2025-12-31", "day", "2025-12-31", "2025-12-31"),
        ("2025-02-10", "month", "2025-02-01", "2025-02-28"),
        ("2024-02-29", "month", "2024-02-01", "2024-02-29"),
        ("2025-12-31", "month", "2025-12-01", "2025-12-31"),
        ("2025-01-01", "month", "2025-01-01", "2025-01-31"),
        ("2025-03-31", "quarter", "2025-01-01", "2025-03-31"),
        ("2025-04-01", "quarter", "2025-04-01", "2025-06-30"),
        ("2025-08-31", "quarter", "2025-07-01", "2025-09-30"),
        ("2025-12-31", "quarter", "2025-10-01", "2025-12-31"),
        ("2025-01-01", "year", "2025-01-01", "2025-12-31"),
        ("2025-12-31", "year", "2025-01-01", "2025-12-31"),
    ],
)
def test_a_day_lies_in_its_calendar_period(day: str, period: str, first: str, last: str) -> None:
    assert [one.isoformat() for one in period_of(dt.date.fromisoformat(day), period)] == [first, last]


@given(day=st.dates(dt.date(1970, 1, 1), dt.date(2199, 12, 31)), period=st.sampled_from(["month", "quarter", "year"]))
def test_periods_follow_each_other_without_gap_or_overlap(day: dt.date, period: str) -> None:
    first, last = period_of(day, period)
    assert first <= day <= last
    assert period_of(first, period) == period_of(last, period) == (first, last)
    assert period_of(first - timedelta(days=1), period)[1] == first - timedelta(days=1)
    assert period_of(last + timedelta(days=1), period)[0] == last + timedelta(days=1)


def test_an_order_within_limit_stock_and_points_holds() -> None:
    order = [(article(TOWEL, 10, limit=3), 2), (article(RICE, 25), 1)]
    counter = alone(45, {TOWEL: [(TODAY, 1)]})
    assert order_refusal(order, TODAY, counter, {TOWEL: 2, RICE: 1}) is None


def test_of_several_reasons_the_limit_is_told_before_the_shelf_and_the_shelf_before_the_points() -> None:
    order = [(article(RICE, 25), 4), (article(TOWEL, 10, limit=3), 2)]
    poor, rich = alone(0, {TOWEL: [(TODAY, 2)]}), alone(1000, {})
    short, full = {TOWEL: 1, RICE: 3}, {TOWEL: 9, RICE: 9}
    month = (dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    # The limited towel stands in the second line, and is told before the rice that is missing.
    assert order_refusal(order, TODAY, poor, short) == LimitReached("G11", "person", 3, 2, 2, *month)
    assert order_refusal(order, TODAY, rich, short) == OutOfStock(goods="G12", available=3, needed=4)
    assert order_refusal(order, TODAY, alone(119, {}), full) == InsufficientPoints(balance=119, needed=120)
    assert order_refusal(order, TODAY, alone(120, {}), full) is None


def test_a_households_limit_counts_what_all_its_members_took() -> None:
    order = [(article(TOWEL, 10, limit=2, household=3), 1)]
    mine, hers = {TOWEL: [(TODAY, 1)]}, {TOWEL: [(TODAY, 1), (dt.date(2026, 2, 28), 5)]}
    month = (dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    assert order_refusal(order, TODAY, Counter(1000, mine, [mine, hers]), {TOWEL: 9}) is None
    hers[TOWEL].append((TODAY, 1))
    refusal = order_refusal(order, TODAY, Counter(1000, mine, [mine, hers]), {TOWEL: 9})
    assert refusal == LimitReached("G11", "household", 3, 3, 1, *month)
    # One's own limit is told before that of the household.
    mine[TOWEL].append((TODAY, 1))
    refusal = order_refusal(order, TODAY, Counter(1000, mine, [mine, hers]), {TOWEL: 9})
    assert refusal == LimitReached("G11", "person", 2, 2, 1, *month)


def test_returning_undoes_collecting_and_reserving_together() -> None:
    one = redemption(Line(TOWEL, 2, 10), Line(RICE, 1, 25), status=COLLECTED)
    sums: dict[str, int] = {}
    for moved in (reservation(one), collection(one), takeback(one)):
        for address, amount in moved:
            sums[address] = sums.get(address, 0) + amount
    assert set(sums.values()) == {0}


def test_a_limit_counts_the_pieces_of_its_own_period() -> None:
    order = [(article(TOWEL, 10, limit=2), 1)]
    shelves = {TOWEL: 100}
    last_month, next_month = dt.date(2026, 2, 28), dt.date(2026, 4, 1)
    free = alone(1000, {TOWEL: [(last_month, 2), (TODAY, 1), (next_month, 2)]})
    assert order_refusal(order, TODAY, free, shelves) is None
    for day in (last_month, next_month):
        assert isinstance(order_refusal(order, day, free, shelves), LimitReached)


def test_a_hold_is_over_at_the_moment_it_lapses() -> None:
    held = redemption(Line(TOWEL, 1, 10))
    assert held.status_at(held.lapses_at - timedelta(microseconds=1)) == RESERVED
    assert held.status_at(held.lapses_at) == LAPSED
    collected = redemption(Line(TOWEL, 1, 10), status=COLLECTED)
    assert collected.status_at(collected.lapses_at) == COLLECTED


ids = st.integers(1, 30).map(lambda number: UUID(int=number))
orders = st.lists(
    st.builds(Line, ids, st.integers(1, 10_000), st.integers(1, 1_000_000)),
    min_size=1,
    max_size=6,
    unique_by=lambda line: line.goods_id,
)


def unit_of(address: str) -> str:
    """The unit of an account, read off its address: articles have one each."""
    return "/".join(address.split("/")[:2]) if address.startswith("goods/") else "POINT"


def sums(movements: Iterable[tuple[str, int]]) -> dict[str, int]:
    by_unit: dict[str, int] = defaultdict(int)
    for address, amount in movements:
        by_unit[unit_of(address)] += amount
    return by_unit


def totals(movements: Iterable[tuple[str, int]]) -> dict[str, int]:
    by_account: dict[str, int] = defaultdict(int)
    for address, amount in movements:
        by_account[address] += amount
    return {address: amount for address, amount in by_account.items() if amount}


@given(lines=orders)
def test_every_step_sums_to_zero_for_points_and_for_each_article(lines: list[Line]) -> None:
    order = redemption(*lines)
    for movements in (reservation(order), release(order), collection(order)):
        units = sums(movements)
        assert set(units.values()) == {0}
        assert set(units) == {"POINT", *(f"goods/{line.goods_id}" for line in lines)}
        addresses = [address for address, _ in movements]
        assert len(set(addresses)) == len(addresses)
        assert 0 not in dict(movements).values()


@given(lines=orders)
def test_what_was_held_comes_back_whole_or_is_redeemed_whole(lines: list[Line]) -> None:
    order = redemption(*lines)
    assert totals([*reservation(order), *release(order)]) == {}
    spent = totals([*reservation(order), *collection(order)])
    expected = {f"volunteer/{VOLUNTEER}/points": -order.points, "community/points_redeemed": order.points}
    for line in lines:
        expected[f"goods/{line.goods_id}/shelf"] = -line.quantity
        expected[f"goods/{line.goods_id}/handed_out"] = line.quantity
    assert spent == expected
