"""Routes that cost nothing before their first request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import compile_path

from app.http.bodies import CheckedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Route(APIRoute):
    """A route for which FastAPI makes its part when the first request comes, or when the route is described.

    To make that for all routes takes longer than all else at the service's start.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Take what a request finds the route by, and leave the rest."""
        self.path = path
        self.endpoint = endpoint
        self.name = endpoint.__name__
        self.methods = set(options["methods"])
        self.openapi_extra = options["openapi_extra"]
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._left = options

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make what answers a request, and hand it requests whose bodies are parsed already."""
        handle = super().get_route_handler()

        async def handle_checked(request: Request) -> Response:
            return await handle(CheckedRequest(request.scope, request.receive))

        return handle_checked

    def __getattr__(self, name: str) -> Any:
        """Make the rest, as something of it is asked for."""
        left = vars(self).pop("_left", None)
        if left is None:
            raise AttributeError(name)
        super().__init__(self.path, self.endpoint, **left)
        return getattr(self, name)


class Router(APIRouter):
    """The routes of a feature. They are called in the OpenAPI document what their endpoints are called."""

    def __init__(self, *, tags: list[str], prefix: str = "") -> None:
        """Take what all the routes begin with, and where they stand in the document."""
        super().__init__(prefix=prefix, tags=[*tags], route_class=Route, generate_unique_id_function=_operation_id)


def _operation_id(route: APIRoute) -> str:
    return route.name
