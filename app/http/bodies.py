"""Request bodies: not too large, and JSON that means one thing, whichever route reads them.

Python's own parser takes NaN, lone surrogates and names that stand twice. What passes here is I-JSON (RFC 7493), with
whole numbers of 64 bits.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Request
from starlette.exceptions import HTTPException

from app.http.problem_codes import PROBLEMS
from app.http.problems import problem_document, refusal_document
from app.kernel.errors import Fault, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive, Scope

_whole_max = 2**63 - 1
# Fewer digits always fit; a longer row of them may be a number that does not, or stand in a text.
_digits_safe = len(str(_whole_max)) - 1
_digits_as_zeros = bytes(ord("0") if chr(byte).isdecimal() else byte for byte in range(128)) + bytes(range(128, 256))
_too_deep = "nested too deeply"
_parsed = "lovebank.parsed"


class UnreadableBody(HTTPException):
    """A body that is not taken. FastAPI lets exceptions of this base pass while it reads a body."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Keep the problem document that is the answer."""
        super().__init__(document["status"])
        self.document = document


def checked(scope: Scope, receive: Receive, headers: Mapping[bytes, str], *, bytes_max: int) -> Receive:
    """Wrap a request's messages: reading them raises `UnreadableBody` when the body is too large, or broken JSON.

    What the JSON says is kept in the scope, for `CheckedRequest`.
    """
    json_expected = "json" in headers.get(b"content-type", "").lower()
    receive = bounded(receive, headers, bytes_max=bytes_max)
    parts: list[bytes] = []

    async def receive_checked() -> Message:
        message = await receive()
        if json_expected and _parsed not in scope:
            parts.append(message.get("body", b""))
            if any(parts) and not message.get("more_body", False):
                scope[_parsed] = parsed(b"".join(parts))
        return message

    return receive_checked


class CheckedRequest(Request):
    """A request whose body is parsed once: as it is checked."""

    async def json(self) -> Any:
        """Give what the body says. Raises `UnreadableBody`."""
        if _parsed not in self.scope:
            # What it says of itself was not taken for JSON as it came in.
            self.scope[_parsed] = parsed(await self.body())
        return self.scope[_parsed]


def bounded(receive: Receive, headers: Mapping[bytes, str], *, bytes_max: int) -> Receive:
    """Wrap a request's messages: reading them raises `UnreadableBody` when the body is too large."""
    declared = _declared_length(headers.get(b"content-length", ""))
    received = 0

    async def receive_bounded() -> Message:
        nonlocal received
        if declared > bytes_max:
            raise _too_large(bytes_max)
        message = await receive()
        received += len(message.get("body", b""))
        if received > bytes_max:
            raise _too_large(bytes_max)
        return message

    return receive_bounded


def _declared_length(text: str) -> int:
    return int(text[:20]) if text.isascii() and text.isdigit() else 0


def _too_large(bytes_max: int) -> UnreadableBody:
    code = "body-too-large"
    return UnreadableBody(problem_document(code, PROBLEMS[code].detail, {"body_bytes_max": bytes_max}))


def parsed(body: bytes) -> Any:
    """Parse I-JSON. Raises `UnreadableBody`."""
    try:
        # The first parser knows UTF-8, surrogates, endless numbers and a limit of depth, but neither names that stand
        # twice nor how large a whole number may be. The second, many times slower, is for what may have one of them.
        value = orjson.loads(body)
        if _is_kept_whole(body, value):
            return value
        return json.loads(body, object_pairs_hook=_with_each_name_once, parse_int=_within_64_bits)
    except RecursionError:
        raise _broken(_too_deep) from None
    except orjson.JSONDecodeError as error:
        message = f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise _broken(message) from None
    except ValueError as error:
        raise _broken(str(error)) from None


def _is_kept_whole(body: bytes, value: Any) -> bool:
    """Whether a value surely is all that the body said: each member of each object, and each number as it was.

    The parser drops a member whose name comes again, and its colon with it. Written out, a value that is whole has as
    many colons as its body: one for each member, and those in texts, as long as no text spells them as escapes.
    """
    if b"\\u003" in body or b"0" * (_digits_safe + 1) in body.translate(_digits_as_zeros):
        return False
    try:
        return orjson.dumps(value).count(b":") == body.count(b":")
    except orjson.JSONEncodeError:  # It is nested more deeply than can be written.
        return False


def _broken(message: str) -> UnreadableBody:
    return UnreadableBody(refusal_document(InvalidRequest(errors=(Fault("", message),))))


def _with_each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        message = "a name stands twice in one object"
        raise ValueError(message)
    return members


def _within_64_bits(digits: str) -> int:
    number = int(digits) if len(digits) <= len(str(-_whole_max)) else _whole_max + 1
    if abs(number) > _whole_max:
        message = "a whole number needs more than 64 bits"
        raise ValueError(message)
    return number
