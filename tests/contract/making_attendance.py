"""Makes shifts that are on now, with somebody who is to come, for requests about who came."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.activities import acts
from tests.bank import done
from tests.contract.making_signups import signed_up

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists

_second = dt.timedelta(seconds=1)
_first_day = dt.date(2026, 3, 1)


async def begun(own: Furnished, values: dict[str, Any], *, participant_id: str | None = None) -> None:
    """Name a shift that was on just now, of a second of its own, and the sign-up of somebody to it."""
    desk = own.roles["front_desk"]
    body = acts.activity_body(service_kind="home_visit", place=uuid4().hex)
    activity = done(await desk.post("activities", body), 201)
    starts_at = own.bank.clock.moment - (_first_day - own.next_day()).days * _second
    span = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + _second).isoformat()}
    shift = done(await desk.post(f"activities/{activity['id']}/shifts", span), 201)
    made = {"shift_id": shift["id"], "position_id": activity["positions"][0]["id"]}
    signup_id = await signed_up(own, made, participant_id or await own.new_volunteer())
    values |= {**made, "signup_id": signup_id, "signup_ids": [signup_id]}


async def listed(own: Furnished, values: dict[str, Any], outcome: str = "absent") -> None:
    """And let the organiser's list say what became of it."""
    await begun(own, values)
    line = {"signup_id": values["signup_id"], "outcome": outcome}
    path = f"shifts/{values['shift_id']}/attendance"
    (item,) = done(await own.roles["front_desk"].post(path, {"items": [line]}), 200)["items"]
    assert item["outcome"] == "recorded", item


async def checked_in(own: Furnished, values: dict[str, Any]) -> None:
    """And check it in."""
    await begun(own, values)
    done(await own.roles["front_desk"].post(f"signups/{values['signup_id']}/check-in"), 200)
    values["break_minutes"] = 0


async def at_the_place(own: Furnished, values: dict[str, Any]) -> None:
    """And name the code that the place shows to the volunteer who calls, and who is to come."""
    await begun(own, values, participant_id=own.volunteer_id)
    shown = done(await own.roles["front_desk"].get(f"shifts/{values['shift_id']}/place-code"), 200)
    values["code"] = shown["code"]


async def at_the_place_and_in(own: Furnished, values: dict[str, Any]) -> None:
    """And check in with it."""
    await at_the_place(own, values)
    done(await own.roles["volunteer"].post("check-ins", {"code": values["code"]}), 200)
    values["break_minutes"] = 0


PREPARING = {
    "record_attendance": begun,
    "check_in": begun,
    "check_out": checked_in,
    "submit_attendance": listed,
    "create_own_check_in": at_the_place,
    "create_own_check_out": at_the_place_and_in,
}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own
    return {
        "list_attendance": lambda: _to_the_same_shift(own),
        "list_no_shows": lambda: _two_missing(own),
    }


async def _two_missing(own: Furnished) -> None:
    for _ in range(2):
        await listed(own, {})


async def _to_the_same_shift(own: Furnished) -> None:
    await signed_up(own, own.named, await own.new_volunteer())
