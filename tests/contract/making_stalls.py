"""Makes vendors, sites and draws for requests that name them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.stalls import acts
from tests.vendors.acts import vendor as registered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists


async def vendor(own: Furnished) -> dict[str, Any]:
    """A vendor who comes."""
    return {"vendor_id": (await registered(own.bank, desk=own.roles["front_desk"]))["id"]}


async def site(own: Furnished) -> dict[str, Any]:
    """A site with a calendar."""
    made = await acts.site(own.roles["manager"])
    await acts.calendar(own.roles["manager"], made, effective_from=_soon(own))
    return {"site_id": made["id"]}


async def drawing(own: Furnished) -> dict[str, Any]:
    """A shift of a site so soon that its draw is due as it is made."""
    made = await acts.site(own.roles["manager"])
    starts_at = own.bank.clock.moment + dt.timedelta(hours=2)
    return {"drawing_shift_id": (await acts.evening(own.roles["manager"], made, starts_at))["id"]}


async def announce_a_draw(own: Furnished, values: dict[str, Any]) -> None:
    """Let the shift be one whose seats are drawn."""
    values["shift_id"] = (await drawing(own))["drawing_shift_id"]


async def begin_soon(own: Furnished, values: dict[str, Any]) -> None:
    """Let the calendar hold from a day that is to come."""
    values["effective_from"] = _soon(own)


def _soon(own: Furnished) -> str:
    return str(own.bank.clock.moment.date() + dt.timedelta(days=2))


MAKERS = {"vendor_id": vendor, "site_id": site, "drawing_shift_id": drawing}
PREPARING = {"make_draw": announce_a_draw, "set_footfall_calendar": begin_soon}
NARROWER = {"get_draw": {"shift_id": "drawing_shift_id"}, "make_draw": {"shift_id": "drawing_shift_id"}}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own
    return {"list_vendors": lambda: vendor(own), "list_sites": lambda: site(own)}
