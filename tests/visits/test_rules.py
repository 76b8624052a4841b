"""When absences are too many and visits too late, by the pure rules."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.activities.rules import SKIPPED, Shift
from app.visits.rules import ABSENT, DONE, DUE, OVERDUE, REFUSED, Mark, Outcome, Plan, Visit, two_absences

ID = UUID(int=1)
FIRST = datetime(2026, 3, 3, 6, 30, tzinfo=UTC)
PLAN = Plan(ID, 1, 1, ID, ID, ID, ID, "desk", FIRST)
SHIFT = Shift(ID, 1, ID, ID, dt.date(2026, 3, 3), 1, FIRST, FIRST + timedelta(minutes=90), "祁连家园")
OUTCOME = Outcome(ID, 1, 2, ID, DONE, (), None, None, 0, (), "desk", FIRST)


def mark(week: int, outcome: str) -> Mark:
    """What came of the visit of a week."""
    return Mark(FIRST + timedelta(weeks=week), week + 1, UUID(int=week), outcome)


class Naive:
    """Escalations as a clerk keeps them: a line of letters, read after each outcome, and cut at a closing."""

    def __init__(self) -> None:
        self.letters: dict[int, str] = {}
        self.cut, self.open = -1, False

    def record(self, week: int, outcome: str) -> bool:
        """Write an outcome down; tell whether that escalates."""
        self.letters[week] = outcome[0]
        line = "".join(letter for at, letter in sorted(self.letters.items()) if at > self.cut)
        escalates = not self.open and "aa" in line
        self.open |= escalates
        return escalates

    def close(self) -> None:
        """Close what is open."""
        if self.open:
            self.cut, self.open = max(self.letters), False


STEPS = st.lists(
    st.one_of(st.tuples(st.integers(0, 9), st.sampled_from([DONE, ABSENT, ABSENT, REFUSED])), st.just("close")),
    max_size=40,
)


@given(STEPS)
def test_escalations_over_any_outcomes_in_any_order_are_those_of_a_clerk(
    steps: list[tuple[int, str] | str],
) -> None:
    clerk, marks = Naive(), dict[int, Mark]()
    after, is_open = None, False
    for step in steps:
        if isinstance(step, str):
            if is_open:
                after, is_open = max(mark.starts_at for mark in marks.values()), False
            clerk.close()
            continue
        week, outcome = step
        marks[week] = mark(week, outcome)
        counted = [one for one in marks.values() if after is None or one.starts_at > after]
        escalates = not is_open and two_absences(counted) is not None
        is_open |= escalates
        assert escalates == clerk.record(week, outcome)


@given(st.lists(st.sampled_from([DONE, ABSENT, REFUSED]), max_size=12))
def test_two_absences_are_the_first_that_follow_each_other(outcomes: list[str]) -> None:
    marks = [mark(week, outcome) for week, outcome in enumerate(outcomes)]
    found = two_absences(reversed(marks))
    first = next((at for at in range(1, len(outcomes)) if outcomes[at - 1 : at + 1] == [ABSENT, ABSENT]), None)
    assert found == (None if first is None else (marks[first - 1], marks[first]))


def test_a_visit_is_overdue_a_day_after_its_end_and_not_before() -> None:
    late = SHIFT.ends_at + timedelta(hours=24)
    waiting = Visit(SHIFT, PLAN, (), None)
    assert waiting.status_at(late - timedelta(microseconds=1)) == DUE
    assert waiting.status_at(late) == OVERDUE
    assert Visit(SHIFT, PLAN, (), OUTCOME).status_at(late) == DONE
    skipped = Shift(ID, 1, ID, ID, SHIFT.occurs_on, 1, SHIFT.starts_at, SHIFT.ends_at, "祁连家园", SKIPPED)
    assert Visit(skipped, PLAN, (), None).status_at(late) == SKIPPED
