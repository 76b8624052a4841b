"""Partners, clinics as activities, and head-counts of which the newest stands."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

from app.clinics.service import heads_between
from tests.activities.acts import activity, shift
from tests.bank import done, refused
from tests.clinics.acts import clinic, clinic_body, count, partner, shift_of

if TYPE_CHECKING:
    from tests.bank import Bank

USCC, OTHER = "91110000600037341L", "91330106673959654P"
"""Two identifiers with right check characters."""


async def test_partner_is_taken_up_once_by_its_identifier_and_changed(bank: Bank) -> None:
    answer = await bank.desk.post("partners", {"name": "省人民医院", "kind": "hospital", "uscc": USCC})
    hospital = done(answer, 201)
    assert answer.headers["location"] == f"{bank.desk.base}/partners/{hospital['id']}"
    found = await bank.auditor.get(f"partners/{hospital['id']}")
    assert done(found, 200) == hospital
    again = {"name": "省医院", "kind": "hospital", "uscc": USCC}
    refused(await bank.desk.post("partners", again), "already-exists", status=409, resource=USCC)
    red_cross = await partner(bank.desk)
    await partner(bank.desk)
    path = f"partners/{red_cross['id']}"
    refused(await bank.desk.patch(path, {"uscc": USCC}), "already-exists")
    changed = await bank.desk.patch(path, {"uscc": OTHER, "name": "市红十字会"}, etag=found.headers["etag"])
    assert done(changed, 200) == {**red_cross, "uscc": OTHER, "name": "市红十字会"}
    assert changed.headers["etag"] == '"2"'
    refused(await bank.desk.patch(path, {"name": "x"}, etag='"1"'), "precondition-failed")
    assert (await bank.desk.patch(path, {"uscc": OTHER}, etag='"2"')).headers["etag"] == '"2"'
    assert done(await bank.desk.patch(path, {"uscc": None}), 200)["uscc"] is None
    refused(await bank.desk.patch(f"partners/{uuid4()}", {"name": "x"}), "not-found")
    refused(await bank.desk.get(f"partners/{uuid4()}"), "not-found")
    await bank.open_community()
    assert done(await bank.desk.post("partners", again), 201)["uscc"] == USCC


async def test_identifier_with_a_wrong_check_character_is_refused(bank: Bank) -> None:
    for wrong in (f"{USCC[:-1]}M", USCC[:-1], f" {USCC}", USCC.lower(), "", "1" * 18):
        answer = await bank.desk.post("partners", {"name": "省人民医院", "kind": "hospital", "uscc": wrong})
        assert [error["pointer"] for error in refused(answer, "invalid-request")["errors"]] == ["/uscc"], wrong


async def test_clinic_is_an_activity_with_a_partner_positions_and_a_shift(bank: Bank) -> None:
    await bank.kind("free_clinic")
    with_whom = await partner(bank.desk)
    body = await clinic_body(bank.desk, partner_id=with_whom["id"])
    answer = await bank.desk.post("clinics", body)
    made = done(answer, 201)
    assert answer.headers["location"] == f"{bank.desk.base}/clinics/{made['activity']['id']}"
    assert made["partner"] == with_whom
    of = made["activity"]
    assert (of["kind"], of["service_kind"], of["partner_id"]) == ("free_clinic", "free_clinic", with_whom["id"])
    assert [(one["participants"], one["required_qualification"]) for one in of["positions"]] == [
        ("volunteer", "doctor"),
        ("beneficiary", None),
    ]
    assert done(await bank.desk.get(f"activities/{of['id']}"), 200) == of
    (only,) = made["shifts"]
    assert only["head_count"] is None
    assert done(await bank.desk.get(f"shifts/{only['shift']['id']}"), 200) == only["shift"]
    assert done(await bank.auditor.get(f"clinics/{of['id']}"), 200) == made
    # One that was organised as an activity, without a partner, is a clinic too.
    plain = await activity(bank, kind="free_clinic")
    await activity(bank)
    listed = done(await bank.auditor.get("clinics"), 200)["items"]
    assert listed == [{"activity": plain, "partner": None}, {"activity": of, "partner": with_whom}]
    assert done(await bank.desk.get(f"clinics/{plain['id']}"), 200)["shifts"] == []


async def test_refused_clinic_leaves_nothing_behind(bank: Bank) -> None:
    body = await clinic_body(bank.desk)
    refused(await bank.desk.post("clinics", body), "unknown-service-kind", status=422)
    await bank.kind("free_clinic")
    nobody = str(uuid4())
    refused(await bank.desk.post("clinics", {**body, "partner_id": nobody}), "unknown-partner", partner_id=nobody)
    backwards = {"starts_at": body["shift"]["ends_at"], "ends_at": body["shift"]["starts_at"]}
    problem = refused(await bank.desk.post("clinics", {**body, "shift": backwards}), "invalid-request")
    assert [error["pointer"] for error in problem["errors"]] == ["/shift/ends_at"]
    assert done(await bank.desk.get("activities"), 200)["items"] == []
    other = await activity(bank)
    for unknown in (nobody, other["id"]):
        refused(await bank.desk.get(f"clinics/{unknown}"), "not-found")


async def test_newest_head_count_stands_and_the_ones_before_stay(bank: Bank) -> None:
    await bank.kind("free_clinic")
    made = await clinic(bank.desk)
    first = await count(bank.desk, made, served=58, blood_pressure=51)
    assert first["held_on"] == "2026-03-02"
    second = await count(bank.desk, made, served=57, blood_pressure=51, referral=2)
    path = f"shifts/{shift_of(made)}/head-counts"
    assert done(await bank.auditor.get(path), 200)["items"] == [second, first]
    page = done(await bank.auditor.get(path, limit=1), 200)
    rest = done(await bank.auditor.get(path, limit=1, cursor=page["next_cursor"]), 200)
    assert [*page["items"], *rest["items"]] == [second, first]
    (shown,) = done(await bank.desk.get(f"clinics/{made['activity']['id']}"), 200)["shifts"]
    assert shown["head_count"] == second


async def test_heads_are_counted_on_shifts_of_clinics_that_have_begun_and_no_others(bank: Bank) -> None:
    await bank.kind("free_clinic")
    body = {"counts": {"served": 1}}
    refused(await bank.desk.post(f"shifts/{uuid4()}/head-counts", body), "not-found")
    refused(await bank.desk.get(f"shifts/{uuid4()}/head-counts"), "not-found")
    visit = await activity(bank)
    of_visit = await shift(
        bank, visit["id"], starts_at="2026-03-02T10:00:00+08:00", ends_at="2026-03-02T11:00:00+08:00"
    )
    answer = await bank.desk.post(f"shifts/{of_visit['id']}/head-counts", body)
    refused(answer, "not-a-clinic", status=409, kind="other", activity_id=visit["id"])
    later = {"starts_at": "2026-03-02T12:00:01+08:00", "ends_at": "2026-03-02T14:00:00+08:00"}
    made = await clinic(bank.desk, shift=later)
    path = f"shifts/{shift_of(made)}/head-counts"
    refused(await bank.desk.post(path, body), "shift-not-begun", status=409, shift_id=shift_of(made))
    skipped = await clinic(bank.desk, shift=later)
    done(await bank.desk.post(f"shifts/{shift_of(skipped)}/skipping", {"reason": "下雪"}), 200)
    bank.clock.move(seconds=1)
    done(await bank.desk.post(path, body), 201)
    refused(await bank.desk.post(f"shifts/{shift_of(skipped)}/head-counts", body), "shift-skipped", status=409)
    for wrong in ({}, {"Served": 1}, {"served": -1}, {"served": "1"}, {"李佳儒": 1}, {f"c{n}": 1 for n in range(21)}):
        refused(await bank.desk.post(path, {"counts": wrong}), "invalid-request")


async def test_standing_head_counts_add_up_between_days_of_the_community(bank: Bank) -> None:
    await bank.kind("free_clinic")
    # 23:30 on 28 February in Xining, whatever day that is elsewhere.
    late = {"starts_at": "2026-02-28T15:30:00Z", "ends_at": "2026-02-28T16:30:00Z"}
    before = await clinic(bank.desk, shift=late)
    await count(bank.desk, before, served=10, referral=1)
    today = await clinic(bank.desk)
    await count(bank.desk, today, served=100)
    await count(bank.desk, today, served=20, blood_pressure=5)
    number = bank.number
    await bank.open_community()
    await bank.kind("free_clinic")
    await count(bank.desk, await clinic(bank.desk), served=7)
    async with bank.database.read(number) as session:
        february = await heads_between(session, number, date(2026, 2, 1), date(2026, 2, 28))
        both = await heads_between(session, number, date(2026, 2, 28), date(2026, 3, 2))
        none = await heads_between(session, number, date(2026, 3, 3), date(2026, 3, 31))
    of_february = ("2026-02", before["activity"]["id"], 1, {"served": 10, "referral": 1})
    of_march = ("2026-03", today["activity"]["id"], 1, {"served": 20, "blood_pressure": 5})
    assert [(one.month, str(one.activity_id), one.shifts, one.counts) for one in february] == [of_february]
    assert [(one.month, str(one.activity_id), one.shifts, one.counts) for one in both] == [of_february, of_march]
    assert none == []
