"""Makes vendors and sites for requests that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done
from tests.vendors import acts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists


async def vendor(own: Furnished) -> dict[str, Any]:
    """A vendor who comes."""
    body = acts.vendor_body(own.bank)
    return {"vendor_id": done(await own.roles["front_desk"].post("vendors", body), 201)["id"]}


MAKERS = {"vendor_id": vendor}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own
    return {"list_vendors": lambda: vendor(own)}
