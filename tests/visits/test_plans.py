"""Plans of visits: made whole or not at all, given another pair, and ended, by hand or with the person's service."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app import backups
from app.beneficiaries.erasing import BENEFICIARY
from app.kernel.erasures import Erasure
from app.visits.tables import visit_plans
from tests.activities.acts import activity
from tests.bank import done, refused
from tests.beneficiaries.acts import beneficiary
from tests.signups.acts import events
from tests.visits.acts import begun, plan, plan_body, two, visited, visits

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_plan_carries_an_activity_a_series_and_the_pair_signed_up_for_every_visit(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    made = done(await bank.desk.get(of.path), 200)
    assert {**made, "not_signed_up": []} == of.plan
    assert sorted(made["volunteer_ids"]) == sorted(one["id"] for one in of.pair)
    assert (made["rule"], made["time_of_day"], made["minutes"], made["last_day"]) == ("FREQ=WEEKLY", "14:30", 90, None)
    carrying = done(await bank.desk.get(f"activities/{made['activity_id']}"), 200)
    assert (carrying["kind"], carrying["counts_as_volunteering"], carrying["service_kind"]) == (
        "home_visit",
        True,
        "home_visit",
    )
    assert (carrying["beneficiary_id"], carrying["place"]) == (of.person["id"], "祁连家园")
    (position,) = carrying["positions"]
    assert (position["id"], position["name"], position["capacity"]) == (made["position_id"], "探访", 2)
    found = await visits(bank, plan_id=made["id"])
    # 3 March and seven weeks on: shifts are made 56 days ahead of 2 March.
    assert [one["starts_at"][:10] for one in found] == [
        "2026-03-03", "2026-03-10", "2026-03-17", "2026-03-24", "2026-03-31", "2026-04-07", "2026-04-14", "2026-04-21",
    ]  # fmt: skip
    assert {one["starts_at"][10:] for one in found} == {"T06:30:00Z"}
    assert {one["status"] for one in found} == {"due"}
    assert all(sorted(one["volunteer_ids"]) == sorted(made["volunteer_ids"]) for one in found)
    (created,) = await events(bank, "visit_plan")
    assert (created["type"], created["data"]) == (
        "visit_plan.created",
        {"plan_id": made["id"], "beneficiary_id": of.person["id"]},
    )
    other = await visited(bank, place=None, rule="freq=monthly;byday=1mo")
    assert (other.plan["place"], other.plan["rule"]) == (bank.community["name"], "FREQ=MONTHLY;BYDAY=1MO")
    listed = done(await bank.auditor.get("visit-plans"), 200)["items"]
    assert [one["id"] for one in listed] == [other.plan["id"], made["id"]]
    (only,) = done(await bank.auditor.get("visit-plans", beneficiary_id=of.person["id"]), 200)["items"]
    assert only == made
    refused(await bank.desk.get(f"visit-plans/{uuid4()}"), "not-found")


async def test_refused_plan_leaves_nothing_behind(bank: Bank) -> None:
    person, pair = await beneficiary(bank), await two(bank)
    body = plan_body(person, *pair)
    refused(await bank.desk.post("visit-plans", body), "unknown-service-kind", status=422)
    await bank.kind()
    nobody = str(uuid4())
    refused(await bank.desk.post("visit-plans", {**body, "beneficiary_id": nobody}), "unknown-beneficiary", status=422)
    alone = [pair[0]["id"], nobody]
    refused(await bank.desk.post("visit-plans", {**body, "volunteer_ids": alone}), "unknown-volunteer", status=422)
    for fields, pointer in (
        ({"rule": "FREQ=HOURLY"}, "/rule"),
        ({"rule": "FREQ=WEEKLY;UNTIL=20260302"}, "/rule"),
        ({"starts_on": "2026-03-02", "time_of_day": "12:00"}, "/starts_on"),
        ({"volunteer_ids": [pair[0]["id"]] * 2}, "/volunteer_ids"),
        ({"volunteer_ids": [pair[0]["id"]]}, "/volunteer_ids"),
        ({"address": "祁连家园 3 号楼 201"}, "/address"),
    ):
        problem = refused(await bank.desk.post("visit-plans", {**body, **fields}), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [pointer], fields
    for noun in ("activities", "visit-plans", "shifts"):
        assert done(await bank.desk.get(noun), 200)["items"] == []
    await plan(bank.desk, plan_body(person, *pair, starts_on="2026-03-02", time_of_day="12:01"))


async def test_visits_to_which_one_of_the_pair_cannot_come_are_named(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    stranger = await bank.volunteer()
    person = await beneficiary(bank)
    made = await plan(
        bank.desk, plan_body(person, of.pair[0], stranger, time_of_day="15:30", rule="FREQ=WEEKLY;COUNT=2")
    )
    blocked = [(one["volunteer_id"], one["code"]) for one in made["not_signed_up"]]
    assert blocked == [(of.pair[0]["id"], "overlapping-signup")] * 2
    assert [one["volunteer_ids"] for one in await visits(bank, plan_id=made["id"])] == [[stranger["id"]]] * 2


async def test_another_pair_visits_from_a_day_on(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    left, stays = of.pair
    new = await bank.volunteer(name="王芳")
    body = {"volunteer_ids": [stays["id"], new["id"]], "from": "2026-03-17", "reason": "周二有课"}
    changed = done(await bank.desk.post(f"{of.path}/pair", body), 200)
    assert sorted(changed["volunteer_ids"]) == sorted(body["volunteer_ids"])
    assert changed["not_signed_up"] == []
    before, after = {left["id"], stays["id"]}, {stays["id"], new["id"]}
    pairs = [set(one["volunteer_ids"]) for one in await visits(bank, plan_id=of.plan["id"])]
    assert pairs == [before] * 2 + [after] * 6
    assert [event["type"] for event in await events(bank, "visit_plan")] == [
        "visit_plan.created",
        "visit_plan.pair_changed",
    ]
    same = done(await bank.desk.post(f"{of.path}/pair", {**body, "from": None}), 200)
    assert same == changed
    assert len(await events(bank, "visit_plan")) == 2
    others = await two(bank)
    body = {"volunteer_ids": [one["id"] for one in others], "reason": "换人"}
    done(await bank.desk.post(f"{of.path}/pair", body), 200)
    assert {*(await visits(bank, plan_id=of.plan["id"]))[0]["volunteer_ids"]} == {one["id"] for one in others}
    # Of single visits too, whoever had them: one of the pair had signed off, and somebody had stood in.
    of_next, *_ = await visits(bank, plan_id=of.plan["id"])
    seats = done(await bank.desk.get(f"shifts/{of_next['shift_id']}/signups"), 200)["items"]
    (gone,) = [one for one in seats if one["participant_id"] == others[0]["id"]]
    done(await bank.desk.post(f"signups/{gone['id']}/cancellation", {}), 200)
    for who in (left, stays):
        seat = {"position_id": of.plan["position_id"], "participant_id": who["id"]}
        done(await bank.desk.post(f"shifts/{of_next['shift_id']}/signups", seat), 201)
    body = {"volunteer_ids": [others[0]["id"], new["id"]], "reason": "换人"}
    assert done(await bank.desk.post(f"{of.path}/pair", body), 200)["not_signed_up"] == []
    pairs = [set(one["volunteer_ids"]) for one in await visits(bank, plan_id=of.plan["id"])]
    assert pairs == [set(body["volunteer_ids"])] * 8
    for day in ("2026-03-01", "2026-04-28"):
        problem = refused(await bank.desk.post(f"{of.path}/pair", {**body, "from": day}), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == ["/from"]
    unknown = {**body, "volunteer_ids": [others[0]["id"], str(uuid4())]}
    refused(await bank.desk.post(f"{of.path}/pair", unknown), "unknown-volunteer")
    refused(await bank.desk.post(f"visit-plans/{uuid4()}/pair", body), "not-found")


async def test_plan_ends_after_a_day_for_a_reason_that_stays_the_persons(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    body = {"last_day": "2026-03-17", "reason": "搬到女儿家住了"}
    ended = done(await bank.desk.post(f"{of.path}/ending", body), 200)
    assert (ended["last_day"], ended["ended_reason"], ended["ended_by"]) == (
        "2026-03-17",
        body["reason"],
        bank.desk.client_id,
    )
    found = await visits(bank, plan_id=of.plan["id"])
    assert [one["status"] for one in found] == ["due"] * 3 + ["skipped"] * 5
    for reader, reason in ((bank.desk, body["reason"]), (bank.verifier, body["reason"]), (bank.auditor, None)):
        assert done(await reader.get(of.path), 200)["ended_reason"] == reason
    shift = done(await bank.desk.get(f"shifts/{found[-1]['shift_id']}"), 200)
    assert shift["reason"] == "探访计划已结束"
    async with bank.database.read(bank.number) as session:
        (sealed,) = (await session.execute(sa.select(visit_plans.c.sealed))).scalars()
    assert body["reason"] not in sealed
    refused(await bank.desk.post(f"{of.path}/ending", body), "series-ended", status=409)
    # Until it ends, another pair may take over.
    pair = {"volunteer_ids": [one["id"] for one in await two(bank)], "reason": "换人"}
    done(await bank.desk.post(f"{of.path}/pair", pair), 200)
    bank.clock.move(days=16)
    refused(await bank.desk.post(f"{of.path}/pair", pair), "visit-plan-ended", status=409, plan_id=of.plan["id"])
    refused(await bank.desk.post(f"visit-plans/{uuid4()}/ending", body), "not-found")


async def test_nobody_takes_over_a_plan_whose_activity_ended(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    done(await bank.desk.post(f"activities/{of.plan['activity_id']}/ending", {"reason": "停办"}), 200)
    pair = {"volunteer_ids": [one["id"] for one in await two(bank)], "reason": "换人"}
    refused(await bank.desk.post(f"{of.path}/pair", pair), "visit-plan-ended")


@pytest.mark.parametrize("how", ["ending", "erasure", "erasure again"])
async def test_plan_ends_with_the_service_of_its_person(bank: Bank, how: str) -> None:
    await bank.kind()
    of, other = await visited(bank, time_of_day="11:00", starts_on="2026-03-03"), await visited(bank)
    done(await bank.desk.post(f"{of.path}/ending", {"last_day": "2026-04-14", "reason": "住院"}), 200)
    bank.clock.move(days=1)
    if how == "erasure again":
        erasure = Erasure(BENEFICIARY, UUID(of.person["id"]), bank.clock.moment, "manager", "家属申请")
        async with bank.database.write(bank.number) as session:
            assert await backups.erase_again(session, bank.number, [erasure]) == 1
    else:
        done(await bank.manager.post(f"beneficiaries/{of.person['id']}/{how}", {"reason": "家属申请"}), 200)
    # The visit of this morning has begun, and stays.
    assert [one["status"] for one in await visits(bank, plan_id=of.plan["id"])] == ["due"] + ["skipped"] * 7
    ended = done(await bank.desk.get(of.path), 200)
    assert (ended["last_day"], ended["ended_by"]) == ("2026-03-03", "service")
    assert ended["ended_reason"] == ("住院" if how == "ending" else None)
    assert {one["status"] for one in await visits(bank, plan_id=other.plan["id"])} == {"due"}
    body = plan_body(of.person, *of.pair)
    refused(await bank.desk.post("visit-plans", {**body, "starts_on": "2026-03-04"}), "unknown-beneficiary")
    refused(await bank.desk.post(f"{of.path}/ending", {"last_day": "2026-03-03", "reason": "x"}), "series-ended")
    earlier = done(await bank.desk.post(f"{of.path}/ending", {"last_day": "2026-03-01", "reason": "去世"}), 200)
    assert earlier["ended_reason"] == ("去世" if how == "ending" else None)


async def test_single_visits_of_later_days_end_with_the_plan(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank)
    # At half past midnight of 12 March by the clocks it is the eleventh in UTC.
    kept, skipped = [
        await begun(bank.desk, of.plan, dt.datetime(2026, 3, day, 16, 30, tzinfo=dt.UTC), of.pair[0]["id"])
        for day in (10, 11)
    ]
    done(await bank.desk.post(f"{of.path}/ending", {"last_day": "2026-03-11", "reason": "住院"}), 200)
    status = {one["shift_id"]: one["status"] for one in await visits(bank, plan_id=of.plan["id"])}
    assert (status[kept["shift_id"]], status[skipped["shift_id"]]) == ("due", "skipped")


async def test_no_visit_is_left_of_a_person_who_is_served_no_more(bank: Bank) -> None:
    await bank.kind()
    of = await visited(bank, time_of_day="14:30", starts_on="2026-03-03")
    moved, *_ = await visits(bank, plan_id=of.plan["id"])
    later = {"starts_at": "2026-03-12T14:00:00+08:00", "ends_at": "2026-03-12T15:00:00+08:00"}
    done(await bank.desk.post(f"shifts/{moved['shift_id']}/move", {**later, "reason": "下雪"}), 200)
    await begun(bank.desk, of.plan, bank.clock.moment + dt.timedelta(days=11), of.pair[0]["id"])
    bank.clock.move(days=3)
    done(await bank.manager.post(f"beneficiaries/{of.person['id']}/ending", {"reason": "去世"}), 200)
    left = await visits(bank, plan_id=of.plan["id"])
    assert [one["status"] for one in left] == ["skipped"] * 9
    another = await bank.desk.post(f"activities/{of.plan['activity_id']}/shifts", later)
    refused(another, "activity-ended", status=409)


async def test_visits_are_of_plans_alone(bank: Bank) -> None:
    await bank.kind()
    plain = await activity(bank, kind="home_visit", service_kind="home_visit")
    span = {"starts_at": "2026-03-03T14:00:00+08:00", "ends_at": "2026-03-03T15:00:00+08:00"}
    shift = done(await bank.desk.post(f"activities/{plain['id']}/shifts", span), 201)
    for path in (f"visits/{shift['id']}", f"visits/{uuid4()}"):
        refused(await bank.desk.get(path), "not-found")
    assert await visits(bank) == []
    of = await visited(bank, rule="FREQ=WEEKLY;COUNT=1")
    # One more of the same activity is a visit too, for which the desk signs people up.
    more = done(await bank.desk.post(f"activities/{of.plan['activity_id']}/shifts", span), 201)
    listed = await visits(bank, plan_id=of.plan["id"])
    assert {one["shift_id"]: len(one["volunteer_ids"]) for one in listed}[more["id"]] == 0
    assert len(listed) == 2
