"""Around every request: its id, its line in the log, its count, the limit of its body, and a last net for mistakes."""

from __future__ import annotations

import re
import time
import traceback
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from app.http.bodies import UnreadableBody, checked
from app.http.failures import document_response, problem_response
from app.http.patience import Patience
from app.kernel import metrics
from app.kernel.errors import Unavailable
from app.kernel.ids import new_id_text
from app.kernel.log import begin_request, log_request, logger

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_calendars = "/v1/calendars/"
_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Observed:
    """Wraps the app: every answer carries `X-Request-Id`, is logged in one line and counted by route template."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int) -> None:
        """Wrap an ASGI app."""
        self._app = Patience(app)
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection; what is not HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        request_id = request_id_of(headers.get(b"x-request-id", ""))
        begin_request(request_id)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, checked(scope, receive, headers, bytes_max=self._body_bytes_max), send_with_id)
        except Unavailable as error:
            # Only a time-out comes this far; a file or stream whose sending was cut off cannot be answered any more.
            if status:
                raise
            await problem_response("unavailable", headers={"Retry-After": str(error.retry_after_s)})(
                scope, receive, send_with_id
            )
        except UnreadableBody as error:
            await document_response(error.document)(scope, receive, send_with_id)
        except Exception as error:
            logger.error("request failed", path=told_path(scope), **_kind_and_place(error))
            if status:
                raise
            await problem_response("unexpected")(scope, receive, send_with_id)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            caller = scope.get("state", {}).get("caller_id")
            report(scope, route, status, time.perf_counter() - began, request_id, caller)


def _kind_and_place(error: BaseException) -> dict[str, list[str]]:
    """Tell of an exception only what it is and where: its words may quote what was sent, or a statement's values."""
    kinds = []
    cause: BaseException | None = error
    while cause is not None:
        kinds.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": kinds, "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def request_id_of(given: str) -> str:
    """The request's own id if it is a fair one, else a new one."""
    return given if _request_id.fullmatch(given) else new_id_text()


def told_path(scope: Scope) -> str:
    """The path of a request as the log tells it: without the secret of a calendar's address."""
    path: str = scope["path"]
    return f"{_calendars}***" if path.startswith(_calendars) else path


def report(scope: Scope, route: str, status: int, seconds: float, request_id: str, caller: str | None) -> None:
    """Count an answered request and write its line in the log."""
    metrics.count_request(route, scope["method"], status, seconds)
    log_request(
        {
            "request_id": request_id,
            "method": scope["method"],
            "route": route,
            "path": told_path(scope),
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "caller": caller,
        }
    )
