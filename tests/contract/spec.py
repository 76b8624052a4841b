"""The OpenAPI document, read as its users read it: operations with their roles, bodies and problems."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.contract.json_schema import faults

if TYPE_CHECKING:
    import httpx
    from fastapi import FastAPI

ANYONE = "anyone"
JSON = "application/json"
PROBLEM = "application/problem+json"
INNARDS = ("Traceback", 'File "', "sqlalchemy", "psycopg", "sqlite3", "SELECT ", "INSERT ", "Error(", ".py")
"""What an answer never shows: parts of stack traces, statements, and the names of libraries."""


@dataclass(frozen=True)
class Operation:
    """One operation of the document. `declared` is what stands there, `document` the whole that it refers into."""

    method: str
    path: str
    declared: dict[str, Any]
    document: dict[str, Any]

    @property
    def id(self) -> str:
        """Its operationId."""
        return str(self.declared["operationId"])

    @property
    def roles(self) -> tuple[str, ...]:
        """Who may call it. An operation that does not say so is an error here, and so in every test."""
        return tuple(self.declared["x-roles"])

    @property
    def is_public(self) -> bool:
        """Whether it needs no token."""
        return self.roles == (ANYONE,)

    @property
    def is_keyed(self) -> bool:
        """Whether it declares the Idempotency-Key."""
        return any(one["name"] == "Idempotency-Key" and one["required"] for one in self.parameters)

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """Its own parameters and those of its path."""
        shared = self.document["paths"][self.path].get("parameters", [])
        return [*shared, *self.declared.get("parameters", [])]

    @property
    def path_parameters(self) -> list[str]:
        """The variables in its path."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def of_community(self) -> bool:
        """Whether its path names a community."""
        return "community_id" in self.path_parameters

    @property
    def body(self) -> tuple[str, dict[str, Any]] | None:
        """The media type and the description of its body, if it has one."""
        content = self.declared.get("requestBody", {}).get("content", {})
        return next(iter(content.items()), None)

    @property
    def example(self) -> Any:
        """The example of its body."""
        return self.body[1]["example"] if self.body else None

    def problems(self) -> dict[int, list[str]]:
        """The problem codes that it documents, by status."""
        answers = self.declared["responses"].items()
        return {int(status): answer["x-problems"] for status, answer in answers if "x-problems" in answer}

    def departures(self, answer: httpx.Response) -> list[str]:
        """In what an answer departs from what the operation documents, or shows more than anybody should see."""
        declared = self.declared["responses"].get(str(answer.status_code))
        if declared is None:
            return [f"status {answer.status_code} is not documented"]
        if not answer.content:
            return []
        media_type = answer.headers["content-type"].partition(";")[0]
        if media_type not in declared["content"]:
            return [f"{media_type} is not documented for {answer.status_code}"]
        # Pages are texts of ours, whatever they say.
        if media_type != "text/html" and (shown := [word for word in INNARDS if word in answer.text]):
            return [f"{word} is shown" for word in shown]
        if not media_type.endswith("json"):
            return []
        found = faults(answer.json(), declared["content"][media_type]["schema"], self.document)
        if media_type == PROBLEM and answer.json()["code"] not in declared["x-problems"]:
            found.append(f"{answer.json()['code']} is not documented")
        return found


def operations_of(app: FastAPI) -> list[Operation]:
    """Every operation of the app's document."""
    document = app.openapi()
    return [
        Operation(method.upper(), path, declared, document)
        for path, item in document["paths"].items()
        for method, declared in item.items()
        if method != "parameters"
    ]


def named(operations: list[Operation], operation_id: str) -> Operation:
    """The operation with this id."""
    return next(operation for operation in operations if operation.id == operation_id)
