"""Every failure becomes a problem document; none shows a stack trace, SQL, or what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.http.bodies import UnreadableBody
from app.http.problem_codes import PROBLEMS
from app.http.problems import CODE_OF_STATUS, MEDIA_TYPE, dump, faults_of, problem_document, refusal_document
from app.kernel.errors import InvalidRequest, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute

_methods_of_files = {"GET", "HEAD"}


def problem_response(
    code: str, *, headers: Mapping[str, str] | None = None, facts: Mapping[str, Any] | None = None
) -> Response:
    """Write a problem as a response, with the sentences that explain its code and say what to do."""
    return document_response(problem_document(code, PROBLEMS[code].detail, facts), headers=headers)


def document_response(document: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> Response:
    """Write a problem document as a response with its own status."""
    return Response(dump(document), document["status"], dict(headers or {}), MEDIA_TYPE)


def install_failures(app: FastAPI) -> None:
    """Let the app answer every exception with a problem document."""

    async def refused(_: Request, error: Exception) -> Response:
        document = refusal_document(cast("Refused", error).refusal)
        headers = {"WWW-Authenticate": 'Bearer realm="love-bank"'} if document["status"] == 401 else None
        return document_response(document, headers=headers)

    async def unreadable(_: Request, error: Exception) -> Response:
        return document_response(cast("UnreadableBody", error).document)

    async def invalid(_: Request, error: Exception) -> Response:
        invalid = cast("RequestValidationError", error)
        # FastAPI parses what calls itself JSON, and leaves the bytes of everything else as they are.
        if isinstance(invalid.body, bytes):
            return problem_response("unsupported-media-type")
        return document_response(refusal_document(InvalidRequest(errors=faults_of(invalid.errors()))))

    async def unavailable(_: Request, error: Exception) -> Response:
        return problem_response("unavailable", headers={"Retry-After": str(cast("Unavailable", error).retry_after_s)})

    async def refused_by_framework(request: Request, error: Exception) -> Response:
        refusal = cast("HTTPException", error)
        code = CODE_OF_STATUS.get(refusal.status_code, "unmapped")
        headers = dict(refusal.headers or {})
        if code == "method-not-allowed":
            headers["Allow"] = ", ".join(_allowed(app.routes, request.scope["path"]))
        return problem_response(code, headers=headers)

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(UnreadableBody, unreadable)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Unavailable, unavailable)
    app.add_exception_handler(HTTPException, refused_by_framework)


def _allowed(routes: Sequence[BaseRoute], path: str) -> list[str]:
    """Every method that some route knows for the path; the framework itself would list one route's alone."""
    methods: set[str] = set()
    for route in routes:
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(path):
            # What has no methods is the folder of static files.
            methods |= getattr(route, "methods", None) or _methods_of_files
    return sorted(methods)
