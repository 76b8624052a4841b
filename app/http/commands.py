"""Keyed POSTs: read the key, carry the command out once, answer from what the commit stored."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import orjson
from fastapi import Response

from app.http.problem_codes import PROBLEMS
from app.http.problems import MEDIA_TYPE, refusal_answer
from app.kernel.errors import Refusal, Refused
from app.kernel.idempotency import Answer, Keyed
from app.kernel.submission import Command, Outcome, Submission, carry_out_together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from uuid import UUID

    from fastapi import Request
    from pydantic import BaseModel

    from app.http.context import Context
    from app.kernel.database import Session
    from app.kernel.rows import Read
    from app.kernel.submission import Submitter

from contextlib import asynccontextmanager

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_in_flight_wait_seconds = 2.0
_visible_ascii = re.compile(r"[!-~]{1,255}")


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

    reads: Callable[[Session, Sequence[Any]], Sequence[Read[Any]]] | None = None


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
    keyed = Keyed(submitter.community, submitter.caller_id, _key_of(request), _request_hash(request, body))
    command, submission = Command(run, refusal_answer, hot and hot.reads), Submission(submitter, keyed, item, render)

    async def alone(session: Session) -> Outcome | Refusal:
        if dry_run:
            session.abandon()
        (outcome,) = await carry_out_together(session, [(command, submission)])
        return outcome

    async with _after_the_first(context, keyed):
        outcome = await (
            context.commands.submit(command, submission)
            if hot
            else context.database.run([submitter.community], alone, seen={submitter.home})
        )
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return _response(outcome)


def _key_of(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not _visible_ascii.fullmatch(key):
        raise Refused(IdempotencyKeyMissing())
    return key


def _request_hash(request: Request, body: BaseModel | None) -> str:
    """Hash what the request means: method, path and the parsed body, so that spelling does not matter."""
    parsed = b"" if body is None else orjson.dumps(body.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    # Not `request.url`: it is put together from the Host header and the query too, and fails on odd bytes there.
    text = f"{request.method} {request.scope['path']}\n".encode() + parsed
    return hashlib.sha256(text).hexdigest()


@asynccontextmanager
async def _after_the_first(context: Context, keyed: Keyed) -> AsyncIterator[None]:
    """Wait while the same key is being carried out in this process, so that the repeat finds the first answer.

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
        yield
        return
    mine = context.in_flight[place] = asyncio.get_running_loop().create_future()
    try:
        yield
    finally:
        del context.in_flight[place]
        mine.set_result(None)


def _response(outcome: Outcome) -> Response:
    answer = outcome.answer
    headers = {}
    if answer.location is not None:
        headers["Location"] = answer.location
    if outcome.replayed:
        headers["Idempotency-Replayed"] = "true"
    media_type = MEDIA_TYPE if answer.status >= 400 else "application/json"
    return Response(answer.body, answer.status, headers, media_type)


def created(request: Request, resource_id: object, model: BaseModel, *, person: UUID | None = None) -> Answer:
    """Make the answer to a creation: 201, with the new resource's path as its Location.

    `person` is the volunteer whom the answer names, if any.
    """
    return Answer(201, _json(model), location=f"{request.scope['path']}/{resource_id}", person=person)


def answered(model: BaseModel) -> Answer:
    """Make the answer to a change of state: 200, with the resource as it is now."""
    return Answer(200, _json(model))


def _json(model: BaseModel) -> bytes:
    return model.model_dump_json().encode()
