"""What is done quickly for the sake of hot requests: the same as in full, in what it takes, means and ends."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import app
from app.hours.schemas import ReferencedServiceRecord, ServiceRecordNew
from app.http import fields, patience
from app.http.commands import meaning_of
from app.http.fields import RequestModel
from app.kernel.errors import Unavailable
from tests.contract.spec import JSON
from tests.contract.test_bodies import changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.spec import Operation

ROW = {
    "reference": "QL-1",
    "volunteer_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001",
    "service_kind": "home_visit",
    "activity_name": "入户探访",
    "place": "祁连家园",
    "content": "量血压、打扫卫生",
    "organiser": "居委会",
    "started_at": "2025-03-08T14:00:00+08:00",
    "ended_at": "2025-03-08T15:30:00+08:00",
    "minutes": 90,
    "recorder_name": "张文静",
    "external_ids": {"a": "1"},
}
TEXTS = [
    " a ",
    "\u3000a\u3000",
    "a\u200bb",
    "a\nb\t",
    "a\x0bb",
    "\x1fa",
    "a\x85",
    "\x7f",
    "é" * 64,
    "é" * 65,
    "x" * 101,
]
TEXTS += ["名" * 200, "名" * 201, "2025-03-08T14:00", "2025-03-08 14:00Z", "2025-03-08t14:00:00.123456789-11:00", "٢"]
TEXTS += ["٢025-03-08T14:00Z", "1969-12-31T23:59:59Z", "2200-01-01T00:00Z", "1740000000", "2025-03-08T14:00:00+08:00 "]


def models_below(model: type[RequestModel]) -> Iterator[type[RequestModel]]:
    for one in model.__subclasses__():
        yield one
        yield from models_below(one)


def models() -> list[type[RequestModel]]:
    """Every request model of the app."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.endswith(("schemas", "api")):
            importlib.import_module(module.name)
    return sorted(set(models_below(RequestModel)), key=lambda model: model.__name__)


def in_full(model: type[RequestModel], value: Any) -> tuple[Any, Any]:
    try:
        return model.model_validate(value), None
    except ValidationError as error:
        return None, error.errors(include_context=False)


def quickly(model: type[RequestModel], value: Any) -> tuple[Any, Any]:
    try:
        return model.taken(value), None
    except ValidationError as error:
        return None, error.errors(include_context=False)


def assert_alike(model: type[RequestModel], value: Any) -> None:
    full, quick = in_full(model, value), quickly(model, value)
    assert quick == full, (model, value)
    if full[0] is not None:
        assert quick[0].model_fields_set == full[0].model_fields_set
        assert quick[0].model_dump_json() == full[0].model_dump_json()


@given(st.sampled_from(sorted(ROW)), st.one_of(st.text(), st.sampled_from(TEXTS), st.integers(), st.none()))
def test_row_is_taken_quickly_just_as_in_full(name: str, value: Any) -> None:
    assert_alike(ReferencedServiceRecord, {**ROW, name: value})


def test_every_body_is_taken_quickly_just_as_in_full(operations: list[Operation]) -> None:
    known, tried = models(), 0
    for operation in operations:
        if operation.body is None or operation.body[0] != JSON:
            continue
        for _, body in [((), operation.example), *changed(operation.example)]:
            for model in known:
                assert_alike(model, body)
                tried += 1
    assert tried > 5000


def test_quick_schemas_alone_take_what_is_typical() -> None:
    row = {name: value for name, value in ROW.items() if name != "reference"}
    assert fields._quick_validator(ServiceRecordNew).validate_python(row) == ServiceRecordNew.model_validate(row)  # noqa: SLF001


def left_out(body: RequestModel) -> dict[str, Any]:
    """Fields that bodies have since later, and that this one does not give."""
    absent = {name: True for name in body.added_later if getattr(body, name) is None}
    inner = {name: left_out(value) for name, value in body.__dict__.items() if isinstance(value, RequestModel)}
    return {**absent, **{name: fields for name, fields in inner.items() if fields}}


def test_body_means_what_its_key_was_always_kept_with(operations: list[Operation]) -> None:
    """Keys hold hashes for good: a release that hashed otherwise would refuse every repeat."""
    meant = 0
    for operation in operations:
        if operation.body is None or operation.body[0] != JSON:
            continue
        for _, body in [((), operation.example), *changed(operation.example)]:
            for model in models():
                full, _ = in_full(model, body)
                if full is not None:
                    known_then = full.model_dump(mode="json", exclude=left_out(full))
                    dumped = orjson.dumps(known_then, option=orjson.OPT_SORT_KEYS)
                    assert meaning_of(full) == dumped, (model, body)
                    meant += 1
    assert meant > 100


@pytest.fixture
def deadlines(monkeypatch: pytest.MonkeyPatch) -> patience.Deadlines:
    monkeypatch.setattr(patience, "answer_seconds_max", 0.1)
    return patience.Deadlines()


async def test_each_work_that_takes_too_long_is_ended_and_no_other(deadlines: patience.Deadlines) -> None:
    async def work(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    async def begin(delay: float, seconds: float) -> object:
        await asyncio.sleep(delay)
        try:
            return await deadlines.keep(work(seconds))
        except Unavailable:
            return "too long"

    begun = [begin(0, 30), begin(0.05, 0.02), begin(0.06, 30), begin(0.08, 0.01), begin(0.5, 30)]
    assert await asyncio.gather(*begun) == ["too long", 0.02, "too long", 0.01, "too long"]


async def test_work_that_somebody_else_ends_stays_ended(deadlines: patience.Deadlines) -> None:
    task = asyncio.create_task(deadlines.keep(asyncio.sleep(30)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await deadlines.keep(asyncio.sleep(0, "done")) == "done"


def test_deadlines_hold_in_each_loop(deadlines: patience.Deadlines) -> None:
    for _ in range(2):
        with pytest.raises(Unavailable):
            asyncio.run(deadlines.keep(asyncio.sleep(30)))
