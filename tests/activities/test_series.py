"""Series over HTTP and by the worker, on both engines: shifts are made ahead, each once, until the series ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app import worker
from app.activities.effects import Effects
from app.activities.series import make_shifts
from app.main import open_database
from tests.activities.acts import activity, series, shifts, span
from tests.bank import done, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from app.activities.rules import Shift
    from app.kernel.database import Session
    from app.settings import Settings
    from tests.bank import Bank


async def run_due(bank: Bank, settings: Settings) -> None:
    """Let the worker do what is due."""
    await worker.run_due(bank.database, settings)


async def days(bank: Bank, made: Any) -> list[str]:
    """The days for which a series has shifts, in the order in which they were made."""
    return [one["occurs_on"] for one in await shifts(bank, series_id=made["id"])]


async def test_a_series_makes_the_shifts_of_the_next_eight_weeks(bank: Bank) -> None:
    its = await activity(bank)
    answer = await bank.desk.post(
        f"activities/{its['id']}/series",
        {"rule": "freq=weekly;byday=tu", "starts_on": "2026-03-03", "time_of_day": "14:30", "minutes": 90},
    )
    made = done(answer, 201)
    assert (made["rule"], made["time_of_day"], made["made_until"]) == ("FREQ=WEEKLY;BYDAY=TU", "14:30", "2026-04-27")
    assert done(await bank.auditor.get(answer.headers["location"]), 200) == made
    assert done(await bank.auditor.get(f"activities/{its['id']}/series"), 200)["items"] == [made]
    first, *_, last = of_it = await shifts(bank, series_id=made["id"])
    assert len(of_it) == 8
    assert (first["starts_at"], first["ends_at"]) == ("2026-03-03T06:30:00Z", "2026-03-03T08:00:00Z")
    assert (first["place"], first["occurs_on"], last["occurs_on"]) == (its["place"], "2026-03-03", "2026-04-21")


async def test_shifts_are_made_ahead_as_time_goes_on_and_each_once(bank: Bank, settings: Settings) -> None:
    made = await series(bank, (await activity(bank))["id"])
    assert (await days(bank, made))[-1] == "2026-04-21"
    bank.clock.move(hours=23)
    await run_due(bank, settings)
    assert (await days(bank, made))[-1] == "2026-04-28"
    await run_due(bank, settings)
    bank.clock.move(days=21)
    await run_due(bank, settings)
    async with bank.database.write(bank.number) as session:
        await make_shifts(session, [(bank.number, UUID(made["id"]))], effects=Effects())
    of_it = await days(bank, made)
    assert of_it[-1] == "2026-05-19"
    assert len(of_it) == len(set(of_it)) == 12


async def test_two_workers_make_each_shift_once(bank: Bank, settings: Settings) -> None:
    made = await series(bank, (await activity(bank))["id"], rule="FREQ=DAILY")
    bank.clock.move(days=5)
    other = open_database(settings, bank.clock)
    await asyncio.gather(*(worker.run_due(database, settings) for database in (bank.database, other) * 2))
    await other.close()
    of_it = await days(bank, made)
    assert of_it[-1] == "2026-05-02"
    assert len(of_it) == len(set(of_it)) == 61


async def test_a_run_that_fails_makes_nothing_and_the_next_one_all(
    bank: Bank, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await series(bank, (await activity(bank))["id"], rule="FREQ=DAILY")
    before = await days(bank, made)
    heard: list[Shift] = []

    async def fail(_: Session, new: Sequence[Shift]) -> None:
        heard.extend(new)
        message = "killed"
        raise RuntimeError(message)

    async def hear(_: Session, new: Sequence[Shift]) -> None:
        heard.extend(new)

    bank.clock.move(days=3)
    monkeypatch.setattr(worker, "EFFECTS", Effects(made=(fail,)))
    await run_due(bank, settings)
    assert len(heard) == 3
    assert await days(bank, made) == before
    monkeypatch.setattr(worker, "EFFECTS", Effects(made=(hear,)))
    bank.clock.move(minutes=5)
    await run_due(bank, settings)
    assert len(heard) == 6
    assert await days(bank, made) == [*before, "2026-04-28", "2026-04-29", "2026-04-30"]


async def test_a_shift_that_was_moved_or_skipped_is_not_made_again(bank: Bank, settings: Settings) -> None:
    made = await series(bank, (await activity(bank))["id"])
    first, second, *_ = before = await shifts(bank, series_id=made["id"])
    moved = {**span("2026-03-05T09:00", "2026-03-05T10:00"), "reason": "老人复查"}
    assert done(await bank.desk.post(f"shifts/{first['id']}/move", moved), 200)["occurs_on"] == "2026-03-03"
    done(await bank.desk.post(f"shifts/{second['id']}/skipping", {"reason": "下雪"}), 200)
    bank.clock.move(days=1)
    await run_due(bank, settings)
    after = await shifts(bank, series_id=made["id"])
    assert [one["id"] for one in after[:-1]] == [one["id"] for one in before]
    assert after[-1]["occurs_on"] == "2026-04-28"


async def test_a_series_that_ends_skips_what_is_later_and_makes_no_more(bank: Bank, settings: Settings) -> None:
    made = await series(bank, (await activity(bank))["id"])
    path = f"series/{made['id']}/ending"
    ended = done(await bank.desk.post(path, {"last_day": "2026-04-07", "reason": "换人"}), 200)
    assert ended == {**made, "ends_on": "2026-04-07"}
    of_it = await shifts(bank, series_id=made["id"])
    assert [one["occurs_on"] for one in of_it if one["status"] == "skipped"] == ["2026-04-14", "2026-04-21"]
    assert of_it[-1]["reason"] == "换人"
    for day in ("2026-04-07", "2026-05-01"):
        refused(await bank.desk.post(path, {"last_day": day, "reason": "换人"}), "series-ended", ends_on="2026-04-07")
    done(await bank.desk.post(path, {"last_day": "2026-03-31", "reason": "早点换"}), 200)
    assert len(await shifts(bank, series_id=made["id"], status="skipped")) == 3
    bank.clock.move(days=30)
    await run_due(bank, settings)
    assert len(await shifts(bank, series_id=made["id"])) == 8


async def test_a_series_that_ends_later_goes_on_until_then(bank: Bank, settings: Settings) -> None:
    made = await series(bank, (await activity(bank))["id"])
    done(await bank.desk.post(f"series/{made['id']}/ending", {"last_day": "2026-05-05", "reason": "换人"}), 200)
    bank.clock.move(days=30)
    await run_due(bank, settings)
    assert (await days(bank, made))[-2:] == ["2026-04-28", "2026-05-05"]


async def test_what_has_begun_is_left_when_a_series_ends(bank: Bank) -> None:
    made = await series(bank, (await activity(bank))["id"], starts_on="2026-02-17")
    done(await bank.desk.post(f"series/{made['id']}/ending", {"last_day": "2026-02-17", "reason": "换人"}), 200)
    planned = await shifts(bank, series_id=made["id"], status="planned")
    assert [one["occurs_on"] for one in planned] == ["2026-02-17", "2026-02-24"]


async def test_a_rule_that_is_none_or_gives_no_day_is_refused_at_its_place(bank: Bank) -> None:
    path = f"activities/{(await activity(bank))['id']}/series"
    body = {"rule": "FREQ=WEEKLY", "starts_on": "2026-03-03", "time_of_day": "14:30", "minutes": 90}

    async def pointers(**fields: Any) -> list[str]:
        problem = refused(await bank.desk.post(path, {**body, **fields}), "invalid-request")
        return [one["pointer"] for one in problem["errors"]]

    assert await pointers(rule="FREQ=SECONDLY") == ["/rule"]
    assert await pointers(rule="FREQ=WEEKLY;UNTIL=20260301") == ["/rule"]
    assert await pointers(starts_on="2025-02-28") == ["/starts_on"]
    assert await pointers(time_of_day="24:00") == ["/time_of_day"]
    assert await pointers(minutes=1441) == ["/minutes"]
    refused(await bank.desk.post(f"activities/{uuid4()}/series", body), "not-found", resource="activity")
    refused(await bank.desk.get(f"series/{uuid4()}"), "not-found", resource="series")
    ending = {"last_day": "2026-04-07", "reason": "换人"}
    refused(await bank.desk.post(f"series/{uuid4()}/ending", ending), "not-found", resource="series")


async def test_a_visit_stays_in_the_afternoon_when_the_clocks_change(bank: Bank) -> None:
    await bank.open_community(timezone="Europe/Berlin")
    made = await series(bank, (await activity(bank))["id"])
    starts = [one["starts_at"] for one in await shifts(bank, series_id=made["id"])]
    assert starts[3:5] == ["2026-03-24T13:30:00Z", "2026-03-31T12:30:00Z"]


async def test_what_becomes_of_a_series_is_announced(bank: Bank) -> None:
    made = await series(bank, (await activity(bank))["id"], rule="FREQ=WEEKLY;COUNT=2")
    done(await bank.desk.post(f"series/{made['id']}/ending", {"last_day": "2026-03-03", "reason": "换人"}), 200)
    happened = done(await bank.auditor.get("events", limit=200), 200)["items"][-5:]
    assert [one["type"] for one in happened] == [
        "series.created",
        "shift.created",
        "shift.created",
        "series.ended",
        "shift.skipped",
    ]
    assert happened[0]["data"] == {"series_id": made["id"], "activity_id": made["activity_id"]}
