"""Who may take part: volunteers with what a position requires, members where they are posted, and who is served."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from app.worker import run_due
from tests.activities import acts
from tests.bank import done, refused
from tests.beneficiaries.acts import beneficiary
from tests.qualifications.acts import qualification
from tests.signups.acts import another, cancel, for_people, opened, sign_up, signed_up, state
from tests.teams import acts as teams
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank


async def test_qualification_counts_on_the_day_of_the_shift(bank: Bank) -> None:
    clinic = await opened(bank, for_people(required_qualification="doctor"))
    later = await another(bank, clinic.activity, "2026-03-06T09:00")
    holds, other = await bank.volunteer(), await bank.volunteer()
    await qualification(bank, holds["id"], "doctor", valid_until="2026-03-05")
    await qualification(bank, other["id"], "nurse")
    assert (await signed_up(bank, clinic, holds))["status"] == "confirmed"
    for shift, who in ((later, holds), (clinic, other)):
        refused(await sign_up(bank.desk, shift, who), "qualification-missing", qualification="doctor")
    own = await bank.volunteer_api(holds["id"])
    body = {"shift_id": later.id, "position_id": later.position()}
    refused(await own.post("signups", body), "qualification-missing", qualification="doctor")


async def test_who_is_qualified_no_more_gives_up_the_seats_that_need_it_and_moves_up_nowhere(bank: Bank) -> None:
    clinic = await opened(bank, for_people(capacity=1, required_qualification="doctor"), for_people())
    helps = await another(bank, clinic.activity, "2026-03-06T09:00")
    people = [await bank.volunteer() for _ in range(3)]
    held = [await qualification(bank, who["id"], "doctor") for who in people]
    first, second, third = [await signed_up(bank, clinic, who) for who in people]
    stays = await signed_up(bank, helps, people[0], position=1)
    for one in held[:2]:
        done(await bank.manager.post(f"qualifications/{one['id']}/revocation", {"reason": "证书到期"}), 200)
    states = [await state(bank, one) for one in (first, second, third, stays)]
    assert states == [("released", None), ("released", None), ("confirmed", 1), ("confirmed", 1)]


async def test_beneficiaries_take_positions_that_are_for_them(bank: Bank) -> None:
    clinic = await opened(bank, for_people(participants="beneficiary"))
    served = await beneficiary(bank)
    assert (await signed_up(bank, clinic, served))["status"] == "confirmed"
    nobody = str(uuid4())
    refused(await sign_up(bank.desk, clinic, {"id": nobody}), "unknown-beneficiary", beneficiary_id=nobody)
    refused(await sign_up(bank.desk, clinic, await bank.volunteer()), "unknown-beneficiary")


async def test_members_take_part_where_their_team_is_posted_on_the_day(bank: Bank) -> None:
    member, elsewhere = await teams.member(bank), await teams.member(bank)
    await teams.post(bank, await teams.team(bank, member), until="2026-03-05")
    duty = await opened(bank, for_people(participants="member"), kind="team_duty")
    later = await another(bank, duty.activity, "2026-03-06T09:00")
    assert (await signed_up(bank, duty, member))["status"] == "confirmed"
    refused(await sign_up(bank.desk, later, member), "not-posted-here", member_id=member["id"], day="2026-03-06")
    refused(await sign_up(bank.desk, duty, elsewhere), "not-posted-here", member_id=elsewhere["id"])
    nobody = str(uuid4())
    refused(await sign_up(bank.desk, duty, {"id": nobody}), "unknown-member", member_id=nobody)


async def test_member_stands_in_a_series_and_is_signed_up_while_posted(bank: Bank, settings: Settings) -> None:
    member, other = await teams.member(bank), await teams.member(bank)
    await teams.post(bank, await teams.team(bank, member), until="2026-04-30")
    activity = await acts.activity(bank, kind="team_duty", positions=[for_people(participants="member")])
    series = await acts.series(bank, activity["id"], rule="FREQ=WEEKLY;BYDAY=TU")
    path, position = f"series/{series['id']}/standing-signups", activity["positions"][0]["id"]
    made = done(await bank.desk.post(path, {"position_id": position, "participant_id": member["id"]}), 201)
    assert (len(made["signups"]), made["refused"]) == (8, [])
    refused(await bank.desk.post(path, {"position_id": position, "participant_id": other["id"]}), "not-posted-here")
    # The shifts of 28 April and 5 May are made: the team is posted here for the first alone.
    bank.clock.move(days=10)
    await run_due(bank.database, settings)
    found = done(await bank.desk.get("signups", participant_id=member["id"]), 200)["items"]
    shifts = await acts.shifts(bank, series_id=series["id"])
    assert (len(shifts), len(found)) == (10, 9)
    assert [one["shift_id"] for one in reversed(found)] == [one["id"] for one in shifts[:9]]


async def test_vendors_who_come_sign_up_and_nobody_else_in_their_place(bank: Bank) -> None:
    market = await opened(bank, for_people(participants="vendor"))
    first, gone = await vendor(bank), await vendor(bank)
    assert (await signed_up(bank, market, first))["seat"] == 1
    done(await bank.desk.post(f"vendors/{gone['id']}/ending", {"reason": "不再摆摊了"}), 200)
    for nobody in (gone, await bank.volunteer()):
        refused(await sign_up(bank.desk, market, nobody), "unknown-vendor", vendor_id=nobody["id"])


async def test_member_whose_posting_ended_does_not_move_up_when_a_volunteer_comes_or_goes(bank: Bank) -> None:
    stays, leaves = await teams.member(bank), await teams.member(bank)
    await teams.post(bank, await teams.team(bank, stays))
    posting = await teams.post(bank, await teams.team(bank, leaves))
    of_members = for_people(participants="member", capacity=1)
    duty = await opened(bank, of_members, for_people(name="志愿者"), kind="team_duty")
    seated, waits = await signed_up(bank, duty, stays), await signed_up(bank, duty, leaves)
    path = f"/v1/teams/{posting['team_id']}/postings/{posting['id']}/ending"
    done(await bank.city.post(path, {"last_day": "2026-03-02"}), 200)
    done(await cancel(bank.desk, seated), 200)
    own = await bank.volunteer_api((await bank.volunteer())["id"])
    signup = done(await own.post("signups", {"shift_id": duty.id, "position_id": duty.position(1)}), 201)
    done(await own.post(f"signups/{signup['id']}/cancellation"), 200)
    assert await state(bank, waits) == ("waitlisted", None)
