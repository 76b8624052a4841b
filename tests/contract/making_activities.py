"""Makes activities, their positions and shifts for requests that name them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.activities import acts
from tests.bank import done

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists


async def activity(own: Furnished) -> dict[str, Any]:
    """An activity that counts as volunteering, with its position."""
    positions = [{"name": "探访员", "capacity": 1000}]
    made = await _post(own, "activities", acts.activity_body(service_kind="home_visit", positions=positions))
    return {"activity_id": made["id"], "position_id": made["positions"][0]["id"]}


async def shift(own: Furnished) -> dict[str, Any]:
    """A shift to come of an activity of its own, on a day of its own, and a series that the activity has besides."""
    of_it = await activity(own)
    path = f"activities/{of_it['activity_id']}"
    starts_at = own.bank.clock.moment + (dt.date(2026, 3, 2) - own.next_day())
    recurring = await _post(own, f"{path}/series", _once(starts_at.date()))
    span = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + dt.timedelta(hours=2)).isoformat()}
    single = await _post(own, f"{path}/shifts", span)
    return {**of_it, "series_id": recurring["id"], "shift_id": single["id"]}


def _once(day: dt.date) -> dict[str, Any]:
    return acts.series_body(rule="FREQ=DAILY;COUNT=1", starts_on=str(day))


async def _post(own: Furnished, path: str, body: dict[str, Any]) -> Any:
    return done(await own.roles["front_desk"].post(path, body), 201)


MAKERS = {"shift_id": shift, "series_id": shift, "activity_id": activity, "position_id": activity}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own
    return {
        "list_activities": lambda: activity(own),
        "list_series": lambda: _post(own, f"activities/{own.named['activity_id']}/series", _once(dt.date(2026, 3, 3))),
        "list_shifts": lambda: shift(own),
    }
