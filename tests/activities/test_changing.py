"""Activities that are edited and that end, over HTTP on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from app import worker
from app.activities.changing import ActivityEnding, end_activities
from app.activities.effects import Effects
from tests.activities.acts import activity, series, shift, shifts, span
from tests.bank import done, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.activities.rules import Shift
    from app.kernel.database import Session
    from app.settings import Settings
    from tests.bank import Bank


async def test_an_activity_is_edited_on_the_revision_that_was_read(bank: Bank) -> None:
    made = await activity(bank)
    one = await shift(bank, made["id"])
    path = f"activities/{made['id']}"
    etag = (await bank.desk.get(path)).headers["etag"]
    changed = await bank.desk.patch(path, {"place": "社区活动室", "cancellation_hours": 2}, etag=etag)
    assert done(changed, 200) == {**made, "place": "社区活动室", "cancellation_hours": 2}
    assert changed.headers["etag"] != etag
    refused(await bank.desk.patch(path, {"name": "探访"}, etag=etag), "precondition-failed")
    refused(await bank.desk.patch(path, {"kind": "free_clinic"}), "invalid-request")
    refused(await bank.desk.patch(f"activities/{uuid4()}", {"name": "探访"}), "not-found", resource="activity")
    assert done(await bank.desk.get(path), 200) == done(changed, 200)
    assert done(await bank.desk.get(f"shifts/{one['id']}"), 200)["place"] == made["place"]
    assert (await shift(bank, made["id"]))["place"] == "社区活动室"


async def test_an_edit_that_changes_nothing_is_none(bank: Bank) -> None:
    made = await activity(bank)
    unchanged = await bank.desk.patch(f"activities/{made['id']}", {"name": made["name"]}, etag='"1"')
    assert unchanged.headers["etag"] == '"1"'
    happened = done(await bank.auditor.get("events", limit=200), 200)["items"]
    assert "activity.changed" not in {one["type"] for one in happened}


async def test_an_activity_that_ends_takes_what_is_to_come_with_it(bank: Bank, settings: Settings) -> None:
    made, other = await activity(bank), await activity(bank)
    past = await shift(bank, made["id"], **span("2026-03-01T09:00", "2026-03-01T10:00"))
    await shift(bank, made["id"])
    recurring = await series(bank, made["id"])
    await shift(bank, other["id"])
    path = f"activities/{made['id']}"
    ended = done(await bank.desk.post(f"{path}/ending", {"reason": "老人搬走"}), 200)
    assert ended == {**made, "ended_at": "2026-03-02T04:00:00Z"}
    assert done(await bank.desk.get(f"series/{recurring['id']}"), 200)["ends_on"] == "2026-03-02"
    planned = await shifts(bank, activity_id=made["id"], status="planned")
    assert [one["id"] for one in planned] == [past["id"]]
    skipped = await shifts(bank, status="skipped")
    assert len(skipped) == 9
    assert {(one["activity_id"], one["reason"]) for one in skipped} == {(made["id"], "老人搬走")}
    bank.clock.move(days=30)
    await worker.run_due(bank.database, settings)
    assert len(await shifts(bank, activity_id=made["id"])) == 10
    assert [one["id"] for one in done(await bank.desk.get("activities", ended=True), 200)["items"]] == [made["id"]]
    assert [one["id"] for one in done(await bank.desk.get("activities", ended=False), 200)["items"]] == [other["id"]]


async def test_nothing_is_added_to_an_activity_that_has_ended(bank: Bank) -> None:
    made = await activity(bank)
    path = f"activities/{made['id']}"
    done(await bank.desk.post(f"{path}/ending", {"reason": "结束"}), 200)
    rule = {"rule": "FREQ=WEEKLY", "starts_on": "2026-03-03", "time_of_day": "14:30", "minutes": 90}
    for below, body in (
        ("ending", {"reason": "再次"}),
        ("positions", {"name": "探访员", "capacity": 1}),
        ("shifts", span()),
        ("series", rule),
    ):
        refused(await bank.desk.post(f"{path}/{below}", body), "activity-ended", activity_id=made["id"])
    refused(await bank.desk.post(f"activities/{uuid4()}/ending", {"reason": "没有"}), "not-found")


async def test_activities_end_in_order_each_once_and_others_hear_of_their_shifts(bank: Bank) -> None:
    one, other = await activity(bank), await activity(bank)
    first, second = await shift(bank, one["id"]), await shift(bank, other["id"])
    heard: list[str] = []

    async def hear(_: Session, skipped: Sequence[Shift]) -> None:
        heard.extend(str(shift.id) for shift in skipped)

    endings = [ActivityEnding(bank.number, UUID(its["id"]), "结束") for its in (one, other, one)]
    async with bank.database.write(bank.number) as session:
        outcomes = await end_activities(session, endings, effects=Effects(skipped=(hear,)))
    assert [getattr(outcome, "code", "ended") for outcome in outcomes] == ["ended", "ended", "activity-ended"]
    assert heard == [first["id"], second["id"]]
