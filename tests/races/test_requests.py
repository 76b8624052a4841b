"""Requests that meet: of those that exclude each other one wins, and the others are told why."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.worker import run_due
from tests.bank import done
from tests.hours.acts import record, verify
from tests.races.books import assert_books_agree
from tests.redemptions.acts import cancel, collect, pieces, points, reserve, rich, status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    import httpx

    from tests.races.conftest import Counters


def codes(answers: Iterable[httpx.Response]) -> dict[str, int]:
    """How many answers ended how: a status, or the code of a problem."""
    return Counter(answer.json().get("code", str(answer.status_code)) for answer in answers)


async def at_once(*requests: Awaitable[httpx.Response]) -> list[httpx.Response]:
    """Send requests together."""
    return list(await asyncio.gather(*requests))


async def test_of_twenty_who_want_the_last_piece_one_gets_it(counters: Counters) -> None:
    bank = counters.bank
    await bank.open_community(verification="recorder")
    await bank.kind(points_per_hour=60)
    volunteers = [await bank.volunteer() for _ in range(20)]
    rows = [{"reference": f"QL-{who['phone']}", **bank.record(who["id"], minutes=30)} for who in volunteers]
    done(await bank.desk.post("service-record-batches", {"records": rows}), 200)
    article = await bank.goods(pieces=1, price=30)
    answers = await at_once(
        *(reserve(counters.desk(number), who, (article, 1)) for number, who in enumerate(volunteers))
    )
    assert codes(answers) == {"201": 1, "out-of-stock": 19}
    assert await pieces(bank, article) == (0, 1, 0)
    held = [await points(bank, who) for who in volunteers]
    assert sorted(held) == [(0, 30), *[(30, 0)] * 19]
    await assert_books_agree(bank.database, bank.number)


async def test_points_that_are_enough_for_one_order_pay_for_one(counters: Counters) -> None:
    bank = counters.bank
    volunteer, article = await rich(bank, 30), await bank.goods(pieces=100, price=30)
    answers = await at_once(*(reserve(counters.desk(number), volunteer, (article, 1)) for number in range(20)))
    assert codes(answers) == {"201": 1, "insufficient-points": 19}
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((0, 30), (99, 1, 0))
    await assert_books_agree(bank.database, bank.number)


async def test_a_limit_of_two_lets_two_orders_through(counters: Counters) -> None:
    bank = counters.bank
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=100, price=1, limit_per_person=2)
    answers = await at_once(*(reserve(counters.desk(number), volunteer, (article, 1)) for number in range(20)))
    assert codes(answers) == {"201": 2, "limit-reached": 18}
    await assert_books_agree(bank.database, bank.number)


async def test_of_records_that_overlap_one_is_taken_and_named_to_the_others(counters: Counters) -> None:
    bank = counters.bank
    await bank.kind()
    volunteer = await bank.volunteer()
    start = datetime.fromisoformat("2026-03-01T09:00")
    # Ninety minutes each, begun a minute apart: every one overlaps every other.
    bodies = [
        bank.record(volunteer["id"], start=(start + timedelta(minutes=number)).isoformat()) for number in range(20)
    ]
    answers = await at_once(
        *(counters.desk(number).post("service-records", body) for number, body in enumerate(bodies))
    )
    assert codes(answers) == {"201": 1, "overlapping-service": 19}
    (winner,) = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert {answer.json()["service_record_id"] for answer in answers if answer.status_code == 409} == {winner}
    await assert_books_agree(bank.database, bank.number)


async def test_a_key_sent_fifty_times_at_once_has_one_effect_and_one_answer(counters: Counters) -> None:
    bank = counters.bank
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=100, price=1)
    body = {"volunteer_id": volunteer["id"], "lines": [{"goods_id": article["id"], "quantity": 1}]}
    answers = await at_once(*(counters.desk(number).post("redemptions", body, key="till-1") for number in range(50)))
    assert codes(answers) == {"201": 50}
    assert len({(answer.content, answer.headers["location"]) for answer in answers}) == 1
    assert [answer.headers.get("idempotency-replayed") for answer in answers].count(None) == 1
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((99, 1), (99, 1, 0))
    await assert_books_agree(bank.database, bank.number)


async def test_a_key_that_meets_itself_with_two_bodies_belongs_to_one_of_them(counters: Counters) -> None:
    bank = counters.bank
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=100, price=1)
    line = {"goods_id": article["id"], "quantity": 1}
    bodies = [{"volunteer_id": volunteer["id"], "lines": [{**line, "quantity": 1 + number}]} for number in range(2)]
    answers = await at_once(
        *(counters.desk(number // 2).post("redemptions", bodies[number % 2], key="till-1") for number in range(20))
    )
    assert codes(answers) == {"201": 10, "idempotency-key-reused": 10}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    held = (await points(bank, volunteer))[1]
    assert held == answers[[answer.status_code for answer in answers].index(201)].json()["points"]
    await assert_books_agree(bank.database, bank.number)


async def test_a_record_is_decided_once_whoever_decides_at_the_same_time(counters: Counters) -> None:
    bank = counters.bank
    await bank.kind(points_per_hour=60)
    volunteer = await bank.volunteer()
    pending = await record(bank, volunteer, minutes=60)
    answers = await at_once(
        *(
            verify(counters.api(role, number), pending, decision)
            for number in range(4)
            for role, decision in [("verifier", "approve"), ("manager", "reject"), ("manager", "approve")]
        )
    )
    assert codes(answers) == {"200": 1, "already-verified": 11}
    (won,) = [answer.json()["status"] for answer in answers if answer.status_code == 200]
    assert {answer.json()["record_status"] for answer in answers if answer.status_code == 409} == {won}
    assert (await points(bank, volunteer))[0] == (60 if won == "approved" else 0)
    await assert_books_agree(bank.database, bank.number)


async def test_a_record_is_corrected_once_whoever_corrects_at_the_same_time(counters: Counters) -> None:
    bank = counters.bank
    await bank.kind(points_per_hour=60)
    volunteer, article = await bank.volunteer(), await bank.goods(pieces=10, price=60)
    wrong = await bank.hours(volunteer["id"], minutes=60)
    path, body = f"service-records/{wrong['id']}/correction", {"reason": "记错了"}
    answers = await at_once(
        reserve(counters.desk(0), volunteer, (article, 1)),
        *(counters.api("manager", number).post(path, body) for number in range(10)),
    )
    reserved = answers[0].status_code == 201
    assert codes(answers[1:]) == {"200": 1, "already-reversed": 9}
    balance = await bank.balance(volunteer["id"])
    # Whichever came first, the points are gone once: spent and owed, or taken back before they were spent.
    assert (balance["minutes"], balance["points"], balance["points_owed"]) == (0, 0, -60 if reserved else 0)
    assert balance["points_reserved"] == (60 if reserved else 0)
    await assert_books_agree(bank.database, bank.number)


async def test_the_cap_of_a_day_holds_for_approvals_that_meet(counters: Counters) -> None:
    bank = counters.bank
    await bank.kind(points_per_hour=60, minutes_per_day_max=100)
    volunteer = await bank.volunteer()
    pending = [await record(bank, volunteer, start=f"2026-03-01T{hour:02}:00", minutes=30) for hour in range(8, 16)]
    answers = await at_once(
        *(verify(counters.api("verifier", number), one) for number, one in enumerate(pending)),
    )
    counted = sorted(done(answer, 200)["award"]["minutes_counted"] for answer in answers)
    assert counted == [0, 0, 0, 0, 10, 30, 30, 30]
    assert (await points(bank, volunteer))[0] == 100
    await assert_books_agree(bank.database, bank.number)


async def test_a_redemption_is_collected_or_cancelled_but_never_both(counters: Counters) -> None:
    bank = counters.bank
    volunteer, article = await rich(bank, 30), await bank.goods(pieces=1, price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    requests = [(collect if number % 2 else cancel)(counters.desk(number // 2), made) for number in range(20)]
    answers = await at_once(*requests)
    assert codes(answers) == {"200": 1, "redemption-not-open": 19}
    (won,) = [answer.json()["status"] for answer in answers if answer.status_code == 200]
    assert {answer.json()["redemption_status"] for answer in answers if answer.status_code == 409} == {won}
    expected = ((0, 0), (0, 0, 1)) if won == "collected" else ((30, 0), (1, 0, 0))
    assert (await points(bank, volunteer), await pieces(bank, article)) == expected
    await assert_books_agree(bank.database, bank.number)


@pytest.mark.usefixtures("own_database")
async def test_a_redemption_is_returned_once_whoever_takes_it_back(counters: Counters) -> None:
    bank = counters.bank
    volunteer, article = await rich(bank, 30), await bank.goods(pieces=1, price=30)
    redemption = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    done(await collect(bank.desk, redemption), 200)
    path = f"redemptions/{redemption['id']}/return"
    answers = await at_once(*(counters.desk(number).post(path, {"reason": "有破损"}) for number in range(10)))
    assert codes(answers) == {"200": 1, "redemption-not-collected": 9}
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((30, 0), (1, 0, 0))
    await assert_books_agree(bank.database, bank.number)


async def test_a_dispute_ends_once_whoever_ends_it_at_the_same_time(counters: Counters) -> None:
    bank = counters.bank
    await bank.kind()
    volunteer = await bank.volunteer()
    contested = await bank.hours(volunteer["id"])
    body = {"volunteer_id": volunteer["id"], "service_record_id": contested["id"], "reason": "记错了"}
    filed = await at_once(*(counters.desk(number).post("disputes", body) for number in range(5)))
    assert codes(filed) == {"201": 1, "already-disputed": 4}
    (path,) = [f"disputes/{answer.json()['id']}" for answer in filed if answer.status_code == 201]
    endings = await at_once(
        *(
            counters.api("manager", number).post(f"{path}/decision", {"decision": decision, "reason": "查过了"})
            for number, decision in enumerate(("uphold", "reject") * 3)
        ),
        *(counters.desk(number).post(f"{path}/withdrawal", {}) for number in range(3)),
    )
    assert codes(endings) == {"200": 1, "dispute-not-open": 8}


async def test_workers_that_meet_lapse_everything_once(counters: Counters) -> None:
    bank = counters.bank
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=20, price=1)
    held = [done(await reserve(bank.desk, volunteer, (article, 1)), 201) for _ in range(20)]
    bank.clock.move(hours=2)
    settings = bank.app.state.context.settings
    runs = await asyncio.gather(*(run_due(database, settings) for database in counters.databases * 3))
    assert sum(runs) == 20
    assert {await status(bank, one) for one in held} == {"lapsed"}
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((100, 0), (20, 0, 0))
    await assert_books_agree(bank.database, bank.number)


async def test_what_meets_on_the_counter_of_everything_loses_no_unit(counters: Counters) -> None:
    bank = counters.bank
    volunteers = [await rich(bank, 60) for _ in range(3)]
    article = await bank.goods(pieces=50, price=3)
    open_ones = [done(await reserve(bank.desk, who, (article, 1)), 201) for who in volunteers for _ in range(2)]
    pending = [await record(bank, who, start="2026-02-20T09:00", minutes=30) for who in volunteers]

    def movement(kind: str, quantity: int) -> dict[str, Any]:
        return {"kind": kind, "quantity": quantity, "note": "盘点"}

    path = f"goods/{article['id']}/stock-movements"
    answers = await at_once(
        *(collect(counters.desk(number), one) for number, one in enumerate(open_ones[::2])),
        *(cancel(counters.desk(number), one) for number, one in enumerate(open_ones[1::2])),
        *(verify(counters.api("verifier", number), one) for number, one in enumerate(pending)),
        *(reserve(counters.desk(number), who, (article, 2)) for number, who in enumerate(volunteers)),
        *(counters.api("manager", number).post(path, movement("received", 5)) for number in range(3)),
        *(counters.api("manager", number).post(path, movement("written_off", 1)) for number in range(3)),
    )
    assert codes(answers) == {"200": 9, "201": 9}
    # Sixty, three collected, three cancelled, six held, thirty earned.
    assert [await points(bank, who) for who in volunteers] == [(81, 6)] * 3
    assert await pieces(bank, article) == (50 - 3 - 6 + 15 - 3, 6, 3)
    await assert_books_agree(bank.database, bank.number)
