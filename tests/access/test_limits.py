"""How many requests without a valid token a source may send: to the app, and to the middleware alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from app.http import limits
from app.http.limits import Limits, is_guarded, source_of
from app.main import create_app, describing_app
from tests.bank import Bank, TestClock, refused
from tests.contract.spec import operations_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from app.settings import Settings

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_one_engine
async def test_anonymous_requests_and_failed_authentications_of_a_source_have_a_limit(
    settings: Settings, clock: TestClock
) -> None:
    app = create_app(settings.model_copy(update={"rate_limit": 6}), clock=clock)
    async with Bank(app, clock) as bank:
        form = {"grant_type": "client_credentials", "client_id": "1", "client_secret": "2"}
        assert (await bank.http.post("/oauth2/token", data=form)).status_code == 401
        assert (await bank.http.get("/.well-known/jwks.json")).status_code == 200
        assert (await bank.http.get("/problems/rate-limited")).json()["status"] == 429
        for token in ("", "x.y.z", bank.manager.token[:-4]):
            answer = await bank.http.get(f"{bank.manager.base}/goods", headers={"Authorization": f"Bearer {token}"})
            refused(answer, "invalid-token")
        wrong = {"Authorization": "Bearer x.y.z"}
        for answer in (
            await bank.http.post("/oauth2/token", data=form),
            await bank.http.get("/problems/not-found"),
            # A token, even a good one, where none is looked at.
            await bank.http.post("/oauth2/token", data=form, headers=wrong),
            await bank.manager.get("/.well-known/jwks.json"),
            await bank.http.get("/nowhere"),
            await bank.http.get(f"{bank.manager.base}/goods", headers=wrong),
            await bank.http.post("/v1/communities", json={}, headers=wrong),
        ):
            refused(answer, "rate-limited")
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert answer.headers["x-request-id"]
        # Who has a token works on at the same address, and so do health checks; other addresses have their own.
        assert (await bank.manager.get("goods")).status_code == 200
        assert [(await bank.http.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]
        elsewhere = httpx.ASGITransport(app, client=("192.0.2.2", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://bank.test") as http:
            assert (await http.get("/.well-known/jwks.json")).status_code == 200
    await app.state.context.database.close()


def test_every_operation_without_a_guard_is_counted_as_anonymous() -> None:
    operations = operations_of(describing_app())
    assert operations
    assert [operation.id for operation in operations if operation.is_public == is_guarded(operation.path)] == []


async def served(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  the shape of an app
    """An app that answers 204 to everything."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def status(app: Limits, source: str) -> int:
    """What a request from an address gets."""
    transport = httpx.ASGITransport(app, client=(source, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://bank.test") as http:
        return (await http.get("/")).status_code


async def test_limit_is_of_each_minute_anew() -> None:
    now = 59.0
    app = Limits(served, per_minute=2, clock=lambda: now)
    assert [await status(app, "192.0.2.1") for _ in range(3)] == [204, 204, 429]
    now = 60.0
    assert [await status(app, "192.0.2.1") for _ in range(3)] == [204, 204, 429]


async def test_sources_beyond_those_that_are_counted_apart_share_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOURCES_MAX", 3)
    app = Limits(served, per_minute=2, clock=lambda: 0.0)
    first = [await status(app, f"192.0.2.{number}") for number in range(3)]
    further = [await status(app, f"198.51.100.{number}") for number in range(100)]
    assert first == [204] * 3
    assert further == [204] * 2 + [429] * 98
    assert len(app._counts) == 4  # noqa: SLF001  what memory it takes is what is tested
    assert await status(app, "192.0.2.0") == 204


def test_source_is_an_address_or_a_network_of_ipv6() -> None:
    sources = {
        "192.0.2.1": "192.0.2.1",
        "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
        "2001:db8:1:2::": "2001:db8:1:2::",
        "::ffff:192.0.2.1": "192.0.2.1",
        "a name": "a name",
    }
    assert {host: source_of({"client": (host, 1)}) for host in sources} == sources
    assert source_of({"client": None}) == source_of({}) == ""
