"""When sites open by their footfall, who is barred, and a draw that anybody can repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.tables import metadata
from app.signups.rules import commitment_of, ranked, seed_of
from app.stalls.rules import HOURS_OF_WEEK, Footfall, Opening, barred_until, draw_time, openings_of
from tests.contract.test_openapi import COMMITTED

hours_of_week = st.sets(st.integers(0, HOURS_OF_WEEK - 1))
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
WHO = UUID(int=7)
GOLDEN_IDS = [UUID(f"01936f5e-7c1a-7bbd-9d2e-0a51b1e0a00{digit}") for digit in (1, 2, 3, 4)]


def busy(hours: set[int]) -> list[Footfall]:
    """Lines in which these hours of the week have as many people as the threshold of 200, and all others fewer."""
    return [Footfall(hour // 24 + 1, hour % 24, 200 if hour in hours else 199) for hour in range(HOURS_OF_WEEK)]


def test_hours_in_a_row_are_one_opening_and_gaps_divide() -> None:
    lines = [Footfall(5, 18, 200), Footfall(5, 19, 500), Footfall(5, 20, 199), Footfall(5, 21, 300), Footfall(2, 6, 1)]
    assert openings_of(lines, 200) == [Opening(5, 18, 2), Opening(5, 21, 1)]
    assert openings_of(lines, 501) == []
    assert Opening(5, 18, 2).rule == "FREQ=WEEKLY;BYDAY=FR"


def test_an_evening_goes_on_past_midnight_and_from_sunday_to_monday() -> None:
    lines = [Footfall(6, 23, 300), Footfall(7, 0, 300), Footfall(7, 23, 300), Footfall(1, 0, 300), Footfall(1, 1, 300)]
    assert openings_of(lines, 200) == [Opening(6, 23, 2), Opening(7, 23, 3)]


@given(hours_of_week)
def test_openings_cover_the_busy_hours_once_and_last_a_day_at_most(hours: set[int]) -> None:
    found = openings_of(busy(hours), 200)
    covered = [
        ((one.weekday - 1) * 24 + one.hour + offset) % HOURS_OF_WEEK for one in found for offset in range(one.hours)
    ]
    assert sorted(covered) == sorted(hours)
    assert all(1 <= one.hours <= 24 for one in found)
    assert openings_of(busy(set(range(HOURS_OF_WEEK))), 200) == [Opening(day, 0, 24) for day in range(1, 8)]


def test_pitches_are_drawn_some_hours_before_or_at_once() -> None:
    assert draw_time(NOON + timedelta(days=3), 24, NOON) == NOON + timedelta(days=2)
    assert draw_time(NOON + timedelta(hours=3), 24, NOON) == NOON


def test_who_stays_away_twice_within_sixty_days_is_barred_for_thirty_from_the_second() -> None:
    first, within, later = NOON, NOON + timedelta(days=60), NOON + timedelta(days=61)
    assert barred_until({WHO: [first]}) == {}
    assert barred_until({WHO: [later, first]}) == {}
    assert barred_until({WHO: [within, first]}) == {WHO: within + timedelta(days=30)}
    assert barred_until({WHO: [first, first + timedelta(days=1), later]}) == {WHO: later + timedelta(days=30)}


def test_the_golden_draw_is_repeated_by_what_the_route_says() -> None:
    """The bytes are those of the route's description: whoever changes them changes what was published."""
    secret = sha256(b"love-bank").digest()
    assert commitment_of(secret) == "0c5fe7e8469f6a9926940952fed0a882f0350fe48e39ca5e50880af34bf57563"
    assert seed_of(secret, GOLDEN_IDS).hex() == "bdbef73af5f5e270d764c590a1aa998661997438a7aa298dd2963975866f5997"
    assert [str(one)[-1] for one in ranked(secret, GOLDEN_IDS)] == list("2431")


@given(st.binary(min_size=32, max_size=32), st.sets(st.uuids(), max_size=8), st.randoms())
def test_ranks_depend_on_the_secret_and_the_set_of_applicants_alone(
    secret: bytes, ids: set[UUID], random: object
) -> None:
    shuffled = list(ids)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ranked(secret, shuffled) == ranked(secret, ids)
    assert sorted(ranked(secret, ids)) == sorted(ids)


def test_nowhere_is_a_place_for_money() -> None:
    """A pitch is free of charge by construction: no column of these tables and no field on the wire holds a price."""
    money = ("price", "fee", "rent", "amount", "fen", "yuan", "cny", "currency", "deposit", "charge", "paid", "points")
    tables = [
        "sites",
        "footfall_calendars",
        "openings",
        "draws",
        "lots",
        "vendors",
        "activities",
        "positions",
        "signups",
    ]
    words = {column.name for name in tables for column in metadata.tables[name].columns}
    assert {"pitches", "threshold", "seat"} < words
    assert all(not isinstance(column.type, sa.Numeric) for name in tables for column in metadata.tables[name].columns)
    text = COMMITTED.read_text(encoding="utf-8")
    for schema in (
        "Site",
        "SiteNew",
        "FootfallCalendar",
        "CalendarNew",
        "Vendor",
        "VendorNew",
        "Draw",
        "Lot",
        "Signup",
    ):
        part = text.partition(f"\n    {schema}:\n")[2].partition("\n      title:")[0]
        assert "properties:" in part, schema
        words |= {
            line.strip().rstrip(":") for line in part.splitlines() if line.startswith(" " * 8) and line.endswith(":")
        }
    assert [word for word in words if any(part in money for part in word.split("_"))] == []
