"""What is promised, put so that a broken promise says what was found and what had to be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.races.books import assert_books_agree
from tests.soak.parts import ViolationError

if TYPE_CHECKING:
    import httpx

    from app.kernel.database import Database


def same(what: str, found: object, expected: object) -> None:
    """Raise `ViolationError` unless what was found is what had to be."""
    if found != expected:
        message = f"{what}: found {found!r}, expected {expected!r}"
        raise ViolationError(message)


def kept(what: str, *, holds: bool, found: object = "") -> None:
    """Raise `ViolationError` unless a promise holds."""
    if not holds:
        message = f"{what}: {found!r}"
        raise ViolationError(message)


def outcome(answer: httpx.Response) -> str:
    """How a request ended: its status, or the code of its problem."""
    try:
        body = answer.json() if answer.content else None
    except json.JSONDecodeError:
        return f"{answer.status_code} without JSON"
    code = body.get("code") if answer.is_error and isinstance(body, dict) else None
    return str(code or answer.status_code)


def answered(what: str, answer: httpx.Response, expected: str) -> Any:
    """The JSON of an answer that has to be this: a status, or the code of a problem."""
    if outcome(answer) != expected:
        request = f"{answer.request.method} {answer.request.url.path} {answer.request.content.decode()[:500]}"
        message = f"{what}: {request} was answered {answer.status_code} {answer.text[:500]}, expected {expected}"
        raise ViolationError(message)
    return answer.json() if answer.content else None


async def books_agree(database: Database, community: int) -> None:
    """Audit a community from its postings, and sum its trial balance."""
    try:
        await assert_books_agree(database, community)
    except AssertionError as error:
        message = f"the books of community {community} disagree: {error}"
        raise ViolationError(message) from error
