"""Routes are made as far as they are needed."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from app.http.operations import ANYONE, operation
from app.http.routes import Router


async def test_a_route_is_made_when_its_first_request_comes() -> None:
    router = Router(prefix="/things", tags=["things"])

    @router.get("/first", **operation(roles=ANYONE, summary="The first"))
    async def get_first(number: int = 1) -> dict[str, int]:
        return {"number": number}

    @router.get("/second", **operation(roles=ANYONE, summary="The second"))
    async def get_second() -> None:
        """Nobody asks for it."""

    app = FastAPI()
    app.router.routes += router.routes
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank.test") as client:
        for _ in range(2):
            assert (await client.get("/things/first?number=7")).json() == {"number": 7}
    assert ["dependant" in vars(route) for route in router.routes] == [True, False]
    assert set(app.openapi()["paths"]) == {"/things/first", "/things/second"}
