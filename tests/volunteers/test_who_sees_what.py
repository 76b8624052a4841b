"""Who sees what of a person: names and phones by role, ID numbers masked to all, and no way around it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from tests.bank import done, refused
from tests.volunteers.people import GUARDIAN, id_number, person

if TYPE_CHECKING:
    from tests.bank import Bank

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NUMBER = id_number(dt.date(2015, 7, 1))
MASKED_NUMBER = f"63************{NUMBER[-4:]}"
PERSON = person(name="张文静", phone="13911112222", sex="female", id_number=NUMBER, guardian=GUARDIAN)
WHOLE = {
    "name": "张文静",
    "phone": "13911112222",
    "sex": "female",
    "birth_date": "2015-07-01",
    "id_number": MASKED_NUMBER,
    "guardian": GUARDIAN,
}
WITHOUT_PHONES = {**WHOLE, "phone": "139****2222", "guardian": {"name": "王秀英", "phone": "136****1111"}}
NAMELESS = {
    "name": "张**",
    "phone": "139****2222",
    "sex": None,
    "birth_date": None,
    "id_number": MASKED_NUMBER,
    "guardian": {"name": "王**", "phone": "136****1111"},
}
# By role: what the volunteer's own page shows, and what a list shows.
SEEN = {
    "city_admin": (WHOLE, WITHOUT_PHONES),
    "manager": (WHOLE, WITHOUT_PHONES),
    "front_desk": (WHOLE, WITHOUT_PHONES),
    "verifier": (WITHOUT_PHONES, WITHOUT_PHONES),
    "auditor": (NAMELESS, NAMELESS),
    "integrator": (NAMELESS, NAMELESS),
}


def of_person(volunteer: dict[str, Any]) -> dict[str, Any]:
    """What of a volunteer is personal."""
    return {name: volunteer[name] for name in WHOLE}


async def test_each_role_sees_as_much_of_a_person_as_its_work_needs(bank: Bank) -> None:
    answer = await bank.desk.post("volunteers", PERSON)
    made = done(answer, 201)
    assert of_person(made) == WHOLE
    assert NUMBER not in answer.text
    for role, (page, listed) in SEEN.items():
        api = bank.roles.get(role, bank.city)
        url = f"{bank.desk.base}/volunteers"
        assert of_person(done(await api.get(f"{url}/{made['id']}"), 200)) == page, role
        (item,) = done(await api.get(url), 200)["items"]
        assert of_person(item) == listed, role


async def test_person_is_found_by_the_exact_phone_or_id_number(bank: Bank) -> None:
    made = done(await bank.desk.post("volunteers", PERSON), 201)
    await bank.volunteer()
    for api in (bank.desk, bank.manager, bank.verifier, bank.city):
        url = f"{bank.desk.base}/volunteers"
        for query in (
            {"phone": PERSON["phone"]},
            {"id_number": NUMBER},
            {"phone": PERSON["phone"], "id_number": NUMBER},
        ):
            page = done(await api.get(url, **query), 200)
            assert [item["id"] for item in page["items"]] == [made["id"]]
            assert of_person(page["items"][0]) == WITHOUT_PHONES
            assert page["next_cursor"] is None
        for query in (
            {"phone": "13911112223"},
            {"id_number": NUMBER[:-1]},
            {"phone": "13800000000", "id_number": NUMBER},
        ):
            assert done(await api.get(url, **query), 200)["items"] == []
    assert len(done(await bank.desk.get("volunteers"), 200)["items"]) == 2


@on_one_engine
async def test_part_of_a_phone_finds_nobody(bank: Bank) -> None:
    done(await bank.desk.post("volunteers", PERSON), 201)
    for part in ("2222", "1391111", "139****2222", "139________", "1391111222%", ""):
        problem = refused(await bank.desk.get("volunteers", phone=part), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == ["/query/phone"]


async def test_who_sees_no_names_cannot_ask_for_a_number_either(bank: Bank) -> None:
    done(await bank.desk.post("volunteers", PERSON), 201)
    for api in (bank.auditor, bank.integrator):
        for query in ({"phone": PERSON["phone"]}, {"phone": "13000000000"}, {"id_number": NUMBER}):
            answer = await api.get("volunteers", **query)
            assert answer.status_code == 403
            refused(answer, "role-missing", roles=["city_admin", "manager", "verifier", "front_desk"])


@on_one_engine
async def test_nothing_that_auditor_or_integrator_can_read_tells_who_a_person_is(bank: Bank) -> None:
    await bank.kind()
    volunteer = done(await bank.desk.post("volunteers", PERSON), 201)
    article = await bank.goods()
    record = await bank.hours(volunteer["id"], recorder_name="张文静")
    redemption = await bank.reserve(volunteer["id"], article["id"])
    paths = [
        *(
            "volunteers",
            "service-records",
            "redemptions",
            "goods",
            "events",
            "clients",
            "service-kinds",
            "earning-rules",
        ),
        *("ledger/transactions", "ledger/accounts", "ledger/trial-balance", "ledger/transactions/1"),
        f"volunteers/{volunteer['id']}",
        f"volunteers/{volunteer['id']}/balance",
        f"volunteers/{volunteer['id']}/statement",
        f"service-records/{record['id']}",
        f"redemptions/{redemption['id']}",
        f"goods/{article['id']}/stock-movements",
    ]
    read = 0
    for api in (bank.auditor, bank.integrator):
        for path in paths:
            answer = await api.get(path)
            if answer.status_code == 403:
                continue
            assert answer.status_code == 200, path
            secrets = ("张文静", "文静", "13911112222", "1111222", NUMBER, NUMBER[6:14], "2015-07-01", "王秀英")
            assert [word for word in secrets if word in answer.text] == [], path
            assert redemption["pickup_code"] not in answer.text, path
            read += 1
    assert read > 25


@on_one_engine
async def test_volunteer_who_is_not_there_is_not_found(bank: Bank) -> None:
    for role in SEEN:
        api = bank.roles.get(role, bank.city)
        url = f"{bank.desk.base}/volunteers/{uuid4()}"
        refused(await api.get(url), "not-found", resource="volunteer")
        if role != "verifier":
            refused(await api.get(f"{url}/balance"), "not-found")
            refused(await api.get(f"{url}/statement"), "not-found")
    refused(await bank.desk.get(f"volunteers/{UUID(int=0)}"), "not-found")
