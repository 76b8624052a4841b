"""Makes calendar feeds and their secret addresses for requests that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done
from tests.feeds.acts import feed as made
from tests.feeds.acts import token_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists


async def feed(own: Furnished) -> dict[str, Any]:
    """The only live feed of the volunteer."""
    await make_room(own)
    return {"feed_id": (await made(own.roles["front_desk"], own.volunteer_id))["id"]}


async def token(own: Furnished) -> dict[str, Any]:
    """The secret of a feed that nobody revokes."""
    return {"token": token_of(await made(own.roles["front_desk"], await own.new_volunteer()))}


async def make_room(own: Furnished, _: dict[str, Any] | None = None) -> None:
    """Revoke the volunteer's feeds, for there may be few."""
    desk = own.roles["front_desk"]
    listed = done(await desk.get("calendar-feeds", subject_id=own.volunteer_id, limit=20), 200)["items"]
    for one in listed:
        if one["revoked_at"] is None:
            done(await desk.post(f"calendar-feeds/{one['id']}/revocation"), 200)


async def subject(own: Furnished) -> dict[str, Any]:
    """A volunteer who has no feed."""
    return {"subject_id": await own.new_volunteer()}


MAKERS = {"feed_id": feed, "token": token, "subject_id": subject}
PREPARING = {"create_own_calendar_feed": make_room}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own, desk = lists.own, lists.own.roles["front_desk"]

    async def another_of_the_volunteer() -> None:
        """Revoked at once, for there may be few; the others stay as they are."""
        one = await made(desk, own.volunteer_id)
        done(await desk.post(f"calendar-feeds/{one['id']}/revocation"), 200)

    return {"list_calendar_feeds": lambda: token(own), "list_own_calendar_feeds": another_of_the_volunteer}
