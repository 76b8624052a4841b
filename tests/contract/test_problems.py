"""The table of problems: it has every refusal of the code, and the tests have met every one of its rows."""

from __future__ import annotations

import ast
import datetime as dt
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from app.http.languages import language_wished
from app.http.problem_codes import PROBLEMS
from app.http.problem_codes_of_work import PROBLEMS_OF_WORK
from app.http.problem_codes_zh import PROBLEMS_ZH
from app.http.problems import CODE_OF_STATUS, dump, refusal_document
from app.kernel.errors import Fault, Refusal
from tests.bank import done, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

TESTS = Path(__file__).parents[1]
# What the last net answers, and what an outage does: no refusals, because nobody decided them.
OF_FAILURES = {"rate-limited", "unavailable", "unexpected"}
MEMBERS = {"type", "title", "status", "detail", "code", "instance"}
# By the annotation as it is written.
SAMPLES: dict[str, Any] = {
    "str": "x",
    "int": 7,
    "UUID": UUID("01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001"),
    "UUID | None": None,
    "str | None": None,
    "datetime | None": None,
    "dt.date": dt.date(2026, 3, 1),
    "datetime": dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
    "tuple[str, ...]": ("manager",),
    "tuple[Fault, ...]": (Fault("/minutes", "is more than the time between start and end"),),
}


def kinds_of(refusal: type[Refusal]) -> Iterator[type[Refusal]]:
    """Every kind of refusal in the app, found by descent; `create_app` has imported all of its modules."""
    for kind in refusal.__subclasses__():
        yield from kinds_of(kind)
        # A dataclass with slots is made twice; the module has the one that counts.
        if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind and "tests" not in kind.__module__:
            yield kind


@pytest.fixture
def kinds(described: FastAPI) -> list[type[Refusal]]:
    assert described.routes
    return list(kinds_of(Refusal))


def sample(kind: type[Refusal]) -> Refusal:
    """A refusal of a kind, with some fact for each of its fields."""
    return kind(**{field.name: SAMPLES[str(field.type)] for field in fields(kind)})


def test_every_refusal_has_a_row_and_a_sentence(kinds: list[type[Refusal]]) -> None:
    assert len(kinds) > 20
    for kind in kinds:
        assert kind.code in PROBLEMS, kind
        document = refusal_document(sample(kind))
        assert len(document["detail"].split()) > 3, kind
        assert "<" not in document["detail"], kind
        assert dump(document)


def test_facts_of_a_refusal_hide_no_member_of_the_problem(kinds: list[type[Refusal]]) -> None:
    assert [kind for kind in kinds if MEMBERS & {field.name for field in fields(kind)}] == []


def test_every_row_is_of_a_refusal_or_of_the_framework(kinds: list[type[Refusal]]) -> None:
    assert set(PROBLEMS) == {kind.code for kind in kinds} | set(CODE_OF_STATUS.values()) | OF_FAILURES | {"unmapped"}
    for status, code in CODE_OF_STATUS.items():
        assert PROBLEMS[code].status == status


async def test_every_code_is_explained(described: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(described), base_url="http://bank.test") as http:
        for code, problem in PROBLEMS.items():
            in_english = await http.get(f"/problems/{code}", headers={"Accept-Language": "en-GB, zh;q=0.5"})
            assert done(in_english, 200) == {"code": code, "language": "en", **problem._asdict()}
            assert all(text.endswith(".") for text in (problem.meaning, problem.remedy)), code
            in_chinese = await http.get(f"/problems/{code}")
            texts = {"language": "zh-CN", **PROBLEMS_ZH[code]._asdict()}
            assert done(in_chinese, 200) == {"code": code, "status": problem.status, **texts}
            assert all(text.endswith("。") for text in PROBLEMS_ZH[code][1:]), code
            for answer, language in ((in_english, "en"), (in_chinese, "zh-CN")):
                assert answer.headers["Content-Language"] == language
                assert answer.headers["Vary"] == "Accept-Language"
        refused(await http.get("/problems/no-such-code"), "not-found")


def test_every_code_is_explained_in_both_languages() -> None:
    assert list(PROBLEMS_ZH) == list(PROBLEMS)
    others = [code for code in PROBLEMS if code not in PROBLEMS_OF_WORK]
    assert list(PROBLEMS) == [*sorted(others), *sorted(PROBLEMS_OF_WORK)]


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("", "zh-CN"),
        ("en", "en"),
        ("EN-us", "en"),
        ("zh-Hans-CN", "zh-CN"),
        ("fr, *", "zh-CN"),
        ("fr", "zh-CN"),
        ("zh;q=0.3, en;q=0.8", "en"),
        ("en;q=0.3,zh-TW;q=0.8", "zh-CN"),
        ("zh;q=0, en;q=0.001", "en"),
        ("en;q=0", "zh-CN"),
        ("en, zh", "en"),
        ("zh, en", "zh-CN"),
        ("en;q=2, zh;q=0.1", "zh-CN"),
        (";;=,, ,en;q=0.5", "en"),
    ],
)
def test_language_is_the_one_that_is_wished_most(wish: str, language: str) -> None:
    assert language_wished(wish) == language


def words_of(path: Path) -> set[str]:
    """The words of the texts in a test's code, its docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return {word for node in texts if isinstance(node.value, str) for word in node.value.split()}


def test_every_code_has_been_met_by_a_test() -> None:
    # The lists of the contract's own tests name codes without having met them.
    lists = {"test_openapi.py", "test_problems.py"}
    met = {word for path in TESTS.rglob("test_*.py") if path.name not in lists for word in words_of(path)}
    missing = sorted(set(PROBLEMS) - met)
    assert missing == [], f"no test names {', '.join(missing)}"
