"""Every request gets an answer it can use: an id, a problem document when it fails, and nothing it should not see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from app.goods import service as goods_service
from app.http.problem_codes import PROBLEMS
from app.kernel.idempotency import idempotency_answers
from app.main import create_app
from tests.bank import done, refused
from tests.contract.furnished import Furnished, send
from tests.contract.spec import INNARDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from fastapi import FastAPI

    from app.kernel.database import Session
    from app.settings import Settings
    from tests.bank import Bank
    from tests.contract.spec import Operation

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
GARBAGE = (
    "x",
    "1",
    "-1",
    "%00",
    "%FF",
    "%20",
    "' OR 1=1 --",
    "{}",
    "𠮷",
    "x" * 3000,
    "00000000-0000-0000-0000-00000000000G",
)


@pytest.fixture
async def http(described: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the app that has no database."""
    transport = httpx.ASGITransport(described)
    async with httpx.AsyncClient(transport=transport, base_url="http://bank.test") as http:
        yield http


async def test_every_answer_has_a_request_id_and_keeps_a_given_one(http: httpx.AsyncClient) -> None:
    for path in ("/livez", "/nowhere", "/v1/communities", "/docs", "/static-offline-docs/swagger-ui.css"):
        made = (await http.get(path)).headers["x-request-id"]
        assert UUID(made).version == 7
        given = (await http.get(path, headers={"X-Request-Id": "desk-3.17_A"})).headers["x-request-id"]
        assert given == "desk-3.17_A"


@pytest.mark.parametrize("wild", ["", "x" * 65, "two words", "<script>", "a\nb", "ключ".encode(), b"\xff", '"}', "a/b"])
async def test_wild_request_id_is_replaced(http: httpx.AsyncClient, wild: str | bytes) -> None:
    answer = await http.get("/livez", headers={b"X-Request-Id": wild if isinstance(wild, bytes) else wild.encode()})
    assert UUID(answer.headers["x-request-id"]).version == 7


async def test_path_that_leads_nowhere_is_not_found(http: httpx.AsyncClient) -> None:
    for path in ("/", "/nowhere", "/v1", "/v2/communities", "/V1/communities", "/static-offline-docs/none.js", "/%00"):
        answer = await http.get(path)
        assert answer.status_code == 404, path
        refused(answer, "not-found")


async def test_method_that_a_path_does_not_know_is_told_the_whole_list(
    http: httpx.AsyncClient, operations: list[Operation]
) -> None:
    known: dict[str, set[str]] = {}
    for operation in operations:
        known.setdefault(operation.path, set()).add(operation.method)
    known |= {"/openapi.json": {"GET", "HEAD"}, "/docs": {"GET"}, "/static-offline-docs/favicon.png": {"GET", "HEAD"}}
    checked = 0
    for path, methods in known.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} - methods:
            answer = await http.request(method, re.sub(r"\{\w+\}", "x", path))
            assert answer.status_code == 405, (method, path)
            refused(answer, "method-not-allowed")
            assert set(answer.headers["allow"].split(", ")) == methods, (method, path)
            checked += 1
    assert checked > 150


@on_one_engine
async def test_garbage_for_an_id_is_a_problem_and_no_failure(bank: Bank, operations: list[Operation]) -> None:
    own = await Furnished.of(bank)
    sent = 0
    for operation in operations:
        for parameter in operation.path_parameters:
            path, body = await own.path_and_body(operation)
            wanted = str((await own.named_for(operation))["problem_code" if parameter == "code" else parameter])
            for garbage in set(GARBAGE) - {wanted}:
                answer = await send(bank.http, operation, path.replace(wanted, garbage), body, own.admitted(operation))
                assert answer.status_code in {404, 422}, (operation.id, garbage, answer.text)
                assert refused(answer, "not-found" if answer.status_code == 404 else "invalid-request")
                assert operation.departures(answer) == [], (operation.id, garbage)
                sent += 1
    assert sent > 300


async def test_garbage_for_a_client_is_a_problem_on_both_engines(bank: Bank) -> None:
    """A client's id is text and goes to the database, which PostgreSQL does not take with a NUL in it."""
    for garbage in (*GARBAGE, f"{bank.number}-%00", "999999999-0123456789abcdef", f"{bank.number}-0123456789abcdef"):
        refused(await bank.manager.delete(f"clients/{garbage}"), "not-found")
    for client_id in (
        "\0",
        f"{bank.number}-\0",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        "9" * 40,
    ):
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "\0"}
        answer = await bank.http.post("/oauth2/token", data=form)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@on_one_engine
async def test_garbage_in_a_query_is_a_problem_and_no_failure(bank: Bank, operations: list[Operation]) -> None:
    own = await Furnished.of(bank)
    sent = 0
    for operation in operations:
        path, _ = await own.path_and_body(operation)
        for parameter in [one["name"] for one in operation.parameters if one["in"] == "query"]:
            for garbage in ("", "\0", "-1", "9" * 30, "x" * 3000, "NaN", "%", "𠮷", "a.b", "."):
                query = {parameter: garbage}
                answer = await bank.http.get(path, params=query, headers=own.admitted(operation))
                assert answer.status_code in {200, 422}, (operation.id, query, answer.text)
                assert operation.departures(answer) == [], (operation.id, query)
                sent += 1
    assert sent > 200


@on_one_engine
async def test_broken_form_is_a_problem(bank: Bank) -> None:
    form = {"grant_type": "client_credentials", **{f"field-{number}": "" for number in range(1001)}}
    answer = await bank.http.post("/oauth2/token", data=form)
    assert answer.status_code == 400
    refused(answer, "unmapped")


async def test_mistake_in_the_service_is_a_problem_that_shows_nothing(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_session: Session, _new: Sequence[object]) -> list[Any]:
        message = "13800005678 李佳儒 broke it"
        raise RuntimeError(message)

    body = {"code": "soap", "name": "香皂", "points_price": 3}
    with monkeypatch.context() as patched:
        patched.setattr(goods_service, "create_goods", fail)
        capsys.readouterr()
        answer = await bank.manager.post("goods", body, key="k")
    assert answer.status_code == 500
    problem = refused(answer, "unexpected")
    assert problem["detail"] == PROBLEMS["unexpected"].detail
    assert [word for word in (*INNARDS, "13800005678", "李佳儒") if word in answer.text] == []
    logged = capsys.readouterr().out
    assert answer.headers["x-request-id"] in logged
    assert "RuntimeError" in logged
    assert [word for word in ("13800005678", "李佳儒") if word in logged] == []
    # Nothing was stored, so the same key carries the same request out now.
    assert "idempotency-replayed" not in (await bank.manager.post("goods", body, key="k")).headers


async def test_failure_of_the_database_is_logged_without_what_was_sent(
    bank: Bank, capsys: pytest.CaptureFixture[str]
) -> None:
    """The driver's own words would quote the statement with its values, and so a person's name."""
    await bank.kind()
    volunteer = await bank.volunteer()
    async with bank.database.write(bank.number) as session:
        if session.dialect == "postgresql":
            await session.connection.exec_driver_sql("RESET ROLE")
        await session.execute(sa.text(f"ALTER TABLE {idempotency_answers.name} RENAME TO elsewhere"))
    capsys.readouterr()
    record = bank.record(volunteer["id"], recorder_name="张文静")
    answer = await bank.desk.post("service-records", record)
    assert answer.status_code >= 500
    assert [word for word in (*INNARDS, "张文静", "入户探访") if word in answer.text] == []
    logged = capsys.readouterr().out
    assert answer.headers["x-request-id"] in logged
    assert [word for word in ("张文静", "入户探访", "elsewhere") if word in logged] == []


async def test_documentation_needs_no_other_host(http: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc"):
        page = await http.get(path)
        assert page.status_code == 200
        assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+", page.text) == []
        for file in re.findall(r'(?:src|href)="([^"]+)"', page.text):
            assert (await http.get(file)).status_code == 200, file
    document = done(await http.get("/openapi.json"), 200)
    assert document["openapi"].startswith("3.1.")


async def test_metrics_count_requests_by_route_and_never_by_id(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    await bank.desk.get(f"volunteers/{volunteer['id']}")
    answer = await bank.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    route = '/v1/communities/{community_id}/volunteers/{volunteer_id}",status="200"'
    assert f'lovebank_requests_total{{method="GET",route="{route}}}' in answer.text
    assert volunteer["id"] not in answer.text
    assert bank.community["id"] not in answer.text


@on_one_engine
async def test_metrics_can_be_turned_off(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"metrics": False}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank.test") as http:
        refused(await http.get("/metrics"), "not-found")
