"""Problem documents (RFC 9457): the one table of codes with their statuses, and the one place that writes them."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from app.kernel.errors import Fault
from app.kernel.idempotency import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.kernel.errors import Refusal

MEDIA_TYPE = "application/problem+json"
_body = ("body",)


class Problem(NamedTuple):
    """What a code stands for: its HTTP status, a title, and what it means for the caller."""

    status: int
    title: str
    meaning: str


PROBLEMS: Mapping[str, Problem] = {
    "already-exists": Problem(409, "Already exists", "Another resource of this kind has this code in the community."),
    "already-registered": Problem(
        409,
        "Already registered",
        "A volunteer with this phone or ID number is registered in the community. Whose it is is not told.",
    ),
    "already-reversed": Problem(
        409, "Already reversed", "The transaction was reversed before; that happens once at most."
    ),
    "already-verified": Problem(
        409, "Already verified", "The service record has been decided: approved, rejected or corrected."
    ),
    "balance-out-of-bounds": Problem(
        409, "Balance out of bounds", "The movement would take an account below its floor or above its ceiling."
    ),
    "body-too-large": Problem(413, "Body too large", "The request's body is longer than this service takes."),
    "guardian-required": Problem(
        422, "Guardian required", "A volunteer under 14 on the day of registration needs a guardian's consent."
    ),
    "idempotency-answer-erased": Problem(
        410, "Answer erased", "The request took place before; its answer named a person who has been erased since."
    ),
    "idempotency-answer-expired": Problem(
        410,
        "Answer no longer kept",
        "The request took place before, longer ago than answers are kept. It did not happen again.",
    ),
    "idempotency-key-in-flight": Problem(
        409, "Key in flight", "A request with this key is still being carried out. Send it again in a moment."
    ),
    "idempotency-key-missing": Problem(
        400,
        "Idempotency-Key missing",
        "Every POST that creates or moves something needs an Idempotency-Key of 1 to 255 visible ASCII characters.",
    ),
    "idempotency-key-reused": Problem(422, "Idempotency-Key reused", "The key was used before for another request."),
    "insufficient-points": Problem(409, "Not enough points", "The volunteer's free points do not cover the price."),
    "invalid-cursor": Problem(
        422, "Invalid cursor", "The cursor is broken, or was made for another list or with other filters."
    ),
    "invalid-request": Problem(
        422, "Invalid request", "Something in the request is missing or wrong; `errors` points to each place."
    ),
    "invalid-token": Problem(
        401, "Not authenticated", "The access token is missing, malformed, expired or not meant for this service."
    ),
    "limit-reached": Problem(409, "Limit reached", "The person has had as many of this article as the period allows."),
    "linked-entry-refused": Problem(
        409,
        "Linked entry refused",
        "An entry linked with this one does not hold; linked entries stand or fall together.",
    ),
    "manager-required": Problem(
        403,
        "A manager is required",
        "The record takes the volunteer above eight hours on a day; only a manager may verify it.",
    ),
    "method-not-allowed": Problem(
        405, "Method not allowed", "The resource does not know this method; `Allow` lists those it knows."
    ),
    "not-found": Problem(404, "Not found", "There is no such resource here, or it belongs to another community."),
    "out-of-stock": Problem(409, "Out of stock", "Fewer pieces are free on the shelf than were asked for."),
    "overlapping-service": Problem(
        409,
        "Overlapping service",
        "The volunteer has a live record over a part of the same time; `service_record_id` names it.",
    ),
    "redemption-not-open": Problem(
        409, "Redemption not open", "The redemption is not reserved any more; `redemption_status` says what it is."
    ),
    "reference-reused": Problem(409, "Reference reused", "The reference was seen before with other content."),
    "role-missing": Problem(403, "Role missing", "The caller's role may not do this; `roles` lists those that may."),
    "rule-exists": Problem(409, "Rule exists", "The service kind has a version of its earning rule from that date."),
    "self-verification": Problem(409, "Self-verification", "The one who recorded a service may not verify it."),
    "unavailable": Problem(
        503,
        "Unavailable",
        "The service is too busy or its database does not answer. Send the same request again after Retry-After.",
    ),
    "unbalanced-entry": Problem(422, "Unbalanced entry", "The entry's amounts do not sum to zero for every unit."),
    "unexpected": Problem(
        500,
        "Unexpected error",
        "The service made a mistake, which is in its log under the request's id. Nothing was stored.",
    ),
    "unknown-account": Problem(422, "Unknown account", "The ledger has no such account in the community."),
    "unknown-goods": Problem(422, "Unknown goods", "The catalogue of the community has no such article."),
    "unknown-service-kind": Problem(422, "Unknown service kind", "The community has no service kind with this code."),
    "unknown-transaction": Problem(
        422, "Unknown transaction", "The community's ledger has no transaction with this number."
    ),
    "unknown-volunteer": Problem(422, "Unknown volunteer", "The community has no such volunteer."),
    "unmapped": Problem(400, "Bad request", "The request cannot be understood as HTTP for this service."),
    "unsupported-media-type": Problem(415, "Unsupported media type", "The body has to be application/json."),
    "wrong-pickup-code": Problem(409, "Wrong pickup code", "The code is not the one of this redemption."),
}

#: Codes for what the framework itself refuses, by status.
CODE_OF_STATUS = {
    400: "unmapped",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
}


def problem_document(code: str, detail: str, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write a problem as a document; facts become members."""
    problem = PROBLEMS[code]
    document = {"type": f"/problems/{code}", "title": problem.title, "status": problem.status}
    return {**document, "detail": detail, "code": code, **(facts or {})}


def refusal_document(refusal: Refusal) -> dict[str, Any]:
    """Write a refusal of the domain as a problem document."""
    return problem_document(refusal.code, refusal.detail, refusal.facts())


def refusal_answer(refusal: Refusal) -> Answer:
    """Write a refusal as the answer that a key can keep."""
    return Answer(PROBLEMS[refusal.code].status, dump(refusal_document(refusal)), kept=refusal.kept)


def dump(document: Any) -> bytes:
    """Write a document as JSON bytes."""
    return orjson.dumps(document, default=_plain)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def faults_of(errors: Iterable[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Turn pydantic's errors into pointers and sentences, without the values that were sent."""
    faults = []
    for error in errors:
        place = error["loc"]
        parts = place[1:] if place[:1] == _body else place
        pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
        faults.append(Fault(pointer, str(error["msg"]).removeprefix("Value error, ")))
    return tuple(faults)
