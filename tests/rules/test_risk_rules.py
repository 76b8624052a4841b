"""The pure rules of samples for call-backs: what about a record stands out, what it weighs, and who is drawn."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.communities.rules import FOUR_EYES, Community
from app.hours.risks import (
    AFTER_HOURS,
    ALWAYS_TOGETHER,
    CHANCE,
    LATE,
    OVER_LONG_DAY,
    REASONS,
    Observed,
    always_together,
    drawn_as,
    key_of,
    lowest,
    reasons_of,
)

DAY = dt.date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
XINING = Community(
    1,
    UUID(int=1),
    "xining",
    "祁连路西社区",
    "城北区",
    "朝阳街道",
    "Asia/Shanghai",
    FOUR_EYES,
    72,
    demo=False,
    created_at=NOON,
)
TOGETHER = frozenset({("desk", "friend")})


def observed(number: int = 1, **fields: Any) -> Observed:
    """A record of which nothing stands out, but for these fields."""
    plain = Observed(number, UUID(int=number), UUID(int=9), DAY, 90, False, "desk", NOON, "verifier", 90)  # noqa: FBT003
    return plain._replace(**fields)


def test_the_place_in_the_draw_is_what_others_work_out_by_the_formula() -> None:
    # printf '7/0198f6b2-7c1a-7e40-9c55-3f2b8a6d1e07' | sha256sum begins with c98e203f442db (13 digits, 52 bits), and
    # -ln((0xc98e203f442db + 1/2) / 2^52) / 5 is 0.047822851329926791…
    record_id = UUID("0198F6B2-7C1A-7E40-9C55-3F2B8A6D1E07")
    assert key_of(7, record_id, 5) == pytest.approx(0.047822851329926791, rel=1e-14)
    assert key_of(7, record_id, 1) == pytest.approx(5 * 0.047822851329926791, rel=1e-14)
    assert key_of(8, record_id, 5) != key_of(7, record_id, 5)


@pytest.mark.parametrize(
    ("fields", "reasons", "weight"),
    [
        ({}, (), 1),
        ({"late": True}, (LATE,), 5),
        ({"day_minutes": 480}, (), 1),
        ({"day_minutes": 481}, (OVER_LONG_DAY,), 7),
        ({"verified_by": "friend"}, (ALWAYS_TOGETHER,), 5),
        ({"recorded_by": "friend", "verified_by": "desk"}, (), 1),
        ({"verified_by": None}, (), 1),
        ({"late": True, "day_minutes": 500, "verified_by": "friend"}, (OVER_LONG_DAY, LATE, ALWAYS_TOGETHER), 15),
    ],
)
def test_each_reason_adds_its_weight(fields: dict[str, Any], reasons: tuple[object, ...], weight: int) -> None:
    record = observed(**fields)
    assert reasons_of(record, XINING, TOGETHER) == reasons
    drawn = drawn_as(record, XINING, TOGETHER, seed=1)
    assert drawn.weight == weight
    assert drawn.reasons == (reasons or (CHANCE,))


@pytest.mark.parametrize(
    ("utc", "is_night"), [("13:59:59", False), ("14:00:00", True), ("21:59:59", True), ("22:00:00", False)]
)
def test_the_night_lasts_from_ten_to_six_by_the_clock_of_the_community(utc: str, is_night: bool) -> None:  # noqa: FBT001
    record = observed(recorded_at=datetime.fromisoformat(f"2026-03-02T{utc}+00:00"))
    assert (AFTER_HOURS in reasons_of(record, XINING, ())) == is_night


@pytest.mark.parametrize(
    ("decided", "pairs"),
    [
        ([("desk", "a", 9), ("desk", "b", 1)], {("desk", "a")}),
        ([("desk", "a", 8), ("desk", "b", 1)], set()),
        ([("desk", "a", 9)], set()),
        ([("desk", "a", 10)], {("desk", "a")}),
        ([("desk", "a", 89), ("desk", "b", 11)], set()),
        ([("desk", "a", 90), ("desk", "b", 10)], {("desk", "a")}),
        ([("desk", "a", 10), ("other", "a", 3), ("other", "b", 30)], {("desk", "a"), ("other", "b")}),
        ([("desk", "desk", 50)], set()),
        ([], set()),
    ],
)
def test_two_are_always_together_at_nine_of_ten(
    decided: list[tuple[str, str, int]], pairs: set[tuple[str, str]]
) -> None:
    assert always_together(decided) == pairs


def draw(records: list[Observed], seed: int, size: int) -> list[int]:
    return [one.record.number for one in lowest((drawn_as(one, XINING, TOGETHER, seed=seed) for one in records), size)]


def test_none_is_drawn_twice_and_the_order_of_reading_does_not_matter() -> None:
    records = [observed(number, late=number % 3 == 0) for number in range(1, 40)]
    once = draw(records, 7, 10)
    assert len(set(once)) == 10
    assert draw(records[::-1], 7, 10) == once
    assert draw(records, 7, 5) == once[:5]
    assert draw(records, 8, 10) != once
    assert sorted(draw(records, 7, 100)) == list(range(1, 40))


def test_a_risky_record_is_drawn_as_much_more_often_as_it_weighs() -> None:
    # One of weight 5 and one of weight 7 beside eight that weigh 1: of 20 in all.
    records = [observed(1, late=True), observed(2, day_minutes=600), *(observed(number) for number in range(3, 11))]
    draws = 4000
    first = Counter(draw(records, seed, 1)[0] for seed in range(draws))
    assert first[1] / draws == pytest.approx(5 / 20, abs=0.025)
    assert first[2] / draws == pytest.approx(7 / 20, abs=0.025)
    for number in range(3, 11):
        assert first[number] / draws == pytest.approx(1 / 20, abs=0.015)


def test_codes_differ_and_each_says_what_it_means() -> None:
    assert len({reason.code for reason in (*REASONS, CHANCE)}) == 5
    for reason in (*REASONS, CHANCE):
        assert reason.meaning.endswith(".")
        assert (reason.weight > 0) == (reason is not CHANCE)
