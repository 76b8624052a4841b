"""Activities with their positions, over HTTP on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.activities.acts import activity, activity_body
from tests.bank import done, refused

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_an_activity_is_read_as_it_was_created(bank: Bank) -> None:
    await bank.kind()
    positions = [
        {"name": "医生", "participants": "volunteer", "capacity": 2, "required_qualification": "physician"},
        {"name": "居民", "participants": "beneficiary", "capacity": 30},
        {"name": "摊位", "participants": "vendor", "capacity": 12, "allocation": "draw"},
    ]
    made = await activity(bank, kind="free_clinic", service_kind="home_visit", positions=positions)
    assert made["counts_as_volunteering"]
    assert made["cancellation_hours"] == 24
    assert [one["name"] for one in made["positions"]] == ["医生", "居民", "摊位"]
    assert made["positions"][0]["required_qualification"] == "physician"
    assert [one["allocation"] for one in made["positions"]] == ["first_come", "first_come", "draw"]
    for role in ("auditor", "integrator", "verifier"):
        assert done(await bank.roles[role].get(f"activities/{made['id']}"), 200) == made


async def test_activities_are_listed_newest_first_by_kind(bank: Bank) -> None:
    first, second = await activity(bank, kind="team_duty"), await activity(bank, kind="tide_stall")
    third = await activity(bank, kind="team_duty")
    listed = done(await bank.auditor.get("activities"), 200)["items"]
    assert [one["id"] for one in listed] == [third["id"], second["id"], first["id"]]
    of_teams = done(await bank.auditor.get("activities", kind="team_duty"), 200)["items"]
    assert [one["id"] for one in of_teams] == [third["id"], first["id"]]


async def test_what_counts_as_volunteering_names_a_service_kind_that_there_is(bank: Bank) -> None:
    body = activity_body(counts_as_volunteering=True)
    refused(await bank.desk.post("activities", body), "invalid-request")
    refused(
        await bank.desk.post("activities", {**body, "service_kind": "dancing"}),
        "unknown-service-kind",
        service_kind="dancing",
    )
    await bank.kind("dancing")
    uncounted = activity_body(counts_as_volunteering=False, service_kind="dancing")
    refused(await bank.desk.post("activities", uncounted), "invalid-request")


async def test_only_volunteers_are_asked_for_a_qualification(bank: Bank) -> None:
    position = {"name": "居民", "participants": "beneficiary", "capacity": 3, "required_qualification": "physician"}
    refused(await bank.desk.post("activities", activity_body(positions=[position])), "invalid-request")


async def test_an_activity_has_one_to_twenty_positions(bank: Bank) -> None:
    refused(await bank.desk.post("activities", activity_body(positions=[])), "invalid-request")
    position = {"name": "执勤", "participants": "member", "capacity": 1}
    refused(await bank.desk.post("activities", activity_body(positions=[position] * 21)), "invalid-request")
    made = await activity(bank, positions=[position] * 19)
    path = f"activities/{made['id']}/positions"
    added = done(await bank.desk.post(path, {**position, "name": "志愿者"}), 201)
    read = done(await bank.desk.get(f"activities/{made['id']}"), 200)
    assert read["positions"] == [*made["positions"], added]
    refused(await bank.desk.post(path, position), "positions-full", positions_max=20)


async def test_nothing_is_added_to_what_is_not_there(bank: Bank) -> None:
    path = f"activities/{uuid4()}"
    refused(await bank.desk.get(path), "not-found", resource="activity")
    refused(await bank.desk.post(f"{path}/positions", {"name": "执勤", "capacity": 1}), "not-found")


async def test_what_becomes_of_an_activity_is_announced(bank: Bank) -> None:
    made = await activity(bank)
    happened = done(await bank.auditor.get("events", limit=200), 200)["items"][-2:]
    assert [(one["type"], one["data"]) for one in happened] == [
        ("activity.created", {"activity_id": made["id"]}),
        ("position.created", {"position_id": made["positions"][0]["id"], "activity_id": made["id"]}),
    ]
