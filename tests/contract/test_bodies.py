"""Bodies that cannot be taken: always a problem document that names the place, never a 5xx, and nothing is stored."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from app.kernel.heads import head_numbers
from tests.bank import refused
from tests.contract.furnished import Furnished, send
from tests.contract.spec import JSON, named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.bank import Bank
    from tests.contract.spec import Operation

MEBIBYTE = 1024 * 1024
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NOT_JSON = {
    "NaN": b'{"code": "a", "name": "a", "points_price": NaN}',
    "infinity": b'{"code": "a", "name": "a", "points_price": Infinity}',
    "number without end": b'{"code": "a", "name": "a", "points_price": 1e999}',
    "lone surrogate": b'{"code": "a", "name": "\\ud800", "points_price": 1}',
    "lone surrogate as a name": b'{"code": "a", "name": "a", "points_price": 1, "\\udfff": 1}',
    "name that stands twice": b'{"code": "a", "name": "a", "points_price": 1, "points_price": 2}',
    "name that stands twice, deeper": b'{"code": "a", "name": {"x": 1, "x": 1}, "points_price": 1}',
    "name that stands twice, spelled in two ways": b'{"name": "a", "points_price": 1, "points_pric\\u0065": 2}',
    "number of 64 bits and one": b'{"code": "a", "name": "a", "points_price": 9223372036854775808}',
    "number of many digits": b'{"code": "a", "name": "a", "points_price": ' + b"9" * 5000 + b"}",
    "bytes that are no UTF-8": b'{"code": "a", "name": "\xff\xfe", "points_price": 1}',
    "surrogates in UTF-8": b'{"code": "a", "name": "\xed\xa0\x80", "points_price": 1}',
    "UTF-16": '{"code": "a", "name": "a", "points_price": 1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"code": "a", "name": "a", "points_price": 1}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 990 + b"1" + b"}" * 990,
    "half": b'{"code": "a", "name": "a", "points',
    "two values": b'{"code": "a", "name": "a", "points_price": 1} {}',
    "comment": b'{"code": "a", "name": "a", "points_price": 1 /* one */}',
    "single quotes": b"{'code': 'a', 'name': 'a', 'points_price': 1}",
    "control character": b'{"code": "a", "name": "a\nb", "points_price": 1}',
    "a form": b"code=a&name=a&points_price=1",
    "empty": b"",
    "blank": b"   ",
}
AGAINST_THE_SCHEMA: dict[str, tuple[dict[str, Any], str]] = {
    "text for a number": ({"points_price": "5"}, "/points_price"),
    "true for a number": ({"points_price": True}, "/points_price"),
    "fraction": ({"points_price": 1.5}, "/points_price"),
    "whole number written as a fraction": ({"points_price": 1.0}, "/points_price"),
    "largest whole number": ({"points_price": 2**63 - 1}, "/points_price"),
    "below zero": ({"points_price": -1}, "/points_price"),
    "null": ({"points_price": None}, "/points_price"),
    "number for text": ({"name": 5}, "/name"),
    "NUL": ({"name": "a\0b"}, "/name"),
    "escape": ({"name": "a\x1bb"}, "/name"),
    "only spaces": ({"name": " \u3000 "}, "/name"),
    "too long": ({"name": "名" * 101}, "/name"),
    "list for text": ({"name": ["a"]}, "/name"),
    "unknown field": ({"colour": "red"}, "/colour"),
    "unknown field with a pointer's own signs": ({"a/b~c": 1}, "/a~1b~0c"),
}


@pytest.fixture
async def goods_url(bank: Bank) -> AsyncIterator[str]:
    """Where goods are created; at the end it shows that nothing was."""
    yield f"{bank.manager.base}/goods"
    assert (await bank.manager.get("goods")).json()["items"] == []


def headers(bank: Bank, content_type: str = JSON) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {bank.manager.token}",
        "Idempotency-Key": "one-for-all",
        "Content-Type": content_type,
    }


@on_one_engine
async def test_body_that_is_not_json_of_one_meaning_is_refused(bank: Bank, goods_url: str) -> None:
    for fault, body in NOT_JSON.items():
        answer = await bank.http.post(goods_url, content=body, headers=headers(bank))
        assert answer.status_code == 422, (fault, answer.text)
        (error,) = refused(answer, "invalid-request")["errors"]
        assert error["pointer"] == "", fault
        assert error["message"], fault


@on_one_engine
async def test_value_against_the_schema_is_pointed_to(bank: Bank, goods_url: str) -> None:
    for fault, (changed, pointer) in AGAINST_THE_SCHEMA.items():
        body = orjson.dumps({"code": "a", "name": "a", "points_price": 1, **changed})
        answer = await bank.http.post(goods_url, content=body, headers=headers(bank))
        problem = refused(answer, "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [pointer], fault
    for body in (b"[]", b"5", b'"text"', b"null", b"true"):
        refused(await bank.http.post(goods_url, content=body, headers=headers(bank)), "invalid-request")


@on_one_engine
async def test_body_of_another_media_type_is_refused(bank: Bank, goods_url: str) -> None:
    body = b'{"code": "a", "name": "a", "points_price": 1}'
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "text/json", "application/xml", "nonsense"):
        answer = await bank.http.post(goods_url, content=body, headers=headers(bank, media_type))
        assert answer.status_code == 415, media_type
        refused(answer, "unsupported-media-type")
    without = {name: value for name, value in headers(bank).items() if name != "Content-Type"}
    refused(await bank.http.post(goods_url, content=body, headers=without), "unsupported-media-type")


@on_one_engine
async def test_media_type_of_json_may_have_parameters_and_capitals(bank: Bank) -> None:
    body = b'{"code": "a", "name": "a", "points_price": 1}'
    url = f"{bank.manager.base}/goods"
    for media_type in ("application/json; charset=utf-8", "Application/JSON", "application/vnd.love-bank+json"):
        answer = await bank.http.post(url, content=body, headers=headers(bank, media_type))
        assert answer.status_code == 201, media_type


@on_one_engine
async def test_body_above_the_limit_is_refused_whether_or_not_it_says_its_length(bank: Bank, goods_url: str) -> None:
    limit = 2 * MEBIBYTE
    parts = [b'{"name": "', *[b"x" * MEBIBYTE] * 3, b'"}']

    async def sent_in_parts() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    for content in (b"".join(parts), sent_in_parts()):
        answer = await bank.http.post(goods_url, content=content, headers=headers(bank))
        assert answer.status_code == 413
        refused(answer, "body-too-large", body_bytes_max=limit)
    form = {"grant_type": "client_credentials", "client_secret": "x" * limit}
    refused(await bank.http.post("/oauth2/token", data=form), "body-too-large")
    within = orjson.dumps({"name": "x" * (limit - 11)})
    assert len(within) == limit
    refused(await bank.http.post(goods_url, content=within, headers=headers(bank)), "invalid-request")


@on_one_engine
async def test_length_without_end_is_too_large(bank: Bank, goods_url: str) -> None:
    for length in ("9" * 30, "9" * 5000):
        sent = httpx.Request(
            "POST", f"http://bank.test{goods_url}", headers={**headers(bank), "Content-Length": length}
        )
        refused(await bank.http.send(sent), "body-too-large")


NASTY: list[Any] = [
    None,
    True,
    -1,
    1.5,
    2**63 - 1,
    "",
    "5",
    "\0",
    "x" * 5000,
    "9999-12-31T23:59:59-23:59",
    "00000000-0000-0000-0000-000000000000",
    [[]],
    {"": ""},
]


def changed(example: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The example with each of its values in turn replaced by each nasty one, and with one removed or added."""
    for step in example if isinstance(example, dict) else range(len(example)):
        for value in NASTY:
            other = copy.deepcopy(example)
            other[step] = value
            yield (*path, step), other
        without = copy.deepcopy(example)
        del without[step]
        yield (*path, step), without
        if isinstance(example[step], dict | list):
            for place, inner in changed(example[step], (*path, step)):
                other = copy.deepcopy(example)
                other[step] = inner
                yield place, other
    if isinstance(example, dict):
        yield (*path, "unasked"), {**example, "unasked": 1}


async def test_no_body_makes_the_service_fail(bank: Bank, operations: list[Operation]) -> None:
    """Every value of every body, replaced by what does not belong there: a refusal that is documented, or an effect."""
    own = await Furnished.of(bank)
    sent = refusals = 0
    for operation in operations:
        if operation.body is None or operation.body[0] != JSON:
            continue
        path, example = await own.path_and_body(operation, fresh=True)
        for place, body in changed(example):
            answer = await send(bank.http, operation, path, body, own.admitted(operation))
            assert answer.status_code < 500, (operation.id, place, body, answer.text)
            assert operation.departures(answer) == [], (operation.id, place, body)
            sent, refusals = sent + 1, refusals + answer.is_error
    assert sent > refusals > 600


async def test_refused_bodies_change_nothing(bank: Bank, operations: list[Operation]) -> None:
    own = await Furnished.of(bank)
    async with bank.database.read(own.number) as session:
        before = await head_numbers(session, own.number)
    for operation in operations:
        if operation.body and operation.body[0] == JSON and operation.of_community:
            path, example = await own.path_and_body(operation)
            body = {**example, "unasked": 1}
            refused(await send(bank.http, operation, path, body, own.admitted(operation)), "invalid-request")
    async with bank.database.read(own.number) as session:
        assert await head_numbers(session, own.number) == before


async def test_row_of_a_batch_that_cannot_be_stored_is_refused_by_itself(
    bank: Bank, operations: list[Operation]
) -> None:
    own = await Furnished.of(bank)
    operation = named(operations, "create_service_record_batch")
    _, example = await own.path_and_body(operation, fresh=True)
    good = example["records"][0]
    rows = [{**good, "reference": "a\0b"}, good, None, 2**62, ["x"], {**good, "reference": "r", "minutes": 10**18}]
    answer = await bank.desk.post("service-record-batches", {"records": rows})
    assert answer.status_code == 200, answer.text
    outcomes = [item["outcome"] for item in answer.json()["items"]]
    assert outcomes == ["refused", "created", "refused", "refused", "refused", "refused"]
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    refused(await bank.desk.post("service-record-batches", {"records": [deep]}), "invalid-request")
