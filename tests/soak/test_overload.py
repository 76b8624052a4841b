"""What is said of an overload: too little of it is no proof, and too little done in it too slow."""

from __future__ import annotations

import pytest

from tests.soak.flood import Flood
from tests.soak.overload import P99_SECONDS_MAX, compare
from tests.soak.parts import SQLITE, Plan, ViolationError

PEAKS = [100.0, 90.0, 300.0]


def floods(*in_time: int, offered: int = 500, put_off: int = 400, seconds: float = 0.5) -> list[Flood]:
    """A second each, with so many answered in time."""
    return [Flood(1.0, offered, [seconds] * count, count, put_off) for count in in_time]


def plan() -> Plan:
    return Plan(SQLITE, "any", 1.0)


def test_the_middle_of_three_is_what_counts() -> None:
    of = plan()
    compare(of, PEAKS, floods(10, 80, 300))
    assert of.counts["% of the peak"] == 80
    assert of.too_slow == []


def test_less_than_what_is_promised_is_told_as_slow() -> None:
    of = plan()
    compare(of, PEAKS, floods(300, 79, 79))
    (told,) = of.too_slow
    assert "got done [300, 79, 79]" in told


def test_floods_that_were_no_overload_prove_nothing() -> None:
    with pytest.raises(RuntimeError, match="no overload"):
        compare(plan(), PEAKS, [*floods(100), *floods(100, 100, offered=399)])


def test_floods_in_which_much_more_got_done_than_at_the_peak_prove_nothing() -> None:
    compare(plan(), PEAKS, floods(125, 125, 125))
    with pytest.raises(RuntimeError, match="no peak"):
        compare(plan(), PEAKS, floods(126, 126, 126))


def test_a_peak_taken_too_low_accuses_nobody() -> None:
    with pytest.raises(RuntimeError, match="no peak"):
        compare(plan(), PEAKS, floods(200, 200, 200, put_off=0))


def test_whoever_puts_nobody_off_breaks_a_promise() -> None:
    with pytest.raises(ViolationError, match="nobody"):
        compare(plan(), PEAKS, floods(100, 100, 100, put_off=0))


def test_slow_answers_are_told_as_slow() -> None:
    of = plan()
    compare(of, PEAKS, floods(100, 100, 100, seconds=P99_SECONDS_MAX + 0.1))
    assert len(of.too_slow) == 1
