"""Balances and statements are written from plain data; their documented models say what that has to be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.kernel.paging import Page
from app.ledger import Line
from app.volunteers.accounts import Holdings
from app.volunteers.schemas import BalanceModel, LineModel, StatementPage, balance_json, statement_json

MOMENTS = (datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, 1, 2, 3, 40, tzinfo=UTC))


@pytest.mark.parametrize("moment", MOMENTS)
def test_balance_is_written_as_its_model_would_be(moment: datetime) -> None:
    held = Holdings(90, 15, 2, -3, 4, moment)
    assert balance_json(held) == BalanceModel.model_validate(held).model_dump_json().encode()


@pytest.mark.parametrize("cursor", [None, "abc.def"])
def test_statement_is_written_as_its_model_would_be(cursor: str | None) -> None:
    lines = [
        Line(9, moment, "service", "volunteers/1/minutes", "minute", -60, 2**53, 3, "service-records/é")
        for moment in MOMENTS
    ]
    page = Page(lines, cursor)
    model = StatementPage.of(page, LineModel.model_validate)
    assert statement_json(page) == model.model_dump_json().encode()
    assert statement_json(Page([], cursor)) == StatementPage(items=[], next_cursor=cursor).model_dump_json().encode()
