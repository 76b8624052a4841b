"""Rules of series and the days that they give, each once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from app.activities.calendar import AHEAD_DAYS, InvalidRule, day_after, days_between, rule_of
from app.activities.rules import Series
from app.activities.series import due_days
from app.communities.rules import Community

START = dt.date(2026, 3, 2)
_weekdays = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def days(text: str, starts_on: dt.date = START, until: dt.date = dt.date(2026, 12, 31)) -> list[str]:
    """The days of a rule up to a day, as text without the year."""
    return [f"{day:%m-%d}" for day in days_between(rule_of(text, starts_on), starts_on, until)]


def test_a_rule_gives_the_days_that_it_says() -> None:
    assert days("FREQ=DAILY;INTERVAL=3;COUNT=3") == ["03-02", "03-05", "03-08"]
    assert days("FREQ=WEEKLY;BYDAY=TU,FR;UNTIL=20260313") == ["03-03", "03-06", "03-10", "03-13"]
    assert days("FREQ=WEEKLY;INTERVAL=2;COUNT=2") == ["03-02", "03-16"]
    assert days("FREQ=MONTHLY;BYDAY=2TU,-1FR;COUNT=3") == ["03-10", "03-27", "04-14"]
    assert days("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3") == ["03-31", "05-31", "07-31"]
    assert days("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2") == ["03-31", "04-30"]
    assert days("FREQ=YEARLY;BYMONTH=3,9;BYDAY=1SA") == ["03-07", "09-05"]
    assert days("FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=-1") == ["10-31"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("WEEKLY", "NAME=VALUE"),
        ("FREQ=WEEKLY;FREQ=DAILY", "each once"),
        ("FREQ=WEEKLY;BYDAY=", "NAME=VALUE"),
        ("INTERVAL=2", "FREQ is one of"),
        ("FREQ=HOURLY", "FREQ is one of"),
        ("FREQ=DAILY;BYHOUR=9", "takes no BYHOUR"),
        ("FREQ=DAILY;BYDAY=MO", "takes no BYDAY"),
        ("FREQ=MONTHLY;BYMONTH=2", "takes no BYMONTH"),
        ("FREQ=WEEKLY;BYDAY=1MO", "numbers in MONTHLY"),
        ("FREQ=YEARLY;BYDAY=1MO", "with BYMONTH"),
        ("FREQ=WEEKLY;BYDAY=MON", "BYDAY has days"),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY has days"),
        ("FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=1", "do not go together"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=1", "BYSETPOS goes with"),
        ("FREQ=MONTHLY;BYDAY=1MO;BYSETPOS=1", "BYSETPOS goes with"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=5", "up to 4, or minus"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "up to 31"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "none of the rule's months"),
        ("FREQ=WEEKLY;INTERVAL=0", "up to 366"),
        ("FREQ=WEEKLY;INTERVAL=-1", "up to 366"),
        ("FREQ=WEEKLY;INTERVAL=1,2", "one number"),
        ("FREQ=WEEKLY;COUNT=1001", "up to 1000"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20260401", "do not go together"),
        ("FREQ=WEEKLY;UNTIL=20260401T000000Z", "UNTIL is a day"),
        ("FREQ=WEEKLY;UNTIL=20260231", "UNTIL is a day"),
        ("FREQ=WEEKLY;UNTIL=202641", "UNTIL is a day"),
        ("FREQ=WEEKLY;WKST=XX", "WKST is a day"),
    ],
)
def test_other_rules_are_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidRule, match=why):
        rule_of(text, START)


def test_a_day_that_its_only_month_lacks_is_not_looked_for() -> None:
    with pytest.raises(InvalidRule, match="none of the rule's months"):
        rule_of("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", dt.date(2026, 2, 1))


_signed = st.sampled_from(["", "-"])
_plain_days = st.lists(st.sampled_from(_weekdays), min_size=1, max_size=3, unique=True).map(",".join)
_numbered_days = st.tuples(_signed, st.integers(1, 5), st.sampled_from(_weekdays)).map(
    lambda one: f"{one[0]}{one[1]}{one[2]}"
)
_month_days = st.tuples(_signed, st.integers(1, 28)).map(lambda one: f"{one[0]}{one[1]}")
_position = st.tuples(_signed, st.integers(1, 4)).map(lambda one: f"{one[0]}{one[1]}")
_months = st.integers(1, 12).map(str)
_forms = st.one_of(
    st.just("FREQ=DAILY"),
    st.just("FREQ=WEEKLY"),
    _plain_days.map("FREQ=WEEKLY;BYDAY={}".format),
    _numbered_days.map("FREQ=MONTHLY;BYDAY={}".format),
    st.tuples(_plain_days, _position).map(lambda two: "FREQ=MONTHLY;BYDAY={};BYSETPOS={}".format(*two)),
    _month_days.map("FREQ=MONTHLY;BYMONTHDAY={}".format),
    st.tuples(_months, _month_days).map(lambda two: "FREQ=YEARLY;BYMONTH={};BYMONTHDAY={}".format(*two)),
    st.tuples(_months, _numbered_days).map(lambda two: "FREQ=YEARLY;BYMONTH={};BYDAY={}".format(*two)),
)
_bounds = st.one_of(
    st.just(""),
    st.integers(1, 40).map(";COUNT={}".format),
    st.dates(START, dt.date(2027, 12, 31)).map(lambda day: f";UNTIL={day:%Y%m%d}"),
)
_rules = st.tuples(_forms, st.integers(1, 5), _bounds, st.sampled_from(_weekdays)).map(
    lambda parts: f"{parts[0]};INTERVAL={parts[1]}{parts[2]};WKST={parts[3]}"
)
_starts = st.dates(dt.date(2025, 6, 1), dt.date(2026, 6, 1))


@given(_rules, _starts)
def test_every_rule_is_understood_as_the_standard_has_it(text: str, starts_on: dt.date) -> None:
    until = starts_on + timedelta(days=800)
    start, end = (datetime.combine(day, dt.time()) for day in (starts_on, until))
    expected = [moment.date() for moment in rrulestr(text, dtstart=start).between(start, end, inc=True)]
    assert days_between(rule_of(text, starts_on), starts_on, until) == expected


def _series(text: str, starts_on: dt.date, **fields: Any) -> Series:
    return Series(
        id=uuid4(),
        community=1,
        activity_id=uuid4(),
        number=1,
        rule=text,
        starts_on=starts_on,
        starts_at_minute=0,
        minutes=60,
        made_until=None,
        created_by="desk",
        created_at=datetime(2026, 3, 2, tzinfo=UTC),
        **fields,
    )


@given(_rules, _starts, st.lists(st.dates(dt.date(2026, 3, 1), dt.date(2026, 12, 1)), min_size=1), st.data())
def test_each_day_is_due_once_whatever_the_order_of_runs(
    text: str, starts_on: dt.date, todays: list[dt.date], data: st.DataObject
) -> None:
    series = _series(text, starts_on, ends_on=data.draw(st.none() | st.dates(dt.date(2026, 1, 1))))
    made: list[dt.date] = []
    for today in todays:
        horizon = today + timedelta(days=AHEAD_DAYS)
        new, following = due_days(series, horizon)
        made += new
        series = replace(series, made_until=max(horizon, series.made_until or horizon))
        if following is not None:
            assert following in due_days(series, following)[0]
    last = max(todays) + timedelta(days=AHEAD_DAYS)
    last = last if series.ends_on is None else min(last, series.ends_on)
    assert made == days_between(rule_of(text, starts_on), starts_on, last)


def test_a_rule_that_is_used_up_gives_no_following_day() -> None:
    series = _series("FREQ=WEEKLY;COUNT=2", START)
    assert due_days(series, START) == ([START], dt.date(2026, 3, 9))
    assert due_days(series, dt.date(2026, 3, 9)) == ([START, dt.date(2026, 3, 9)], None)
    assert due_days(replace(series, ends_on=START), dt.date(2026, 4, 1)) == ([START], None)
    assert day_after(rule_of("FREQ=DAILY;UNTIL=20260303", START), dt.date(2026, 3, 3)) is None


def test_a_shift_begins_by_the_clocks_of_the_community_in_winter_and_in_summer() -> None:
    berlin = Community(
        number=1,
        id=uuid4(),
        code="B",
        name="B",
        district="B",
        subdistrict="B",
        timezone="Europe/Berlin",
        verification="four_eyes",
        redemption_hold_hours=72,
        demo=False,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert berlin.moment_of(dt.date(2026, 3, 28), 14 * 60 + 30) == datetime(2026, 3, 28, 13, 30, tzinfo=UTC)
    assert berlin.moment_of(dt.date(2026, 3, 29), 14 * 60 + 30) == datetime(2026, 3, 29, 12, 30, tzinfo=UTC)
    # 02:30 was left out on that night, and came twice on this.
    assert berlin.moment_of(dt.date(2026, 3, 29), 150) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert berlin.moment_of(dt.date(2026, 10, 25), 150) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
