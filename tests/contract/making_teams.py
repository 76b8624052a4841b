"""Departments, members, teams and postings for requests to name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.teams import acts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.contract.furnished import Furnished
    from tests.contract.test_paging import Lists


async def department(furnished: Furnished) -> dict[str, Any]:
    """A department."""
    return {"department_id": (await acts.department(furnished.bank))["id"]}


async def member(furnished: Furnished) -> dict[str, Any]:
    """A member who is on no team."""
    return {"member_id": (await acts.member(furnished.bank))["id"]}


async def team(furnished: Furnished) -> dict[str, Any]:
    """A team without members that is posted nowhere."""
    return {"team_id": (await acts.team(furnished.bank))["id"]}


async def posting(furnished: Furnished) -> dict[str, Any]:
    """A posting, with its team."""
    made = await acts.team(furnished.bank, await acts.member(furnished.bank))
    # Later than the days that `next_day` gives.
    posted = await acts.post(furnished.bank, made, "2026-03-01", community_id=furnished.id)
    return {"team_id": made["id"], "posting_id": posted["id"]}


async def post_the_team(furnished: Furnished, values: dict[str, Any]) -> None:
    """Post the team to the community."""
    await acts.post(furnished.bank, {"id": values["team_id"]}, community_id=furnished.id)


async def put_on_the_team(furnished: Furnished, values: dict[str, Any]) -> None:
    """Put the member on the team."""
    await acts.join(furnished.bank, {"id": values["team_id"]}, {"id": values["member_id"]})


MAKERS = {"department_id": department, "member_id": member, "team_id": team, "posting_id": posting}
PREPARING = {"list_posted_members": post_the_team, "end_team_membership": put_on_the_team}


def adders(lists: Lists) -> dict[str, Callable[[], Awaitable[object]]]:
    """By list, what adds to it."""
    bank, own = lists.bank, lists.own

    async def another_posted() -> None:
        await acts.post(bank, await acts.team(bank))

    async def another_member() -> None:
        await acts.join(bank, {"id": own.named["team_id"]}, await acts.member(bank))

    async def another_posting() -> None:
        day = str(own.next_day())
        await acts.post(bank, {"id": own.named["team_id"]}, day, until=day)

    return {
        "list_departments": lambda: acts.department(bank),
        "list_team_members": lambda: acts.member(bank),
        "list_teams": lambda: acts.team(bank),
        "list_members_of_team": another_member,
        "list_team_postings": another_posting,
        "list_posted_teams": another_posted,
        "list_posted_members": another_member,
    }
