"""What volunteers see of shifts, and how they sign up by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.bank import done, refused
from tests.signups.acts import Open, another, for_people, opened, signed_up

if TYPE_CHECKING:
    import httpx

    from tests.bank import Api, Bank


async def sign_up(api: Api, to: Open, position: int = 0) -> httpx.Response:
    return await api.post("signups", {"shift_id": to.id, "position_id": to.position(position)})


async def open_shifts(api: Api, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = done(await api.get("shifts", **parameters), 200)["items"]
    return found


async def test_volunteer_signs_up_and_sees_what_for(bank: Bank) -> None:
    visit, who = await opened(bank), await bank.volunteer()
    api = await bank.volunteer_api(who["id"])
    answer = await sign_up(api, visit)
    made = done(answer, 201)
    assert made | {"id": None, "signed_up_at": None} == {
        "id": None,
        "shift_id": visit.id,
        "position_id": visit.position(),
        "status": "confirmed",
        "signed_up_at": None,
        "closed_at": None,
        "reason": None,
        "activity_name": "入户探访",
        "position_name": "探访员",
        "starts_at": "2026-03-05T01:00:00Z",
        "ends_at": "2026-03-05T03:00:00Z",
        "place": "祁连家园",
        "cancellation_hours": 24,
    }
    assert done(await api.get(answer.headers["location"]), 200) == made
    assert done(await api.get("signups", status="confirmed"), 200)["items"] == [made]
    assert done(await api.get("signups", status="waitlisted"), 200)["items"] == []
    at_desk = done(await bank.desk.get(f"signups/{made['id']}"), 200)
    assert (at_desk["participant_id"], at_desk["signed_up_by"]) == (who["id"], api.client_id)


async def test_own_list_has_no_other_volunteers_sign_ups(bank: Bank) -> None:
    visit, who, other = await opened(bank), await bank.volunteer(), await bank.volunteer()
    api = await bank.volunteer_api(who["id"])
    await signed_up(bank, visit, other)
    assert done(await api.get("signups"), 200)["items"] == []


async def test_open_shifts_are_listed_soonest_first_with_counts_and_no_names(bank: Bank) -> None:
    later = await opened(bank, start="2026-03-07T09:00")
    sooner = await opened(bank, for_people(), for_people(capacity=1, allocation="draw"), start="2026-03-06T09:00")
    await opened(bank, for_people(participants="vendor"))
    skipped = await opened(bank)
    done(await bank.desk.post(f"shifts/{skipped.id}/skipping", {"reason": "台风"}), 200)
    begun = await opened(bank, start="2026-03-02T13:00")
    bank.clock.move(hours=2)
    for _ in range(3):
        await signed_up(bank, sooner)
    await signed_up(bank, sooner, position=1)
    who = await bank.volunteer()
    api = await bank.volunteer_api(who["id"])
    found = await open_shifts(api)
    assert [one["id"] for one in found] == [sooner.id, later.id]
    assert begun.id not in {one["id"] for one in found}
    counts = [[one[name] for name in ("free_seats", "waiting", "applied")] for one in found[0]["positions"]]
    assert counts == [[0, 1, 0], [1, 0, 1]]
    assert not {"participant_id", "signed_up_by", "signups"} & {*found[0], *found[0]["positions"][0]}
    assert (found[1]["positions"][0]["free_seats"], found[1]["signup_id"]) == (2, None)
    first = done(await api.get("shifts", limit=1), 200)
    assert [one["id"] for one in first["items"]] == [sooner.id]
    assert [one["id"] for one in await open_shifts(api, limit=1, cursor=first["next_cursor"])] == [later.id]


async def test_open_shifts_say_what_one_may_sign_up_for(bank: Bank) -> None:
    visit = await opened(bank, for_people(), for_people(required_qualification="nurse"))
    overlaps = await another(bank, visit.activity, "2026-03-05T10:00")
    free = await another(bank, visit.activity, "2026-03-05T11:00", "2026-03-05T12:00")
    who = await bank.volunteer()
    api = await bank.volunteer_api(who["id"])
    made = done(await sign_up(api, visit), 201)
    found = {one["id"]: one for one in await open_shifts(api)}
    refusals = {key: [position["refused_as"] for position in one["positions"]] for key, one in found.items()}
    assert refusals == {
        visit.id: ["already-signed-up", "qualification-missing"],
        overlaps.id: ["overlapping-signup", "qualification-missing"],
        free.id: [None, "qualification-missing"],
    }
    assert [found[shift.id]["signup_id"] for shift in (visit, overlaps, free)] == [made["id"], None, None]


async def test_volunteers_are_refused_as_at_the_desk(bank: Bank) -> None:
    visit = await opened(bank, for_people(), for_people(participants="vendor"))
    other = await another(bank, visit.activity, "2026-03-05T10:00")
    api = await bank.volunteer_api((await bank.volunteer())["id"])
    made = done(await sign_up(api, visit), 201)
    refused(await sign_up(api, visit), "already-signed-up", signup_id=made["id"])
    refused(await sign_up(api, other), "overlapping-signup", signup_id=made["id"])
    refused(await sign_up(api, other, 1), "wrong-participant", participants="vendor")
    nothing = str(uuid4())
    body = {"shift_id": nothing, "position_id": visit.position()}
    refused(await api.post("signups", body), "unknown-shift", shift_id=nothing)
    body = {"shift_id": other.id, "position_id": nothing}
    refused(await api.post("signups", body), "unknown-position", position_id=nothing)


async def test_volunteers_sign_up_until_the_shift_begins(bank: Bank) -> None:
    visit = await opened(bank, start="2026-03-02T13:00")
    early, late = [await bank.volunteer_api((await bank.volunteer())["id"]) for _ in range(2)]
    bank.clock.move(minutes=59, seconds=59)
    done(await sign_up(early, visit), 201)
    bank.clock.move(seconds=1)
    refused(await sign_up(late, visit), "shift-over", until="2026-03-02T05:00:00+00:00")
