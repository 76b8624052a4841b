"""The hashes of PINs: what they cost, that they need the pepper, and that they cannot use the machine up."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.access.pins import AT_ONCE, NO_PIN, WAITING_MAX, Pins
from app.kernel.errors import Unavailable
from app.kernel.vault import Vault
from tests.bank import done, refused

if TYPE_CHECKING:
    from tests.bank import Bank

PEPPER = "a pepper for tests that is long enough"


class Held:
    """A hasher that hashes nothing until it is let go, and counts how many it does at a time."""

    def __init__(self) -> None:
        self.going, self.most, self.lock, self.let_go = 0, 0, threading.Lock(), threading.Event()

    def hash(self, _: str) -> str:
        with self.lock:
            self.going += 1
            self.most = max(self.most, self.going)
        assert self.let_go.wait(20)
        with self.lock:
            self.going -= 1
        return NO_PIN

    def verify(self, text: str, _: str) -> bool:
        return bool(self.hash(text)) and False


def held_pins() -> tuple[Pins, Held]:
    """Pins with such a hasher."""
    pins, held = Pins(Vault(PEPPER)), Held()
    pins._argon2 = held  # type: ignore[assignment]  # noqa: SLF001  stands in for it
    return pins, held


async def test_pin_fits_its_card_under_the_pepper_alone() -> None:
    pins, card, other = Pins(Vault(PEPPER)), uuid4(), uuid4()
    stored = await pins.hash(card, "407182")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await pins.hash(card, "407182") != stored
    assert await pins.fits(stored, card, "407182")
    assert not await pins.fits(stored, card, "407183")
    assert not await pins.fits(stored, other, "407182")
    assert not await Pins(Vault(PEPPER[::-1])).fits(stored, card, "407182")
    for none in (None, NO_PIN):
        assert not await pins.fits(none, card, "407182")


async def test_two_are_hashed_at_a_time_while_everything_else_goes_on() -> None:
    pins, held = held_pins()
    waiting = [asyncio.create_task(pins.hash(uuid4(), "407182")) for _ in range(10)]
    began = time.perf_counter()
    while held.going < AT_ONCE:
        await asyncio.sleep(0.005)
        assert time.perf_counter() - began < 10
    await asyncio.sleep(0.05)
    assert held.going == AT_ONCE == 2
    held.let_go.set()
    assert await asyncio.gather(*waiting) == [NO_PIN] * 10
    assert held.most == AT_ONCE


async def test_queue_has_an_end_and_who_gave_up_waiting_frees_a_place() -> None:
    pins, held = held_pins()
    waiting = [asyncio.create_task(pins.fits(None, uuid4(), "407182")) for _ in range(AT_ONCE + WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await pins.hash(uuid4(), "407182")
    waiting.pop().cancel()
    await asyncio.sleep(0.01)
    waiting.append(asyncio.create_task(pins.fits(None, uuid4(), "407182")))
    await asyncio.sleep(0.01)
    # Who is being served is served to the end, even when nobody listens any more.
    waiting.pop(0).cancel()
    await asyncio.sleep(0.01)
    with pytest.raises(Unavailable):
        await pins.fits(None, uuid4(), "407182")
    held.let_go.set()
    assert await asyncio.gather(*waiting) == [False] * (AT_ONCE + WAITING_MAX - 1)
    assert held.most == AT_ONCE
    assert await pins.hash(uuid4(), "407182") == NO_PIN


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_comes_when_too_many_wait_is_told_when_to_come_again(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    volunteer = await bank.volunteer()
    monkeypatch.setattr("app.access.pins.WAITING_MAX", -AT_ONCE)
    form: dict[str, Any] = {"grant_type": "urn:love-bank:grant-type:card", "card_number": "1", "pin": "407182"}
    key = uuid4().hex
    path = f"volunteers/{volunteer['id']}/cards"
    for answer in (await bank.http.post("/oauth2/token", data=form), await bank.desk.post(path, key=key)):
        refused(answer, "unavailable")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    monkeypatch.undo()
    assert done(await bank.desk.post(path, key=key), 201)["volunteer_id"] == volunteer["id"]
