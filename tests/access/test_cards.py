"""Cards: what is issued, shown once, stored, announced, and what becomes of the card before."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
import pytest
import sqlalchemy as sa
from stdnum import luhn

from app.access.cards import NewCard, issue_cards, revoke_cards_of
from app.access.guard import Admitted
from app.access.pins import NO_PIN
from app.access.rules import Caller, caller_of_volunteer, card_number, community_of_card, is_weak_pin
from app.http.operations import VOLUNTEER
from app.kernel import persons
from app.kernel.errors import Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.submission import confirm
from tests.bank import done, refused
from tests.contract.stored import everything_stored

if TYPE_CHECKING:
    import httpx

    from app.settings import Settings
    from tests.bank import Bank

CARD = "urn:love-bank:grant-type:card"
PIN = "407182"
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def in_full_width(digits: str) -> str:
    """The digits as Chinese input methods may give them: digits too, but not these."""
    return "".join(chr(ord(digit) + 0xFEE0) for digit in digits)


async def log_in(bank: Bank, card: Any, pin: str) -> httpx.Response:
    """Ask for a token with a card."""
    form = {"grant_type": CARD, "card_number": card["card_number"], "pin": pin}
    return await bank.http.post("/oauth2/token", data=form)


async def test_card_with_a_chosen_or_a_made_pin_gives_the_volunteer_a_token(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    path = f"volunteers/{volunteer['id']}/cards"
    chosen, made = done(await bank.desk.post(path, {"pin": PIN}), 201), done(await bank.manager.post(path), 201)
    assert chosen["pin"] == PIN
    assert len(made["pin"]) == 6
    assert not is_weak_pin(made["pin"])
    assert chosen["card_number"] != made["card_number"]
    for card in (chosen, made):
        assert card["volunteer_id"] == volunteer["id"]
        assert luhn.is_valid(card["card_number"])
        assert community_of_card(card["card_number"]) == bank.number
    answer = await log_in(bank, made, made["pin"])
    token = done(answer, 200)
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 600, "volunteer")
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    volunteer_id = UUID(volunteer["id"])
    assert bank.app.state.tokens.check(token["access_token"], roles=[VOLUNTEER]) == Caller(
        caller_of_volunteer(volunteer_id),
        VOLUNTEER,
        bank.number,
        UUID(bank.community["id"]),
        volunteer_id,
        UUID(made["id"]),
    )


async def test_pin_is_shown_once_and_nothing_that_could_be_searched_for_it_is_stored(
    bank: Bank, settings: Settings
) -> None:
    path, key = f"volunteers/{(await bank.volunteer())['id']}/cards", uuid4().hex
    first = await bank.desk.post(path, {"pin": PIN}, key=key)
    again = await bank.desk.post(path, {"pin": PIN}, key=key)
    card = done(first, 201)
    assert first.headers["location"] == f"{bank.desk.base}/{path}/{card['id']}"
    assert again.headers["idempotency-replayed"] == "true"
    assert done(again, 201) == {name: value for name, value in card.items() if name != "pin"}
    refused(await bank.desk.post(path, {"pin": "407183"}, key=key), "idempotency-key-reused")
    assert (await log_in(bank, card, PIN)).status_code == 200
    stored = everything_stored(settings)
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in stored
    assert f'"{PIN}"' not in stored
    # The hash of the request is kept for good, and a million PINs are soon tried.
    for body in ({"pin": PIN}, PIN):
        request = f"POST {bank.desk.base}/{path}\n".encode() + orjson.dumps(body)
        assert hashlib.sha256(request).hexdigest() not in stored


async def test_new_card_replaces_the_one_before_and_both_are_announced_by_ids_alone(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    path = f"volunteers/{volunteer['id']}/cards"
    before, card = [done(await bank.desk.post(path, {"pin": PIN}), 201) for _ in range(2)]
    assert (await log_in(bank, before, PIN)).json()["error"] == "invalid_grant"
    assert (await log_in(bank, card, PIN)).status_code == 200
    events = done(await bank.auditor.get("events"), 200)["items"]
    named = [{"card_id": one["id"], "volunteer_id": volunteer["id"]} for one in (before, before, card)]
    assert [(event["type"], event["data"]) for event in events[-3:]] == list(
        zip(["card.issued", "card.revoked", "card.issued"], named, strict=True)
    )


@on_one_engine
async def test_pin_that_is_easy_to_guess_or_none_is_refused_without_being_repeated(bank: Bank) -> None:
    path = f"volunteers/{(await bank.volunteer())['id']}/cards"
    for pin in (
        "111111",
        "123456",
        "654321",
        "890123",
        "121212",
        "123123",
        "12345",
        "1234567",
        "abcdef",
        in_full_width(PIN),
        407182,
    ):
        answer = await bank.desk.post(path, {"pin": pin})
        problem = refused(answer, "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == ["/pin"]
        assert str(pin) not in answer.text
    assert "too easy" in (await bank.desk.post(path, {"pin": "111111"})).text
    refused(await bank.desk.post(path, {"pin": PIN, "card_number": "1"}), "invalid-request")


async def test_nobody_but_a_present_volunteer_of_the_community_gets_a_card(bank: Bank) -> None:
    stranger, erased = await bank.volunteer(), None
    await bank.open_community()
    erased = await bank.volunteer()
    async with bank.database.write(bank.number) as session:
        key = persons.person_keys
        mine = (key.c.community_id == bank.number) & (key.c.person_id == UUID(erased["id"]))
        await session.execute(sa.delete(key).where(mine))
    for volunteer_id in (stranger["id"], erased["id"], str(uuid4())):
        refused(await bank.desk.post(f"volunteers/{volunteer_id}/cards"), "not-found", resource="volunteer")


async def test_nothing_moves_with_a_card_after_its_revocation_however_close(bank: Bank) -> None:
    volunteer_id, card_id = UUID((await bank.volunteer())["id"]), new_id()
    async with bank.database.write(bank.number) as session:
        await issue_cards(session, [NewCard(bank.number, volunteer_id, card_id, NO_PIN)])
    caller = Caller(
        caller_of_volunteer(volunteer_id), VOLUNTEER, bank.number, UUID(bank.community["id"]), volunteer_id, card_id
    )

    async def move() -> bool:
        async with bank.database.write(bank.number) as session:
            try:
                await confirm(session, Admitted(caller, bank.number))
            except Refused:
                return False
            await append(session, [Event(bank.number, "test.moved", {})])
            return True

    async def revoke() -> bool:
        async with bank.database.write(bank.number) as session:
            await revoke_cards_of(session, bank.number, volunteer_id)
        return False

    moved = await asyncio.gather(*(move() for _ in range(5)), revoke(), *(move() for _ in range(5)))
    events = [event["type"] for event in done(await bank.auditor.get("events"), 200)["items"]]
    revoked_at = events.index("card.revoked")
    assert events[:revoked_at].count("test.moved") == sum(moved) > 0
    assert "test.moved" not in events[revoked_at:]
    assert not await move()


def test_card_number_says_its_community_and_one_wrong_digit_is_noticed() -> None:
    for community in (1, 9, 10, 180, 999_999_999):
        number = card_number(community, "012345678901")
        assert community_of_card(number) == community
        for place, digit in enumerate(number):
            wrong = number[:place] + str((int(digit) + 1) % 10) + number[place + 1 :]
            assert community_of_card(wrong) is None
    for text in (
        "",
        "1",
        "0" * 16,
        "119522391483931 ",
        in_full_width("119522391483931"),
        "9" * 40,
        "1-0123456789abcdef",
    ):
        assert community_of_card(text) is None
