"""Communities (社区): created by the city with a ledger of their own, and closed to each other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.bank import done, refused

if TYPE_CHECKING:
    from tests.bank import Bank

NEW = {"code": "630105-qilianlu-west", "name": "祁连路西社区", "district": "城北区", "subdistrict": "朝阳街道"}
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_community_begins_with_the_usual_settings_and_an_empty_ledger(bank: Bank) -> None:
    answer = await bank.city.post("/v1/communities", NEW)
    made = done(answer, 201)
    assert answer.headers["location"] == f"/v1/communities/{made['id']}"
    assert UUID(made["id"]).version == 7
    assert {name: made[name] for name in NEW} == NEW
    assert (made["timezone"], made["verification"], made["redemption_hold_hours"]) == ("Asia/Shanghai", "four_eyes", 72)
    assert made["created_at"] == "2026-03-02T04:00:00Z"
    assert done(await bank.city.get(answer.headers["location"]), 200) == made
    auditor = done(await bank.city.post(f"{answer.headers['location']}/clients", {"name": "x", "role": "auditor"}), 201)
    api = await bank.login(auditor["client_id"], auditor["client_secret"], answer.headers["location"])
    accounts = done(await api.get("ledger/accounts"), 200)["items"]
    assert {(account["account"], account["unit"], account["balance"], account["version"]) for account in accounts} == {
        ("community/minutes_given", "MINUTE", 0, 0),
        ("community/points_issued", "POINT", 0, 0),
        ("community/points_redeemed", "POINT", 0, 0),
        ("community/points_expired", "POINT", 0, 0),
        ("community/points_pool", "POINT", 0, 0),
    }
    events = done(await api.get("events"), 200)["items"]
    assert [(event["number"], event["type"]) for event in events] == [(1, "community.created"), (2, "client.created")]
    assert events[0]["data"] == {"community_id": made["id"]}


async def test_settings_given_at_the_start_are_kept(bank: Bank) -> None:
    given = {**NEW, "timezone": "Asia/Urumqi", "verification": "recorder", "redemption_hold_hours": 2160}
    made = done(await bank.city.post("/v1/communities", given), 201)
    read = done(await bank.city.get(f"/v1/communities/{made['id']}"), 200)
    assert {name: read[name] for name in given} == given


async def test_code_is_taken_once(bank: Bank) -> None:
    done(await bank.city.post("/v1/communities", NEW), 201)
    answer = await bank.city.post("/v1/communities", {**NEW, "name": "另一个社区"})
    assert answer.status_code == 409
    refused(answer, "already-exists", resource=NEW["code"])


async def test_code_is_taken_once_by_many_who_ask_at_the_same_time(bank: Bank) -> None:
    answers = await asyncio.gather(*(bank.city.post("/v1/communities", NEW) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    listed = done(await bank.city.get("/v1/communities"), 200)["items"]
    assert [community["code"] for community in listed].count(NEW["code"]) == 1


@on_one_engine
async def test_field_that_does_not_hold_is_pointed_to(bank: Bank) -> None:
    wrong: list[tuple[str, list[Any]]] = [
        ("code", ["", "a b", "-a", "社区", "a/b", "x" * 65, "a\n", 7, None]),
        ("name", ["", " ", "x" * 101, 7]),
        ("district", [None, "x" * 101]),
        ("subdistrict", [[], "\0"]),
        ("verification", ["", "two_eyes", "FOUR_EYES", 4]),
        ("redemption_hold_hours", [0, -1, 2161, "72", 1.5, True]),
        (
            "timezone",
            [
                "",
                "Mars/Olympus",
                "Asia",
                "Asia/",
                "../../etc/passwd",
                "/etc/localtime",
                "localtime",
                "UTC+8",
                "北京",
                8,
            ],
        ),
    ]
    for field, values in wrong:
        for value in values:
            problem = refused(await bank.city.post("/v1/communities", {**NEW, field: value}), "invalid-request")
            assert [error["pointer"] for error in problem["errors"]] == [f"/{field}"], (field, value)
    for field in NEW:
        body = {name: value for name, value in NEW.items() if name != field}
        problem = refused(await bank.city.post("/v1/communities", body), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [f"/{field}"]


@on_one_engine
async def test_time_zone_has_a_name_that_is_known(bank: Bank) -> None:
    for zone in ("Asia/Shanghai", "Asia/Urumqi", "UTC", "America/Argentina/Buenos_Aires"):
        assert done(
            await bank.city.post("/v1/communities", {**NEW, "code": zone.replace("/", "."), "timezone": zone}), 201
        )


async def test_city_sees_all_communities_and_a_community_itself_alone(bank: Bank) -> None:
    first, first_manager = bank.community, bank.manager
    await bank.open_community()
    listed = done(await bank.city.get("/v1/communities"), 200)["items"]
    assert [community["id"] for community in listed] == [bank.community["id"], first["id"]]
    for api in (bank.manager, bank.auditor, bank.integrator):
        refused(await api.get("/v1/communities"), "role-missing", roles=["city_admin"])
        assert done(await api.get(f"/v1/communities/{bank.community['id']}"), 200) == bank.community
    refused(await first_manager.get(f"/v1/communities/{bank.community['id']}"), "not-found")


async def test_communities_share_no_numbers_no_codes_and_no_people(bank: Bank) -> None:
    await bank.kind("patrol", None)
    volunteer = await bank.volunteer(phone="13800005678")
    before = done(await bank.auditor.get("events", limit=200), 200)["items"]
    other_manager = bank.manager
    await bank.open_community()
    await bank.kind("patrol", None)
    await bank.volunteer(phone="13800005678")
    refused(await bank.desk.get(f"volunteers/{volunteer['id']}"), "not-found")
    refused(await bank.desk.get(f"volunteers/{volunteer['id']}/balance"), "not-found")
    events = done(await bank.auditor.get("events", limit=200), 200)["items"]
    assert [event["number"] for event in events] == list(range(1, len(before) + 1))
    assert [event["type"] for event in events] == [event["type"] for event in before]
    assert len(done(await other_manager.get("volunteers"), 200)["items"]) == 1
