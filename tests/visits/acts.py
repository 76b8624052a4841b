"""Shorthands for what tests do with visits; they assert success and give the answer's JSON."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app import worker
from tests.bank import done
from tests.beneficiaries.acts import beneficiary

if TYPE_CHECKING:
    import httpx

    from app.settings import Settings
    from tests.bank import Api, Bank

PAIR = 2
TASKS = ["blood_pressure", "company"]


@dataclass(frozen=True)
class Visited:
    """A person served, the pair who visit, and the plan."""

    person: dict[str, Any]
    pair: tuple[dict[str, Any], ...]
    plan: dict[str, Any]

    @property
    def path(self) -> str:
        """The plan's path below the community."""
        return f"visit-plans/{self.plan['id']}"


def plan_body(person: dict[str, Any], *pair: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The body of a plan: every Tuesday afternoon, from the day after the tests' present on."""
    body = {
        "beneficiary_id": person["id"],
        "volunteer_ids": [one["id"] for one in pair],
        "service_kind": "home_visit",
        "starts_on": "2026-03-03",
        "time_of_day": "14:30",
        "minutes": 90,
        "place": "祁连家园",
        "organiser": "祁连路西社区居委会",
    }
    return {**body, **fields}


async def plan(api: Api, body: dict[str, Any]) -> Any:
    """Plan visits."""
    return done(await api.post("visit-plans", body), 201)


async def two(bank: Bank) -> tuple[dict[str, Any], dict[str, Any]]:
    """李佳儒 and 张文静."""
    return await bank.volunteer(), await bank.volunteer(name="张文静")


async def visited(bank: Bank, **fields: Any) -> Visited:
    """邓阿姨, visited by a pair from tomorrow on; the service kind has to be there."""
    person, pair = await beneficiary(bank), await two(bank)
    return Visited(person, pair, await plan(bank.desk, plan_body(person, *pair, **fields)))


async def begun(
    api: Api, plan: dict[str, Any], starts_at: dt.datetime, *volunteer_ids: str, minutes: int = 1
) -> dict[str, Any]:
    """One more visit of a plan, which began at a moment, and for which the desk signs volunteers up."""
    span = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + dt.timedelta(minutes=minutes)).isoformat()}
    shift = done(await api.post(f"activities/{plan['activity_id']}/shifts", span), 201)
    for volunteer_id in volunteer_ids:
        seat = {"position_id": plan["position_id"], "participant_id": volunteer_id}
        done(await api.post(f"shifts/{shift['id']}/signups", seat), 201)
    return {"shift_id": shift["id"]}


async def missed_twice(api: Api, plan: dict[str, Any], starts_at: dt.datetime) -> None:
    """Let nobody be at home on two more visits of a plan, the first of which began at a moment."""
    for minutes in (0, 1):
        visit = await begun(api, plan, starts_at + dt.timedelta(minutes=minutes))
        done(await said(api, visit, "absent"), 200)


async def visits(bank: Bank, **filters: str) -> list[dict[str, Any]]:
    """Visits by these filters, in the order of their starts."""
    found = done(await bank.desk.get("visits", limit=200, **filters), 200)["items"]
    return sorted(found, key=lambda visit: visit["starts_at"])


async def visit(bank: Bank, of: dict[str, Any]) -> Any:
    """A visit as it is now."""
    return done(await bank.desk.get(f"visits/{of['shift_id']}"), 200)


async def said(api: Api, of: dict[str, Any], outcome: str = "done", **fields: Any) -> httpx.Response:
    """Say what came of a visit; a volunteer says it below `/v1/me` all the same."""
    return await api.post(f"visits/{of['shift_id']}/outcome", {"outcome": outcome, **fields})


async def attendance(bank: Bank, of: dict[str, Any]) -> dict[str, tuple[str | None, int | None]]:
    """What is known of the pair's coming to a visit: by volunteer, how it was and for how many minutes."""
    found = done(await bank.desk.get(f"shifts/{of['shift_id']}/attendance"), 200)["items"]
    return {one["participant_id"]: (one["outcome"], one["proposed"] and one["proposed"]["minutes"]) for one in found}


async def escalations(api: Api, **filters: str) -> list[dict[str, Any]]:
    """Escalations, the oldest first."""
    return list(reversed(done(await api.get("visit-escalations", **filters), 200)["items"]))


async def run_due(bank: Bank, settings: Settings) -> None:
    """Let the worker do what is due."""
    await worker.run_due(bank.database, settings)
