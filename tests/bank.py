"""A small bank for tests: a community with clients, volunteers, hours and goods, driven over HTTP by its users."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID, uuid4

import httpx

from app.access.cards import NewCard, issue_cards
from app.access.pins import NO_PIN
from app.access.rules import Caller, caller_of_volunteer
from app.access.service import Client, NewClient, create_clients
from app.http.operations import COMMUNITY_ROLES, VOLUNTEER
from app.kernel.heads import CITY
from app.kernel.ids import new_id
from app.main import create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from app.kernel.database import Database
    from app.settings import Settings

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""Monday noon in Xining: the time of every test until it moves the clock."""


class TestClock:
    """A clock that stands until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self.moment = NOW

    def now(self, community: int) -> datetime:  # noqa: ARG002  one time for all
        return self.moment

    def move(self, **parts: float) -> None:
        """Move on (or back), by the parts of a timedelta."""
        self.moment += timedelta(**parts)


class Api:
    """One client's view of the API: sends its token, and a new key with each POST unless one is given."""

    def __init__(self, http: httpx.AsyncClient, token: str, client_id: str, base: str) -> None:
        self.http, self.token, self.client_id, self.base = http, token, client_id, base

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        """GET a path, below the community unless it begins with a slash."""
        return await self.http.get(self._url(path), params=parameters, headers=self._headers())

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        """POST a JSON body."""
        headers = {**self._headers(), "Idempotency-Key": key or uuid4().hex}
        return await self.http.post(self._url(path), json=body if body is not None else {}, headers=headers)

    async def patch(self, path: str, body: Any, *, etag: str | None = "*") -> httpx.Response:
        """PATCH a JSON body, on whichever revision unless an ETag is given; None sends no If-Match."""
        headers = {**self._headers(), **({} if etag is None else {"If-Match": etag})}
        return await self.http.patch(self._url(path), json=body, headers=headers)

    async def delete(self, path: str) -> httpx.Response:
        """DELETE a path."""
        return await self.http.delete(self._url(path), headers=self._headers())

    def _url(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.base}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Bank:
    """A community of the app, with an `Api` for each role as an attribute, and shorthands for what tests do most.

    Shorthands assert success and give the answer's JSON; what a test is about it does with the `Api`s themselves.
    """

    def __init__(self, app: FastAPI, clock: TestClock) -> None:
        self.app, self.clock = app, clock
        self.database: Database = app.state.context.database
        transport = httpx.ASGITransport(app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://bank.test")
        self._phones = 13_000_000_000

    async def __aenter__(self) -> Self:
        async with self.database.write(CITY) as session:
            (client,) = await create_clients(session, [NewClient(CITY, "city", "city_admin")])
        self.city = self.api(client)
        await self.open_community()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def login(self, client_id: str, client_secret: str, base: str) -> Api:
        """Get a token and give the client's view of the API."""
        answer = await self.http.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret},
        )
        assert answer.status_code == 200, answer.text
        return Api(self.http, answer.json()["access_token"], client_id, base)

    async def open_community(self, **settings: Any) -> Any:
        """Create a community with a client for each role, and make it this bank's."""
        body = {"code": uuid4().hex[:12], "name": "祁连路西社区", "district": "城北区", "subdistrict": "朝阳街道"}
        self.community = done(await self.city.post("/v1/communities", {**body, **settings}), 201)
        self.number = await self._number()
        async with self.database.write(self.number) as session:
            clients = await create_clients(session, [NewClient(self.number, role, role) for role in COMMUNITY_ROLES])
        self.clients = {client.role: client for client in clients}
        self.roles = {client.role: self.api(client) for client in clients}
        self.manager, self.desk = self.roles["manager"], self.roles["front_desk"]
        self.verifier, self.auditor = self.roles["verifier"], self.roles["auditor"]
        self.integrator = self.roles["integrator"]
        return self.community

    async def _number(self) -> int:
        number = await self.app.state.directory.number_of(UUID(self.community["id"]))
        assert isinstance(number, int)
        return number

    def api(self, client: Client) -> Api:
        """A client's view of the API, with a token as the token endpoint would issue it."""
        community_id = UUID(self.community["id"]) if client.community else None
        token = self.app.state.tokens.issue(Caller(client.client_id, client.role, client.community, community_id))
        base = f"/v1/communities/{community_id}" if community_id else "/v1"
        return Api(self.http, token, client.client_id, base)

    async def volunteer_api(self, volunteer_id: str) -> Api:
        """Issue a volunteer a card, whose PIN is not used, and give the volunteer's view of the API, below `/v1/me`."""
        card = NewCard(self.number, UUID(volunteer_id), new_id(), NO_PIN)
        async with self.database.write(self.number) as session:
            await issue_cards(session, [card])
        caller = Caller(
            caller_of_volunteer(card.volunteer_id),
            VOLUNTEER,
            self.number,
            UUID(self.community["id"]),
            card.volunteer_id,
            card.card_id,
        )
        return Api(self.http, self.app.state.tokens.issue(caller), caller.id, "/v1/me")

    def phone(self) -> str:
        """A mobile number that nobody has yet."""
        self._phones += 1
        return str(self._phones)

    async def volunteer(self, **fields: Any) -> Any:
        """Register a volunteer."""
        consent = {"version": "2024-09", "given_at": "2025-01-01T09:00:00+08:00"}
        body = {"name": "李佳儒", "phone": self.phone(), "consent": consent, **fields}
        return done(await self.desk.post("volunteers", body), 201)

    async def kind(self, code: str = "home_visit", points_per_hour: int | None = 10, **rule: Any) -> str:
        """Create a service kind, and a rule for it unless `points_per_hour` is None."""
        done(await self.manager.post("service-kinds", {"code": code, "name": code}), 201)
        if points_per_hour is not None:
            body = {"service_kind": code, "points_per_hour": points_per_hour, "effective_from": "2025-01-01", **rule}
            done(await self.manager.post("earning-rules", body), 201)
        return code

    def record(self, volunteer_id: str, **fields: Any) -> dict[str, Any]:
        """The body of a service record: see `record_body`."""
        return record_body(volunteer_id, **fields)

    async def hours(self, volunteer_id: str, **fields: Any) -> Any:
        """Record a service at the desk and have it approved by the verifier, unless it is approved already."""
        record = done(await self.desk.post("service-records", self.record(volunteer_id, **fields)), 201)
        if record["status"] == "pending":
            path = f"service-records/{record['id']}/verification"
            record = done(await self.manager.post(path, {"decision": "approve"}), 200)
        return record

    async def goods(self, pieces: int = 10, price: int = 10, **fields: Any) -> Any:
        """Create an article and receive pieces of it."""
        article = done(await self.manager.post("goods", {"name": "毛巾", "points_price": price, **fields}), 201)
        if pieces:
            path = f"goods/{article['id']}/stock-movements"
            done(await self.manager.post(path, {"kind": "received", "quantity": pieces, "note": "进货"}), 201)
        return article

    async def reserve(self, volunteer_id: str, goods_id: str, quantity: int = 1) -> Any:
        """Reserve pieces of an article."""
        body = {"volunteer_id": volunteer_id, "lines": [{"goods_id": goods_id, "quantity": quantity}]}
        return done(await self.desk.post("redemptions", body), 201)

    async def balance(self, volunteer_id: str) -> Any:
        """What a volunteer holds."""
        return done(await self.desk.get(f"volunteers/{volunteer_id}/balance"), 200)


@asynccontextmanager
async def open_bank(settings: Settings, clock: TestClock) -> AsyncIterator[Bank]:
    """The bank over a database, with the app in this process."""
    app = create_app(settings, clock=clock)
    async with Bank(app, clock) as bank:
        yield bank
    await app.state.context.database.close()


@asynccontextmanager
async def bank_of_today(settings: Settings) -> AsyncIterator[Bank]:
    """The bank over a database, its clock standing at the real present: a server that comes after lives there."""
    clock = TestClock()
    clock.moment = datetime.now(UTC)
    async with open_bank(settings, clock) as bank:
        yield bank


def record_body(volunteer_id: str, **fields: Any) -> dict[str, Any]:
    """The body of a service record: ninety minutes on 1 March 2026, unless `start` (local) says otherwise."""
    start = datetime.fromisoformat(fields.pop("start", "2026-03-01T09:00") + "+08:00")
    minutes = fields.get("minutes", 90)
    body = {
        "volunteer_id": volunteer_id,
        "service_kind": "home_visit",
        "activity_name": "入户探访",
        "place": "祁连家园",
        "content": "量血压、打扫卫生、陪老人聊天",
        "organiser": "祁连路西社区居委会",
        "started_at": start.isoformat(),
        "ended_at": (start + timedelta(minutes=minutes)).isoformat(),
        "minutes": minutes,
    }
    return {**body, **fields}


def done(answer: httpx.Response, status: int) -> Any:
    """The JSON of an answer that has to have this status, as the resource is read again: without a receipt."""
    answered = posted(answer, status)
    if isinstance(answered, dict):
        answered.pop("receipt", None)
    return answered


def posted(answer: httpx.Response, status: int) -> Any:
    """The whole JSON of an answer that has to have this status, with the receipt of what it posted, if any."""
    assert answer.status_code == status, answer.text
    return answer.json()


def refused(answer: httpx.Response, code: str, **facts: Any) -> Any:
    """The problem document of an answer that has to be this refusal, with at least these facts."""
    problem = answer.json()
    assert problem.get("code") == code, problem
    assert answer.status_code == problem["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert {name: problem.get(name) for name in facts} == facts
    return problem
