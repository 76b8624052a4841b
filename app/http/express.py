"""The express way: well-formed requests to hot operations, without what the framework does for every case there is.

It is the same route, guard, model and endpoint. Whatever is not plain (a wrong token or body, a mistake of the service)
goes the framework's whole way from the start and is answered there. That is safe: a read changes nothing, and a command
is carried out once for its key. Hot endpoints wait for nothing but futures of this process, so one that takes too long
can be left at once.
"""

from __future__ import annotations

import asyncio
import re
import time
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, get_type_hints
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.http import patience
from app.http.bodies import bounded, parsed
from app.http.context import Context
from app.http.failures import document_response, problem_response
from app.http.lists import Listing
from app.http.middleware import report, request_id_of
from app.http.operations import HOT
from app.http.problems import refusal_document
from app.kernel.errors import Refused, Unavailable
from app.kernel.paging import limit_default, limit_max

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from pydantic import BaseModel
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_limit = re.compile(rb"(?:limit=([1-9][0-9]{0,2}))?")
_shown = "{}"


def is_hot(route: BaseRoute) -> TypeGuard[APIRoute]:
    """Whether the express way takes a route."""
    return isinstance(route, APIRoute) and hasattr(route.endpoint, HOT)


class _NotPlainError(Exception):
    """The request is not one for the express way."""


class _Plan(NamedTuple):
    """How a route's endpoint is called: what each of its arguments is made of, and the status of a model it gives."""

    route: APIRoute
    names: tuple[str, ...]
    arguments: Mapping[str, Any]


class _Call(NamedTuple):
    """A request on the express way."""

    request: Request
    path: Mapping[str, str]
    admitted: object
    context: Context
    body: Any


def _listing(call: _Call) -> Listing:
    query = _limit.fullmatch(call.request.scope["query_string"])
    limit = limit_default if query is None or query[1] is None else int(query[1])
    if query is None or limit > limit_max:
        raise _NotPlainError
    return Listing(call.context, limit, None)


_makers: dict[Any, Callable[[_Call], Any]] = {
    Request: lambda call: call.request,
    Context: lambda call: call.context,
    Listing: _listing,
}


def _id_maker(name: str) -> Callable[[_Call], UUID]:
    return lambda call: UUID(call.path[name])


def _body_maker(model: type[BaseModel]) -> Callable[[_Call], BaseModel]:
    return lambda call: model.model_validate(call.body)


def _plan(route: APIRoute, admitted: type) -> _Plan:
    arguments: dict[str, Any] = {}
    for name, kind in get_type_hints(route.endpoint).items():
        if name in route.param_convertors:
            arguments[name] = _id_maker(name)
        elif kind is admitted:
            arguments[name] = attrgetter("admitted")
        elif kind in _makers:
            arguments[name] = _makers[kind]
        elif name != "return":
            arguments[name] = _body_maker(kind)
    return _Plan(route, tuple(route.param_convertors), arguments)


class Express:
    """Knows the hot routes of an app and answers requests to them."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        context: Context,
        routes: Iterable[APIRoute],
        admitted: type,
        admit: Callable[[Request, None], Awaitable[object]],
    ) -> None:
        """Wrap an app. `admit` is the guard of its routes, and gives them what they take as `admitted`."""
        self._app = app
        self._context = context
        self._admit = admit
        self._plans = {
            self._key(method, route.path): _plan(route, admitted) for route in routes for method in route.methods or ()
        }

    @staticmethod
    def _key(method: str, path: str) -> tuple[str, str]:
        return method, re.sub(r"\{\w+\}", _shown, path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection; what is not hot or not plain passes through."""
        plan, path = self._find(scope)
        if plan is None:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        read: list[Message] = []

        async def receive_again() -> Message:
            return read.pop(0) if read else await receive()

        async def receive_and_keep() -> Message:
            read.append(await receive())
            return read[-1]

        # What the framework adds to the scope on the whole way.
        known = {**scope, "route": plan.route, "path_params": path, "state": dict(scope.get("state", {}))}
        try:
            response = await self._respond(plan, known, receive_and_keep)
        except Exception as error:  # noqa: BLE001  what it is comes up again on the whole way, where it is logged
            refusal = _refusal(error)
            if refusal is None:
                await self._app(scope, receive_again, send)
                return
            response = refusal
        request_id = request_id_of(dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1"))
        response.headers["X-Request-Id"] = request_id
        await response(known, receive, send)
        report(known, response.status_code, time.perf_counter() - began, request_id)

    def _find(self, scope: Scope) -> tuple[_Plan | None, dict[str, str]]:
        """Find the hot route of a request, and the ids in its path by name."""
        if scope["type"] != "http":
            return None, {}
        parts = scope["path"].split("/")
        ids = [part for part in parts if _uuid.fullmatch(part)]
        plan = self._plans.get((scope["method"], "/".join(_shown if part in ids else part for part in parts)))
        if plan is None or len(ids) != len(plan.names):
            return None, {}
        return plan, dict(zip(plan.names, ids, strict=True))

    async def _respond(self, plan: _Plan, scope: Scope, receive: Receive) -> Response:
        body = None
        if scope["method"] == "POST":
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            if headers.get(b"content-type") != "application/json":
                raise _NotPlainError
            body = parsed(await _read(bounded(receive, headers, bytes_max=self._context.settings.body_bytes_max)))
        request = Request(scope, receive)
        call = _Call(request, scope["path_params"], await self._admit(request, None), self._context, body)
        arguments = {name: make(call) for name, make in plan.arguments.items()}
        try:
            async with asyncio.timeout(patience.answer_seconds_max):
                answer = await plan.route.endpoint(**arguments)
        except TimeoutError:
            raise Unavailable from None
        if isinstance(answer, Response):
            return answer
        return Response(answer.model_dump_json(), media_type="application/json")


def _refusal(error: Exception) -> Response | None:
    """The answer to what need not go the whole way to be refused; who has no valid token is counted there."""
    if isinstance(error, Unavailable):
        return problem_response("unavailable", headers={"Retry-After": str(error.retry_after_s)})
    if isinstance(error, Refused):
        document = refusal_document(error.refusal)
        return None if document["status"] == 401 else document_response(document)
    return None


async def _read(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise _NotPlainError
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
