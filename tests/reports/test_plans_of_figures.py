"""How databases find what reports and calendars are made of: by indexes that name the community, and its days."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.attendance.service import duty_of_members
from app.clinics.service import heads_between
from app.feeds.store import find_live_feed, has_site, planned_at, planned_for
from app.reports.figures_store import hours_by_month
from app.reports.rules import months_of
from app.visits.store import count_visits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.kernel.database import Session
    from app.settings import Settings
    from tests.bank import Bank

DAYS = (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
MOMENTS = (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 31, tzinfo=dt.UTC))

ASKED: dict[str, tuple[str, str, Callable[[Session, int], Awaitable[object]]]] = {
    # Of all that a community was served, on SQLite: an index for its days alone would cost every deposit something.
    "hours": (
        "SEARCH service_records USING INDEX",
        "service_records_day_idx",
        lambda session, number: hours_by_month(session, number, months_of(*DAYS)),
    ),
    "clinics": (
        "head_counts_day_idx",
        "head_counts_day_idx",
        lambda session, number: heads_between(session, number, *DAYS),
    ),
    "duty": (
        "attendances_day_idx",
        "attendances_day_idx",
        lambda session, number: duty_of_members(session, number, *DAYS),
    ),
    "visits": (
        "shifts_start_idx",
        "visit_plans_activity_key",
        lambda session, number: count_visits(session, number, *MOMENTS, now=MOMENTS[1]),
    ),
    "a participant's shifts": (
        "signups_participant_idx",
        "signups_participant_idx",
        lambda session, number: planned_for(session, number, [uuid4()], *MOMENTS),
    ),
    "a site's shifts": (
        "shifts_start_idx",
        "activities_site_idx",
        lambda session, number: planned_at(session, number, uuid4(), *MOMENTS),
    ),
    "a site": (
        "activities_site_idx",
        "activities_site_idx",
        lambda session, number: has_site(session, number, uuid4()),
    ),
    "a feed": (
        "(community_id=? AND token_hash=?)",
        "calendar_feeds_token_key",
        lambda session, number: find_live_feed(session, number, "x"),
    ),
}
"""What is asked, and by what it is to be found on SQLite and on PostgreSQL."""


@pytest.mark.parametrize("asked", ASKED)
async def test_what_reports_and_calendars_are_made_of_is_found_by_an_index(
    bank: Bank, settings: Settings, asked: str
) -> None:
    on_sqlite, on_postgresql, ask = ASKED[asked]
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    async with bank.database.read(bank.number) as session:
        await session.execute(sa.select(1))
        if not settings.on_sqlite:
            # The tables are empty here, and nothing is found faster than in an empty table.
            await session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            await ask(session, bank.number)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        statement, parameters = sent[0]
        explain = "EXPLAIN QUERY PLAN" if settings.on_sqlite else "EXPLAIN"
        plan = str(list(await session.connection.exec_driver_sql(f"{explain} {statement}", parameters)))
    assert (on_sqlite if settings.on_sqlite else on_postgresql) in plan, plan
    assert "Seq Scan" not in plan
    assert "SCAN " not in plan, plan
