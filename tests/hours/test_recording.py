"""Recording a service: what it needs, when it may have been, whom it may overlap, and when it is late."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.bank import done, refused
from tests.hours.acts import pointers, record, verify

if TYPE_CHECKING:
    from tests.bank import Bank

ORDER_67 = (
    "volunteer_id",
    "service_kind",
    "activity_name",
    "place",
    "content",
    "organiser",
    "started_at",
    "ended_at",
    "minutes",
)


async def test_a_recorded_service_waits_for_its_verification_under_the_address_it_was_given(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    body = bank.record(volunteer["id"], recorder_name="张文静", external_ids={"paper": "QL-17"})
    answer = await bank.desk.post("service-records", body)
    made = done(answer, 201)
    assert (made["status"], made["award"], made["verified_by"], made["transaction_id"]) == ("pending", None, None, None)
    assert made["recorded_by"] == bank.desk.client_id
    assert made["recorded_at"] == "2026-03-02T04:00:00Z"
    # Times are moments: the desk sent local ones, and any offset means the same.
    assert (made["started_at"], made["ended_at"]) == ("2026-03-01T01:00:00Z", "2026-03-01T02:30:00Z")
    same = {name: made[name] for name in body if name not in {"started_at", "ended_at"}}
    assert same == {name: value for name, value in body.items() if name not in {"started_at", "ended_at"}}
    assert answer.headers["location"].rsplit("/", 1)[1] == made["id"]
    assert done(await bank.desk.get(answer.headers["location"]), 200) == made
    # Nothing is earned before someone has approved it.
    held = await bank.balance(volunteer["id"])
    assert (held["minutes"], held["points"]) == (0, 0)


async def test_a_record_without_one_of_the_facts_of_order_67_is_refused_with_its_place(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    whole = bank.record(volunteer["id"])
    missing, blank = {}, {}
    for name in ORDER_67:
        without = {other: value for other, value in whole.items() if other != name}
        missing[name] = pointers(refused(await bank.desk.post("service-records", without), "invalid-request"))
        answer = await bank.desk.post("service-records", {**whole, name: "  "})
        blank[name] = pointers(refused(answer, "invalid-request"))
    assert missing == {name: [f"/{name}"] for name in ORDER_67}
    assert blank == missing
    assert done(await bank.desk.get("service-records"), 200)["items"] == []


async def test_a_record_with_what_is_no_fact_of_it_is_refused(bank: Bank) -> None:
    await bank.kind()
    whole = bank.record((await bank.volunteer())["id"])
    for name, value, pointer in [
        ("points", 500, "/points"),
        ("minutes", 0, "/minutes"),
        ("minutes", -90, "/minutes"),
        ("minutes", 90.5, "/minutes"),
        ("minutes", "90", "/minutes"),
        ("minutes", True, "/minutes"),
        ("started_at", "2026-03-01T09:00:00", "/started_at"),
        ("started_at", 1_772_326_800, "/started_at"),
        ("volunteer_id", "17", "/volunteer_id"),
        ("content", "量血压\x00", "/content"),
        ("recorder_name", "", "/recorder_name"),
        ("external_ids", {"a b": "1"}, "/external_ids/a b/[key]"),
    ]:
        answer = await bank.desk.post("service-records", {**whole, name: value})
        assert pointers(refused(answer, "invalid-request")) == [pointer], (name, value)


async def test_times_that_cannot_be_are_refused(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    # NOW is noon of 2 March: the first column is the local start, then the local end and the minutes between.
    outcomes = {}
    for start, end, minutes in [
        ("2026-03-01T10:00", "2026-03-01T09:00", 60),
        ("2026-03-01T09:00", "2026-03-01T09:00", 1),
        ("2026-02-10T09:00", "2026-02-11T09:01", 60),
        ("2026-03-01T09:00", "2026-03-01T10:00", 61),
        ("2026-03-02T12:01", "2026-03-02T13:00", 10),
        ("2026-02-10T09:00", "2026-02-11T09:00", 1440),
        ("2026-02-20T09:00", "2026-02-20T11:00", 60),
        ("2026-03-02T12:00", "2026-03-02T13:00", 60),
    ]:
        fields = {"started_at": f"{start}:00+08:00", "ended_at": f"{end}:00+08:00", "minutes": minutes}
        answer = await bank.desk.post("service-records", {**bank.record(volunteer["id"]), **fields})
        problem = answer.json()
        told = problem["errors"][0]["message"] if "errors" in problem else answer.status_code
        outcomes[start[5:], end[5:], minutes] = told
    assert outcomes == {
        ("03-01T10:00", "03-01T09:00", 60): "ended_at has to be after started_at",
        ("03-01T09:00", "03-01T09:00", 1): "ended_at has to be after started_at",
        ("02-10T09:00", "02-11T09:01", 60): "a service lasts 24 hours at most",
        ("03-01T09:00", "03-01T10:00", 61): (
            "minutes are the time actually given, so not more than from started_at to ended_at"
        ),
        ("03-02T12:01", "03-02T13:00", 10): "a service is recorded after it began, so not in the future",
        ("02-10T09:00", "02-11T09:00", 1440): 201,
        ("02-20T09:00", "02-20T11:00", 60): 201,
        ("03-02T12:00", "03-02T13:00", 60): 201,
    }


async def test_a_service_before_the_local_date_of_consent_is_refused(bank: Bank) -> None:
    await bank.kind()
    morning = {"version": "2024-09", "given_at": "2026-02-10T09:00:00+08:00"}
    # One in the morning of the 11th in Xining, though it is the 10th by UTC.
    night = {"version": "2024-09", "given_at": "2026-02-10T17:00:00Z"}
    for consent, before, after in [
        (morning, "2026-02-09T23:30", "2026-02-10T00:10"),
        (night, "2026-02-10T23:30", "2026-02-11T00:10"),
    ]:
        volunteer = await bank.volunteer(consent=consent)
        too_early = await bank.desk.post("service-records", bank.record(volunteer["id"], start=before, minutes=20))
        assert pointers(refused(too_early, "invalid-request")) == ["/started_at"]
        # Later on the day, though an hour before the consent, and days before the registration.
        assert (await record(bank, volunteer, start=after, minutes=20))["status"] == "pending"


async def test_a_volunteer_or_kind_that_the_community_does_not_have_is_unknown(bank: Bank) -> None:
    await bank.kind()
    nobody, volunteer = str(uuid4()), await bank.volunteer()
    answer = await bank.desk.post("service-records", bank.record(nobody))
    refused(answer, "unknown-volunteer", status=422, volunteer_id=nobody)
    answer = await bank.desk.post("service-records", bank.record(volunteer["id"], service_kind="patrol"))
    refused(answer, "unknown-service-kind", status=422, service_kind="patrol")
    # A neighbour's volunteers and kinds are nobody's here.
    await bank.open_community()
    answer = await bank.desk.post("service-records", bank.record(volunteer["id"]))
    refused(answer, "unknown-volunteer", volunteer_id=volunteer["id"])
    here = await bank.volunteer()
    refused(await bank.desk.post("service-records", bank.record(here["id"])), "unknown-service-kind")


async def test_a_record_that_overlaps_a_live_one_is_refused_and_told_which(bank: Bank) -> None:
    await bank.kind()
    await bank.kind("patrol")
    volunteer, other = await bank.volunteer(), await bank.volunteer()
    first = await record(bank, volunteer, start="2026-03-01T09:00", minutes=90)
    for start, minutes in [("09:00", 90), ("08:00", 61), ("10:29", 30), ("09:30", 10), ("08:00", 240)]:
        body = bank.record(volunteer["id"], start=f"2026-03-01T{start}", minutes=minutes, service_kind="patrol")
        answer = await bank.desk.post("service-records", body)
        refused(answer, "overlapping-service", status=409, service_record_id=first["id"])
    # Touching on either side, or another person's time, is not overlapping.
    await record(bank, volunteer, start="2026-03-01T08:00", minutes=60)
    await record(bank, volunteer, start="2026-03-01T10:30", minutes=30)
    await record(bank, other, start="2026-03-01T09:00", minutes=90)
    # An approved record is as live as a pending one.
    done(await verify(bank.verifier, first), 200)
    answer = await bank.desk.post("service-records", bank.record(volunteer["id"], start="2026-03-01T09:30"))
    refused(answer, "overlapping-service", service_record_id=first["id"])


async def test_a_rejected_record_is_in_nobodys_way(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    first = await record(bank, volunteer)
    done(await verify(bank.verifier, first, "reject", note="重复登记"), 200)
    again = await record(bank, volunteer)
    assert again["id"] != first["id"]


@pytest.mark.parametrize(
    ("timezone", "long", "short"),
    [
        pytest.param(
            "Asia/Shanghai",
            ("2026-02-27T20:00:00+08:00", "2026-02-28T20:00:00+08:00"),
            ("2026-02-28T19:00:00+08:00", "2026-02-28T19:30:00+08:00"),
            id="from the evening before",
        ),
        pytest.param(
            "Europe/Berlin",
            # The clocks go forward on the 28th, which has 23 hours: a day from the 27th ends on the 29th.
            ("2027-03-27T23:30:00+01:00", "2027-03-29T00:30:00+02:00"),
            ("2027-03-29T00:10:00+02:00", "2027-03-29T00:20:00+02:00"),
            id="from two dates before, over a short day",
        ),
    ],
)
async def test_overlaps_are_found_across_dates(
    bank: Bank, timezone: str, long: tuple[str, str], short: tuple[str, str]
) -> None:
    bank.clock.move(days=400)
    await bank.open_community(timezone=timezone)
    await bank.kind()
    for first, second in [(long, short), (short, long)]:
        volunteer = await bank.volunteer()
        whole = bank.record(volunteer["id"], minutes=10)
        there = done(
            await bank.desk.post("service-records", {**whole, "started_at": first[0], "ended_at": first[1]}), 201
        )
        answer = await bank.desk.post("service-records", {**whole, "started_at": second[0], "ended_at": second[1]})
        refused(answer, "overlapping-service", service_record_id=there["id"])


async def test_a_record_more_than_ten_working_days_after_the_service_is_flagged_and_kept(bank: Bank) -> None:
    # To Monday 2 March 2026, over Spring Festival (off from 15 to 23 February; Saturdays 14 and 28 worked), the
    # working days are 11 12 13 14 24 25 26 27 28 February and 2 March: ten after the 10th, eleven after the 9th.
    await bank.kind()
    volunteer = await bank.volunteer()
    in_time = await record(bank, volunteer, start="2026-02-10T09:00")
    late = await record(bank, volunteer, start="2026-02-09T09:00")
    # What counts is the local date of the end.
    over_midnight = await record(bank, volunteer, start="2026-02-09T23:00", minutes=90)
    assert [one["late"] for one in (in_time, late, over_midnight)] == [False, True, False]
    done(await verify(bank.verifier, late), 200)
    assert (await bank.balance(volunteer["id"]))["points"] == 15


async def test_only_desk_and_manager_record(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    for api in (bank.verifier, bank.auditor, bank.integrator):
        refused(await api.post("service-records", bank.record(volunteer["id"])), "role-missing", status=403)
        refused(await api.post("service-record-batches", {"records": [{}]}), "role-missing")
    await record(bank, volunteer, by=bank.manager)
