"""Standing sign-ups: made for every shift of a series, and ended with those to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.worker import run_due
from tests.activities import acts
from tests.bank import done, refused
from tests.signups.acts import another, events, for_people, signed_up

if TYPE_CHECKING:
    import httpx

    from app.settings import Settings
    from tests.bank import Bank


class Weekly:
    """An activity on every Thursday morning, for two volunteers."""

    def __init__(self, bank: Bank, activity: dict[str, Any], series: dict[str, Any]) -> None:
        self.bank, self.activity, self.id = bank, activity, series["id"]
        self.path = f"series/{series['id']}/standing-signups"

    @classmethod
    async def of(cls, bank: Bank, *positions: dict[str, Any]) -> Weekly:
        """Make it, with the shifts of the coming eight weeks."""
        activity = await acts.activity(bank, positions=list(positions) or [for_people()])
        return cls(
            bank,
            activity,
            await acts.series(
                bank, activity["id"], rule="FREQ=WEEKLY;BYDAY=TH", starts_on="2026-03-05", time_of_day="09:00"
            ),
        )

    async def set(self, who: dict[str, Any], position: int = 0) -> httpx.Response:
        """Let somebody take part in every shift."""
        body = {"position_id": self.activity["positions"][position]["id"], "participant_id": who["id"]}
        return await self.bank.desk.post(self.path, body)

    async def shifts(self) -> list[str]:
        """The ids of its shifts, in the order in which they were made."""
        return [one["id"] for one in await acts.shifts(self.bank, series_id=self.id)]

    async def signups(self, who: dict[str, Any]) -> dict[str, str]:
        """Somebody's sign-ups: their status by shift."""
        found = done(await self.bank.desk.get("signups", participant_id=who["id"], limit=200), 200)["items"]
        return {one["shift_id"]: one["status"] for one in found}


async def test_pair_is_signed_up_for_every_shift_that_is_made_and_for_each_new_one(
    bank: Bank, settings: Settings
) -> None:
    weekly = await Weekly.of(bank)
    pair = [await bank.volunteer() for _ in range(2)]
    shifts = await weekly.shifts()
    assert len(shifts) == 8
    for number, who in enumerate(pair, 1):
        made = done(await weekly.set(who), 201)
        assert [one["shift_id"] for one in made["signups"]] == shifts
        assert {(one["status"], one["seat"]) for one in made["signups"]} == {("confirmed", number)}
        assert made["refused"] == []
    bank.clock.move(days=14)
    await run_due(bank.database, settings)
    later = await weekly.shifts()
    assert (len(later), later[:8]) == (10, shifts)
    for who in pair:
        assert await weekly.signups(who) == dict.fromkeys(later, "confirmed")


async def test_shift_for_which_somebody_cannot_be_signed_up_is_told_and_left_out(bank: Bank) -> None:
    weekly, who = await Weekly.of(bank), await bank.volunteer()
    elsewhere = await another(bank, weekly.activity, "2026-03-12T10:00")
    await signed_up(bank, elsewhere, who)
    series_shifts = await weekly.shifts()
    made = done(await weekly.set(who), 201)
    assert [one["shift_id"] for one in made["signups"]] == [series_shifts[0], *series_shifts[2:]]
    assert made["refused"] == [{"shift_id": series_shifts[1], "code": "overlapping-signup"}]
    told = await events(bank, "standing_signup")
    assert [event["type"] for event in told] == ["standing_signup.set", "standing_signup.refused"]
    assert told[1]["data"] == {
        "series_id": weekly.id,
        "participant_id": who["id"],
        "shift_id": series_shifts[1],
        "code": "overlapping-signup",
    }


async def test_standing_sign_up_that_ends_cancels_those_to_come_and_lets_others_up(
    bank: Bank, settings: Settings
) -> None:
    weekly = await Weekly.of(bank, for_people(capacity=1))
    who, waits = await bank.volunteer(), await bank.volunteer()
    done(await weekly.set(who), 201)
    second = done(await weekly.set(waits), 201)
    assert {one["status"] for one in second["signups"]} == {"waitlisted"}
    first, *to_come = await weekly.shifts()
    bank.clock.move(days=3)
    ended = done(await bank.desk.post(f"{weekly.path}/{who['id']}/ending", {"reason": "搬家了"}), 200)
    assert [(one["shift_id"], one["status"], one["reason"]) for one in ended["signups"]] == [
        (shift, "cancelled", "搬家了") for shift in to_come
    ]
    assert await weekly.signups(who) == {first: "confirmed", **dict.fromkeys(to_come, "cancelled")}
    assert await weekly.signups(waits) == {first: "waitlisted", **dict.fromkeys(to_come, "confirmed")}
    refused(await bank.desk.post(f"{weekly.path}/{who['id']}/ending"), "not-found", resource="standing sign-up")
    bank.clock.move(days=7)
    await run_due(bank.database, settings)
    new = set(await weekly.shifts()) - {first, *to_come}
    assert new
    assert not new & set(await weekly.signups(who))


async def test_standing_sign_ups_are_listed_and_read(bank: Bank) -> None:
    weekly = await Weekly.of(bank, for_people(), for_people())
    first, second = await bank.volunteer(), await bank.volunteer()
    for who, position in ((second, 1), (first, 0)):
        done(await weekly.set(who, position), 201)
    listed = done(await bank.auditor.get(weekly.path), 200)["items"]
    assert [one["participant_id"] for one in listed] == [first["id"], second["id"]]
    page = done(await bank.desk.get(weekly.path, limit=1), 200)
    rest = done(await bank.desk.get(weekly.path, limit=1, cursor=page["next_cursor"]), 200)
    assert [*page["items"], *rest["items"]] == listed
    assert done(await bank.desk.get(f"{weekly.path}/{first['id']}"), 200) == listed[0]
    assert listed[0] == {
        "series_id": weekly.id,
        "participant_id": first["id"],
        "position_id": weekly.activity["positions"][0]["id"],
        "since": "2026-03-02T04:00:00Z",
        "set_by": bank.desk.client_id,
    }
    refused(await bank.desk.get(f"{weekly.path}/{uuid4()}"), "not-found")
    refused(await bank.desk.get(f"series/{uuid4()}/standing-signups"), "not-found", resource="series")


async def test_nobody_stands_twice_or_in_what_there_is_not(bank: Bank) -> None:
    weekly, who = await Weekly.of(bank), await bank.volunteer()
    done(await weekly.set(who), 201)
    refused(await weekly.set(who), "already-signed-up")
    other = await acts.activity(bank)
    body = {"position_id": other["positions"][0]["id"], "participant_id": who["id"]}
    refused(await bank.desk.post(weekly.path, body), "unknown-position")
    nobody = str(uuid4())
    refused(await weekly.set({"id": nobody}), "unknown-volunteer", volunteer_id=nobody)
    refused(await bank.desk.post(f"series/{uuid4()}/standing-signups", body), "not-found", resource="series")


async def test_who_was_erased_stands_in_nothing_any_more(bank: Bank, settings: Settings) -> None:
    weekly, who, other = await Weekly.of(bank), await bank.volunteer(), await bank.volunteer()
    for one in (who, other):
        done(await weekly.set(one), 201)
    before = await weekly.signups(who)
    done(await bank.manager.post(f"volunteers/{who['id']}/erasure", {"reason": "本人要求"}), 200)
    assert (await events(bank, "standing_signup"))[-1]["type"] == "standing_signup.ended"
    (standing,) = done(await bank.desk.get(weekly.path), 200)["items"]
    assert standing["participant_id"] == other["id"]
    bank.clock.move(days=7)
    await run_due(bank.database, settings)
    assert await weekly.signups(who) == dict.fromkeys(before, "released")
    assert set((await weekly.signups(other)).values()) == {"confirmed"}
