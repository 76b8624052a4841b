"""Makes sign-ups and participants for requests that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done
from tests.contract import making_activities

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists


async def participant(own: Furnished) -> dict[str, Any]:
    """Somebody who is signed up for nothing."""
    return {"participant_id": await own.new_volunteer()}


async def signup(own: Furnished) -> dict[str, Any]:
    """A sign-up of the volunteer to a shift of its own."""
    made = await making_activities.shift(own)
    return {**made, "signup_id": await signed_up(own, made, own.volunteer_id)}


async def signed_up(own: Furnished, made: dict[str, Any], participant_id: str) -> str:
    """Sign somebody up for a shift, and give the sign-up's id."""
    body = {"position_id": made["position_id"], "participant_id": participant_id}
    return str(done(await own.roles["front_desk"].post(f"shifts/{made['shift_id']}/signups", body), 201)["id"])


async def standing(own: Furnished) -> dict[str, Any]:
    """A standing sign-up of the volunteer to a series, and the sign-up that it led to."""
    made = {**await making_activities.shift(own), "participant_id": own.volunteer_id}
    (signed_up,) = (await stand(own, made))["signups"]
    return {**made, "shift_id": signed_up["shift_id"], "signup_id": signed_up["id"]}


async def stand(own: Furnished, values: dict[str, Any]) -> Any:
    """Let somebody take part in every shift of a series."""
    body = {name: values[name] for name in ("position_id", "participant_id")}
    return done(await own.roles["front_desk"].post(f"series/{values['series_id']}/standing-signups", body), 201)


MAKERS = {"signup_id": signup, "participant_id": participant, "standing": standing}
"""No request names `standing`: it makes what of all these belongs together, for requests that read."""

PREPARING = {"end_standing_signup": stand}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own

    async def to_the_same_shift() -> None:
        await signed_up(own, own.named, await own.new_volunteer())

    async def to_the_same_series() -> None:
        await stand(own, {**own.named, "participant_id": await own.new_volunteer()})

    return {
        "list_standing_signups": to_the_same_series,
        "list_shift_signups": to_the_same_shift,
        "list_signups": to_the_same_shift,
        "list_own_signups": lambda: signup(own),
        "list_open_shifts": lambda: making_activities.shift(own),
    }
