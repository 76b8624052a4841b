"""Shorthands for what tests do with activities; they assert success and give the answer's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Bank


def activity_body(**fields: Any) -> dict[str, Any]:
    """The body of an activity that counts as no volunteering, with one position for two volunteers."""
    body = {
        "kind": "other",
        "counts_as_volunteering": "service_kind" in fields,
        "name": "入户探访",
        "place": "祁连家园",
        "content": "量血压、打扫卫生、陪老人聊天",
        "organiser": "祁连路西社区居委会",
        "positions": [{"name": "探访员", "capacity": 2}],
    }
    return {**body, **fields}


async def activity(bank: Bank, **fields: Any) -> Any:
    """Create an activity at the desk; name its `service_kind` if it is to count as volunteering."""
    return done(await bank.desk.post("activities", activity_body(**fields)), 201)


def span(start: str = "2026-03-03T14:00", end: str = "2026-03-03T16:00") -> dict[str, str]:
    """When a shift starts and ends, by the community's clocks; the day after the test's present unless told."""
    return {"starts_at": f"{start}:00+08:00", "ends_at": f"{end}:00+08:00"}


async def shift(bank: Bank, activity_id: str, **fields: Any) -> Any:
    """Make a single shift of an activity at the desk."""
    return done(await bank.desk.post(f"activities/{activity_id}/shifts", {**span(), **fields}), 201)


def series_body(**fields: Any) -> dict[str, Any]:
    """The body of a series: every Tuesday afternoon, from the day after the test's present on."""
    return {"rule": "FREQ=WEEKLY;BYDAY=TU", "starts_on": "2026-03-03", "time_of_day": "14:30", "minutes": 90, **fields}


async def series(bank: Bank, activity_id: str, **fields: Any) -> Any:
    """Have an activity recur every Tuesday afternoon, unless told otherwise."""
    return done(await bank.desk.post(f"activities/{activity_id}/series", series_body(**fields)), 201)


async def shifts(bank: Bank, **filters: str) -> list[Any]:
    """All shifts by these filters, in the order in which they were made."""
    return list(reversed(done(await bank.desk.get("shifts", limit=200, **filters), 200)["items"]))
