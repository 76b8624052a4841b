"""Attendance by its pure rules: codes, proposals, and what is doubtful."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.activities.rules import Shift
from app.attendance.rules import (
    ATTENDED,
    BY_LIST,
    Attendance,
    Given,
    Listed,
    check_in_refusal,
    check_out_refusal,
    checked_in,
    checked_out,
    code_of,
    doubts_of,
    given_of,
    nearest,
    steps_good_at,
)
from app.kernel.errors import InvalidRequest
from app.kernel.vault import Vault
from app.signups.rules import Signup

ID = UUID(int=1)
TEN, NOON = datetime(2026, 3, 2, 2, 0, tzinfo=UTC), datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SHIFT = Shift(ID, 1, ID, None, None, 1, TEN, NOON, "祁连家园")
SIGNUP = Signup(ID, 1, 1, ID, ID, ID, "confirmed", 1, 1, "desk", TEN)
CAME = Attendance(
    1, ID, ATTENDED, BY_LIST, "desk", NOON, starts_at=TEN, ends_at=NOON, service_date=TEN.date(), minutes=120
)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_a_line_without_times_means_the_whole_shift_less_its_breaks() -> None:
    assert given_of(Listed(ID, ATTENDED), SHIFT, NOON) == Given(TEN, NOON, 0, 120)
    assert given_of(Listed(ID, ATTENDED, break_minutes=15), SHIFT, NOON) == Given(TEN, NOON, 15, 105)
    later = TEN + minutes(10)
    assert given_of(Listed(ID, ATTENDED, later, minutes=60), SHIFT, NOON) == Given(later, NOON, 0, 60)


@pytest.mark.parametrize(
    ("listed", "pointer"),
    [
        (Listed(ID, ATTENDED, minutes=121), "/minutes"),
        (Listed(ID, ATTENDED, break_minutes=1, minutes=120), "/minutes"),
        (Listed(ID, ATTENDED, break_minutes=120), "/break_minutes"),
        (Listed(ID, ATTENDED, break_minutes=130), "/break_minutes"),
        (Listed(ID, ATTENDED, NOON + minutes(1), NOON + minutes(9)), "/started_at"),
        (Listed(ID, ATTENDED, ended_at=TEN), "/ended_at"),
        (Listed(ID, ATTENDED, TEN - timedelta(hours=23), break_minutes=300), "/minutes"),
    ],
)
def test_times_that_cannot_be_are_refused_where_they_stand(listed: Listed, pointer: str) -> None:
    refusal = given_of(listed, SHIFT, NOON)
    assert isinstance(refusal, InvalidRequest)
    assert [fault.pointer for fault in refusal.errors] == [pointer]


@given(st.integers(0, 600), st.integers(0, 700), st.one_of(st.none(), st.integers(1, 700)))
def test_what_a_line_proposes_is_never_more_than_the_time_less_its_breaks(
    lasted: int, breaks: int, claimed: int | None
) -> None:
    outcome = given_of(Listed(ID, ATTENDED, TEN, TEN + minutes(lasted), breaks, claimed), SHIFT, TEN + minutes(600))
    if isinstance(outcome, Given):
        assert 0 < outcome.minutes <= lasted - breaks
    else:
        assert lasted == 0 or lasted - breaks < (claimed or 1)


@pytest.mark.parametrize(
    ("off", "code"),
    [(-61, "shift-not-begun"), (-60, None), (0, None), (180, None), (181, "attendance-closed")],
)
def test_people_check_in_from_an_hour_before_the_shift_to_an_hour_after(off: int, code: str | None) -> None:
    refusal = check_in_refusal(None, SHIFT, TEN + minutes(off))
    assert (refusal and refusal.code) == code


def test_whoever_came_leaves_once_and_the_time_between_is_proposed() -> None:
    came = checked_in(SIGNUP, by="desk", at=TEN, method="desk")
    again = check_in_refusal(came, SHIFT, TEN + minutes(1))
    assert again is not None
    assert again.code == "already-checked-in"
    goes = TEN + minutes(90.5)
    too_long = check_out_refusal(came, SHIFT, goes, 91)
    assert too_long is not None
    assert too_long.code == "invalid-request"
    assert check_out_refusal(came, SHIFT, goes, 20) is None
    gone = checked_out(came, by="desk", at=goes, method="desk", break_minutes=20, service_date=TEN.date())
    assert (gone.outcome, gone.starts_at, gone.ends_at, gone.minutes) == (ATTENDED, TEN, goes, 70)
    refusals = [check_out_refusal(one, SHIFT, goes, 0) for one in (None, gone)]
    assert [one and one.code for one in refusals] == ["not-checked-in"] * 2
    submitted = replace(gone, submitted_at=NOON)
    refusals = [check_in_refusal(submitted, SHIFT, NOON), check_out_refusal(submitted, SHIFT, NOON, 0)]
    assert [one and one.code for one in refusals] == ["attendance-submitted"] * 2


@pytest.mark.parametrize(
    ("change", "doubts"),
    [
        ({}, ()),
        ({"starts_at": TEN - minutes(15), "ends_at": NOON + minutes(15)}, ()),
        ({"starts_at": TEN - minutes(16)}, ("outside_shift",)),
        ({"ends_at": NOON + minutes(16), "minutes": 121}, ("over_long", "outside_shift")),
        ({"checked_in_at": TEN}, ("no_check_out",)),
        ({"checked_in_at": TEN, "checked_out_at": NOON}, ()),
    ],
)
def test_doubts_stand_beside_what_is_proposed(change: dict[str, datetime], doubts: tuple[str, ...]) -> None:
    changed = replace(CAME, **change)  # type: ignore[arg-type]
    assert doubts_of(changed, SHIFT, late=False, over_day=False) == doubts
    assert set(doubts_of(changed, SHIFT, late=True, over_day=True)) == {"late", "over_day", *doubts}


def test_a_code_is_good_in_its_thirty_seconds_and_ten_after() -> None:
    begins = datetime(2026, 3, 2, 4, 0, 30, tzinfo=UTC)
    step = int(begins.timestamp()) // 30
    seen = {
        after: step in steps_good_at(begins + timedelta(seconds=after))
        for after in (-0.001, 0, 29.999, 30, 39.999, 40, 69)
    }
    assert seen == {-0.001: False, 0: True, 29.999: True, 30: True, 39.999: True, 40: False, 69: False}


@given(st.integers(0, 10**9), st.text(max_size=20))
def test_codes_are_ten_letters_that_do_not_look_alike(step: int, place: str) -> None:
    code = code_of(Vault("pepper").hash("place code", "1", place, str(step)))
    assert len(code) == 10
    assert not set(code) - set("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")
    assert code == code_of(Vault("pepper").hash("place code", "1", place, str(step)))


def test_all_bits_of_a_code_come_from_the_hash() -> None:
    assert code_of("0" * 64) == "2222222222"
    assert code_of("f" * 64) == "ZZZZZZZZZZ"
    assert code_of("8" + "0" * 63) == "J222222222"


def test_of_shifts_one_after_the_other_the_one_that_goes_on_is_nearest() -> None:
    after = replace(SHIFT, id=UUID(int=2), starts_at=NOON, ends_at=NOON + minutes(60), number=2)
    assert nearest([after, SHIFT], NOON - minutes(10)) == [SHIFT, after]
    assert nearest([SHIFT, after], NOON + minutes(10)) == [after, SHIFT]
