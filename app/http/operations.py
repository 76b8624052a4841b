"""What every operation declares about itself, in one place: who may call it, its problems, its example.

The roles stand once, as `x-roles`; the dependency that enforces them reads them from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from app.http.problems import MEDIA_TYPE, PROBLEMS

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


def operation(
    *, roles: Iterable[str], summary: str, problems: Iterable[str] = (), example: Any = None, keyed: bool = False
) -> dict[str, Any]:
    """Make the arguments of a route: its roles, summary, documented problems, and an example of its body.

    `keyed` operations need an Idempotency-Key and document what can become of it.
    """
    codes = {*problems, "invalid-request", "unavailable", "unexpected", "method-not-allowed"}
    if tuple(roles) != ANYONE:
        codes |= {"invalid-token", "role-missing", "not-found"}
    extra: dict[str, Any] = {"x-roles": list(roles)}
    if keyed:
        codes |= {
            "idempotency-key-missing",
            "idempotency-key-reused",
            "idempotency-key-in-flight",
            "idempotency-answer-erased",
            "idempotency-answer-expired",
        }
        extra["parameters"] = [_key_parameter]
    if example is not None:
        codes |= {"body-too-large", "unsupported-media-type"}
        extra["requestBody"] = {"content": {"application/json": {"example": example}}}
    return {"summary": summary, "openapi_extra": extra, "responses": _responses(codes)}


def _responses(codes: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {
        status: {
            "description": " ".join(f"`{code}`: {PROBLEMS[code].meaning}" for code in listed),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "x-problems": listed,
        }
        for status, listed in sorted(by_status.items())
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
