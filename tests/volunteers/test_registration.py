"""Registering a volunteer: what is asked for, who needs a guardian, and who is registered already."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from app.volunteers.errors import AlreadyRegistered, GuardianRequired
from app.volunteers.rules import Consent, Person, Volunteer
from app.volunteers.service import Registration, register_volunteers
from tests.bank import NOW, done, refused
from tests.volunteers.people import GUARDIAN, checked, id_number, in_other_digits, person

if TYPE_CHECKING:
    from tests.bank import Bank

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FULL_WIDTH_ZERO, ARABIC_ZERO = "\uff10", "\u0660"


async def test_volunteer_is_registered_with_everything_that_was_told(bank: Bank) -> None:
    body = person(
        sex="female",
        id_number=id_number(dt.date(1985, 7, 1)).lower(),
        estate="祁连家园",
        political_status="党员",
        skills=["量血压", "理发"],
        external_ids={"city-register": "XN-0017"},
    )
    answer = await bank.desk.post("volunteers", body)
    made = done(answer, 201)
    assert answer.headers["location"] == f"{bank.desk.base}/volunteers/{made['id']}"
    told = ("name", "phone", "sex", "estate", "political_status", "skills", "external_ids")
    assert {name: made[name] for name in told} == {name: body[name] for name in told}
    assert made["id_number"] == f"63************{body['id_number'][-4:].upper()}"
    assert made["birth_date"] == "1985-07-01"
    assert made["consent"] == {"version": "2024-09", "given_at": "2025-01-01T01:00:00Z"}
    assert (made["guardian"], made["registered_at"]) == (None, "2026-03-02T04:00:00Z")
    assert done(await bank.desk.get(f"volunteers/{made['id']}"), 200) == made


async def test_name_phone_and_consent_are_enough(bank: Bank) -> None:
    made = done(await bank.desk.post("volunteers", person()), 201)
    assert {name for name, value in made.items() if value in (None, [], {})} == {
        "sex",
        "id_number",
        "birth_date",
        "household_id",
        "estate",
        "political_status",
        "skills",
        "guardian",
        "external_ids",
    }
    balance = await bank.balance(made["id"])
    assert (balance["minutes"], balance["points"], balance["version"]) == (0, 0, 0)
    events = done(await bank.auditor.get("events", limit=200), 200)["items"]
    assert (events[-1]["type"], events[-1]["data"]) == ("volunteer.registered", {"volunteer_id": made["id"]})


@on_one_engine
async def test_field_that_does_not_hold_is_pointed_to(bank: Bank) -> None:
    good = id_number(dt.date(1985, 7, 1))
    wrong: list[tuple[str, list[Any]]] = [
        ("phone", ["", "1380000567", "138000056789", "12800005678", "03800005678", "+8613800005678", "138 0000 5678"]),
        ("phone", [in_other_digits("13800005678", FULL_WIDTH_ZERO), "138" + in_other_digits("00005678", ARABIC_ZERO)]),
        ("phone", ["1380000567x", 13800005678, None]),
        (
            "id_number",
            ["", good[:-1], good + "0", good[:-1] + ("0" if good[-1] != "0" else "1"), good.replace("1985", "1986")],
        ),
        ("id_number", [f"{good[:6]} {good[6:]}", in_other_digits(good, FULL_WIDTH_ZERO), "x" * 18, 7]),
        ("id_number", [checked("63010519850230001"), checked("63010519851301001"), checked("03010519850701001")]),
        ("name", ["", " ", "名" * 101, "a\0b", None, 5]),
        ("sex", ["男", "", "FEMALE", 1]),
        ("birth_date", ["", "1985-7-1", "1985-02-30", "01.07.1985", "1899-12-31", 19850701, "1985-07-01T00:00:00Z"]),
        ("skills", ["理发", [""], ["x"] * 31, [7], {}]),
        ("external_ids", [[], {"": "x"}, {"a b": "x"}, {"a": ""}, {"a": 7}]),
        ("consent", [None, [], "yes"]),
        ("estate", ["", "x" * 201]),
    ]
    for field, values in wrong:
        for value in values:
            problem = refused(await bank.desk.post("volunteers", person(**{field: value})), "invalid-request")
            pointers = {error["pointer"].split("/")[1] for error in problem["errors"]}
            assert pointers == {field}, (field, value, problem)
            assert str(value) not in problem["detail"] or len(str(value)) < 3
    for field in ("name", "phone", "consent"):
        body = {name: value for name, value in person().items() if name != field}
        problem = refused(await bank.desk.post("volunteers", body), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [f"/{field}"]
    for consent in ({"version": "2024-09"}, {"given_at": "2025-01-01T09:00:00+08:00"}):
        refused(await bank.desk.post("volunteers", person(consent=consent)), "invalid-request")
    assert done(await bank.desk.get("volunteers"), 200)["items"] == []


@on_one_engine
async def test_consent_needs_a_moment_with_an_offset(bank: Bank) -> None:
    for moment in ("2025-01-01", "2025-01-01T09:00:00", 1735693200, "yesterday", "2025-01-01T25:00:00+08:00"):
        body = person(consent={"version": "2024-09", "given_at": moment})
        problem = refused(await bank.desk.post("volunteers", body), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == ["/consent/given_at"], moment


@on_one_engine
async def test_every_mainland_mobile_number_is_taken(bank: Bank) -> None:
    for second in "3456789":
        done(await bank.desk.post("volunteers", person(phone=f"1{second}000000001")), 201)


@on_one_engine
async def test_birth_date_other_than_the_one_in_the_id_number_is_refused(bank: Bank) -> None:
    number = id_number(dt.date(1985, 7, 1))
    body = person(id_number=number, birth_date="1985-07-02")
    (error,) = refused(await bank.desk.post("volunteers", body), "invalid-request")["errors"]
    assert (error["pointer"], error["message"]) == ("", "birth_date is not the one in id_number")
    assert done(await bank.desk.post("volunteers", {**body, "birth_date": "1985-07-01"}), 201)


BIRTHDAYS = {
    # Fourteen on the very day needs nobody; the day before it does.
    dt.date(2012, 3, 2): False,
    dt.date(2012, 3, 3): True,
    dt.date(2012, 3, 1): False,
    dt.date(2013, 1, 1): True,
    dt.date(2026, 3, 1): True,
    dt.date(1936, 3, 3): False,
}


@on_one_engine
@pytest.mark.parametrize("by", ["birth_date", "id_number"])
async def test_volunteer_under_fourteen_needs_a_guardian(bank: Bank, by: str) -> None:
    for number, (born, minor) in enumerate(BIRTHDAYS.items()):
        told = str(born) if by == "birth_date" else id_number(born)
        body = person(phone=f"1390000000{number}", **{by: told})
        answer = await bank.desk.post("volunteers", body)
        if not minor:
            assert done(answer, 201)["guardian"] is None, born
            continue
        assert answer.status_code == 422
        refused(answer, "guardian-required")
        made = done(await bank.desk.post("volunteers", {**body, "guardian": GUARDIAN}), 201)
        assert made["guardian"] == GUARDIAN


@on_one_engine
async def test_age_counts_by_the_communitys_own_day(bank: Bank) -> None:
    body = person(birth_date="2012-03-03")
    bank.clock.moment = dt.datetime(2026, 3, 2, 15, 59, 59, tzinfo=dt.UTC)
    refused(await bank.desk.post("volunteers", body), "guardian-required")
    bank.clock.move(seconds=1)
    done(await bank.desk.post("volunteers", body), 201)


@on_one_engine
async def test_who_was_born_on_a_leap_day_is_fourteen_on_the_first_of_march(bank: Bank) -> None:
    body = person(birth_date="2016-02-29")
    bank.clock.moment = dt.datetime(2030, 2, 28, 4, tzinfo=dt.UTC)
    refused(await bank.desk.post("volunteers", body), "guardian-required")
    bank.clock.move(days=1)
    done(await bank.desk.post("volunteers", body), 201)


async def test_phone_or_id_number_registers_once_and_nobody_learns_whose_it_is(bank: Bank) -> None:
    numbers = (id_number(dt.date(1985, 7, 1), serial=f"{serial:03}") for serial in range(1, 999))
    number = next(number for number in numbers if number.endswith("X"))
    first = await bank.volunteer(name="张文静", phone="13911112222", id_number=number)
    for field, body in {
        "phone": person(phone="13911112222"),
        "id_number": person(phone="13700001234", id_number=number.lower()),
    }.items():
        answer = await bank.desk.post("volunteers", body)
        assert answer.status_code == 409
        problem = refused(answer, "already-registered", field=field)
        assert set(problem) == {"type", "title", "status", "detail", "code", "field"}
        assert [word for word in ("张文静", "张", first["id"], number, "13911112222") if word in answer.text] == []
    assert len(done(await bank.desk.get("volunteers"), 200)["items"]) == 1


async def test_one_of_many_who_register_a_phone_at_the_same_time_is_registered(bank: Bank) -> None:
    answers = await asyncio.gather(*(bank.desk.post("volunteers", person()) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    assert len(done(await bank.desk.get("volunteers"), 200)["items"]) == 1


async def test_refusal_to_register_opens_no_account_and_announces_nothing(bank: Bank) -> None:
    await bank.volunteer(phone="13911112222")
    before = [done(await bank.auditor.get(path, limit=200), 200) for path in ("ledger/accounts", "events")]
    refused(await bank.desk.post("volunteers", person(phone="13911112222")), "already-registered")
    refused(await bank.desk.post("volunteers", person(birth_date="2020-01-01")), "guardian-required")
    assert [done(await bank.auditor.get(path, limit=200), 200) for path in ("ledger/accounts", "events")] == before


async def test_list_of_registrations_is_decided_in_order_and_among_itself(bank: Bank) -> None:
    """What the import sends: one list, in which somebody may stand twice."""
    number = id_number(dt.date(1985, 7, 1))

    def registration(name: str, phone: str, **fields: Any) -> Registration:
        consent = Consent("2024-09", NOW)
        return Registration(bank.number, Person(name, phone, **fields), consent, "import")

    new = [
        registration("甲", "13900000001", id_number=number),
        registration("乙", "13900000001"),
        registration("丙", "13900000003", id_number=number),
        registration("丁", "13900000004", birth_date=dt.date(2020, 1, 1)),
        registration("戊", "13900000004"),
        registration("己", "13900000005"),
    ]
    async with bank.database.write(bank.number) as session:
        results = await register_volunteers(session, new)
    assert [result.name if isinstance(result, Volunteer) else result for result in results] == [
        "甲",
        AlreadyRegistered(field="phone"),
        AlreadyRegistered(field="id_number"),
        GuardianRequired(),
        "戊",
        "己",
    ]
    listed = done(await bank.desk.get("volunteers"), 200)["items"]
    assert [volunteer["name"] for volunteer in listed] == ["己", "戊", "甲"]


async def test_age_counts_on_the_day_of_a_registration_on_paper(bank: Bank) -> None:
    born = dt.date(2010, 6, 1)
    async with bank.database.write(bank.number) as session:
        results = await register_volunteers(
            session,
            [
                Registration(
                    bank.number, Person("甲", phone, birth_date=born), Consent("1", NOW), "import", registered_on=day
                )
                for phone, day in (("13900000001", dt.date(2024, 5, 31)), ("13900000002", dt.date(2024, 6, 1)))
            ],
        )
    assert results[0] == GuardianRequired()
    assert isinstance(results[1], Volunteer)
