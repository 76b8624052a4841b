"""Registrations and endings of persons that meet: nobody is registered twice, and who is gone has no seat."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.bank import done
from tests.beneficiaries.acts import served
from tests.signups.acts import for_people, opened, sign_up
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from tests.races.conftest import Counters

AT_ONCE = 12
VENDOR = {"name": "马福祥", "phone": "13897123456", "goods_sold": "鲜花"}


@pytest.mark.parametrize(("path", "body"), [("vendors", VENDOR), ("beneficiaries", served())])
async def test_of_registrations_of_one_person_at_once_one_holds(
    counters: Counters, path: str, body: dict[str, Any]
) -> None:
    answers = await asyncio.gather(*(counters.desk(number).post(path, body) for number in range(AT_ONCE)))
    codes = Counter(answer.json().get("code", "made") for answer in answers)
    assert codes == {"made": 1, "already-registered": AT_ONCE - 1}


async def test_who_ends_while_being_signed_up_has_no_seat_afterwards(counters: Counters) -> None:
    bank = counters.bank
    gone = await vendor(bank)
    markets = [
        await opened(bank, for_people(participants="vendor"), start=f"2026-03-{day:02}T09:00") for day in range(5, 17)
    ]
    signing = [sign_up(counters.desk(number), market, gone) for number, market in enumerate(markets)]
    ending = counters.desk(AT_ONCE).post(f"vendors/{gone['id']}/ending", {"reason": "不再摆摊了"})
    half = AT_ONCE // 2
    answers = await asyncio.gather(*signing[:half], ending, *signing[half:])
    done(answers.pop(half), 200)
    assert {answer.json().get("code", "made") for answer in answers} <= {"made", "unknown-vendor"}
    found = done(await bank.desk.get("signups", participant_id=gone["id"]), 200)["items"]
    assert {one["status"] for one in found} <= {"released"}
    assert len(found) == sum(answer.status_code == 201 for answer in answers)
