"""The OpenAPI document as makers of clients need it: no type without a name, nothing said in two ways, a promise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from app.http.openapi_yaml import as_yaml
from tests.contract.test_openapi import walked

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tests.contract.spec import Operation

NOTHING = {"type": "null"}
PLAIN_NUMBER = re.compile(r"(: |- )[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")


def test_no_schema_of_the_framework_is_left(described: FastAPI) -> None:
    names = set(described.openapi()["components"]["schemas"])
    assert not names & {"HTTPValidationError", "ValidationError"}
    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name)] == []


def test_every_union_is_named_and_can_be_told_apart(described: FastAPI) -> None:
    document = described.openapi()
    named = list(document["components"]["schemas"].values())
    unions = [part for part in walked(document) if "anyOf" in part or "oneOf" in part]
    assert unions
    for union in unions:
        assert ("anyOf" in union) != ("oneOf" in union), union
        choices = union.get("anyOf") or union["oneOf"]
        or_nothing = len(choices) == 2 and "$ref" in choices[0] and choices[1] == NOTHING
        assert or_nothing or (union in named and "discriminator" in union), union


def test_what_may_be_nothing_says_so_in_its_type_and_its_values(described: FastAPI) -> None:
    nullable = [part for part in walked(described.openapi()) if isinstance(part.get("type"), list)]
    assert len(nullable) > 20
    for schema in nullable:
        kind, nothing = schema["type"]
        assert kind != nothing == "null", schema
        assert None in schema.get("enum", [None]), schema


def test_a_parameter_is_left_out_rather_than_null(operations: list[Operation]) -> None:
    parameters = [parameter for operation in operations for parameter in operation.parameters]
    assert parameters
    for parameter in parameters:
        schema = parameter["schema"]
        assert isinstance(schema.get("type", "$ref"), str), parameter
        assert not {"anyOf", "oneOf"} & schema.keys(), parameter
        assert None not in schema.get("enum", []), parameter


def test_every_operation_says_which_token_it_needs(operations: list[Operation], described: FastAPI) -> None:
    schemes = described.openapi()["components"]["securitySchemes"]
    for operation in operations:
        needed = operation.declared["security"]
        assert (needed == []) == operation.is_public, operation.id
        assert {name for one in needed for name in one} <= set(schemes), operation.id
    urls = [flow["tokenUrl"] for scheme in schemes.values() for flow in scheme.get("flows", {}).values()]
    assert set(urls) == {"/oauth2/token"}


def test_version_is_semantic_and_its_promise_is_written_down(operations: list[Operation], described: FastAPI) -> None:
    info: dict[str, Any] = described.openapi()["info"]
    assert re.fullmatch(r"1\.\d+\.\d+", info["version"])
    policy = info["description"].partition("## Versions and what becomes old")[2]
    for word in ("only added", "`Deprecation` (RFC 9745)", "`Sunset`", "RFC 8594", "twelve months", "`/v2`"):
        assert word in policy
    for operation in operations:
        if operation.declared.get("deprecated"):
            for answer in operation.declared["responses"].values():
                assert {"Deprecation", "Sunset", "Link"} <= set(answer.get("headers", {})), operation.id


def test_committed_form_reads_the_same_in_both_versions_of_yaml(described: FastAPI) -> None:
    text = as_yaml(described)
    document = described.openapi()
    assert yaml.safe_load(text) == document
    # Digits that YAML 1.1 takes for text and 1.2 for a number, such as 042917, have to stand in quotes.
    for line in text.splitlines():
        if PLAIN_NUMBER.search(line):
            number = line.split()[-1]
            assert not isinstance(yaml.safe_load(number), str), line
