"""The contract, piece by piece: each has tests that hold it, and what it says of all operations alike is held here."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from app.http.operations import CITY_ADMIN
from app.http.problem_codes import PROBLEMS
from tests.contract.test_openapi import walked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.spec import Operation

TESTS = Path(__file__).parents[1]
CONTRACT = TESTS.parent / "openapi" / "contract.md"
PIECES = Path(__file__).parent / "contract.yaml"
PIECE_CHARACTERS_MAX = 260
# What the contract names, and the document leaves out because it is the document itself.
ABOUT_THE_DOCUMENT = {("GET", "/openapi.json"), ("GET", "/docs")}
METHODS = {"GET", "POST", "PATCH", "DELETE"}
NAMES = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SEGMENT = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*|\{[a-z]+(_[a-z]+)*\}(\.ics)?")
OUTSIDE_V1 = {"oauth2", ".well-known", "livez", "readyz", "metrics", "problems", "verify"}
# Lists whose items take work: each receipt has a signature and the hashes up to the root.
SHORT = {"list_own_receipts": 50}
# The city's own log, whose paths are those below a community, who witnesses it, and the teams that the city posts.
OF_THE_CITY = {"ledger", "witnesses", "witness-signatures", "departments", "team-members", "teams", "calendars"}
# Nouns that have no plural, or that there is one of.
SINGLE = {"me", "ledger", "goods", "balance", "statement", "trial-balance"}
WHOLE_NUMBERS = {"points", "minutes", "amount", "quantity", "balance", "balance_after", "points_price", "version"}
# Of other standards (RFC 7517, RFC 8414), and the facts of a problem, which stand beside its members.
OTHER_STANDARDS = {"Key", "KeySet", "AuthorizationServer", "Token", "TokenError"}
# Known by their number in the community.
NUMBERED = {
    "LedgerTransaction.id",
    "Event.id",
    "transaction_id",
    "reverses_transaction_id",
    "reversed_by_transaction_id",
    "reversal_transaction_id",
}


@pytest.fixture(scope="module")
def contract() -> str:
    return CONTRACT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pieces() -> dict[str, list[str]]:
    """The tests that hold a piece of the contract, by the words with which it begins."""
    found: dict[str, list[str]] = yaml.safe_load(PIECES.read_text(encoding="utf-8"))
    return found


def test_every_line_of_the_contract_is_in_a_piece(contract: str, pieces: dict[str, list[str]]) -> None:
    begins, last = [], 0
    for words in pieces:
        begins.append(contract.index(words, last))
        last = begins[-1] + len(words)
    assert {line for line in contract[: begins[0]].splitlines() if line and not line.startswith("#")} == set()
    for begin, end in zip(begins, [*begins[1:], len(contract)], strict=True):
        piece = " ".join(contract[begin:end].split())
        assert len(piece) <= PIECE_CHARACTERS_MAX, piece


def test_every_piece_of_the_contract_has_tests_that_exist(pieces: dict[str, list[str]]) -> None:
    named = {name for names in pieces.values() for name in names}
    defined = {
        f"{path.relative_to(TESTS).as_posix()}::{node.name}"
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }
    assert sorted(named - defined) == []
    assert [words for words, names in pieces.items() if not names] == []


def fixed_operations(contract: str) -> Iterator[tuple[str, str]]:
    """Method and path of each operation that the contract fixes."""
    block = contract.partition("## Resources of the core\n```\n")[2].partition("```")[0]
    whole = ""
    for line in block.splitlines():
        methods: list[str] = []
        base = ""
        for word in line.replace("· ", "POST ").split():
            if word in METHODS:
                methods = [*methods, word] if methods and not base else [word]
                base = ""
            elif word.startswith(("/", "…/")) and methods:
                path = word.partition("?")[0].replace("…", "/v1/communities/{community_id}")
                # A step that stands for itself is another one of what the line is about.
                base = f"{whole.rpartition('/')[0]}{path}" if path.count("/") == 1 and methods == ["POST"] else path
                whole = base.partition("[")[0]
                yield from ((method, whole) for method in methods)
                if "[" in base:
                    yield methods[0], base.replace("[", "").replace("]", "")
    for path in re.findall(r"`(?:GET|POST) (/(?:\.well-known|oauth2|problems)[^`]*)`", contract):
        yield ("POST" if path.startswith("/oauth2") else "GET"), path


def test_every_operation_that_the_contract_fixes_is_served(contract: str, operations: list[Operation]) -> None:
    fixed = set(fixed_operations(contract))
    assert len(fixed) > 60
    served = {(operation.method, operation.path) for operation in operations}
    assert sorted(fixed - served - ABOUT_THE_DOCUMENT) == []


def test_paths_are_plural_nouns_in_kebab_case_below_the_community(operations: list[Operation]) -> None:
    for operation in operations:
        first, *others = operation.path.strip("/").split("/")
        if first in OUTSIDE_V1:
            continue
        assert first == "v1", operation.path
        assert others[0] in {"communities", "me", *OF_THE_CITY}, operation.path
        assert all(SEGMENT.fullmatch(segment) for segment in others), operation.path
        below = {"communities": others[2:], "me": others[1:]}.get(others[0], others)
        for noun, after in pairwise([*below, ""]):
            if after.startswith("{") and not noun.startswith("{"):
                assert noun.endswith("s"), operation.path


def test_change_of_a_state_is_a_post_to_a_noun_below_the_resource(operations: list[Operation]) -> None:
    nouns = re.compile(
        r".*(tion|calendar|draw|submission|return|attendance|check-in|check-out|erasure|withdrawal|answer|decision|ending|leaving"
        r"|move|plan|skipping|telling|pair|outcome|closing)"
    )
    for operation in operations:
        *_, before, last = operation.path.split("/")
        if operation.method == "POST" and before.startswith("{") and not last.endswith("s"):
            assert nouns.fullmatch(last), operation.path


def fields_of(operations: list[Operation]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Schema, name and description of every field."""
    for title, schema in operations[0].document["components"]["schemas"].items():
        if title not in OTHER_STANDARDS:
            for name, described in schema.get("properties", {}).items():
                yield title, name, described


def test_fields_are_in_snake_case_with_ids_times_and_whole_numbers(operations: list[Operation]) -> None:
    met = set()
    for title, name, schema in fields_of(operations):
        place = f"{title}.{name}"
        assert NAMES.fullmatch(name), place
        kinds = set(schema.get("type", ["$ref"])) if isinstance(schema.get("type"), list) else {schema.get("type")}
        if name.endswith("_at"):
            assert schema.get("format") == "date-time", place
            met.add("time")
        elif name in WHOLE_NUMBERS and "$ref" not in schema and kinds & {"integer", "number", "string"}:
            # The version of a consent is that of its text.
            assert "integer" in kinds or title.startswith("Consent"), place
            met.add("number")
        elif name in NUMBERED or place in NUMBERED:
            assert "integer" in kinds, place
        elif name == "id" or (name.endswith("_id") and name != "client_id" and "integer" not in kinds):
            assert schema.get("format") == "uuid", place
            met.add("id")
    assert met == {"time", "number", "id"}


def test_statuses_are_those_of_the_contract(contract: str, operations: list[Operation]) -> None:
    paragraph = contract.partition("Statuses: ")[2]
    conflicts = paragraph.partition("409 ")[2].partition("422 ")[0]
    mistakes = paragraph.partition("422 ")[2].partition("429 ")[0]
    for status, text in ((409, conflicts), (422, mistakes)):
        codes = re.findall(r"`([a-z-]+)`", text)
        assert len(codes) > 3
        assert {code: PROBLEMS[code].status for code in codes} == dict.fromkeys(codes, status)
    for operation in operations:
        done = [status for status in operation.declared["responses"] if status.startswith("2")]
        assert len(done) == 1, operation.id
        assert done[0] in {"200", "201", "202", "204"}, operation.id
        if done == ["201"]:
            assert "Location" in operation.declared["responses"]["201"]["headers"], operation.id
    for code, problem in PROBLEMS.items():
        if problem.status in {429, 503}:
            documented = [
                answer["headers"]
                for operation in operations
                for answer in operation.declared["responses"].values()
                if code in answer.get("x-problems", [])
            ]
            assert documented, code
            assert all("Retry-After" in headers for headers in documented), code


def test_what_the_contract_calls_things_is_what_their_schemas_call_them(operations: list[Operation]) -> None:
    schemas = operations[0].document["components"]["schemas"]
    assert {"shelf", "reserved", "handed_out", "written_off"} == set(schemas["Stock"]["properties"])
    assert {"code", "stock", "id"} <= set(schemas["Goods"]["properties"])
    # Events are read on from a number instead of a cursor.
    pages = {name: schema for name, schema in schemas.items() if name.endswith("Page") and name != "EventPage"}
    assert len(pages) > 8
    for name, schema in pages.items():
        assert set(schema["properties"]) == {"items", "next_cursor"}, name
    limits = [(one, each) for one in operations for each in one.parameters if each["name"] == "limit"]
    assert len(limits) >= len(pages)
    for operation, limit in limits:
        schema = limit["schema"]
        assert (schema["minimum"], schema["maximum"], schema["default"]) == (1, SHORT.get(operation.id, 200), 50)
    assert not any("x-roles" in part for part in walked(schemas))
    assert all(CITY_ADMIN in one.roles for one in operations if one.method == "POST" and "manager" in one.roles)
