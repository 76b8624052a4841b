"""Attempts on a card's PIN: how many are looked at, from where, and that nobody learns what was wrong."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sa
from stdnum import luhn

from app.access.pins import Pins
from app.access.tables import pin_attempts
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.main import create_app
from tests.bank import done

if TYPE_CHECKING:
    from uuid import UUID

    from fastapi import FastAPI

    from app.settings import Settings
    from tests.bank import Bank

CARD = "urn:love-bank:grant-type:card"
PIN = "407182"
DESK = "192.0.2.1"
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class QuickPins(Pins):
    """Pins without the cost of a hash; counts those that it looked at."""

    looked_at = 0

    async def hash(self, card_id: UUID, pin: str) -> str:
        return self._keyed(card_id, pin)

    async def fits(self, pin_hash: str | None, card_id: UUID, pin: str) -> bool:
        await asyncio.sleep(0)
        self.looked_at += pin_hash is not None
        return pin_hash == self._keyed(card_id, pin)


class BrokenPins(QuickPins):
    """Fails after the attempt was counted and before it is known whether the PIN is right."""

    async def fits(self, pin_hash: str | None, card_id: UUID, pin: str) -> bool:  # noqa: ARG002  its shape
        raise Unavailable


@pytest.fixture
def pins(bank: Bank) -> QuickPins:
    quick = bank.app.state.pins = QuickPins(bank.database.vault)
    return quick


async def new_card(bank: Bank) -> str:
    """The number of a new volunteer's card."""
    path = f"volunteers/{(await bank.volunteer())['id']}/cards"
    return str(done(await bank.desk.post(path, {"pin": PIN}), 201)["card_number"])


async def enter(app: FastAPI, card_number: str, pin: str = PIN, *, source: str = DESK) -> httpx.Response:
    """Ask for a token with a card, from an address."""
    transport = httpx.ASGITransport(app, client=(source, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://bank.test") as http:
        return await http.post("/oauth2/token", data={"grant_type": CARD, "card_number": card_number, "pin": pin})


async def statuses(app: FastAPI, card_number: str, pins: str, *, source: str = DESK) -> list[int]:
    """The statuses of attempts one after the other: `x` with a wrong PIN, `v` with the right one."""
    tried = {"x": "000000", "v": PIN}
    return [(await enter(app, card_number, tried[pin], source=source)).status_code for pin in pins]


async def test_five_wrong_pins_lock_the_card_at_their_source_for_fifteen_minutes(bank: Bank, pins: QuickPins) -> None:
    card = await new_card(bank)
    assert await statuses(bank.app, card, "xxxxvxxxxv") == [400, 400, 400, 400, 200, 400, 400, 400, 400, 200]
    assert await statuses(bank.app, card, "xxxxxvvv") == [400] * 8
    assert pins.looked_at == 15
    # Elsewhere, and with another card, it goes on.
    assert await statuses(bank.app, card, "v", source="192.0.2.2") == [200]
    assert await statuses(bank.app, await new_card(bank), "v") == [200]
    bank.clock.move(minutes=14, seconds=59)
    assert await statuses(bank.app, card, "v") == [400]
    bank.clock.move(seconds=1)
    assert await statuses(bank.app, card, "v") == [200]


async def test_however_many_come_at_once_to_two_processes_no_more_than_five_are_looked_at(
    bank: Bank, pins: QuickPins, settings: Settings
) -> None:
    card = await new_card(bank)
    second = create_app(settings, clock=bank.clock)
    second.state.pins = pins
    try:
        answers = await asyncio.gather(
            *(enter(app, card, "000000") for _ in range(10) for app in (bank.app, second)),
        )
    finally:
        await second.state.context.database.close()
    assert {answer.status_code for answer in answers} == {400}
    assert pins.looked_at == 5
    assert await statuses(bank.app, card, "v") == [400]


async def test_attempt_counts_even_when_its_request_fails_and_when_the_service_starts_again(
    bank: Bank, settings: Settings
) -> None:
    card = await new_card(bank)
    whole, bank.app.state.pins = bank.app.state.pins, BrokenPins(bank.database.vault)
    for _ in range(5):
        answer = await enter(bank.app, card)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    bank.app.state.pins = whole
    assert await statuses(bank.app, card, "v") == [400]
    again = create_app(settings, clock=bank.clock)
    try:
        assert await statuses(again, card, "v") == [400]
        bank.clock.move(minutes=15)
        assert await statuses(again, card, "v") == [200]
    finally:
        await again.state.context.database.close()


async def test_strangers_from_everywhere_reach_twenty_attempts_and_never_lock_the_volunteer_out(
    bank: Bank, pins: QuickPins
) -> None:
    card = await new_card(bank)
    assert await statuses(bank.app, card, "v") == [200]
    pins.looked_at = 0
    for number in range(10):
        assert await statuses(bank.app, card, "xxx", source=f"203.0.113.{number}") == [400] * 3
    assert pins.looked_at == 20
    assert await statuses(bank.app, card, "v", source="198.51.100.7") == [400]
    # Where the card was used before, it works on as if nobody had tried, wrong PINs of the volunteer's own included.
    assert await statuses(bank.app, card, "xxxxvxxxxv") == [400, 400, 400, 400, 200, 400, 400, 400, 400, 200]
    bank.clock.move(days=1)
    assert await statuses(bank.app, card, "v", source="198.51.100.7") == [200]


@on_one_engine
async def test_one_network_of_ipv6_is_one_source(bank: Bank, pins: QuickPins) -> None:
    card = await new_card(bank)
    for number in range(5):
        await enter(bank.app, card, "000000", source=f"2001:db8:0:1::{number}")
    assert (await enter(bank.app, card, source="2001:db8:0:1:ffff::9")).status_code == 400
    assert (await enter(bank.app, card, source="2001:db8:0:2::1")).status_code == 200
    assert pins.looked_at == 6


async def test_tallies_are_forgotten_when_they_mean_nothing_any_more(bank: Bank, pins: QuickPins) -> None:
    card = await new_card(bank)

    async def kept(community: int) -> int:
        async with bank.database.read(community) as session:
            of_community = sa.select(sa.func.count()).where(pin_attempts.c.community_id == community)
            return int((await session.execute(of_community)).scalar_one())

    assert pins.looked_at == 0
    for number in range(4):
        await enter(bank.app, card, "000000", source=f"203.0.113.{number}")
        await enter(bank.app, "no card", "000000", source=f"203.0.113.{number}")
    # One for each source, and one for all.
    assert (await kept(bank.number), await kept(CITY)) == (5, 5)
    bank.clock.move(days=30, seconds=1)
    assert await statuses(bank.app, card, "v") == [200]
    assert await statuses(bank.app, "no card", "v") == [400]
    assert (await kept(bank.number), await kept(CITY)) == (2, 2)


@on_one_engine
async def test_no_source_is_stored_as_it_is(bank: Bank, pins: QuickPins) -> None:
    await enter(bank.app, await new_card(bank), "000000", source="203.0.113.77")
    assert pins.looked_at == 1
    async with bank.database.read(bank.number) as session:
        rows = await session.execute(sa.select(pin_attempts).where(pin_attempts.c.community_id == bank.number))
        assert "203.0.113" not in repr(rows.all())


async def test_nobody_learns_what_was_wrong_from_words_or_from_time(bank: Bank) -> None:
    """Timed side by side in turns, with real hashes; the medians may differ by less than a factor of two."""
    right, locked = await new_card(bank), await new_card(bank)
    volunteer = await bank.volunteer()
    path = f"volunteers/{volunteer['id']}/cards"
    revoked, _ = [done(await bank.desk.post(path, {"pin": PIN}), 201)["card_number"] for _ in range(2)]
    assert await statuses(bank.app, locked, "xxxxx") == [400] * 5
    unknown = right[:-2] + str((int(right[-2]) + 1) % 10)
    tries: dict[str, tuple[str, str]] = {
        "wrong PIN": (right, "000000"),
        "no such card": (unknown + luhn.calc_check_digit(unknown), PIN),
        "no such community": ("9999999999012345678901" + luhn.calc_check_digit("9999999999012345678901"), PIN),
        "no card number": ("前台", PIN),
        "revoked": (revoked, PIN),
        "locked": (locked, PIN),
        "no PIN": (right, "x" * 1000),
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in tries}
    answers: list[Any] = []
    for turn in range(7):
        for kind, (card_number, pin) in tries.items():
            began = time.perf_counter()
            answer = await enter(bank.app, card_number, pin, source=f"203.0.113.{turn}" if kind != "locked" else DESK)
            seconds[kind].append(time.perf_counter() - began)
            answers.append((answer.status_code, answer.json(), set(answer.headers) - {"x-request-id"}))
    error = {
        "error": "invalid_grant",
        "error_description": "the card and the PIN do not fit, or there were too many wrong PINs",
    }
    assert all(answer[:2] == (400, error) and answer[2] == answers[0][2] for answer in answers)
    medians = {kind: statistics.median(taken) for kind, taken in seconds.items()}
    assert max(medians.values()) < 2 * min(medians.values()), medians


@on_one_engine
async def test_request_that_lacks_something_or_has_it_twice_is_told_so(bank: Bank) -> None:
    card = await new_card(bank)
    forms: list[dict[str, Any]] = [
        {"card_number": card},
        {"pin": PIN},
        {},
        {"card_number": [card, card], "pin": PIN},
        {"card_number": card, "pin": [PIN, PIN]},
    ]
    for form in forms:
        answer = await bank.http.post("/oauth2/token", data={"grant_type": CARD, **form})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), form
        assert answer.headers["cache-control"] == "no-store"
