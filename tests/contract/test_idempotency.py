"""Idempotency-Key over HTTP: a request sent again gives the first answer, and nothing happens twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sa

from app.http import commands
from app.kernel.heads import head_numbers
from app.kernel.persons import person_keys
from app.main import create_app
from app.worker import run_due
from tests.bank import Api, done, refused

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

SOAP = {"code": "soap", "name": "香皂", "points_price": 3}


def same(first: httpx.Response, again: httpx.Response) -> bool:
    """Whether a replay is the first answer, byte for byte, and says that it is one."""
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    kept = ("content-type", "location")
    return (again.status_code, again.content, [again.headers.get(name) for name in kept]) == (
        first.status_code,
        first.content,
        [first.headers.get(name) for name in kept],
    )


async def until_answered(api: Api, key: str) -> httpx.Response:
    """Create the soap as a patient client does: sent away for a moment, it sends the same again."""
    for _ in range(50):
        answer = await api.post("goods", SOAP, key=key)
        if answer.status_code not in {409, 503}:
            break
        await asyncio.sleep(0.1)
    return answer


async def numbers(bank: Bank) -> tuple[int, int]:
    """The community's last transaction and last event."""
    async with bank.database.read(bank.number) as session:
        return await head_numbers(session, bank.number)


async def test_repeat_gives_the_first_answer_and_happens_once(bank: Bank) -> None:
    first = await bank.manager.post("goods", SOAP, key="k-1")
    happened = await numbers(bank)
    again = await bank.manager.post("goods", SOAP, key="k-1")
    assert first.status_code == 201
    assert first.headers["location"].endswith("/goods/" + first.json()["id"])
    assert same(first, again)
    assert await numbers(bank) == happened


async def test_refusal_of_the_domain_is_the_keys_answer_even_when_it_would_hold_now(bank: Bank) -> None:
    await bank.kind()
    volunteer, article = await bank.volunteer(), await bank.goods(price=10)
    wanted = {"volunteer_id": volunteer["id"], "lines": [{"goods_id": article["id"], "quantity": 1}]}
    first = await bank.desk.post("redemptions", wanted, key="poor")
    refused(first, "insufficient-points", balance=0, needed=10)
    await bank.hours(volunteer["id"])
    assert same(first, await bank.desk.post("redemptions", wanted, key="poor"))
    assert done(await bank.desk.post("redemptions", wanted, key="rich"), 201)["points"] == 10


async def test_another_request_with_the_key_is_refused(bank: Bank) -> None:
    done(await bank.manager.post("goods", SOAP, key="k"), 201)
    happened = await numbers(bank)
    refused(await bank.manager.post("goods", {**SOAP, "points_price": 4}, key="k"), "idempotency-key-reused")
    refused(
        await bank.manager.post("service-kinds", {"code": "patrol", "name": "巡逻"}, key="k"), "idempotency-key-reused"
    )
    assert await numbers(bank) == happened


async def test_same_request_in_another_spelling_is_the_same_request(bank: Bank) -> None:
    first = await bank.manager.post("goods", SOAP, key="k")
    spelled = '{ "points_price": 3, "name": " \\u9999皂 ", "code": "soap" }'.encode()
    headers = {"Authorization": f"Bearer {bank.manager.token}", "Idempotency-Key": "k"}
    url = f"{bank.manager.base}/goods"
    again = await bank.http.post(url, content=spelled, headers={**headers, "Content-Type": "application/json"})
    assert same(first, again)


async def test_key_belongs_to_its_caller_and_its_community(bank: Bank) -> None:
    body = {"code": "patrol", "name": "巡逻"}
    done(await bank.manager.post("service-kinds", body, key="k"), 201)
    # The city's own key of that name, in the same community, is another key: it meets the code that is taken.
    refused(await bank.city.post(f"{bank.manager.base}/service-kinds", body, key="k"), "already-exists")
    await bank.open_community()
    done(await bank.city.post(f"{bank.manager.base}/service-kinds", body, key="k"), 201)


@pytest.mark.parametrize("key", [None, "", "x" * 256, "two words", "tab\there", "ключ".encode(), b"\xff", b"a\x7f"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_key_that_cannot_be_used_is_refused(bank: Bank, key: str | bytes | None) -> None:
    headers: dict[str, Any] = {"Authorization": f"Bearer {bank.manager.token}"}
    sent = headers if key is None else {**headers, "Idempotency-Key": key}
    answer = await bank.http.post(f"{bank.manager.base}/goods", json=SOAP, headers=sent)
    assert answer.status_code == 400
    refused(answer, "idempotency-key-missing")


async def test_every_visible_character_may_stand_in_a_key(bank: Bank) -> None:
    key = "".join(map(chr, range(0x21, 0x7F))) + "x" * 161
    assert len(key) == 255
    first = await bank.manager.post("goods", SOAP, key=key)
    assert same(first, await bank.manager.post("goods", SOAP, key=key))


async def test_validation_error_leaves_the_key_free(bank: Bank) -> None:
    refused(await bank.manager.post("goods", {**SOAP, "points_price": "3"}, key="k"), "invalid-request")
    done(await bank.manager.post("goods", SOAP, key="k"), 201)


async def test_fault_that_only_the_service_finds_leaves_the_key_free_too(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    future = bank.record(volunteer["id"], start="2027-01-01T09:00")
    refused(await bank.desk.post("service-records", future, key="k"), "invalid-request")
    done(await bank.desk.post("service-records", bank.record(volunteer["id"]), key="k"), 201)


async def test_secret_of_a_client_is_shown_once(bank: Bank) -> None:
    body = {"name": "前台", "role": "front_desk"}
    first = done(await bank.manager.post("clients", body, key="k"), 201)
    again = await bank.manager.post("clients", body, key="k")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {name: value for name, value in first.items() if name != "client_secret"}
    assert first["client_secret"] not in again.text


async def test_fifty_at_once_have_one_effect_and_one_answer(bank: Bank) -> None:
    before = await numbers(bank)
    answers = await asyncio.gather(*(until_answered(bank.manager, "k") for _ in range(50)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert (await numbers(bank))[1] == before[1] + 1
    assert len(done(await bank.manager.get("goods"), 200)["items"]) == 1


async def test_two_processes_given_one_key_have_one_effect(bank: Bank, settings: Settings) -> None:
    """Another app over the same database knows nothing of what is on its way in the first."""
    other = create_app(settings, clock=bank.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url="http://bank.test") as http:
        twin = Api(http, bank.manager.token, bank.manager.client_id, bank.manager.base)
        answers = await asyncio.gather(*(until_answered(api, "k") for api in (bank.manager, twin) * 10))
    await other.state.context.database.close()
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


async def test_repeat_does_not_wait_for_ever_for_the_first(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_in_flight_wait_seconds", 0.3)
    async with bank.database.write(bank.number):
        # The first request waits for the community's head, which is held here.
        first = asyncio.create_task(bank.manager.post("goods", SOAP, key="k"))
        await asyncio.sleep(0.05)
        refused(await bank.manager.post("goods", SOAP, key="k"), "idempotency-key-in-flight")
    done(await first, 201)
    assert same(await first, await bank.manager.post("goods", SOAP, key="k"))


async def test_answer_is_kept_for_thirty_days_and_the_key_for_good(bank: Bank, settings: Settings) -> None:
    first = await bank.manager.post("goods", SOAP, key="k")
    bank.clock.move(days=29)
    await run_due(bank.database, settings)
    assert same(first, await bank.manager.post("goods", SOAP, key="k"))
    bank.clock.move(days=2)
    await run_due(bank.database, settings)
    happened = await numbers(bank)
    answer = await bank.manager.post("goods", SOAP, key="k")
    assert answer.status_code == 410
    refused(answer, "idempotency-answer-expired")
    refused(await bank.manager.post("goods", {**SOAP, "code": "s2"}, key="k"), "idempotency-key-reused")
    assert await numbers(bank) == happened


async def test_answer_that_names_an_erased_person_is_gone(bank: Bank) -> None:
    consent = {"version": "2024-09", "given_at": "2025-01-01T09:00:00+08:00"}
    body = {"name": "张文静", "phone": "13911112222", "consent": consent}
    first = await bank.desk.post("volunteers", body, key="k")
    assert same(first, await bank.desk.post("volunteers", body, key="k"))
    async with bank.database.write(bank.number) as session:
        await session.execute(sa.delete(person_keys).where(person_keys.c.community_id == bank.number))
    answer = await bank.desk.post("volunteers", body, key="k")
    assert answer.status_code == 410
    refused(answer, "idempotency-answer-erased")
    assert "张文静" not in answer.text
