"""Single shifts, over HTTP on both engines: made, moved and skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.activities.acts import activity, shift, span
from tests.bank import done, refused

if TYPE_CHECKING:
    from tests.bank import Bank

_later = span("2026-03-04T09:00", "2026-03-04T10:00")


async def test_a_shift_is_at_the_activitys_place_unless_another_is_given(bank: Bank) -> None:
    made = await activity(bank)
    answer = await bank.desk.post(f"activities/{made['id']}/shifts", span())
    one = done(answer, 201)
    assert (one["place"], one["status"], one["series_id"]) == ("祁连家园", "planned", None)
    assert one["starts_at"] == "2026-03-03T06:00:00Z"
    assert done(await bank.auditor.get(answer.headers["location"]), 200) == one
    other = await shift(bank, made["id"], place="社区活动室")
    assert other["place"] == "社区活动室"


async def test_a_shift_lasts_longer_than_nothing_and_no_longer_than_a_day(bank: Bank) -> None:
    path = f"activities/{(await activity(bank))['id']}/shifts"
    refused(await bank.desk.post(path, span(end="2026-03-03T14:00")), "invalid-request")
    refused(await bank.desk.post(path, span(end="2026-03-04T14:01")), "invalid-request")
    done(await bank.desk.post(path, span(end="2026-03-04T14:00")), 201)
    refused(await bank.desk.post(f"activities/{uuid4()}/shifts", span()), "not-found", resource="activity")
    refused(await bank.desk.get(f"shifts/{uuid4()}"), "not-found", resource="shift")


async def test_shifts_are_listed_by_activity_status_and_start(bank: Bank) -> None:
    one, other = await activity(bank), await activity(bank)
    first, second = await shift(bank, one["id"]), await shift(bank, one["id"], **_later)
    third = await shift(bank, other["id"])
    done(await bank.desk.post(f"shifts/{third['id']}/skipping", {"reason": "下雪"}), 200)

    async def listed(**filters: str) -> list[str]:
        return [shift["id"] for shift in done(await bank.auditor.get("shifts", **filters), 200)["items"]]

    assert await listed() == [third["id"], second["id"], first["id"]]
    assert await listed(activity_id=one["id"]) == [second["id"], first["id"]]
    assert await listed(status="skipped") == [third["id"]]
    assert await listed(**{"from": second["starts_at"]}) == [second["id"]]
    assert await listed(to=second["starts_at"]) == [third["id"], first["id"]]
    assert await listed(series_id=str(uuid4())) == []


async def test_a_shift_is_moved_until_it_begins(bank: Bank) -> None:
    made = await shift(bank, (await activity(bank))["id"])
    path = f"shifts/{made['id']}/move"
    moved = done(await bank.desk.post(path, {**_later, "reason": "老人复查"}), 200)
    assert moved == {
        **made,
        "starts_at": "2026-03-04T01:00:00Z",
        "ends_at": "2026-03-04T02:00:00Z",
        "reason": "老人复查",
    }
    assert done(await bank.desk.get(f"shifts/{made['id']}"), 200) == moved
    away = done(await bank.desk.post(path, {**span(), "place": "社区活动室", "reason": "改期"}), 200)
    assert (away["place"], away["starts_at"]) == ("社区活动室", made["starts_at"])
    past = span("2026-03-02T12:00", "2026-03-02T13:00")
    refused(await bank.desk.post(path, {**past, "reason": "写错"}), "invalid-request")
    bank.clock.move(hours=26)
    refused(await bank.desk.post(path, {**_later, "reason": "迟了"}), "shift-begun", shift_id=made["id"])
    refused(await bank.desk.post(f"shifts/{made['id']}/skipping", {"reason": "迟了"}), "shift-begun")


async def test_a_skipped_shift_stays_skipped(bank: Bank) -> None:
    made = await shift(bank, (await activity(bank))["id"])
    skipped = done(await bank.desk.post(f"shifts/{made['id']}/skipping", {"reason": "春节放假"}), 200)
    assert skipped == {**made, "status": "skipped", "reason": "春节放假"}
    refused(await bank.desk.post(f"shifts/{made['id']}/skipping", {"reason": "再次"}), "shift-skipped")
    refused(await bank.desk.post(f"shifts/{made['id']}/move", {**_later, "reason": "改期"}), "shift-skipped")
    refused(await bank.desk.post(f"shifts/{uuid4()}/skipping", {"reason": "没有"}), "not-found", resource="shift")


async def test_what_becomes_of_a_shift_is_announced(bank: Bank) -> None:
    made = await shift(bank, (await activity(bank))["id"])
    done(await bank.desk.post(f"shifts/{made['id']}/move", {**_later, "reason": "改期"}), 200)
    done(await bank.desk.post(f"shifts/{made['id']}/skipping", {"reason": "下雪"}), 200)
    happened = done(await bank.auditor.get("events", limit=200), 200)["items"][-3:]
    assert [one["type"] for one in happened] == ["shift.created", "shift.moved", "shift.skipped"]
    assert happened[-1]["data"] == {"shift_id": made["id"], "activity_id": made["activity_id"]}
