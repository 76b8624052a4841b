"""Problem documents (RFC 9457): the one place that writes them, from the table of codes."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.http.problem_codes import PROBLEMS
from app.kernel.errors import Fault
from app.kernel.idempotency import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.kernel.errors import Refusal

MEDIA_TYPE = "application/problem+json"
_body = ("body",)

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
