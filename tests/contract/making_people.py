"""Makes beneficiaries, qualifications and needs for requests that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.beneficiaries.acts import beneficiary as registered
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


MAKERS = {"beneficiary_id": beneficiary, "qualification_id": qualification}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own
    return {
        "list_beneficiaries": lambda: beneficiary(own),
        "list_qualifications": lambda: qualification(own),
        "list_qualifications_of_volunteer": lambda: qualification(own),
    }
