"""Changing what is known of a volunteer: on the revision that was read, and only what was sent."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.bank import done, refused
from tests.volunteers.people import GUARDIAN, id_number, person

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_what_is_left_out_stays_and_null_clears(bank: Bank) -> None:
    made = done(await bank.desk.post("volunteers", person(estate="祁连家园", skills=["急救"], sex="female")), 201)
    path = f"volunteers/{made['id']}"
    read = await bank.desk.get(path)
    answer = await bank.desk.patch(path, {"phone": "13911112222", "estate": None}, etag=read.headers["etag"])
    changed = done(answer, 200)
    assert changed == {**made, "phone": "13911112222", "estate": None}
    assert answer.headers["etag"] != read.headers["etag"]
    again = await bank.desk.get(path)
    assert (again.json(), again.headers["etag"]) == (changed, answer.headers["etag"])
    (found,) = done(await bank.desk.get("volunteers", phone="13911112222"), 200)["items"]
    assert found["id"] == made["id"]
    assert done(await bank.desk.get("volunteers", phone="13800005678"), 200)["items"] == []
    events = done(await bank.auditor.get("events"), 200)["items"]
    assert [event["type"] for event in events if event["data"].get("volunteer_id") == made["id"]] == [
        "volunteer.registered",
        "volunteer.changed",
    ]


async def test_a_change_on_an_old_revision_is_refused_and_one_without_any_too(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    path = f"volunteers/{volunteer['id']}"
    etag = (await bank.desk.get(path)).headers["etag"]
    answers = await asyncio.gather(*(bank.desk.patch(path, {"estate": name}, etag=etag) for name in "东西南北"))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    refused(await bank.desk.patch(path, {"estate": "外"}, etag=etag), "precondition-failed", status=412)
    refused(await bank.desk.patch(path, {"estate": "外"}, etag=None), "precondition-required", status=428)
    now = (await bank.desk.get(path)).headers["etag"]
    # What differs in nothing changes nothing, the revision included.
    same = await bank.desk.patch(path, {"name": volunteer["name"]}, etag=now)
    assert (done(same, 200)["name"], same.headers["etag"]) == (volunteer["name"], now)


async def test_numbers_stay_one_persons_and_dates_stay_true(bank: Bank) -> None:
    number = id_number(dt.date(1990, 5, 17))
    other = done(await bank.desk.post("volunteers", person(phone="13911112222", id_number=number)), 201)
    mine = done(await bank.desk.post("volunteers", person()), 201)
    path = f"volunteers/{mine['id']}"
    refused(await bank.desk.patch(path, {"phone": "13911112222"}), "already-registered", status=409, field="phone")
    refused(await bank.desk.patch(path, {"id_number": number}), "already-registered", field="id_number")
    child = id_number(dt.date(2015, 7, 1))
    refused(await bank.desk.patch(path, {"id_number": child}), "guardian-required")
    changed = done(await bank.desk.patch(path, {"id_number": child, "guardian": GUARDIAN}), 200)
    assert (changed["birth_date"], changed["guardian"]) == ("2015-07-01", GUARDIAN)
    problem = refused(await bank.desk.patch(path, {"birth_date": "2015-07-02"}), "invalid-request")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/birth_date"]
    problem = refused(await bank.desk.patch(path, {"id_number": None, "birth_date": "2027-01-01"}), "invalid-request")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/birth_date"]
    wrong: dict[str, Any]
    for wrong in ({"name": None}, {"phone": None}, {"skills": None}, {"consent": {}}, {"phone": "5"}):
        refused(await bank.desk.patch(path, wrong), "invalid-request")
    # The own number is no one else's.
    done(await bank.desk.patch(f"volunteers/{other['id']}", {"phone": "13911112222", "name": "王强"}), 200)
    refused(await bank.desk.patch(f"volunteers/{uuid4()}", {"name": "王强"}), "not-found")
    refused(await bank.verifier.patch(path, {"name": "王强"}), "role-missing")


async def test_volunteers_see_themselves_with_their_id_number_masked(bank: Bank) -> None:
    number = id_number(dt.date(1990, 5, 17))
    made = done(await bank.desk.post("volunteers", person(id_number=number)), 201)
    await bank.kind()
    await bank.hours(made["id"])
    own = await bank.volunteer_api(made["id"])
    answer = await own.get("/v1/me")
    assert done(answer, 200) == made
    assert number not in answer.text
    assert made["phone"] == "13800005678"
    for name in ("balance", "statement"):
        assert done(await own.get(name), 200) == done(await bank.desk.get(f"volunteers/{made['id']}/{name}"), 200)
        refused(await bank.desk.get(f"/v1/me/{name}"), "role-missing")
        refused(await own.get(f"{bank.desk.base}/volunteers/{made['id']}/{name}"), "role-missing")
    page = done(await own.get("statement", limit=1), 200)
    other = await bank.volunteer_api((await bank.volunteer())["id"])
    refused(await other.get("statement", cursor=page["next_cursor"]), "invalid-cursor")
