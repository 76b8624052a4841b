"""The pure rules of hours: what a record earns and why, what overlaps, when eight hours are full, what is late."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hours.calendar import is_working_day
from app.hours.rules import (
    DAY_MINUTES_FREE,
    Award,
    Clip,
    Days,
    EarningRule,
    Known,
    award,
    faults_of_times,
    is_late,
    rule_in_force,
)

RULE_ID = UUID(int=7)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = MIDNIGHT.date()


def rule(
    points_per_hour: int = 10, *, record_max: int | None = None, day_max: int | None = None, since: str = "2025-01-01"
) -> EarningRule:
    return EarningRule(
        RULE_ID, 1, 1, "home_visit", points_per_hour, dt.date.fromisoformat(since), record_max, day_max, MIDNIGHT
    )


def known(start: int, end: int, *, number: int = 1, date: dt.date = DAY, kind: str = "home_visit") -> Known:
    """A live record from one minute of the day to another, all of whose minutes counted."""
    began, ended = MIDNIGHT + timedelta(minutes=start), MIDNIGHT + timedelta(minutes=end)
    return Known(UUID(int=number), kind, date, began, ended, end - start, end - start)


@pytest.mark.parametrize(
    ("minutes", "before", "record_max", "day_max", "counted", "points", "clipped"),
    [
        pytest.param(90, 0, None, None, 90, 15, (), id="without a cap every minute counts"),
        pytest.param(90, 0, 60, None, 60, 10, (("minutes_per_record_max", 30),), id="the record's cap clips"),
        pytest.param(60, 0, 60, None, 60, 10, (), id="a record as long as its cap is whole"),
        pytest.param(90, 200, None, 240, 40, 6, (("minutes_per_day_max", 50),), id="the day's cap leaves the rest"),
        pytest.param(40, 200, None, 240, 40, 6, (), id="the last minutes of a day count whole"),
        pytest.param(90, 240, None, 240, 0, 0, (("minutes_per_day_max", 90),), id="a full day earns nothing"),
        pytest.param(90, 300, None, 240, 0, 0, (("minutes_per_day_max", 90),), id="nor does a day that is over"),
        pytest.param(
            200,
            200,
            180,
            240,
            40,
            6,
            (("minutes_per_record_max", 20), ("minutes_per_day_max", 140)),
            id="both caps clip, the record's first",
        ),
        pytest.param(5, 0, None, None, 5, 0, (), id="five minutes at ten an hour are no whole point"),
        pytest.param(11, 0, None, None, 11, 1, (), id="eleven minutes at ten an hour are one point"),
    ],
)
def test_an_award_says_what_counted_and_what_each_cap_clipped(
    *,
    minutes: int,
    before: int,
    record_max: int | None,
    day_max: int | None,
    counted: int,
    points: int,
    clipped: tuple[tuple[str, int], ...],
) -> None:
    got = award(rule(record_max=record_max, day_max=day_max), minutes, before)
    assert got == Award(RULE_ID, points, counted, tuple(Clip(*clip) for clip in clipped))


def test_without_a_rule_a_record_earns_nothing_and_names_none() -> None:
    assert award(None, 90, 0) == Award(None, 0, 0, ())


caps = st.none() | st.integers(1, 1440)


@given(
    points_per_hour=st.integers(0, 10_000),
    minutes=st.integers(1, 1440),
    before=st.integers(0, 3000),
    record_max=caps,
    day_max=caps,
)
def test_caps_only_take_away_and_account_for_every_minute(
    points_per_hour: int, minutes: int, before: int, record_max: int | None, day_max: int | None
) -> None:
    got = award(rule(points_per_hour, record_max=record_max, day_max=day_max), minutes, before)
    allowed = [minutes]
    if record_max is not None:
        allowed.append(record_max)
    if day_max is not None:
        allowed.append(max(day_max - before, 0))
    assert got.minutes_counted == min(allowed)
    assert got.minutes_counted + sum(clip.minutes for clip in got.clipped) == minutes
    assert all(clip.minutes > 0 for clip in got.clipped)
    assert len({clip.cap for clip in got.clipped}) == len(got.clipped)
    # Rounded down: these points are covered by the minutes, one more would not be.
    assert got.points * 60 <= points_per_hour * got.minutes_counted < (got.points + 1) * 60
    assert got.points <= award(rule(points_per_hour), minutes, 0).points


@given(day_max=st.integers(1, 600), records=st.lists(st.integers(1, 300), max_size=8))
def test_the_records_of_a_day_together_count_up_to_its_cap_and_not_beyond(day_max: int, records: list[int]) -> None:
    counted = 0
    for minutes in records:
        counted += award(rule(day_max=day_max), minutes, counted).minutes_counted
    assert counted == min(sum(records), day_max)


def test_the_latest_version_up_to_the_day_is_in_force() -> None:
    versions = [rule(since="2025-07-01"), rule(since="2025-01-01"), rule(since="2026-01-01")]
    assert rule_in_force(versions, dt.date(2024, 12, 31)) is None
    assert rule_in_force([], dt.date(2025, 8, 1)) is None
    for day, since in [
        ("2025-01-01", "2025-01-01"),
        ("2025-06-30", "2025-01-01"),
        ("2025-07-01", "2025-07-01"),
        ("2025-12-31", "2025-07-01"),
        ("2030-01-01", "2026-01-01"),
    ]:
        found = rule_in_force(versions, dt.date.fromisoformat(day))
        assert found is not None
        assert found.effective_from.isoformat() == since


def test_touching_is_not_overlapping() -> None:
    days = Days([known(60, 120)])
    for start, end, overlaps in [(0, 60, False), (120, 180, False), (0, 61, True), (119, 180, True), (80, 90, True)]:
        found = days.overlapping(MIDNIGHT + timedelta(minutes=start), MIDNIGHT + timedelta(minutes=end))
        assert (found is not None) is overlaps, (start, end)


def test_a_second_is_enough_to_overlap() -> None:
    days = Days([known(60, 120)])
    assert days.overlapping(MIDNIGHT, MIDNIGHT + timedelta(minutes=60)) is None
    assert days.overlapping(MIDNIGHT, MIDNIGHT + timedelta(minutes=60, seconds=1)) is not None


spans = st.tuples(st.integers(0, 60), st.integers(1, 30)).map(lambda span: (span[0], span[0] + span[1]))


@given(there=st.lists(spans, max_size=6), new=spans)
def test_services_overlap_just_when_they_share_a_minute(there: list[tuple[int, int]], new: tuple[int, int]) -> None:
    sharing = [(span[0], number) for number, span in enumerate(there) if set(range(*span)).intersection(range(*new))]
    days = Days([known(*span, number=number) for number, span in enumerate(there)])
    found = days.overlapping(MIDNIGHT + timedelta(minutes=new[0]), MIDNIGHT + timedelta(minutes=new[1]))
    assert (found.id.int if found else None) == (min(sharing)[1] if sharing else None)


@given(there=st.lists(spans, min_size=1, max_size=8), gone=st.sets(st.integers(0, 7)), new=spans)
def test_a_record_that_is_live_no_more_is_not_in_the_way(
    there: list[tuple[int, int]], gone: set[int], new: tuple[int, int]
) -> None:
    begun = [known(*span, number=number) for number, span in enumerate(there)]
    days, left = Days(begun), Days(one for number, one in enumerate(begun) if number not in gone)
    assert [days.forget(UUID(int=number)) for number in sorted(gone)] == [
        begun[number] if number < len(begun) else None for number in sorted(gone)
    ]
    assert days.counted_on(DAY, "home_visit") == left.counted_on(DAY, "home_visit")
    free = DAY_MINUTES_FREE - sum(one.minutes for number, one in enumerate(begun) if number not in gone)
    assert [days.would_be_over(DAY, free + more) for more in (0, 1)] == [False, True]
    start, end = (MIDNIGHT + timedelta(minutes=minutes) for minutes in new)
    assert days.overlapping(start, end) == left.overlapping(start, end)


def test_eight_hours_are_free_and_one_minute_more_needs_a_manager() -> None:
    days = Days([known(0, 200), known(200, 400, number=2, kind="patrol")])
    assert DAY_MINUTES_FREE == 480
    assert not days.would_be_over(DAY, 80)
    assert days.would_be_over(DAY, 81)
    # What was given on another date is not this day's.
    assert not days.would_be_over(DAY + timedelta(days=1), 480)
    assert days.would_be_over(DAY + timedelta(days=1), 481)
    assert not Days().would_be_over(DAY, 480)
    assert Days().would_be_over(DAY, 481)


def test_minutes_counted_are_those_of_the_same_day_and_kind() -> None:
    days = Days([known(0, 30), known(60, 100, number=2), known(200, 260, number=3, kind="patrol")])
    days.add(known(0, 50, number=4, date=DAY + timedelta(days=1)))
    assert days.counted_on(DAY, "home_visit") == 70
    assert days.counted_on(DAY, "patrol") == 60
    assert days.counted_on(DAY + timedelta(days=1), "home_visit") == 50
    days.replace(known(0, 20))
    assert days.counted_on(DAY, "home_visit") == 60


@pytest.mark.parametrize(
    ("hours", "minutes", "fault"),
    [
        (24, 1440, None),
        (1, 60, None),
        (1, 1, None),
        (0, 1, "ended_at has to be after started_at"),
        (-1, 60, "ended_at has to be after started_at"),
        (24.01, 60, "a service lasts 24 hours at most"),
        (1, 61, "minutes are the time actually given, so not more than from started_at to ended_at"),
    ],
)
def test_a_service_ends_after_its_start_within_a_day_and_gives_no_more_than_its_time(
    hours: float, minutes: int, fault: str | None
) -> None:
    assert faults_of_times(MIDNIGHT, MIDNIGHT + timedelta(hours=hours), minutes) == fault


@pytest.mark.parametrize(
    ("ended_on", "last_in_time"),
    [
        # Spring Festival 2025: off from 28 January to 4 February, Sunday 26 January and Saturday 8 February worked.
        # After Friday the 17th: 20 21 22 23 24 26 27 January, 5 6 7 February are ten; Saturday the 8th is the eleventh.
        pytest.param("2025-01-17", "2025-02-07", id="over Spring Festival"),
        # National Day 2025: off from 1 to 8 October, Sunday 28 September and Saturday 11 October worked.
        # After Friday 26 September: 28 29 30 September, 9 10 11 13 14 15 16 October are ten.
        pytest.param("2025-09-26", "2025-10-16", id="over National Day"),
        # After Friday the 7th: 10 to 14 and 17 to 21 March are ten; Saturday and Sunday do not make it late either.
        pytest.param("2025-03-07", "2025-03-23", id="in two plain weeks"),
        # After Sunday the 2nd: 3 to 7 and 10 to 14 March are ten, and the weekend after is free.
        pytest.param("2025-03-02", "2025-03-16", id="from a Sunday"),
        # May Day 2025: off from 1 to 5 May, Sunday 27 April worked.
        # After Friday 25 April: 27 28 29 30 April, 6 7 8 9 12 13 May are ten.
        pytest.param("2025-04-25", "2025-05-13", id="over May Day"),
        # No holidays are published so far ahead: weekends only. After Friday 2 October: 5 to 9 and 12 to 16 October.
        pytest.param("2099-10-02", "2099-10-18", id="beyond the published years"),
    ],
)
def test_a_record_is_late_from_the_eleventh_working_day_after_the_service(ended_on: str, last_in_time: str) -> None:
    ended, last = dt.date.fromisoformat(ended_on), dt.date.fromisoformat(last_in_time)
    assert not is_late(ended, last, is_working_day)
    assert is_late(ended, last + timedelta(days=1), is_working_day)


def test_a_record_of_the_same_day_is_in_time_and_one_of_a_year_later_is_late() -> None:
    assert not is_late(DAY, DAY, is_working_day)
    assert is_late(DAY, DAY + timedelta(days=365), is_working_day)
    # A clock that ran back makes nothing late.
    assert not is_late(DAY, DAY - timedelta(days=30), is_working_day)


@given(start=st.dates(dt.date(2024, 1, 1), dt.date(2026, 12, 31)), length=st.integers(0, 40))
def test_late_means_more_than_ten_working_days_between(start: dt.date, length: int) -> None:
    days = [start + timedelta(days=shift) for shift in range(1, length + 1)]
    late = is_late(start, start + timedelta(days=length), is_working_day)
    assert late is (len([day for day in days if is_working_day(day)]) > 10)
