"""Service kinds and earning rules: created by managers, listed newest first, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bank import done, refused
from tests.hours.acts import pointers

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_a_kind_is_created_once_and_listed(bank: Bank) -> None:
    answer = await bank.manager.post("service-kinds", {"code": "home_visit", "name": "入户探访"})
    made = done(answer, 201)
    assert answer.headers["location"].rsplit("/", 1)[1] == "home_visit"
    assert (made["code"], made["name"], made["created_at"]) == ("home_visit", "入户探访", "2026-03-02T04:00:00Z")
    again = await bank.manager.post("service-kinds", {"code": "home_visit", "name": "探访"})
    refused(again, "already-exists", status=409)
    done(await bank.manager.post("service-kinds", {"code": "free_clinic", "name": "义诊"}), 201)
    for api in bank.roles.values():
        listed = done(await api.get("service-kinds"), 200)["items"]
        assert [kind["code"] for kind in listed] == ["free_clinic", "home_visit"]
        assert listed[1] == made
    page = done(await bank.desk.get("service-kinds", limit=1), 200)
    rest = done(await bank.desk.get("service-kinds", limit=1, cursor=page["next_cursor"]), 200)
    assert [kind["code"] for kind in page["items"] + rest["items"]] == ["free_clinic", "home_visit"]
    assert rest["next_cursor"] is None


async def test_a_neighbour_has_kinds_of_its_own(bank: Bank) -> None:
    await bank.kind()
    await bank.open_community()
    assert done(await bank.desk.get("service-kinds"), 200)["items"] == []
    await bank.kind()
    assert len(done(await bank.desk.get("earning-rules"), 200)["items"]) == 1


async def test_a_rule_keeps_all_that_it_was_made_of_and_counts_its_versions(bank: Bank) -> None:
    await bank.kind(points_per_hour=None)
    body = {
        "service_kind": "home_visit",
        "points_per_hour": 12,
        "effective_from": "2025-01-01",
        "minutes_per_record_max": 180,
        "minutes_per_day_max": 240,
    }
    answer = await bank.manager.post("earning-rules", body)
    first = done(answer, 201)
    assert {name: first[name] for name in body} == body
    assert first["version"] == 1
    assert answer.headers["location"].rsplit("/", 1)[1] == first["id"]
    # Past or future, in whatever order: a version counts in the order in which it was made.
    later = done(await bank.manager.post("earning-rules", {**body, "effective_from": "2030-01-01"}), 201)
    earlier = done(await bank.manager.post("earning-rules", {**body, "effective_from": "2020-01-01"}), 201)
    assert [later["version"], earlier["version"]] == [2, 3]
    for api in bank.roles.values():
        assert done(await api.get("earning-rules"), 200)["items"] == [earlier, later, first]


async def test_what_no_kind_or_rule_can_be_is_refused(bank: Bank) -> None:
    await bank.kind()
    rule = {"service_kind": "home_visit", "points_per_hour": 12, "effective_from": "2026-01-01"}
    for path, body, pointer in [
        ("service-kinds", {"name": "入户探访"}, "/code"),
        ("service-kinds", {"code": "home visit", "name": "入户探访"}, "/code"),
        ("service-kinds", {"code": "clinic", "name": ""}, "/name"),
        ("earning-rules", {**rule, "points_per_hour": -1}, "/points_per_hour"),
        ("earning-rules", {**rule, "points_per_hour": 10.5}, "/points_per_hour"),
        ("earning-rules", {**rule, "points_per_hour": 10_001}, "/points_per_hour"),
        ("earning-rules", {**rule, "effective_from": "2026-02-30"}, "/effective_from"),
        ("earning-rules", {**rule, "effective_from": "2026-01-01T00:00:00+08:00"}, "/effective_from"),
        ("earning-rules", {**rule, "minutes_per_day_max": 0}, "/minutes_per_day_max"),
        ("earning-rules", {**rule, "minutes_per_record_max": 1441}, "/minutes_per_record_max"),
        ("earning-rules", {**rule, "expires": "2027-01-01"}, "/expires"),
    ]:
        problem = refused(await bank.manager.post(path, body), "invalid-request", status=422)
        assert pointers(problem) == [pointer], body


async def test_only_managers_and_the_city_make_kinds_and_rules(bank: Bank) -> None:
    await bank.kind()
    rule = {"service_kind": "home_visit", "points_per_hour": 12, "effective_from": "2026-01-01"}
    for role in ("front_desk", "verifier", "auditor", "integrator"):
        refused(await bank.roles[role].post("service-kinds", {"code": "x", "name": "x"}), "role-missing", status=403)
        refused(await bank.roles[role].post("earning-rules", rule), "role-missing")
    done(await bank.city.post(f"/v1/communities/{bank.community['id']}/earning-rules", rule), 201)
