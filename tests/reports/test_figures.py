"""Reports by month, each figure worked out by hand."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from app.reports.rules import Month, months_of
from tests.attendance.acts import line, listed, submitted
from tests.bank import done, refused
from tests.clinics import acts as clinics
from tests.needs.acts import need
from tests.signups.acts import another, cancel, for_people, opened, signed_up
from tests.stalls import acts as stalls
from tests.teams import acts as teams
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from tests.bank import Bank

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
REPORTS = ("service-hours", "visits", "clinics", "team-duty", "stalls")


async def report(bank: Bank, name: str, first: str, last: str) -> Any:
    """A report as the auditor reads it, who sees nobody's name."""
    return done(await bank.auditor.get(f"reports/{name}", **{"from": first, "to": last}), 200)


async def figures(bank: Bank, name: str, *columns: str, first: str = "2026-01-01", last: str = "2026-12-31") -> Any:
    """The rows of a report, by these columns."""
    return [tuple(row[column] for column in columns) for row in (await report(bank, name, first, last))["rows"]]


def test_months_of_a_period_begin_and_end_with_it() -> None:
    day = dt.date
    assert months_of(day(2025, 12, 31), day(2026, 2, 1)) == [
        Month("2025-12", day(2025, 12, 31), day(2025, 12, 31)),
        Month("2026-01", day(2026, 1, 1), day(2026, 1, 31)),
        Month("2026-02", day(2026, 2, 1), day(2026, 2, 1)),
    ]
    assert months_of(day(2024, 2, 1), day(2024, 2, 29)) == [Month("2024-02", day(2024, 2, 1), day(2024, 2, 29))]
    assert months_of(day(2026, 2, 2), day(2026, 2, 1)) == []


@on_one_engine
async def test_report_is_of_a_year_at_most_and_of_this_one_unless_days_are_given(bank: Bank) -> None:
    for name in REPORTS:
        found = done(await bank.auditor.get(f"reports/{name}"), 200)
        assert (found["from"], found["to"], found["rows"]) == ("2026-01-01", "2026-03-02", [])
        assert (await report(bank, name, "2024-01-01", "2024-12-31"))["to"] == "2024-12-31"
        for first, last in (("2025-01-01", "2026-01-02"), ("2026-03-02", "2026-03-01"), ("2027-01-01", "2026-03-02")):
            problem = refused(
                await bank.auditor.get(f"reports/{name}", **{"from": first, "to": last}), "invalid-request"
            )
            assert [error["pointer"] for error in problem["errors"]] == ["/query/to"], name
        problem = refused(await bank.auditor.get(f"reports/{name}", **{"from": "3 March"}), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == ["/query/from"]


async def test_hours_are_of_approved_records_by_the_communitys_months(bank: Bank) -> None:
    await bank.kind(points_per_hour=10)
    await bank.kind("patrol", points_per_hour=4)
    one, other = (await bank.volunteer())["id"], (await bank.volunteer())["id"]
    # 10 points an hour: 90 minutes are 15, 50 minutes are 8; 4 an hour: 45 minutes are 3.
    await bank.hours(one, start="2026-01-31T23:30", minutes=25)
    await bank.hours(one, start="2026-02-01T00:00", minutes=90)
    await bank.hours(other, start="2026-02-10T09:00", minutes=50)
    await bank.hours(one, start="2026-02-28T09:00", minutes=60)
    await bank.hours(one, start="2026-02-27T09:00", minutes=45, service_kind="patrol")
    await bank.hours(other, start="2026-03-01T09:00", minutes=30)
    # None of these is approved: one waits, one was rejected, and one was taken back.
    done(await bank.desk.post("service-records", bank.record(one, start="2026-02-20T09:00")), 201)
    wrong = done(await bank.desk.post("service-records", bank.record(one, start="2026-02-21T09:00")), 201)
    path = f"service-records/{wrong['id']}/verification"
    done(await bank.manager.post(path, {"decision": "reject", "note": "没有去"}), 200)
    taken_back = await bank.hours(one, start="2026-02-22T09:00")
    path = f"service-records/{taken_back['id']}/correction"
    assert (await bank.manager.post(path, {"reason": "记错了"})).is_success
    columns = ("month", "service_kind", "records", "minutes", "points", "volunteers")
    assert await figures(bank, "service-hours", *columns) == [
        ("2026-01", "home_visit", 1, 25, 4, 1),
        ("2026-02", "home_visit", 3, 200, 33, 2),
        ("2026-02", "patrol", 1, 45, 3, 1),
        ("2026-03", "home_visit", 1, 30, 5, 1),
    ]
    assert await figures(bank, "service-hours", *columns, first="2026-02-10", last="2026-02-27") == [
        ("2026-02", "home_visit", 1, 50, 8, 1),
        ("2026-02", "patrol", 1, 45, 3, 1),
    ]
    await bank.open_community()
    assert await figures(bank, "service-hours", *columns) == []


async def test_heads_are_added_up_by_month_and_clinic(bank: Bank) -> None:
    await bank.kind("free_clinic")
    late = {"starts_at": "2026-02-28T15:30:00Z", "ends_at": "2026-02-28T16:30:00Z"}
    spring, eyes = [await clinics.clinic(bank.desk, shift=late, name=name) for name in ("春季义诊", "眼科义诊")]
    await clinics.count(bank.desk, spring, served=10, referral=1)
    await clinics.count(bank.desk, spring, served=12, referral=2)
    await clinics.count(bank.desk, eyes, served=7)
    body = {"counts": {"served": 5, "blood_pressure": 4}}
    for hour in ("09", "10"):
        span = {"starts_at": f"2026-03-02T{hour}:00:00+08:00", "ends_at": f"2026-03-02T{hour}:30:00+08:00"}
        shift = done(await bank.desk.post(f"activities/{spring['activity']['id']}/shifts", span), 201)
        done(await bank.desk.post(f"shifts/{shift['id']}/head-counts", body), 201)
    assert await figures(bank, "clinics", "month", "name", "shifts", "counts") == [
        ("2026-02", "春季义诊", 1, {"served": 12, "referral": 2}),
        ("2026-02", "眼科义诊", 1, {"served": 7}),
        ("2026-03", "春季义诊", 2, {"served": 10, "blood_pressure": 8}),
    ]


async def test_duty_is_counted_by_month_team_and_department_once_it_is_submitted(bank: Bank) -> None:
    police, urban = [await teams.department(bank) for _ in range(2)]
    officers = [await teams.member(bank, department_id=police["id"]) for _ in range(2)]
    warden = await teams.member(bank, department_id=urban["id"])
    team = await teams.team(bank, *officers, warden)
    await teams.post(bank, team)
    position = for_people(participants="member", capacity=4)
    # Two hours each; on 28 February one of the officers is absent, and on 1 March the warden leaves after 45 minutes.
    february = await opened(bank, position, for_people(), start="2026-02-28T09:00", kind="team_duty")
    march = await another(bank, february.activity, "2026-03-01T09:00")
    unsubmitted = await another(bank, february.activity, "2026-03-02T09:00")
    on_28 = [await signed_up(bank, february, who) for who in (*officers, warden)]
    on_1 = [await signed_up(bank, march, who) for who in (officers[0], warden)]
    await listed(bank, february, on_28[1:], line(on_28[0], "absent"))
    await listed(bank, march, on_1[:1], line(on_1[1], minutes=45))
    await listed(bank, unsubmitted, [await signed_up(bank, unsubmitted, officers[1])])
    for shift in (february, march):
        await submitted(bank, shift)
    found = await report(bank, "team-duty", "2026-01-01", "2026-12-31")
    columns = ("month", "team_id", "department_id", "members", "attendances", "minutes")
    assert {tuple(row[column] for column in columns) for row in found["rows"]} == {
        ("2026-02", team["id"], police["id"], 1, 1, 120),
        ("2026-02", team["id"], urban["id"], 1, 1, 120),
        ("2026-03", team["id"], police["id"], 1, 1, 120),
        ("2026-03", team["id"], urban["id"], 1, 1, 45),
    }
    assert {(row["team"], row["department"]) for row in found["rows"]} == {(team["name"], police["name"])}
    assert "马建国" not in str(found)
    assert await figures(bank, "team-duty", "minutes", last="2026-02-27") == []


async def test_use_of_stalls_is_added_up_by_month_and_site(bank: Bank) -> None:
    place = await stalls.site(bank.manager, pitches=3)
    bank.clock.move(days=28)
    # The afternoons of 30 March and 2 April: one vendor comes to both, one stays away, one gives the pitch back.
    faithful, absent, fickle = [await vendor(bank) for _ in range(3)]
    outcomes = {}
    for days in (3, 0):
        shift = await stalls.evening(bank.manager, place, bank.clock.moment + dt.timedelta(hours=2))
        await stalls.make_draw(bank.manager, shift)
        outcomes[shift["id"]] = [done(await stalls.apply(bank.manager, shift, faithful), 201)]
        if days:
            outcomes[shift["id"]].append(done(await stalls.apply(bank.manager, shift, absent), 201))
            done(await cancel(bank.manager, done(await stalls.apply(bank.manager, shift, fickle), 201)), 200)
            await need(bank.desk, place=place["place"])
        bank.clock.move(days=days)
    bank.clock.move(hours=6)
    await need(bank.desk, place=place["place"])
    await need(bank.desk, place="别处")
    bank.clock.move(minutes=1)
    for shift_id, (came, *missed) in outcomes.items():
        items = [line(came), *(line(one, "absent") for one in missed)]
        done(await bank.desk.post(f"shifts/{shift_id}/attendance", {"items": items}), 200)
    columns = ("month", "site", "shifts", "offered", "taken", "attended", "vendors")
    assert await figures(bank, "stalls", *columns) == [
        ("2026-03", "祁连路夜市", 1, 3, 2, 1, 2),
        ("2026-04", "祁连路夜市", 1, 3, 1, 1, 1),
    ]
    (around,) = (await report(bank, "stalls", "2026-01-01", "2026-12-31"))["complaints"]
    assert around == {
        "site_id": place["id"],
        "site": "祁连路夜市",
        # Two hours after noon on 30 March in Xining.
        "opened_at": "2026-03-30T06:00:00Z",
        "complaints_before": 1,
        "complaints_after": 1,
    }
    assert await figures(bank, "stalls", "month", first="2026-04-01") == [("2026-04",)]
