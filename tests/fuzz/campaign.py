"""Sends spoilt requests to the app and judges each answer: a documented one, in time, and no row without an effect."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode
from uuid import uuid4

import httpx
import orjson

from app.kernel.heads import CITY, head_numbers
from app.reports.service import audit_community
from tests.contract.furnished import Furnished
from tests.contract.spec import JSON, PROBLEM, Operation, operations_of
from tests.fuzz.mutations import RawRequest, spoilt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import FastAPI

    from tests.bank import Bank

ANSWER_SECONDS_MAX = 5.0
_by_others_share = 0.3
_changing = {"POST", "PATCH", "PUT", "DELETE"}


@dataclass
class Figures:
    """What came of a campaign: answers by status, refusals by code."""

    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """One line for people."""
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return f"{self.statuses.total()} requests; {statuses}; {len(self.codes)} codes of refusals"


@dataclass
class Campaign:
    """Spoilt requests for every operation that changes anything, in turn, all from one seed."""

    bank: Bank
    seed: int
    figures: Figures = field(default_factory=Figures)

    async def run(self, numbers: Iterable[int]) -> Figures:
        """Send one for each number; raises `AssertionError` with the whole request at the first answer not right."""
        self.random = Random(self.seed)  # noqa: S311  the point is that it can be repeated
        self.own = await Furnished.of(self.bank)
        self.operations = [one for one in operations_of(self.bank.app) if one.method in _changing]
        self.sound = [await self._sound(operation) for operation in self.operations]
        heads = await self._heads()
        for number in numbers:
            turn = number % len(self.operations)
            operation = self.operations[turn]
            others = [request.body for request in self.sound if request.body]
            request = spoilt(self._by_anyone(self._with_new_key(self.sound[turn])), self.random, others)
            answer = await self._answer(request)
            self._judge(operation, request, answer)
            now = await self._heads()
            if answer.is_success:
                self.sound[turn] = await self._sound(operation)
                now = await self._heads()
            else:
                assert now == heads, f"a refused request left something behind: {request}"
            heads = now
        async with self.bank.database.read(self.own.number) as session:
            assert await audit_community(session, self.own.number) == []
        return self.figures

    async def _sound(self, operation: Operation) -> RawRequest:
        """A request that would be carried out."""
        path, body = await self.own.path_and_body(operation, fresh=True)
        headers = {name.lower(): value for name, value in self.own.admitted(operation).items()}
        if operation.method == "PATCH":
            headers["if-match"] = "*"
        content = b""
        if operation.body is not None:
            media_type = operation.body[0]
            headers["content-type"] = media_type
            content = orjson.dumps(body) if media_type == JSON else urlencode(body).encode()
        encoded = tuple((name.encode(), value.encode()) for name, value in headers.items())
        return RawRequest(operation.method, path.encode(), encoded, content)

    def _with_new_key(self, request: RawRequest) -> RawRequest:
        return request.with_header(b"idempotency-key", uuid4().hex.encode())

    def _by_anyone(self, request: RawRequest) -> RawRequest:
        """The request as any role may send it, now and then."""
        if self.random.random() < _by_others_share:
            token = self.random.choice([*self.own.roles.values()]).token
            return request.with_header(b"authorization", b"Bearer " + token.encode())
        return request

    async def _heads(self) -> list[tuple[int, int]]:
        found = []
        for number in (self.own.number, CITY):
            async with self.bank.database.read(number) as session:
                found.append(await head_numbers(session, number))
        return found

    async def _answer(self, request: RawRequest) -> httpx.Response:
        try:
            return await asyncio.wait_for(asked(self.bank.app, request), ANSWER_SECONDS_MAX)
        except TimeoutError:
            message = f"no answer within {ANSWER_SECONDS_MAX} s: {request}"
            raise AssertionError(message) from None

    def _judge(self, operation: Operation, request: RawRequest, answer: httpx.Response) -> None:
        told = f"{answer.status_code} {answer.text}\nfor {request}"
        self.figures.statuses[answer.status_code] += 1
        assert answer.status_code < 500 or answer.status_code == 503, told
        if not request.is_elsewhere:
            assert operation.departures(answer) == [], told
        if answer.headers.get("content-type", "").startswith(PROBLEM):
            problem: dict[str, Any] = answer.json()
            assert problem["detail"], told
            if problem["code"] == "invalid-request":
                assert all({"pointer", "message"} <= fault.keys() for fault in problem["errors"]), told
            self.figures.codes[problem["code"]] += 1


async def asked(app: FastAPI, request: RawRequest) -> httpx.Response:
    """Hand a request to the app as a server would that has taken its bytes apart, and no more."""
    raw_path, _, query = request.path.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": list(request.headers),
        "client": ("127.0.0.1", 1),
        "server": ("bank.test", 80),
    }
    sent: list[dict[str, Any]] = []
    received = False

    async def receive() -> dict[str, Any]:
        nonlocal received
        if received:
            await asyncio.Event().wait()
        received = True
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent)
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)
