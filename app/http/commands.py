"""Keyed POSTs: read the key, carry the command out once, answer from what the commit stored."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import orjson
from pydantic import BaseModel

from app.http.answers import JSON, ReadyAnswer
from app.http.fields import RequestModel
from app.http.problem_codes import PROBLEMS
from app.http.problems import MEDIA_TYPE, refusal_answer
from app.kernel.errors import Refusal, Refused
from app.kernel.idempotency import Answer, Keyed
from app.kernel.submission import Command, Outcome, Submission, carry_out_together, foreseen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from uuid import UUID

    from fastapi import Request, Response
    from starlette.types import Scope

    from app.http.answers import Header
    from app.http.context import Context
    from app.kernel.database import Session
    from app.kernel.rows import Read
    from app.kernel.submission import Submitter

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_in_flight_wait_seconds = 2.0
_visible_ascii = re.compile(rb"[!-~]{1,255}")
_problem = MEDIA_TYPE.encode()


@dataclass(frozen=True, slots=True)
class IdempotencyKeyMissing(Refusal):
    """A POST without a usable Idempotency-Key."""

    code: ClassVar[str] = "idempotency-key-missing"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """Say what to send."""
        return PROBLEMS[self.code].detail


@dataclass(frozen=True, slots=True)
class IdempotencyKeyInFlight(Refusal):
    """The first request with this key has not ended yet."""

    code: ClassVar[str] = "idempotency-key-in-flight"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """Say what to do."""
        return PROBLEMS[self.code].detail


class Hot(NamedTuple):
    """Says that a command is sent often; `reads` gives the questions that it is likely to ask (see `Command`)."""

    reads: Callable[[str, Sequence[Any]], Sequence[Read[Any]]] | None = None


async def submit(
    request: Request,
    submitter: Submitter,
    *,
    body: BaseModel | None,
    item: ItemT,
    run: Callable[[Session, Sequence[ItemT]], Awaitable[Sequence[ResultT | Refusal]]],
    render: Callable[[ResultT], Answer],
    hot: Hot | None = None,
    dry_run: bool = False,
) -> Response:
    """Carry out one item of a command under the request's key and give its answer, the first one again for a repeat.

    `body` is what makes two requests the same, beside method and path. Hot commands share transactions with others
    that arrive meanwhile. A dry run leaves nothing behind, not even a key.
    """
    context: Context = request.app.state.context
    keyed = Keyed(submitter.community, submitter.caller_id, _key_of(request.scope), _request_hash(request.scope, body))
    command, submission = Command(run, refusal_answer, hot and hot.reads), Submission(submitter, keyed, item, render)

    async def alone(session: Session) -> Outcome | Refusal:
        if dry_run:
            session.abandon()
        (outcome,) = await carry_out_together(session, [(command, submission)])
        return outcome

    def work() -> Awaitable[Outcome | Refusal]:
        if hot:
            return context.commands.submit(command, submission)
        ahead = foreseen(context.database.dialect, [(command, submission)])
        return context.database.run([submitter.community], alone, seen=submitter.seen, ahead=ahead)

    outcome = await _after_the_first(context, keyed, work)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return _response(outcome)


def _key_of(scope: Scope) -> str:
    key = next((value for name, value in scope["headers"] if name == b"idempotency-key"), b"")
    if not _visible_ascii.fullmatch(key):
        raise Refused(IdempotencyKeyMissing())
    return key.decode()


def _request_hash(scope: Scope, body: BaseModel | None) -> str:
    """Hash what the request means: method, path and the parsed body, so that spelling does not matter."""
    # The request's `url` is put together from the Host header and the query too, and fails on odd bytes there.
    text = f"{scope['method']} {scope['path']}\n".encode() + (b"" if body is None else meaning_of(body))
    return hashlib.sha256(text).hexdigest()


def meaning_of(body: BaseModel) -> bytes:
    """Write a body as its hash takes it: as `model_dump("json")`, sorted, for keys keep their hashes for good."""
    return orjson.dumps(body, default=_fields_of, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def _fields_of(value: Any) -> dict[str, Any]:
    if isinstance(value, RequestModel) and value.added_later:
        return {name: one for name, one in value.__dict__.items() if one is not None or name not in value.added_later}
    if isinstance(value, BaseModel):
        return value.__dict__
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


async def _after_the_first(context: Context, keyed: Keyed, work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Work, unless the same key is being carried out in this process: then wait, so that the first answer is found.

    Repeats do not wait for each other: should the first have left no answer, the community's head decides among them.
    """
    place = keyed[:3]
    first = context.in_flight.get(place)
    if first is not None:
        try:
            async with asyncio.timeout(_in_flight_wait_seconds):
                await asyncio.shield(first)
        except TimeoutError:
            raise Refused(IdempotencyKeyInFlight()) from None
        return await work()
    mine = context.in_flight[place] = asyncio.get_running_loop().create_future()
    try:
        return await work()
    finally:
        del context.in_flight[place]
        mine.set_result(None)


def _response(outcome: Outcome) -> ReadyAnswer:
    answer = outcome.answer
    headers: list[Header] = []
    if answer.location is not None:
        headers.append((b"location", answer.location.encode("latin-1")))
    if outcome.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    media_type = _problem if answer.status >= 400 else JSON
    return ReadyAnswer(answer.body, status=answer.status, headers=headers, media_type=media_type)


def created(
    request: Request,
    resource_id: object,
    model: BaseModel | bytes,
    *,
    person: UUID | None = None,
    posted: tuple[str, ...] = (),
    once: frozenset[str] = frozenset(),
) -> Answer:
    """Make the answer to a creation: 201, with the new resource's path as its Location.

    `model` is the resource, or its JSON. `person` is the volunteer whom the answer names, if any. `posted` are the
    references of what may have been posted for it: the answer gets a receipt. Members that are shown this `once` are
    left out of what is kept for a repeat of the request.
    """
    location = f"{request.scope['path']}/{resource_id}"
    kept = model.model_dump_json(exclude=set(once)).encode() if once and isinstance(model, BaseModel) else None
    return Answer(201, _json(model), location=location, person=person, posted=posted, kept_body=kept)


def answered(model: BaseModel | bytes, *, posted: tuple[str, ...] = ()) -> Answer:
    """Make the answer to a change of state: 200, with the resource as it is now; `posted` as in `created`."""
    return Answer(200, _json(model), posted=posted)


def _json(model: BaseModel | bytes) -> bytes:
    return model if isinstance(model, bytes) else model.model_dump_json().encode()
