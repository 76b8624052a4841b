"""Every failure becomes a problem document; none shows a stack trace, SQL, or what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.http.problems import CODE_OF_STATUS, MEDIA_TYPE, PROBLEMS, dump, problem_document, refusal_document
from app.kernel.errors import Fault, InvalidRequest, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.routing import BaseRoute

_body = ("body",)


def problem_response(
    code: str, *, headers: Mapping[str, str] | None = None, facts: Mapping[str, Any] | None = None
) -> Response:
    """Write a problem as a response, with the sentence that explains its code."""
    document = problem_document(code, PROBLEMS[code].meaning, facts)
    return Response(dump(document), PROBLEMS[code].status, dict(headers or {}), MEDIA_TYPE)


def faults_of(errors: Iterable[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Turn pydantic's errors into pointers and sentences, without the values that were sent."""
    faults = []
    for error in errors:
        place = error["loc"]
        parts = place[1:] if place[:1] == _body else place
        pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
        faults.append(Fault(pointer, str(error["msg"]).removeprefix("Value error, ")))
    return tuple(faults)


def install_failures(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Let the app answer every exception with a problem document. `routes` are all routes, for a 405's Allow."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        document = refusal_document(error.refusal)
        headers = {"WWW-Authenticate": 'Bearer realm="love-bank"'} if document["status"] == 401 else {}
        return Response(dump(document), document["status"], headers, MEDIA_TYPE)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        refusal = InvalidRequest(errors=faults_of(error.errors()))
        return Response(dump(refusal_document(refusal)), PROBLEMS[refusal.code].status, media_type=MEDIA_TYPE)

    async def unavailable(_: Request, error: Exception) -> Response:
        assert isinstance(error, Unavailable)
        return problem_response("unavailable", headers={"Retry-After": str(error.retry_after_s)})

    async def refused_by_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = CODE_OF_STATUS.get(error.status_code, "unmapped")
        headers = dict(error.headers or {})
        if code == "method-not-allowed":
            headers["Allow"] = ", ".join(_allowed(routes, request.url.path))
        return problem_response(code, headers=headers)

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Unavailable, unavailable)
    app.add_exception_handler(HTTPException, refused_by_framework)


def _allowed(routes: Sequence[BaseRoute], path: str) -> list[str]:
    """Every method that some route knows for the path; the framework itself would list one route's alone."""
    methods: set[str] = set()
    for route in routes:
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(path):
            methods |= getattr(route, "methods", None) or set()
    return sorted(methods)
