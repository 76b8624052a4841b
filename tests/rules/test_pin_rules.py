"""How often a PIN may be guessed: pure counting, held against what a long siege may reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.access.rules import Tally, attempted, is_weak_pin, succeeded

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def tried(of_source: Tally, of_card: Tally, times: int, now: datetime = NOW) -> tuple[Tally, Tally, int]:
    """Try so many times at once; give the tallies and how many PINs were looked at."""
    looked_at = 0
    for _ in range(times):
        after = attempted(of_source, of_card, now)
        if after is not None:
            of_source, of_card = after
            looked_at += 1
    return of_source, of_card, looked_at


def test_five_are_looked_at_and_then_none_for_fifteen_minutes() -> None:
    of_source, of_card, looked_at = tried(Tally(), Tally(), 50)
    assert looked_at == 5
    almost = NOW + timedelta(minutes=15) - timedelta(microseconds=1)
    assert tried(of_source, of_card, 50, almost) == (of_source, of_card, 0)
    assert tried(of_source, of_card, 50, NOW + timedelta(minutes=15))[2] == 5


def test_attempts_that_are_refused_do_not_make_the_wait_longer() -> None:
    of_source, of_card, _ = tried(Tally(), Tally(), 5)
    for minute in range(15):
        of_source, of_card, looked_at = tried(of_source, of_card, 3, NOW + timedelta(minutes=minute))
        assert looked_at == 0
    assert attempted(of_source, of_card, NOW + timedelta(minutes=15)) is not None


def test_many_sources_together_reach_twenty_and_a_source_that_is_known_is_not_held_up() -> None:
    _, of_card = attempted(Tally(), Tally(), NOW) or (Tally(), Tally())
    desk, of_card = succeeded(of_card, NOW, in_card=True)
    assert of_card.failures == 0
    looked_at = 0
    for _ in range(100):
        _, of_card, more = tried(Tally(), of_card, 5)
        looked_at += more
    assert looked_at == 20
    assert attempted(Tally(), of_card, NOW + timedelta(hours=23)) is None
    assert tried(desk, of_card, 50)[1:] == (of_card, 5)
    month = timedelta(days=30)
    assert attempted(desk, of_card, NOW + month - timedelta(microseconds=1)) is not None
    later = NOW + month
    of_card = Tally(20, later)
    assert attempted(desk, of_card, later) is None


def test_siege_of_a_year_from_everywhere_looks_at_few_pins() -> None:
    of_card, looked_at, now = Tally(), 0, NOW
    for _ in range(365 * 24):
        _, of_card, more = tried(Tally(), of_card, 5, now)
        looked_at += more
        now += timedelta(hours=1)
    # Of a million.
    assert looked_at <= 20 * 366


def test_weak_pins_are_few() -> None:
    weak = [pin for number in range(1_000_000) if is_weak_pin(pin := f"{number:06}")]
    assert {"000000", "123456", "098765", "246246", "818181"} <= set(weak)
    assert not {"407182", "112233", "135790"} & set(weak)
    assert len(weak) < 1200
