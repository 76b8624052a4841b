"""Beneficiaries: registered with consent, seen by role, changed, ended, and found by what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.beneficiaries.service import known_beneficiaries, load_beneficiaries
from tests.bank import done, refused
from tests.beneficiaries.acts import CONSENT, beneficiary, served
from tests.contract.stored import everything_stored

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WHOLE = {"name": "邓秀兰", "phone": "0971-6123456", "address": "祁连家园 3 号楼 201", "birth_date": "1939-05-02"}
LISTED = {**WHOLE, "phone": "097****3456"}
OF_VERIFIER = {**LISTED, "address": None, "birth_date": None}
NOBODY = dict.fromkeys(WHOLE)
# By role: what the beneficiary's own page shows, and what a list shows.
SEEN = {
    "city_admin": (WHOLE, LISTED),
    "manager": (WHOLE, LISTED),
    "front_desk": (WHOLE, LISTED),
    "verifier": (OF_VERIFIER, OF_VERIFIER),
    "auditor": (NOBODY, NOBODY),
    "integrator": (NOBODY, NOBODY),
}


def of_person(shown: dict[str, Any]) -> dict[str, Any]:
    """What of a beneficiary is personal."""
    return {name: shown[name] for name in WHOLE}


async def test_beneficiary_is_registered_with_consent_and_found_by_need_and_by_living_alone(bank: Bank) -> None:
    made = done(
        await bank.desk.post(
            "beneficiaries", served(birth_date="1939-05-02", needs=["shopping", "company", "company"])
        ),
        201,
    )
    assert made == {
        **WHOLE,
        "id": made["id"],
        "needs": ["company", "shopping"],
        "living_alone": True,
        "consent": {"version": "2024-09", "given_at": "2025-01-01T01:00:00Z", "taken_by": bank.desk.client_id},
        "status": "active",
        "registered_at": "2026-03-02T04:00:00Z",
        "ended_at": None,
        "ended_by": None,
        "ended_reason": None,
    }
    other = await beneficiary(bank, living_alone=False, needs=["blood_pressure"])
    for query, expected in (
        ({"living_alone": True}, [made["id"]]),
        ({"living_alone": False}, [other["id"]]),
        ({"need": "company"}, [made["id"]]),
        ({"need": "blood_pressure"}, [other["id"]]),
        ({"need": "cleaning"}, []),
        ({"status": "active"}, [other["id"], made["id"]]),
    ):
        items = done(await bank.desk.get("beneficiaries", **query), 200)["items"]
        assert [item["id"] for item in items] == expected, query
    events = done(await bank.auditor.get("events"), 200)["items"]
    assert [event["data"] for event in events if event["type"] == "beneficiary.registered"] == [
        {"beneficiary_id": made["id"]},
        {"beneficiary_id": other["id"]},
    ]


async def test_each_role_sees_as_much_of_a_beneficiary_as_its_work_needs(bank: Bank) -> None:
    made = done(await bank.desk.post("beneficiaries", served(birth_date="1939-05-02", needs=["company"])), 201)
    for role, (page, listed) in SEEN.items():
        api = bank.roles.get(role, bank.city)
        url = f"{bank.desk.base}/beneficiaries"
        shown = done(await api.get(f"{url}/{made['id']}"), 200)
        assert (of_person(shown), shown["needs"]) == (page, ["company"]), role
        (item,) = done(await api.get(url), 200)["items"]
        assert of_person(item) == listed, role


async def test_who_is_served_is_not_registered_twice_and_families_share_a_phone(bank: Bank) -> None:
    first = done(await bank.desk.post("beneficiaries", served()), 201)
    problem = refused(await bank.desk.post("beneficiaries", served()), "already-registered", status=409)
    assert first["id"] not in str(problem)
    done(await bank.desk.post("beneficiaries", served(name="王建国")), 201)
    done(await bank.desk.post("beneficiaries", served(phone=None)), 201)
    other = done(await bank.desk.post("beneficiaries", served(address="祁连家园 3 号楼 202")), 201)
    path = f"beneficiaries/{other['id']}"
    refused(await bank.desk.patch(path, {"address": served()["address"]}), "already-registered")
    done(await bank.desk.post(f"beneficiaries/{first['id']}/ending", {"reason": "搬走了"}), 200)
    again = done(await bank.desk.post("beneficiaries", served()), 201)
    assert again["id"] != first["id"]


async def test_a_change_is_of_the_revision_that_was_read(bank: Bank) -> None:
    made = done(await bank.desk.post("beneficiaries", served(needs=["other"])), 201)
    path = f"beneficiaries/{made['id']}"
    etag = (await bank.desk.get(path)).headers["etag"]
    change = {"phone": None, "needs": ["paperwork", "cleaning"], "living_alone": False, "birth_date": "1940-01-01"}
    answer = await bank.desk.patch(path, change, etag=etag)
    after = {**made, **change, "needs": ["cleaning", "paperwork"]}
    assert done(answer, 200) == after
    assert done(await bank.desk.get(path), 200) == after
    refused(await bank.desk.patch(path, {"name": "邓兰"}, etag=etag), "precondition-failed")
    refused(await bank.desk.patch(path, {"name": "邓兰"}, etag=None), "precondition-required")
    same = await bank.desk.patch(path, change)
    assert same.headers["etag"] == answer.headers["etag"] == '"2"'
    types = [event["type"] for event in done(await bank.auditor.get("events"), 200)["items"]]
    assert types.count("beneficiary.changed") == 1


@on_one_engine
async def test_what_cannot_be_is_refused_with_its_place(bank: Bank) -> None:
    made = done(await bank.desk.post("beneficiaries", served()), 201)
    future = {"consent": {**CONSENT, "given_at": "2026-03-03T09:00:00+08:00"}}
    for fields, place in (
        (future, "/consent/given_at"),
        ({"birth_date": "2026-03-03"}, "/birth_date"),
        ({"phone": "123"}, "/phone"),
        ({"needs": ["gossip"]}, "/needs/0"),
        ({"living_alone": "yes"}, "/living_alone"),
        ({"address": " "}, "/address"),
    ):
        problem = refused(await bank.desk.post("beneficiaries", served(**fields)), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [place]
    refused(await bank.desk.patch(f"beneficiaries/{made['id']}", {"birth_date": "2026-03-03"}), "invalid-request")
    refused(await bank.desk.patch(f"beneficiaries/{uuid4()}", {"name": "邓兰"}), "not-found")
    refused(await bank.desk.get(f"beneficiaries/{uuid4()}"), "not-found", resource="beneficiary")


async def test_who_is_served_no_more_stays_known_and_is_changed_no_more(bank: Bank, settings: Settings) -> None:
    made, other = await beneficiary(bank), await beneficiary(bank)
    path = f"beneficiaries/{made['id']}"
    ended = done(await bank.desk.post(f"{path}/ending", {"reason": "搬到女儿家住了"}), 200)
    told = {"status": "ended", "ended_at": "2026-03-02T04:00:00Z", "ended_by": bank.desk.client_id}
    assert ended == {**made, **told, "ended_reason": "搬到女儿家住了"}
    assert done(await bank.desk.get(path), 200) == ended
    assert done(await bank.auditor.get(path), 200)["ended_reason"] is None
    refused(await bank.desk.post(f"{path}/ending", {"reason": "又一次"}), "beneficiary-ended", status=409)
    refused(await bank.desk.patch(path, {"name": "邓兰"}), "beneficiary-ended", ended_at="2026-03-02T04:00:00+00:00")
    assert [one["id"] for one in done(await bank.desk.get("beneficiaries", status="ended"), 200)["items"]] == [
        made["id"]
    ]
    keys = {(bank.number, UUID(one["id"])) for one in (made, other)}
    async with bank.database.read(bank.number) as session:
        assert await known_beneficiaries(session, {*keys, (bank.number, uuid4())}) == {(bank.number, UUID(other["id"]))}
        assert await known_beneficiaries(session, set()) == set()
        loaded = await load_beneficiaries(session, keys)
    assert {key: one.address for key, one in loaded.items()} == {
        (bank.number, UUID(one["id"])): one["address"] for one in (made, other)
    }
    stored = everything_stored(settings)
    assert [word for word in (made["name"], made["address"], "搬到女儿家住了") if word in stored] == []
