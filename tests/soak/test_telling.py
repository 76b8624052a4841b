"""What a soak says at its end: a broken promise is never taken for anything less, nor anything less for one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.soak.__main__ import run_parts
from tests.soak.parts import BROKEN, FAILED, NOT_TRIED, SLOW, SQLITE, Part, Plan, ViolationError, code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def cleaned_up_badly() -> Iterator[None]:
    """What fails at its end after whatever happened before it."""
    try:
        yield
    finally:
        raise ConnectionError


def keep(plan: Plan) -> None:
    plan.count("things", 3)


def dawdle(plan: Plan) -> None:
    plan.took("answer", 2.0, most=1.0)


def fail(_: Plan) -> None:
    raise ConnectionError


def break_a_promise(_: Plan) -> None:
    with cleaned_up_badly():
        message = "a point is lost"
        raise ViolationError(message)


def break_among_others(_: Plan) -> None:
    message = "together"
    raise ExceptionGroup(message, [ConnectionError(), ExceptionGroup(message, [ViolationError()])])


@pytest.mark.parametrize(
    ("runs", "code", "told"),
    [
        ([keep], 0, "kept"),
        ([dawdle, keep], SLOW, "TOO SLOW"),
        ([dawdle, fail], FAILED, "FAILED"),
        ([fail, break_a_promise, dawdle], BROKEN, "BROKEN"),
        ([break_among_others], BROKEN, "BROKEN"),
    ],
)
def test_the_worst_is_what_a_soak_ends_with(
    runs: list[Callable[[Plan], None]], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [Part("any", (SQLITE,), run) for run in runs]
    assert run_parts(parts, [SQLITE], seed=1, minutes=None) == code
    assert told in capsys.readouterr().out


def test_what_a_machine_cannot_do_is_told_and_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    part = Part("any", (SQLITE,), break_a_promise, absence=lambda engine: f"no disk for {engine}")
    assert run_parts([part], [SQLITE], seed=1, minutes=None) == 0
    assert "no disk" in capsys.readouterr().out


@pytest.mark.parametrize(("target", "told"), [(3, "kept"), (4, "short")])
def test_a_full_run_that_missed_a_target_says_so(target: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    part = Part("any", (SQLITE,), keep, {"things": target})
    assert run_parts([part], [SQLITE], seed=1, minutes=0.001) == 0
    out = capsys.readouterr().out
    assert f"things 3 of {target}" in out
    assert ("short" in out) == (told == "short")


def test_what_there_was_no_time_to_try_fails_a_soak(capsys: pytest.CaptureFixture[str]) -> None:
    part = Part("any", (SQLITE,), lambda plan: plan.count(NOT_TRIED, 2))
    assert run_parts([part], [SQLITE], seed=1, minutes=None) == FAILED
    assert "2 not tried" in capsys.readouterr().out


def test_errors_that_stand_in_a_circle_have_a_code() -> None:
    one, other = ConnectionError(), ConnectionError()
    one.__context__, other.__context__ = other, one
    assert code_of(one) == FAILED
