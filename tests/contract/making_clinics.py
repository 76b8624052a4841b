"""Partners, clinics and their shifts for requests to name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.clinics import acts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists


async def partner(own: Furnished) -> dict[str, Any]:
    """A partner."""
    return {"partner_id": (await acts.partner(own.roles["front_desk"]))["id"]}


async def clinic(own: Furnished) -> dict[str, Any]:
    """A clinic whose shift has begun and was counted."""
    made = await acts.clinic(own.roles["front_desk"], service_kind="home_visit")
    await acts.count(own.roles["front_desk"], made)
    return {"clinic_id": made["activity"]["id"], "clinic_shift_id": acts.shift_of(made)}


async def hold_a_clinic(own: Furnished, values: dict[str, Any]) -> None:
    """Let the shift be one of a clinic."""
    values["shift_id"] = (await clinic(own))["clinic_shift_id"]


MAKERS = {"partner_id": partner, "clinic_id": clinic}
PREPARING = {"create_head_count": hold_a_clinic}
NARROWER = {"list_head_counts": {"shift_id": "clinic_shift_id"}}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own
    desk = own.roles["front_desk"]

    async def another_count() -> None:
        path = f"shifts/{own.named['clinic_shift_id']}/head-counts"
        assert (await desk.post(path, {"counts": {"served": 1}})).status_code == 201

    return {
        "list_partners": lambda: partner(own),
        "list_clinics": lambda: clinic(own),
        "list_head_counts": another_count,
    }
