"""Changing a community's settings: on the revision that was read, from now on, and by managers alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.bank import done, refused

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_manager_changes_settings_on_the_revision_that_was_read(bank: Bank) -> None:
    path = bank.manager.base
    read = await bank.desk.get(path)
    changes = {"verification": "recorder", "redemption_hold_hours": 5, "name": "祁连路东社区"}
    answer = await bank.manager.patch(path, changes, etag=read.headers["etag"])
    assert done(answer, 200) == {**bank.community, **changes}
    again = await bank.desk.get(path)
    assert (done(again, 200), again.headers["etag"]) == (answer.json(), answer.headers["etag"])
    refused(await bank.manager.patch(path, {}, etag=None), "precondition-required", status=428)
    stale = await bank.manager.patch(path, {"redemption_hold_hours": 6}, etag=read.headers["etag"])
    refused(stale, "precondition-failed", status=412)
    same = await bank.city.patch(path, {"redemption_hold_hours": 5}, etag=again.headers["etag"])
    assert (done(same, 200), same.headers["etag"]) == (again.json(), again.headers["etag"])
    events = done(await bank.auditor.get("events", limit=200), 200)["items"]
    changed = [event["data"] for event in events if event["type"] == "community.changed"]
    assert changed == [{"settings": ["name", "redemption_hold_hours", "verification"]}]


async def test_settings_hold_from_now_on(bank: Bank) -> None:
    await bank.kind(points_per_hour=60)
    volunteer, article = await bank.volunteer(), await bank.goods(price=10)
    waiting = done(await bank.desk.post("service-records", bank.record(volunteer["id"])), 201)
    await bank.hours(volunteer["id"], start="2026-02-01T09:00")
    held = await bank.reserve(volunteer["id"], article["id"])
    changes = {"verification": "recorder", "redemption_hold_hours": 2}
    done(await bank.manager.patch(bank.manager.base, changes), 200)
    at_once = done(await bank.desk.post("service-records", bank.record(volunteer["id"], start="2026-02-02T09:00")), 201)
    assert (waiting["status"], at_once["status"]) == ("pending", "approved")
    read = done(await bank.desk.get(f"service-records/{waiting['id']}"), 200)
    assert read["status"] == "pending"
    later = await bank.reserve(volunteer["id"], article["id"])
    assert (held["lapses_at"], later["lapses_at"]) == ("2026-03-05T04:00:00Z", "2026-03-02T06:00:00Z")
    assert done(await bank.desk.get(f"redemptions/{held['id']}"), 200)["lapses_at"] == held["lapses_at"]


async def test_of_changes_that_meet_one_goes_through(bank: Bank) -> None:
    path = bank.manager.base
    etag = (await bank.desk.get(path)).headers["etag"]
    answers = await asyncio.gather(
        *(bank.manager.patch(path, {"redemption_hold_hours": 1 + number}, etag=etag) for number in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert done(await bank.desk.get(path), 200) == won


async def test_what_no_community_can_become_is_refused(bank: Bank) -> None:
    wrong: list[dict[str, Any]] = [
        {"name": None},
        {"district": ""},
        {"subdistrict": 7},
        {"verification": "two_eyes"},
        {"redemption_hold_hours": 0},
        {"redemption_hold_hours": 2161},
        {"redemption_hold_hours": None},
        # By these others know the community, and days were counted.
        {"code": "x"},
        {"timezone": "UTC"},
        {"demo": True},
    ]
    for change in wrong:
        problem = refused(await bank.manager.patch(bank.manager.base, change), "invalid-request", status=422)
        assert [fault["pointer"] for fault in problem["errors"]] == [f"/{name}" for name in change]
    assert done(await bank.desk.get(bank.desk.base), 200) == bank.community


async def test_only_its_managers_and_the_city_change_a_community(bank: Bank) -> None:
    for role in ("front_desk", "verifier", "auditor", "integrator"):
        refused(await bank.roles[role].patch(bank.desk.base, {"name": "x"}), "role-missing", status=403)
    there = bank.manager.base
    await bank.open_community()
    refused(await bank.manager.patch(there, {"name": "x"}), "not-found", status=404)
