"""To whom visits are offered: who visits somebody at home is for the desk to say, and for the pair."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.bank import NOW, done, refused
from tests.signups.acts import opened
from tests.visits.acts import begun, visited, visits

if TYPE_CHECKING:
    import httpx

    from tests.bank import Api, Bank


async def open_ids(api: Api) -> set[str]:
    return {one["id"] for one in done(await api.get("shifts", limit=200), 200)["items"]}


async def sign_up(api: Api, plan: dict[str, Any], shift_id: str) -> httpx.Response:
    return await api.post("signups", {"shift_id": shift_id, "position_id": plan["position_id"]})


async def test_visits_are_offered_to_their_pair_alone(bank: Bank) -> None:
    await bank.kind()
    for_all, of = await opened(bank, start="2026-03-03T09:00"), await visited(bank)
    of_plan = [one["shift_id"] for one in await visits(bank, plan_id=of.plan["id"])]
    single = (await begun(bank.desk, of.plan, NOW + dt.timedelta(days=2)))["shift_id"]
    stranger = await bank.volunteer()
    own, other = [await bank.volunteer_api(who["id"]) for who in (of.pair[0], stranger)]
    assert await open_ids(other) == {for_all.id}
    assert await open_ids(own) == {for_all.id, *of_plan}
    for shift_id in (*of_plan, single):
        refused(await sign_up(other, of.plan, shift_id), "unknown-shift", status=422, shift_id=shift_id)
    refused(await sign_up(own, of.plan, single), "unknown-shift")
    # One of the pair comes back without the desk to a visit that was given back; the desk signs up whomever it wants.
    seats = {one["shift_id"]: one["id"] for one in done(await own.get("signups", limit=200), 200)["items"]}
    done(await own.post(f"signups/{seats[of_plan[1]]}/cancellation"), 200)
    done(await sign_up(own, of.plan, of_plan[1]), 201)
    seat = {"position_id": of.plan["position_id"], "participant_id": stranger["id"]}
    done(await bank.desk.post(f"shifts/{single}/signups", seat), 201)
    assert await open_ids(other) == {for_all.id}


async def test_visits_are_offered_no_more_to_who_left_the_pair(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    leaving, staying = of.pair
    coming = await bank.volunteer()
    change = {"volunteer_ids": [staying["id"], coming["id"]], "reason": "张文静这学期周二有课。"}
    done(await bank.desk.post(f"{of.path}/pair", change), 200)
    api = await bank.volunteer_api(leaving["id"])
    assert await open_ids(api) == set()
    first, *_ = await visits(bank, plan_id=of.plan["id"])
    refused(await sign_up(api, of.plan, first["shift_id"]), "unknown-shift")
