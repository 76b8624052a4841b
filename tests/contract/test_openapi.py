"""The OpenAPI document: the committed file is the app's, and says of every operation what its users need."""

from __future__ import annotations

import difflib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

from app.access.guard import ROLES
from app.http.openapi_yaml import as_yaml
from app.http.problem_codes import PROBLEMS
from app.main import ROUTERS
from tests.contract.json_schema import faults, resolved
from tests.contract.spec import ANYONE, JSON, PROBLEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from tests.contract.spec import Operation

COMMITTED = Path(__file__).parents[2] / "openapi" / "openapi.yaml"
FORM = "application/x-www-form-urlencoded"
ALWAYS = {"invalid-request", "method-not-allowed", "unavailable", "unexpected"}
# The city's log is for anyone, as a newspaper is: whoever keeps its checkpoints holds every community to its ledger. It
# has hashes of checkpoints in it, nothing of a person and nothing of a community but that it went on.
PUBLIC = {
    "get_city_checkpoint",
    "list_city_checkpoints",
    "get_city_checkpoint_of_size",
    "get_city_consistency",
    "get_ledger_key",
    "get_calendar",
}
OF_PROTECTED = {"invalid-token", "role-missing", "not-found"}
OF_KEYED = {
    "idempotency-key-missing",
    "idempotency-key-reused",
    "idempotency-key-in-flight",
    "idempotency-answer-erased",
    "idempotency-answer-expired",
}
OF_JSON_BODY = {"body-too-large", "unsupported-media-type"}
# RFC 6749 has errors of its own for the token endpoint; probes read the same of a service that is ready and one that
# is not.
OTHER_THAN_PROBLEMS = {("get_token", "400"), ("get_token", "401"), ("get_readyz", "503")}


def test_committed_document_is_the_one_the_app_makes(described: FastAPI) -> None:
    made, committed = as_yaml(described), COMMITTED.read_text(encoding="utf-8")
    lines = difflib.unified_diff(committed.splitlines(), made.splitlines(), "committed", "made", lineterm="", n=1)
    difference = "\n".join(list(lines)[:60])
    assert made == committed, (
        f"run `python -m app openapi > openapi/openapi.yaml` and look at what changed:\n{difference}"
    )


def test_document_is_openapi_3_1_and_names_its_server(described: FastAPI) -> None:
    document = described.openapi()
    assert document["openapi"].startswith("3.1.")
    assert document["servers"]
    assert document["info"]["title"]
    assert document["info"]["version"]


def test_every_operation_is_named_as_its_function_and_no_two_alike(operations: list[Operation]) -> None:
    functions = {
        (method, route.path): route.endpoint.__name__
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert {(operation.method, operation.path): operation.id for operation in operations} == functions
    ids = Counter(operation.id for operation in operations)
    assert [name for name, count in ids.items() if count > 1] == []


def test_every_operation_says_what_it_is_and_who_may_call_it(operations: list[Operation], described: FastAPI) -> None:
    tags = {tag["name"] for tag in described.openapi()["tags"]}
    for operation in operations:
        assert operation.declared["summary"], operation.id
        assert operation.declared["description"], operation.id
        assert set(operation.declared["tags"]) <= tags, operation.id
        assert operation.roles, operation.id
        assert operation.is_public or set(operation.roles) <= set(ROLES), operation.id
        assert operation.is_public or operation.declared["security"], operation.id
        assert ANYONE not in operation.roles or operation.roles == (ANYONE,), operation.id


def test_city_may_do_what_a_manager_may(operations: list[Operation]) -> None:
    assert [one.id for one in operations if "manager" in one.roles and "city_admin" not in one.roles] == []


def test_every_operation_of_the_community_is_closed_to_strangers(operations: list[Operation]) -> None:
    opened = {operation.id for operation in operations if operation.is_public and "/v1/" in operation.path}
    assert opened == PUBLIC
    assert not any(operation.of_community for operation in operations if operation.is_public)


def test_every_variable_of_a_path_is_described(operations: list[Operation]) -> None:
    for operation in operations:
        described = {one["name"] for one in operation.parameters if one["in"] == "path" and one["required"]}
        assert described == set(operation.path_parameters), operation.id


def test_every_post_below_v1_needs_an_idempotency_key(operations: list[Operation]) -> None:
    posts = [operation for operation in operations if operation.method == "POST" and operation.path.startswith("/v1/")]
    assert posts
    assert [operation.id for operation in posts if not operation.is_keyed] == []


def test_every_operation_documents_its_problems(operations: list[Operation]) -> None:
    for operation in operations:
        documented = {code for codes in operation.problems().values() for code in codes}
        expected = set(ALWAYS)
        expected |= set() if operation.is_public else OF_PROTECTED
        expected |= OF_KEYED if operation.is_keyed else set()
        expected |= OF_JSON_BODY if operation.body and operation.body[0] == JSON else set()
        if operation.id == "get_readyz":
            expected.remove("unavailable")
        assert expected <= documented <= set(PROBLEMS), (operation.id, expected - documented)
        for status, codes in operation.problems().items():
            assert {PROBLEMS[code].status for code in codes} == {status}, operation.id


def test_failures_are_problem_documents(operations: list[Operation]) -> None:
    for operation in operations:
        for status, answer in operation.declared["responses"].items():
            if int(status) >= 400 and (operation.id, status) not in OTHER_THAN_PROBLEMS:
                reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
                assert answer["content"] == {PROBLEM: reference}, (operation.id, status)


def test_every_body_has_an_example_that_holds(operations: list[Operation]) -> None:
    with_body = [operation for operation in operations if operation.body]
    assert len(with_body) > 10
    for operation in with_body:
        assert operation.body
        media_type, described = operation.body
        assert media_type == (FORM if operation.id == "get_token" else JSON)
        assert faults(described["example"], described["schema"], operation.document) == [], operation.id


def test_every_example_of_a_field_holds(described: FastAPI) -> None:
    document = described.openapi()
    examples = 0
    for schema in walked(document["components"]["schemas"]):
        for example in schema.get("examples", []) if isinstance(schema.get("examples"), list) else []:
            assert faults(example, schema, document) == [], schema
            examples += 1
    assert examples > 5


def test_every_reference_leads_somewhere(described: FastAPI) -> None:
    document = described.openapi()
    references = [schema["$ref"] for schema in walked(document) if "$ref" in schema]
    assert len(references) > 100
    for reference in references:
        assert resolved(reference, document), reference


def test_schemas_have_names_for_users(described: FastAPI) -> None:
    names = set(described.openapi()["components"]["schemas"])
    assert "Problem" in names
    assert "HTTPValidationError" not in names
    assert [name for name in names if "__" in name or name.endswith("Model")] == []


def walked(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from walked(inner)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("x" * 3, {"type": "string", "maxLength": 2}),
        (True, {"type": "integer"}),
        (5, {"type": ["string", "null"]}),
        (5, {"type": "integer", "maximum": 4}),
        ({"a": 1}, {"type": "object", "additionalProperties": False}),
        ({}, {"type": "object", "required": ["a"]}),
        ({"a": "1"}, {"properties": {"a": {"type": "integer"}}}),
        ([1, "2"], {"items": {"type": "integer"}}),
        (None, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ("2025-02-30", {"type": "string", "format": "date"}),
        ("b", {"enum": ["a"]}),
        ({"x y": 1}, {"patternProperties": {"^\\w+$": {}}, "additionalProperties": False}),
    ],
)
def test_checker_finds_what_is_against_a_schema(value: object, schema: dict[str, Any]) -> None:
    assert faults(value, schema, {}) != []
