"""What a record earns: caps, the order of approval, the version of the rule in force, and records without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.hours.service import Verification, verify_records
from app.kernel.errors import Refusal
from app.reports.service import audit_community
from tests.bank import done, refused
from tests.hours.acts import approved, record, verify

if TYPE_CHECKING:
    from tests.bank import Bank


def told(record: dict[str, Any]) -> tuple[int, int, dict[str, int]]:
    """What an award says: minutes counted, points, and the minutes that each cap clipped."""
    award = record["award"]
    return award["minutes_counted"], award["points"], {clip["cap"]: clip["minutes"] for clip in award["clipped"]}


async def test_caps_clip_points_but_never_minutes_and_the_award_says_which(bank: Bank) -> None:
    await bank.kind(points_per_hour=10, minutes_per_record_max=180, minutes_per_day_max=240)
    volunteer = await bank.volunteer()
    (rule,) = done(await bank.manager.get("earning-rules"), 200)["items"]
    first = await approved(bank, volunteer, start="2026-03-01T06:00", minutes=200)
    assert told(first) == (180, 30, {"minutes_per_record_max": 20})
    second = await approved(bank, volunteer, start="2026-03-01T10:00", minutes=190)
    assert told(second) == (60, 10, {"minutes_per_record_max": 10, "minutes_per_day_max": 120})
    third = await approved(bank, volunteer, start="2026-03-01T15:00", minutes=20)
    assert told(third) == (0, 0, {"minutes_per_day_max": 20})
    assert {one["award"]["earning_rule_id"] for one in (first, second, third)} == {rule["id"]}
    held = await bank.balance(volunteer["id"])
    assert (held["minutes"], held["points"]) == (410, 40)


async def test_the_cap_of_a_day_counts_in_the_order_of_approval(bank: Bank) -> None:
    await bank.kind(points_per_hour=60, minutes_per_day_max=100)
    volunteer = await bank.volunteer()
    first = await record(bank, volunteer, start="2026-03-01T08:00", minutes=80)
    second = await record(bank, volunteer, start="2026-03-01T10:00", minutes=70)
    assert told(done(await verify(bank.verifier, second), 200)) == (70, 70, {})
    assert told(done(await verify(bank.verifier, first), 200)) == (30, 30, {"minutes_per_day_max": 50})


async def test_decisions_that_are_made_together_see_each_other(bank: Bank) -> None:
    await bank.kind(points_per_hour=60, minutes_per_day_max=100)
    volunteer = await bank.volunteer()
    pending = [await record(bank, volunteer, start=f"2026-03-01T{hour:02}:00", minutes=60) for hour in (8, 9, 10)]
    first, second, third = (UUID(one["id"]) for one in pending)
    decisions = [
        Verification(bank.number, record_id, approve=approve, verifier=bank.verifier.client_id, manager=False)
        for record_id, approve in [(second, True), (first, False), (third, True), (second, False)]
    ]
    async with bank.database.write(bank.number) as session:
        outcomes = await verify_records(session, decisions)
    earned = [one.code if isinstance(one, Refusal) else one.award and one.award.points for one in outcomes]
    assert earned == [60, None, 40, "already-verified"]
    assert (await bank.balance(volunteer["id"]))["points"] == 100


async def test_a_rejected_record_uses_nothing_of_the_day(bank: Bank) -> None:
    await bank.kind(points_per_hour=60, minutes_per_day_max=100)
    volunteer = await bank.volunteer()
    first = await record(bank, volunteer, start="2026-03-01T08:00", minutes=80)
    second = await record(bank, volunteer, start="2026-03-01T10:00", minutes=90)
    done(await verify(bank.verifier, first, "reject"), 200)
    assert told(done(await verify(bank.verifier, second), 200)) == (90, 90, {})


async def test_the_cap_of_a_day_is_for_each_person_and_kind(bank: Bank) -> None:
    await bank.kind(points_per_hour=60, minutes_per_day_max=100)
    await bank.kind("patrol", points_per_hour=60, minutes_per_day_max=50)
    volunteer, other = await bank.volunteer(), await bank.volunteer()
    await approved(bank, volunteer, start="2026-03-01T08:00", minutes=100)
    patrol = await approved(bank, volunteer, start="2026-03-01T10:00", minutes=60, service_kind="patrol")
    others = await approved(bank, other, start="2026-03-01T08:00", minutes=100)
    assert (told(patrol), told(others)) == ((50, 50, {"minutes_per_day_max": 10}), (100, 100, {}))


async def test_a_day_is_the_local_date_of_the_start_and_not_that_of_utc(bank: Bank) -> None:
    await bank.kind(points_per_hour=60, minutes_per_day_max=100)
    volunteer = await bank.volunteer()
    # In Xining the first two lie on one date and by UTC on two; of the second and third it is the other way round.
    night = await approved(bank, volunteer, start="2026-02-20T06:00", minutes=60)
    morning = await approved(bank, volunteer, start="2026-02-20T09:00", minutes=60)
    next_night = await approved(bank, volunteer, start="2026-02-21T07:00", minutes=60)
    assert told(night) == (60, 60, {})
    assert told(morning) == (40, 40, {"minutes_per_day_max": 20})
    assert told(next_night) == (60, 60, {})
    # A record over midnight counts on the date of its start, with all its minutes.
    over_midnight = await approved(bank, volunteer, start="2026-02-21T23:30", minutes=90)
    assert told(over_midnight) == (40, 40, {"minutes_per_day_max": 50})
    after = await approved(bank, volunteer, start="2026-02-22T01:00", minutes=100)
    assert told(after) == (100, 100, {})


async def test_points_are_rounded_down_for_each_record_by_itself(bank: Bank) -> None:
    await bank.kind(points_per_hour=10)
    volunteer = await bank.volunteer()
    for start in ("08:00", "09:00", "10:00"):
        assert told(await approved(bank, volunteer, start=f"2026-03-01T{start}", minutes=11)) == (11, 1, {})
    # Thirty-three minutes at once would have been five points.
    assert (await bank.balance(volunteer["id"]))["points"] == 3


async def test_the_version_in_force_at_the_start_decides_and_no_award_changes_afterwards(bank: Bank) -> None:
    await bank.kind(points_per_hour=10)
    rule = {"service_kind": "home_visit", "points_per_hour": 20, "effective_from": "2026-02-01"}
    done(await bank.manager.post("earning-rules", rule), 201)
    future = {**rule, "points_per_hour": 90, "effective_from": "2026-03-02"}
    done(await bank.manager.post("earning-rules", future), 201)
    volunteer = await bank.volunteer()
    # Over midnight the version of the start holds.
    old = await approved(bank, volunteer, start="2026-01-31T23:30", minutes=60)
    new = await approved(bank, volunteer, start="2026-02-01T09:00", minutes=60)
    waiting = await record(bank, volunteer, start="2026-02-20T09:00", minutes=60)
    assert [told(old)[1], told(new)[1]] == [10, 20]

    past = done(
        await bank.manager.post("earning-rules", {**rule, "points_per_hour": 40, "effective_from": "2026-01-15"}), 201
    )
    assert past["version"] == 4
    backdated = await approved(bank, volunteer, start="2026-01-31T08:00", minutes=60)
    assert (told(backdated)[1], backdated["award"]["earning_rule_id"]) == (40, past["id"])
    # A version that is later by its date goes before one that was made later.
    assert told(done(await verify(bank.verifier, waiting), 200))[1] == 20
    for one in (old, new):
        assert done(await bank.desk.get(f"service-records/{one['id']}"), 200) == one
    assert (await bank.balance(volunteer["id"]))["points"] == 90
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_without_a_rule_in_force_minutes_are_credited_and_points_are_not(bank: Bank) -> None:
    await bank.kind(points_per_hour=None)
    volunteer = await bank.volunteer()
    rule = {"service_kind": "home_visit", "points_per_hour": 10, "effective_from": "2026-03-01"}
    done(await bank.manager.post("earning-rules", rule), 201)
    made = await approved(bank, volunteer, start="2026-02-28T09:00", minutes=90)
    assert made["award"] == {"earning_rule_id": None, "points": 0, "minutes_counted": 0, "clipped": []}
    transaction = done(await bank.auditor.get(f"ledger/transactions/{made['transaction_id']}"), 200)
    assert {entry["unit"] for entry in transaction["entries"]} == {"MINUTE"}
    held = await bank.balance(volunteer["id"])
    assert (held["minutes"], held["points"]) == (90, 0)
    # What earned nothing used nothing of a day to come.
    assert told(await approved(bank, volunteer, start="2026-03-01T09:00", minutes=60)) == (60, 10, {})


async def test_a_rule_of_no_points_counts_minutes_and_posts_none(bank: Bank) -> None:
    await bank.kind(points_per_hour=0)
    made = await approved(bank, await bank.volunteer(), minutes=90)
    assert told(made) == (90, 0, {})
    assert made["award"]["earning_rule_id"] is not None


async def test_a_kind_has_one_version_from_a_date(bank: Bank) -> None:
    await bank.kind()
    await bank.kind("patrol", points_per_hour=None)
    rule = {"service_kind": "home_visit", "points_per_hour": 99, "effective_from": "2025-01-01"}
    answer = await bank.manager.post("earning-rules", rule)
    refused(answer, "rule-exists", status=409, service_kind="home_visit", effective_from="2025-01-01")
    done(await bank.manager.post("earning-rules", {**rule, "service_kind": "patrol"}), 201)
    done(await bank.manager.post("earning-rules", {**rule, "effective_from": "2025-01-02"}), 201)
    answer = await bank.manager.post("earning-rules", {**rule, "service_kind": "nothing"})
    refused(answer, "unknown-service-kind", status=422)
