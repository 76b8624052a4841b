"""What the organiser submits: service records of volunteers who came to what counts, and of nobody else."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.activities.rules import Activity
from app.activities.service import NewActivity, NewPosition, create_activities
from app.attendance import submitting
from app.attendance.service import time_given
from app.attendance.submitting import Submission, submit_attendance
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.reports.service import audit_community
from app.signups import store
from app.signups.rules import Signup
from tests.attendance.acts import begun, line, listed, local, row_of, submitted
from tests.bank import done, posted, refused
from tests.hours.acts import verify
from tests.hours.counting import statements
from tests.signups.acts import another, cancel, events, for_people, signed_up

if TYPE_CHECKING:
    from tests.bank import Bank
    from tests.signups.acts import Open

MONTH = (dt.date(2026, 3, 1), dt.date(2026, 3, 31))


async def seated(bank: Bank, to: Open, position: int, seat: int = 1) -> dict[str, Any]:
    """Give somebody who is no volunteer a seat, as the table has it: whoever it is, is asked elsewhere."""
    async with bank.database.write(bank.number) as session:
        signup_id, who = new_id(), new_id()
        (number,) = await append(session, [Event(bank.number, "signup.confirmed", {"signup_id": str(signup_id)})])
        places = (UUID(to.id), UUID(to.position(position)))
        signup = Signup(
            signup_id, bank.number, number, *places, who, "confirmed", seat, number, "desk", bank.clock.moment
        )
        await store.insert(session, [signup])
    return {"id": str(signup.id), "shift_id": to.id, "participant_id": str(signup.participant_id)}


async def for_somebody(bank: Bank, beneficiary_id: str) -> dict[str, Any]:
    """An activity for one person: the features that know persons make such ones."""
    new = NewActivity(
        bank.number, "home_visit", "home_visit", "每周探访", "祁连家园", "陪邓阿姨聊天", "居委会", "desk",
        (NewPosition("探访员", 2),), beneficiary_id=UUID(beneficiary_id),
    )  # fmt: skip
    async with bank.database.write(bank.number) as session:
        (made,) = await create_activities(session, [new])
        assert isinstance(made, Activity)
    return dict(done(await bank.desk.get(f"activities/{made.id}"), 200))


async def records(bank: Bank) -> list[dict[str, Any]]:
    """All service records of the community."""
    found: list[dict[str, Any]] = done(await bank.desk.get("service-records"), 200)["items"]
    return found


async def test_points_are_followed_from_the_balance_back_to_the_shift(bank: Bank) -> None:
    await bank.kind(points_per_hour=10)
    beneficiary_id = str(uuid4())
    to = await another(bank, await for_somebody(bank, beneficiary_id), "2026-03-02T10:00")
    who = await bank.volunteer()
    await listed(bank, to, [await signed_up(bank, to, who)])
    (item,) = await submitted(bank, to)
    done(await verify(bank.verifier, {"id": item["service_record_id"]}), 200)
    assert (await bank.balance(who["id"]))["points"] == 20
    lines = done(await bank.desk.get(f"volunteers/{who['id']}/statement"), 200)["items"]
    (points,) = [one for one in lines if one["unit"] == "POINT"]
    transaction = done(await bank.auditor.get(f"ledger/transactions/{points['transaction_id']}"), 200)
    assert (points["amount"], transaction["kind"]) == (20, "deposit")
    record = done(await bank.desk.get(transaction["reference"]), 200)
    assert (record["minutes"], record["volunteer_id"], record["award"]["points"]) == (120, who["id"], 20)
    assert (record["shift_id"], record["beneficiary_id"]) == (to.id, beneficiary_id)
    shift = done(await bank.desk.get(f"shifts/{record['shift_id']}"), 200)
    activity = done(await bank.desk.get(f"activities/{shift['activity_id']}"), 200)
    said = ("service_kind", "content", "organiser", "beneficiary_id")
    assert {name: record[name] for name in said} == {name: activity[name] for name in said}
    assert (record["activity_name"], record["place"]) == (activity["name"], shift["place"])
    assert (record["started_at"], record["ended_at"]) == (shift["starts_at"], shift["ends_at"])
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_who_submitted_does_not_verify_where_the_community_wants_four_eyes(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank)
    await listed(bank, to, [await signed_up(bank, to)])
    answer = posted(await bank.manager.post(f"shifts/{to.id}/submission", {}), 200)
    (record,) = await records(bank)
    assert (record["status"], record["recorded_by"], answer.get("receipt")) == ("pending", bank.manager.client_id, None)
    refused(await verify(bank.manager, record), "self-verification")
    done(await verify(bank.verifier, record), 200)


async def test_where_recorders_are_trusted_submitting_posts_and_gives_a_receipt(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind(points_per_hour=10)
    to = await begun(bank)
    who = await bank.volunteer()
    await listed(bank, to, [await signed_up(bank, to, who)])
    answer = posted(await bank.desk.post(f"shifts/{to.id}/submission", {}), 200)
    assert (await bank.balance(who["id"]))["points"] == 20
    assert answer["receipt"]


async def test_only_volunteers_who_came_to_what_counts_earn(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind()
    kinds = ("volunteer", "member", "vendor", "beneficiary")
    positions = [for_people(participants=kind) for kind in kinds]
    to, duty = await begun(bank, *positions), await begun(bank, *positions, kind="team_duty", service_kind=None)
    others = {shift.id: [await seated(bank, shift, position) for position in (1, 2, 3)] for shift in (to, duty)}
    came, missed, helped = await signed_up(bank, to), await signed_up(bank, to), await signed_up(bank, duty)
    await listed(bank, to, [came, *others[to.id]], line(missed, "absent"))
    await listed(bank, duty, [helped, *others[duty.id]], line(helped, minutes=30))
    outcomes = [*await submitted(bank, to), *await submitted(bank, duty)]
    assert {item["outcome"] for item in outcomes} == {"submitted"}
    made = {item["signup_id"]: item["service_record_id"] for item in outcomes if item["service_record_id"]}
    assert [record["id"] for record in await records(bank)] == list(made.values())
    assert list(made) == [came["id"]]
    for one in (missed, helped):
        assert await bank.balance(one["participant_id"]) == {
            **await bank.balance(one["participant_id"]),
            "points": 0,
            "minutes": 0,
        }
    # Time is counted in reports all the same, of members by whom.
    async with bank.database.read(bank.number) as session:
        sums = await time_given(session, bank.number, *MONTH)
        by_whom = await time_given(session, bank.number, *MONTH, by_participant=True)
    assert [(one.activity_kind, one.participants, one.month, one.times, one.minutes) for one in sums] == [
        ("other", "beneficiary", "2026-03", 1, 120),
        ("other", "member", "2026-03", 1, 120),
        ("other", "vendor", "2026-03", 1, 120),
        ("other", "volunteer", "2026-03", 1, 120),
        ("team_duty", "beneficiary", "2026-03", 1, 120),
        ("team_duty", "member", "2026-03", 1, 120),
        ("team_duty", "vendor", "2026-03", 1, 120),
        ("team_duty", "volunteer", "2026-03", 1, 30),
    ]
    member = others[duty.id][0]
    of_member = [one for one in by_whom if one.participant_id == UUID(member["participant_id"])]
    assert [(one.participants, one.minutes) for one in of_member] == [("member", 120)]


async def test_a_refused_row_stays_as_it_is_and_can_be_mended(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank, for_people(capacity=4))
    good, there, unlisted = [await signed_up(bank, to) for _ in range(3)]
    overlapping = await bank.hours(there["participant_id"], start="2026-03-02T11:00", minutes=30)
    here = await signed_up(bank, to)
    done(await bank.desk.post(f"signups/{here['id']}/check-in"), 200)
    await listed(bank, to, [good, there])
    outcomes = {item["signup_id"]: item for item in await submitted(bank, to)}
    assert outcomes[good["id"]]["outcome"] == "submitted"
    problem = outcomes[there["id"]]["problem"]
    assert (problem["code"], problem["service_record_id"]) == ("overlapping-service", overlapping["id"])
    assert outcomes[here["id"]]["problem"]["code"] == "attendance-incomplete"
    assert unlisted["id"] not in outcomes
    assert [(await row_of(bank, one))["submitted_at"] is None for one in (good, there, here)] == [False, True, True]
    until = {"ended_at": "2026-03-02T11:00:00+08:00"}
    await listed(bank, to, [here], line(there, **until))
    named = await submitted(bank, to, signup_ids=[there["id"], good["id"], unlisted["id"], str(uuid4()), there["id"]])
    codes = [item.get("problem", item).get("code", item["outcome"]) for item in named]
    assert codes == ["submitted", "attendance-submitted", "attendance-incomplete", "not-found"]
    assert [item["signup_id"] for item in await submitted(bank, to)] == [here["id"]]
    assert await submitted(bank, to) == []
    refused(await bank.desk.post(f"shifts/{uuid4()}/submission", {}), "not-found")


async def test_time_without_a_whole_minute_is_no_service(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank)
    signup = await signed_up(bank, to)
    for what in ("check-in", "check-out"):
        done(await bank.desk.post(f"signups/{signup['id']}/{what}", {}), 200)
    (item,) = await submitted(bank, to)
    assert item["problem"]["code"] == "attendance-incomplete"
    await listed(bank, to, [signup])
    (item,) = await submitted(bank, to)
    assert item["outcome"] == "submitted"


async def test_who_cancelled_meanwhile_is_not_submitted(bank: Bank) -> None:
    await bank.kind()
    # It begins in half an hour.
    to = await begun(bank, start="2026-03-02T12:30")
    gone = await signed_up(bank, to)
    done(await bank.desk.post(f"signups/{gone['id']}/check-in"), 200)
    done(await cancel(bank.desk, gone), 200)
    bank.clock.move(hours=3)
    assert await submitted(bank, to) == []
    (item,) = await submitted(bank, to, signup_ids=[gone["id"]])
    assert item["problem"]["code"] == "signup-not-open"


async def test_a_correction_keeps_the_shift_and_so_does_what_replaces_the_record(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank)
    who, other = await bank.volunteer(), await bank.volunteer()
    await listed(bank, to, [await signed_up(bank, to, who)])
    (item,) = await submitted(bank, to)
    done(await verify(bank.verifier, {"id": item["service_record_id"]}), 200)
    body = {"reason": "记错了人", "replacement": bank.record(other["id"], start="2026-03-02T10:00")}
    path = f"service-records/{item['service_record_id']}/correction"
    corrected = done(await bank.manager.post(path, body), 200)
    replacement = done(await bank.desk.get(f"service-records/{corrected['correction']['replacement_id']}"), 200)
    assert (corrected["shift_id"], replacement["shift_id"]) == (to.id, to.id)


async def test_every_submission_is_told_with_ids_alone(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank)
    signup = await signed_up(bank, to)
    await listed(bank, to, [signup])
    await submitted(bank, to)
    (event,) = await events(bank, "attendance")
    assert event["type"] == "attendance.submitted"
    assert event["data"] == {
        "signup_id": signup["id"],
        "shift_id": to.id,
        "position_id": to.position(),
        "participant_id": signup["participant_id"],
    }


async def test_a_shift_set_by_nobody_is_not_taken_from_outside(bank: Bank) -> None:
    await bank.kind()
    body = {**bank.record((await bank.volunteer())["id"]), "shift_id": str(uuid4())}
    refused(await bank.desk.post("service-records", body), "invalid-request")
    assert local("2026-03-01T09:00") == "2026-03-01T01:00:00Z"


@pytest.mark.parametrize("verification", ["four_eyes", "recorder"])
async def test_many_are_submitted_in_as_many_statements_as_one(bank: Bank, verification: str) -> None:
    await bank.open_community(verification=verification)
    await bank.kind()
    await bank.goods(pieces=1)
    sent = {}
    for count in (1, 12):
        to = await begun(bank, for_people(capacity=20), start=f"2026-03-01T{count + 8:02}:00")
        await listed(bank, to, [await signed_up(bank, to) for _ in range(count)])
        async with bank.database.write(bank.number) as session, statements(session) as counted:
            (rows,) = await submit_attendance(session, [Submission(bank.number, UUID(to.id), "desk")])
            assert isinstance(rows, list)
            assert len(rows) == count
        sent[count] = len(counted)
    assert sent[1] == sent[12]


async def test_what_is_longer_than_a_service_may_be_is_not_submitted_before_the_list_mends_it(bank: Bank) -> None:
    await bank.kind()
    activity = (await begun(bank)).activity
    to = await another(bank, activity, "2026-03-02T12:30", "2026-03-03T12:30")
    signup = await signed_up(bank, to)
    done(await bank.desk.post(f"signups/{signup['id']}/check-in"), 200)
    bank.clock.move(hours=25)
    gone = done(await bank.desk.post(f"signups/{signup['id']}/check-out", {"break_minutes": 300}), 200)
    assert gone["proposed"]["minutes"] == 20 * 60
    (row,) = await submitted(bank, to)
    assert (row["outcome"], row["problem"]["code"]) == ("refused", "attendance-incomplete")
    times = {"started_at": local("2026-03-02T12:30"), "ended_at": local("2026-03-02T20:00")}
    await listed(bank, to, [], line(signup, **times))
    (row,) = await submitted(bank, to)
    assert row["outcome"] == "submitted"
    assert [record["minutes"] for record in await records(bank)] == [450]


async def test_of_a_crowd_so_many_are_submitted_at_a_time(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submitting, "submitted_max", 1)
    await bank.kind()
    to = await begun(bank)
    people = [await signed_up(bank, to) for _ in range(2)]
    await listed(bank, to, people)
    done_in_turn = [[row["signup_id"] for row in await submitted(bank, to)] for _ in range(3)]
    assert done_in_turn == [[people[0]["id"]], [people[1]["id"]], []]
