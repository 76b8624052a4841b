"""What every operation declares about itself, in one place: who may call it, its problems, its example.

The roles stand once, as `x-roles`; the dependency that enforces them reads them from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.http.problem_codes import PROBLEMS
from app.http.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

CITY_ADMIN = "city_admin"
MANAGER = "manager"
FRONT_DESK = "front_desk"
VERIFIER = "verifier"
AUDITOR = "auditor"
INTEGRATOR = "integrator"
VOLUNTEER = "volunteer"

COMMUNITY_ROLES = (MANAGER, FRONT_DESK, VERIFIER, AUDITOR, INTEGRATOR)
"""Roles that a client of one community may have."""

CITY = (CITY_ADMIN,)
MANAGERS = (CITY_ADMIN, MANAGER)
DESK = (CITY_ADMIN, MANAGER, FRONT_DESK)
VERIFIERS = (CITY_ADMIN, MANAGER, VERIFIER)
AUDITORS = (AUDITOR,)
EVENT_READERS = (AUDITOR, INTEGRATOR)
READERS = (CITY_ADMIN, MANAGER, FRONT_DESK, VERIFIER, AUDITOR, INTEGRATOR)
LOG_READERS = (*READERS, VOLUNTEER)
"""Who may hold a community's ledger to what it once was: its account holders too."""

ACCOUNT_READERS = (CITY_ADMIN, MANAGER, FRONT_DESK, AUDITOR, INTEGRATOR)
NAMELESS = (AUDITOR, INTEGRATOR)
"""Roles that see neither names nor whole phone numbers."""

NAMED = (CITY_ADMIN, MANAGER, VERIFIER, FRONT_DESK)
"""Roles that see names."""

OWN = (VOLUNTEER,)
"""Who sees and moves what is the volunteer's own."""

CLIENT_READERS = (CITY_ADMIN, MANAGER, AUDITOR)
ANYONE = ("anyone",)


class FaultModel(BaseModel):
    """One thing wrong in a request."""

    model_config = ConfigDict(title="Fault")

    pointer: str = Field(description="JSON pointer (RFC 6901) to the place; empty for the whole body")
    message: str


class ProblemModel(BaseModel):
    """A problem document (RFC 9457). The facts of a problem stand beside these members."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(description="address of the problem's explanation", examples=["/problems/insufficient-points"])
    title: str
    status: int
    detail: str
    code: str
    errors: list[FaultModel] | None = Field(None, description="of `invalid-request`: what is wrong, and where")


HOT = "is_hot"

EndpointT = TypeVar("EndpointT")


def hot(endpoint: EndpointT) -> EndpointT:
    """Mark an endpoint for the express way: it waits for nothing but what its process shares among requests."""
    setattr(endpoint, HOT, True)
    return endpoint


def operation(
    *,
    roles: Iterable[str],
    summary: str,
    problems: Iterable[str] = (),
    example: Any = None,
    keyed: bool = False,
    edits: bool = False,
    tagged: bool = False,
) -> dict[str, Any]:
    """Make the arguments of a route: its roles, summary, documented problems, and an example of its body.

    `keyed` operations need an Idempotency-Key and document what can become of it. `tagged` ones answer with an ETag,
    and those that edit need one besides, as If-Match.
    """
    codes = {*problems, "invalid-request", "rate-limited", "unavailable", "unexpected", "method-not-allowed"}
    if tuple(roles) != ANYONE:
        codes |= {"invalid-token", "role-missing", "not-found"}
    extra: dict[str, Any] = {"x-roles": list(roles)}
    if tuple(roles) == ANYONE:
        extra["security"] = []
    if keyed:
        codes |= {
            "idempotency-key-missing",
            "idempotency-key-reused",
            "idempotency-key-in-flight",
            "idempotency-answer-erased",
            "idempotency-answer-expired",
        }
        extra["parameters"] = [_key_parameter]
    if edits:
        codes |= {"precondition-failed", "precondition-required"}
        extra["parameters"] = [_match_parameter]
    if example is not None:
        codes |= {"body-too-large", "unsupported-media-type"}
        extra["requestBody"] = {"content": {"application/json": {"example": example}}}
    responses = _responses(codes)
    if edits or tagged:
        responses = {200: {"description": "The resource, with its ETag.", "headers": _tag_header}, **responses}
    return {"summary": summary, "openapi_extra": extra, "responses": responses}


def _responses(codes: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {
        status: {
            "description": " ".join(f"`{code}`: {PROBLEMS[code].meaning}" for code in listed),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "x-problems": listed,
            **_headers_of_status.get(status, {}),
        }
        for status, listed in sorted(by_status.items())
    }


def _headers(name: str, description: str, kind: str = "string") -> dict[str, Any]:
    return {"headers": {name: {"description": description, "schema": {"type": kind}}}}


_headers_of_status = {
    401: _headers("WWW-Authenticate", "how to authenticate"),
    405: _headers("Allow", "the methods that the resource knows"),
    429: _headers("Retry-After", "seconds until the request may be sent again", "integer"),
    503: _headers("Retry-After", "seconds until the request may be sent again", "integer"),
}

_match_parameter = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the resource as it was read; `*` for whichever it has.",
    "schema": {"type": "string", "minLength": 1},
    "example": '"3"',
}

_tag_header = {
    "ETag": {"description": "changes with every change of the resource", "schema": {"type": "string"}},
}

_key_parameter = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Chosen by the caller, new for every new request. The same key with the same request gives the"
    " first answer again and nothing happens twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "desk-3-2026-11-23-0017",
}
