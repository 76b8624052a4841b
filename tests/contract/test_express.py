"""The express way and the whole way give one and the same answer; what is not plain and good goes the whole way."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.communities.service import Directory
from app.http import express, patience
from app.main import ROUTERS
from tests.bank import done, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from tests.bank import Bank

HOT = {
    "create_service_record",
    "verify_service_record",
    "create_redemption",
    "cancel_redemption",
    "collect_redemption",
    "create_transfer",
    "create_own_redemption",
    "cancel_own_redemption",
    "get_balance",
    "get_statement",
    "get_own_balance",
    "get_own_statement",
}


class Ways:
    """Counts the requests that went the whole way, and can send all of them there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plain = 0
        self._monkeypatch = monkeypatch
        respond = express.Express._respond  # noqa: SLF001  the express way itself

        async def counted(*arguments: Any) -> Any:
            answer = await respond(*arguments)
            self.plain += 1
            return answer

        monkeypatch.setattr(express.Express, "_respond", counted)

    def close_express(self) -> None:
        """Let nothing take the express way from here on."""
        self._monkeypatch.setattr(express.Express, "_find", lambda *_: (None, ()))


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    return Ways(monkeypatch)


def test_hot_routes_are_those_that_desks_and_volunteers_use_all_day() -> None:
    assert {route.name for router in ROUTERS for route in router.routes if express.is_hot(route)} == HOT


def shown(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "content-length"}}
    return answer.status_code, answer.content, headers


async def test_a_hot_request_is_answered_alike_on_both_ways(bank: Bank, ways: Ways) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    record = done(await bank.desk.post("service-records", bank.record(volunteer["id"]), key="first"), 201)
    verification = f"service-records/{record['id']}/verification"
    reads: list[tuple[str, dict[str, int]]] = [("balance", {}), ("statement", {}), ("statement", {"limit": 1})]
    asked: Sequence[tuple[str, str, Any]] = [
        ("front_desk", "service-records", bank.record(volunteer["id"])),
        ("manager", verification, {"decision": "approve"}),
    ]
    base = f"volunteers/{volunteer['id']}"
    own = await bank.volunteer_api(volunteer["id"])

    async def answers() -> list[tuple[int, bytes, dict[str, str]]]:
        posted = [await bank.roles[role].post(path, body, key="first") for role, path, body in asked]
        read = [await bank.desk.get(f"{base}/{what}", **query) for what, query in reads]
        return [shown(one) for one in (*posted, *read, await own.get("balance"), await own.get("statement"))]

    await answers()
    missing = f"volunteers/{uuid4()}/balance"

    async def refusals() -> list[tuple[int, bytes, dict[str, str]]]:
        again = await bank.manager.post(verification, {"decision": "approve"}, key="second")
        other = await bank.desk.post("service-records", bank.record(volunteer["id"], minutes=60), key="first")
        refused_reads = await bank.desk.get(missing), await bank.verifier.get(f"{base}/balance")
        return [shown(one) for one in (again, other, *refused_reads)]

    await refusals()
    express_refusals = await refusals()
    ways.plain = 0
    express_answers = await answers()
    assert ways.plain == len(express_answers)
    ways.close_express()
    assert await answers() == express_answers
    assert await refusals() == express_refusals
    assert [status for status, *_ in express_refusals] == [409, 422, 404, 403]
    assert [status for status, *_ in express_answers] == [201, 200, 200, 200, 200, 200, 200]


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"Content-Type": "text/plain"}, b"{}", "unsupported-media-type"),
        ({"Content-Type": "application/json; charset=utf-8"}, b'{"minutes": NaN}', "invalid-request"),
        ({}, b'{"minutes": 1, "minutes": 2}', "invalid-request"),
        ({}, b"{", "invalid-request"),
        ({}, b"", "invalid-request"),
        ({}, b"[" * 100_000, "invalid-request"),
        ({}, b'{"note": "' + b"x" * 3_000_000 + b'"}', "body-too-large"),
        ({"Authorization": "Bearer nonsense"}, b"{}", "invalid-token"),
        ({"Authorization": ""}, b"{}", "invalid-token"),
        ({"Idempotency-Key": ""}, None, "idempotency-key-missing"),
    ],
)
async def test_what_is_not_plain_is_refused_as_it_always_was(
    bank: Bank, ways: Ways, headers: dict[str, str], body: bytes | None, code: str
) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    ways.plain = 0
    known = {"Authorization": f"Bearer {bank.desk.token}", "Content-Type": "application/json", "Idempotency-Key": "k"}
    if body is None:
        body = bank.http.build_request("POST", "/", json=bank.record(volunteer["id"])).content
    answer = await bank.http.post(f"{bank.desk.base}/service-records", content=body, headers={**known, **headers})
    refused(answer, code)
    assert ways.plain == 0
    assert len(answer.headers.get_list("x-request-id")) == 1


async def test_roles_places_and_queries_are_judged_on_the_express_way_too(bank: Bank, ways: Ways) -> None:
    volunteer = await bank.volunteer()
    balance = f"volunteers/{volunteer['id']}/balance"
    ways.plain = 0
    refused(await bank.verifier.get(balance), "role-missing")
    refused(await bank.desk.get(f"volunteers/{uuid4()}/balance"), "not-found")
    refused(await bank.desk.get("volunteers/{}/balance"), "invalid-request")
    refused(await bank.desk.get(f"volunteers/{volunteer['id'].upper()}x/balance"), "invalid-request")
    statement = f"volunteers/{volunteer['id']}/statement"
    for limit in (0, 201, "x", ""):
        refused(await bank.desk.get(statement, limit=limit), "invalid-request")
    refused(await bank.desk.get(statement, cursor="x"), "invalid-cursor")
    done(await bank.desk.get(statement, limit=1, other="y"), 200)
    assert ways.plain == 0
    other = bank.community
    await bank.open_community()
    refused(await bank.desk.get(f"/v1/communities/{other['id']}/{balance}"), "not-found")
    assert ways.plain == 0


async def test_the_city_reads_and_records_in_a_community_on_the_express_way(bank: Bank, ways: Ways) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    base = bank.desk.base
    ways.plain = 0
    done(await bank.city.post(f"{base}/service-records", bank.record(volunteer["id"])), 201)
    done(await bank.city.get(f"{base}/volunteers/{volunteer['id']}/balance"), 200)
    assert ways.plain == 2


async def test_which_of_two_headers_counts_is_left_to_the_whole_way(bank: Bank, ways: Ways) -> None:
    volunteer = await bank.volunteer()
    ways.plain = 0
    url, token = (
        f"{bank.desk.base}/volunteers/{volunteer['id']}/balance",
        ("Authorization", f"Bearer {bank.desk.token}"),
    )
    done(await bank.http.get(url, headers=[token, ("Accept-Language", "zh"), ("Accept-Language", "en")]), 200)
    refused(await bank.http.get(url, headers=[("Authorization", "Bearer x"), token]), "invalid-token")
    assert ways.plain == 0


async def test_the_framework_does_not_see_what_takes_the_express_way(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    volunteer = await bank.volunteer()

    async def build(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(bank.app, "middleware_stack", build)
    assert (await bank.balance(volunteer["id"]))["points"] == 0


async def test_a_hot_request_that_takes_too_long_is_told_to_come_back(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    volunteer = await bank.volunteer()
    monkeypatch.setattr(patience, "answer_seconds_max", 0.2)

    async def never(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(bank.app.state.context.reads, "ask", never)
    began = time.monotonic()
    answer = await bank.desk.get(f"volunteers/{volunteer['id']}/balance")
    refused(answer, "unavailable")
    assert answer.headers["retry-after"]
    assert time.monotonic() - began < 5


async def test_a_look_up_of_a_community_that_never_ends_is_bounded_as_well(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    volunteer = await bank.volunteer()
    path = f"/v1/communities/{bank.community['id']}/volunteers/{volunteer['id']}/balance"

    async def never(*_: Any) -> int:
        await asyncio.sleep(600)
        return 0

    monkeypatch.setattr(Directory, "known", lambda *_: None)
    monkeypatch.setattr(Directory, "number_of", never)
    monkeypatch.setattr(patience, "answer_seconds_max", 0.2)
    async with asyncio.timeout(5):
        answer = await bank.city.get(path)
    refused(answer, "unavailable")


async def test_reads_that_arrive_together_share_transactions(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    await bank.kind()
    people = [await bank.volunteer() for _ in range(3)]
    for place, volunteer in enumerate(people):
        await bank.hours(volunteer["id"], minutes=30 + place)
    opened = 0
    read = bank.database.read

    def counted(*communities: int) -> Any:
        nonlocal opened
        opened += 1
        return read(*communities)

    monkeypatch.setattr(bank.database, "read", counted)
    balances = await asyncio.gather(*(bank.balance(people[n % 3]["id"]) for n in range(30)))
    assert [held["minutes"] for held in balances] == [30 + n % 3 for n in range(30)]
    assert opened < 10
    pages = await asyncio.gather(
        *(bank.desk.get(f"volunteers/{people[n % 3]['id']}/statement", limit=1 + n % 2) for n in range(30))
    )
    assert [len(done(page, 200)["items"]) for page in pages] == [1 + n % 2 for n in range(30)]
    assert opened < 20


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_comes_to_a_full_queue_is_sent_away_before_anything_is_done_for_it(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    volunteer = await bank.volunteer()
    asked = f"volunteers/{volunteer['id']}/balance"
    for full, path, method in (("commands", "service-records", "POST"), ("reads", asked, "GET")):
        with monkeypatch.context() as patched:
            patched.setattr(type(getattr(bank.app.state.context, full)), "is_full", True)
            headers = {"Authorization": "Bearer none", "Content-Type": "application/json", "Idempotency-Key": "1"}
            url = f"{bank.desk.base}/{path}"
            answer = await bank.http.request(method, url, headers=headers, content=b"{" if method == "POST" else None)
        assert refused(answer, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
