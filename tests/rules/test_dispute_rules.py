"""Until when a dispute is to be answered, and where an upheld one is set right."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest

from app.disputes.rules import OPEN, UPHELD, Dispute, due_at
from app.hours.calendar import is_working_day

XINING = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("filed_on", "midnight_after"),
    [
        # A Monday: two weeks on, to the end of that day.
        (dt.date(2026, 3, 2), dt.date(2026, 3, 17)),
        # The spring festival lasts from the 15th to the 23rd of February; the 14th and the 28th are worked instead.
        (dt.date(2026, 2, 13), dt.date(2026, 3, 6)),
    ],
)
def test_answer_is_due_at_the_end_of_the_tenth_working_day(filed_on: dt.date, midnight_after: dt.date) -> None:
    due = due_at(filed_on, XINING, is_working_day)
    assert due == dt.datetime.combine(midnight_after, dt.time(), dt.timezone(dt.timedelta(hours=8)))


@pytest.mark.parametrize(
    ("reference", "next_step"),
    [
        ("service-records/7", "service-records/7/correction"),
        ("redemptions/7", "redemptions/7/return"),
        ("transfers/7", "transfers"),
        ("goods/7", None),
    ],
)
def test_upheld_dispute_names_where_it_is_set_right(reference: str, next_step: str | None) -> None:
    due = dt.datetime(2026, 3, 16, tzinfo=dt.UTC)
    facts = (UUID(int=1), 1, 1, UUID(int=2), None, 3, reference, due)
    assert Dispute(*facts, UPHELD, ()).next_step == next_step
    still_open = Dispute(*facts, OPEN, ())
    assert still_open.next_step is None
    assert [still_open.overdue_at(due + dt.timedelta(microseconds=shift)) for shift in (-1, 0)] == [False, True]
    assert not Dispute(*facts, UPHELD, ()).overdue_at(due)
