"""The express way: well-formed requests to hot operations, without what the framework does for every case there is.

It stands before the framework. It is the same route, guard, model and endpoint. Whatever is not plain (a wrong token or
body, a mistake of the service) goes the framework's whole way from the start and is answered there. That is safe: a
read changes nothing, and a command is carried out once for its key. Hot endpoints wait for nothing but futures of this
process, so one that takes too long can be left at once.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeGuard, get_type_hints
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from app.http.answers import ReadyAnswer
from app.http.bodies import parsed
from app.http.context import Context
from app.http.failures import document_response, problem_response
from app.http.lists import Listing
from app.http.middleware import report, request_id_of
from app.http.operations import HOT
from app.http.patience import Deadlines
from app.http.problems import refusal_document
from app.kernel.errors import Refused, Unavailable
from app.kernel.paging import limit_default, limit_max

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.http.fields import RequestModel

_id_length = 36
_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ids_known_max = 10_000
_limit = re.compile(rb"(?:limit=([1-9][0-9]{0,2}))?")
_length_digits_max = 9
_shown = "{}"


def is_hot(route: BaseRoute) -> TypeGuard[APIRoute]:
    """Whether the express way takes a route."""
    return isinstance(route, APIRoute) and hasattr(route.endpoint, HOT)


class Caller(Protocol):
    """Who calls, as the guard knows it."""

    @property
    def id(self) -> str:
        """The caller's name."""


class Guard(Protocol):
    """Lets callers through to routes. It raises `Refused`."""

    def caller(self, authorization: str) -> Any:
        """Tell who calls, a `Caller`, from the header."""

    def would_look_up(self, caller: Any, community_id: UUID | None) -> bool:
        """Whether admitting asks the database."""

    def admit_known(self, caller: Any, community_id: UUID | None, roles: Sequence[str]) -> object:
        """Let a caller through to a route for these roles, without asking the database. Raises `Refused`."""


class _NotPlainError(Exception):
    """The request is not one for the express way."""


class _Plan(NamedTuple):
    """How a route's endpoint is called: what each of its arguments is made of, and which of the path's ids is whose."""

    route: APIRoute
    roles: tuple[str, ...]
    ids: tuple[str, ...]
    community: int | None
    arguments: Mapping[str, Callable[[_Call], Any]]


class _Call:
    """A request on the express way, and what is known of it by now."""

    __slots__ = ("admitted", "body", "caller", "context", "headers", "ids", "read", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, ids: Sequence[UUID], context: Context) -> None:
        self.scope = scope
        self.receive = receive
        self.ids = ids
        self.context = context
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.read: list[Message] = []
        self.caller: Caller | None = None
        self.admitted: object = None
        self.body: Any = None

    async def receive_again(self) -> Message:
        """Give a message on the whole way: those that were read here first."""
        return self.read.pop(0) if self.read else await self.receive()


def _listing(call: _Call) -> Listing:
    query = _limit.fullmatch(call.scope["query_string"])
    limit = limit_default if query is None or query[1] is None else int(query[1])
    if query is None or limit > limit_max:
        raise _NotPlainError
    return Listing(call.context, limit, None)


_makers: dict[Any, Callable[[_Call], Any]] = {
    Request: lambda call: Request(call.scope),
    Context: attrgetter("context"),
    Listing: _listing,
}


def _id_maker(place: int) -> Callable[[_Call], UUID]:
    return lambda call: call.ids[place]


def _body_maker(model: type[RequestModel]) -> Callable[[_Call], RequestModel]:
    return lambda call: model.taken(call.body)


def _plan(route: APIRoute, admitted: type) -> _Plan:
    arguments: dict[str, Callable[[_Call], Any]] = {}
    ids = tuple(route.param_convertors)
    for name, kind in get_type_hints(route.endpoint).items():
        if name in ids:
            arguments[name] = _id_maker(ids.index(name))
        elif kind is admitted:
            arguments[name] = attrgetter("admitted")
        elif kind in _makers:
            arguments[name] = _makers[kind]
        elif name != "return":
            arguments[name] = _body_maker(kind)
    roles = tuple((route.openapi_extra or {})["x-roles"])
    community = ids.index("community_id") if "community_id" in ids else None
    return _Plan(route, roles, ids, community, arguments)


@lru_cache(maxsize=_ids_known_max)
def _id_of(text: str) -> UUID | None:
    """The id that a part of a path is; the same ones come again and again."""
    return UUID(text) if _id.fullmatch(text) else None


class Express:
    """Knows the hot routes of an app and answers requests to them."""

    def __init__(
        self,
        app: FastAPI,
        whole: ASGIApp,
        *,
        context: Context,
        routes: Iterable[APIRoute],
        guard: Guard,
        admitted: type,
    ) -> None:
        """Stand before an app. `whole` is its whole way, and endpoints take as `admitted` what the guard gives."""
        self._app = app
        self._whole = whole
        self._context = context
        self._guard = guard
        self._deadlines = Deadlines()
        self._plans = {
            (method, re.sub(r"\{\w+\}", _shown, route.path)): _plan(route, admitted)
            for route in routes
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection; what is not hot or not plain passes through."""
        plan, ids = self._find(scope)
        if plan is None:
            await self._whole(scope, receive, send)
            return
        began = time.perf_counter()
        call = _Call(scope, receive, ids, self._context)
        response: Response | None
        try:
            response = await self._respond(plan, call)
        except Exception as error:  # noqa: BLE001  what it is comes up again on the whole way, where it is logged
            response = _refusal(error)
        if response is None:
            await self._whole(scope, call.receive_again, send)
            return
        request_id = request_id_of(call.headers.get(b"x-request-id", b"").decode("latin-1"))
        headers = [*response.raw_headers, (b"x-request-id", request_id.encode())]
        caller = None if call.caller is None else call.caller.id
        try:
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            await send({"type": "http.response.body", "body": response.body})
        finally:
            seconds = time.perf_counter() - began
            report(scope, plan.route.path, response.status_code, seconds, request_id, caller)

    def _find(self, scope: Scope) -> tuple[_Plan | None, Sequence[UUID]]:
        """Find the hot route of a request, and the ids in its path in their order."""
        if scope["type"] != "http":
            return None, ()
        ids: list[UUID] = []
        parts = scope["path"].split("/")
        for place, part in enumerate(parts):
            if len(part) == _id_length and (found := _id_of(part)) is not None:
                ids.append(found)
                parts[place] = _shown
        plan = self._plans.get((scope["method"], "/".join(parts)))
        return (None, ()) if plan is None or len(ids) != len(plan.ids) else (plan, ids)

    async def _respond(self, plan: _Plan, call: _Call) -> Response:
        headers = call.headers
        if len(headers) < len(call.scope["headers"]):
            # Which of two headers counts is for the framework to say.
            raise _NotPlainError
        is_command = call.scope["method"] == "POST"
        if (self._context.commands if is_command else self._context.reads).is_full:
            # Before anything is done for it: to send many away must cost little, or nothing is left for the others.
            raise Unavailable
        if is_command:
            # As the framework does it; only commands look at it.
            call.scope["app"] = self._app
            call.body = parsed(await _read(call, self._context.settings.body_bytes_max))
        caller = call.caller = self._guard.caller(headers.get(b"authorization", b"").decode("latin-1"))
        community_id = None if plan.community is None else call.ids[plan.community]
        if self._guard.would_look_up(caller, community_id):
            # Nothing here waits for the database without a limit of time; the whole way has one.
            raise _NotPlainError
        call.admitted = self._guard.admit_known(caller, community_id, plan.roles)
        arguments = {name: make(call) for name, make in plan.arguments.items()}
        answer = await self._deadlines.keep(plan.route.endpoint(**arguments))
        return answer if isinstance(answer, Response) else ReadyAnswer(answer.model_dump_json().encode())


def _refusal(error: Exception) -> Response | None:
    """The answer to what need not go the whole way to be refused; who has no valid token is counted there."""
    if isinstance(error, Unavailable):
        return problem_response("unavailable", headers={"Retry-After": str(error.retry_after_s)})
    if isinstance(error, Refused):
        document = refusal_document(error.refusal)
        return None if document["status"] == 401 else document_response(document)
    return None


async def _read(call: _Call, bytes_max: int) -> bytes:
    """Read a body of JSON that is not too large."""
    length = call.headers.get(b"content-length", b"0")
    if call.headers.get(b"content-type") != b"application/json" or not _is_length(length, bytes_max):
        raise _NotPlainError
    size, more = 0, True
    while more:
        message = await call.receive()
        call.read.append(message)
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        if message["type"] != "http.request" or size > bytes_max:
            raise _NotPlainError
    return call.read[0]["body"] if len(call.read) == 1 else b"".join(message.get("body", b"") for message in call.read)


def _is_length(text: bytes, bytes_max: int) -> bool:
    return text.isdigit() and len(text) <= _length_digits_max and int(text) <= bytes_max
