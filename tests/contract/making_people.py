"""Makes beneficiaries, qualifications and needs for requests that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done
from tests.beneficiaries.acts import beneficiary as registered
from tests.needs.acts import answer, asked
from tests.needs.acts import need as filed
from tests.qualifications.acts import qualification as checked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists


async def beneficiary(own: Furnished) -> dict[str, Any]:
    """A beneficiary who is being served."""
    return {"beneficiary_id": (await registered(own.bank, desk=own.roles["front_desk"]))["id"]}


async def qualification(own: Furnished) -> dict[str, Any]:
    """A qualification of the volunteer, which holds."""
    return {"qualification_id": (await checked(own.bank, own.volunteer_id, manager=own.roles["manager"]))["id"]}


async def need(own: Furnished) -> dict[str, Any]:
    """An open need of the volunteer's."""
    return {"need_id": done(await own.roles["volunteer"].post("needs", asked()), 201)["id"]}


async def need_decided(own: Furnished, values: dict[str, Any]) -> None:
    """Answer the need, so that there is something to tell."""
    await answer(own.roles["front_desk"], {"id": values["need_id"]})


async def need_of_somebody(own: Furnished, values: dict[str, Any]) -> None:
    """Name another need, of somebody who is registered nowhere."""
    values["need_id"] = (await filed(own.roles["front_desk"]))["id"]


MAKERS = {"beneficiary_id": beneficiary, "qualification_id": qualification, "need_id": need}
PREPARING = {"tell_need": need_decided, "erase_need": need_of_somebody}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own
    return {
        "list_needs": lambda: need(own),
        "list_own_needs": lambda: need(own),
        "list_beneficiaries": lambda: beneficiary(own),
        "list_qualifications": lambda: qualification(own),
        "list_qualifications_of_volunteer": lambda: qualification(own),
    }
