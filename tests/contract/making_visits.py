"""Makes plans of visits, visits that have begun and escalations for requests that name them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.beneficiaries.acts import beneficiary
from tests.visits import acts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists

_first_day = dt.date(2026, 3, 1)


async def _plan(own: Furnished) -> dict[str, Any]:
    """A plan of visits by two new volunteers, none of which is made yet."""
    desk = own.roles["front_desk"]
    pair = [{"id": await own.new_volunteer()} for _ in range(acts.PAIR)]
    body = acts.plan_body(await beneficiary(own.bank, desk=desk), *pair, starts_on="2026-12-01")
    return dict(await acts.plan(desk, body))


def _some_time(own: Furnished) -> dt.datetime:
    """A moment yesterday or before, with two minutes after it that are no other's."""
    return own.bank.clock.moment - dt.timedelta(days=1, minutes=2 * (_first_day - own.next_day()).days)


async def plan(own: Furnished) -> dict[str, Any]:
    """A plan of visits."""
    return {"plan_id": (await _plan(own))["id"]}


async def visit(own: Furnished) -> dict[str, Any]:
    """A visit that has begun, for which the volunteer who calls is signed up."""
    pair = (own.volunteer_id, await own.new_volunteer())
    made = await acts.begun(own.roles["front_desk"], await _plan(own), _some_time(own), *pair)
    return {"visit_shift_id": made["shift_id"]}


async def escalation(own: Furnished) -> dict[str, Any]:
    """An open escalation."""
    desk, of = own.roles["front_desk"], await _plan(own)
    await acts.missed_twice(desk, of, _some_time(own))
    (opened,) = await acts.escalations(desk, beneficiary_id=of["beneficiary_id"])
    return {"escalation_id": opened["id"]}


async def name_a_pair(own: Furnished, values: dict[str, Any]) -> None:
    """Name two volunteers."""
    values["volunteer_ids"] = [await own.new_volunteer() for _ in range(acts.PAIR)]


async def name_a_visit(own: Furnished, values: dict[str, Any]) -> None:
    """Let the shift be a visit."""
    values["shift_id"] = (await visit(own))["visit_shift_id"]


MAKERS = {"plan_id": plan, "visit_shift_id": visit, "escalation_id": escalation}
PREPARING = {
    "create_visit_plan": name_a_pair,
    "change_visit_pair": name_a_pair,
    "record_visit_outcome": name_a_visit,
    "record_own_visit_outcome": name_a_visit,
}
NARROWER = {"get_visit": {"shift_id": "visit_shift_id"}}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    own = lists.own
    return {
        "list_visit_plans": lambda: plan(own),
        "list_visits": lambda: visit(own),
        "list_own_visits": lambda: visit(own),
        "list_visit_escalations": lambda: escalation(own),
    }
