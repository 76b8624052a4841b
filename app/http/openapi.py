"""The OpenAPI document (3.1), made from the routes and finished here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml
from fastapi.openapi.utils import get_openapi

from app.http.operations import ProblemModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI
    from fastapi.routing import APIRoute
    from pydantic import BaseModel

VERSION = "1.0.0"
_SUMMARY = "爱心银行: an append-only double-entry ledger of volunteer hours and points"
_DESCRIPTION = """\
Volunteers' time is deposited, becomes points, and points buy household goods.

Every POST that creates or moves something needs an `Idempotency-Key`; sent again with the same request it gives the
first answer and nothing happens twice. Errors are problem documents (RFC 9457); `GET /problems/{code}` explains each.
`x-roles` names the roles that may call an operation. Times are RFC 3339, numbers of units are whole.
"""
_TAGS = {
    "tokens": "Access tokens (OAuth 2 client credentials) and the keys they are signed with.",
    "clients": "The apps that call on behalf of a community.",
    "communities": "Communities (社区), the tenants.",
    "volunteers": "Volunteers (志愿者), their balances and statements.",
    "earning rules": "Service kinds (服务类型) and what they earn (积分规则).",
    "service records": "Service records (服务记录) and their verification (审核).",
    "goods": "Goods (商品) and their stock (库存).",
    "redemptions": "Redemptions (兑换): points for goods.",
    "ledger": "The ledger itself, for auditors.",
    "events": "What happened, in the order of commits.",
    "operations": "For those who run the service.",
}
# The guard reads it for all routes alike, so that no route names it.
_community = {
    "name": "community_id",
    "in": "path",
    "required": True,
    "description": "The community (社区); for anyone but the city, the caller's own.",
    "schema": {"type": "string", "format": "uuid"},
}


def describe() -> dict[str, Any]:
    """The arguments that describe the app to its readers."""
    return {
        "title": "love-bank",
        "summary": _SUMMARY,
        "description": _DESCRIPTION,
        "version": VERSION,
        "license_info": {"name": "MIT", "identifier": "MIT"},
        "servers": [{"url": "/", "description": "this service"}],
        "openapi_tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "generate_unique_id_function": _operation_id,
        "separate_input_output_schemas": False,
    }


def _operation_id(route: APIRoute) -> str:
    return route.name


def install_openapi(app: FastAPI, extra_models: Sequence[type[BaseModel]]) -> None:
    """Let the app finish its document: the problem's schema, and models that stand in it by name alone."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                summary=app.summary,
                description=app.description,
                version=app.version,
                license_info=app.license_info,
                servers=app.servers,
                tags=app.openapi_tags,
                routes=app.routes,
                separate_input_output_schemas=False,
            )
            schemas = made["components"]["schemas"]
            finished: list[type[BaseModel]] = [ProblemModel, *extra_models]
            for model in finished:
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[schema["title"]] = schema
            for path, item in made["paths"].items():
                if f"{{{_community['name']}}}" in path:
                    item["parameters"] = [_community]
            app.openapi_schema = _named_by_title(made)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to finish the document


def _named_by_title(document: dict[str, Any]) -> dict[str, Any]:
    """Name every schema by its title, as users should see it, rather than by a class or the path to its module."""
    schemas = document["components"]["schemas"]
    titles = {name: schema["title"] for name, schema in schemas.items()}

    def renamed(reference: re.Match[str]) -> str:
        return f'"#/components/schemas/{titles.get(reference[1], reference[1])}"'

    document["components"]["schemas"] = {
        titles[name]: schemas[name] for name in sorted(schemas, key=titles.__getitem__)
    }
    text = re.sub(r'"#/components/schemas/([^"]+)"', renamed, json.dumps(document, ensure_ascii=False))
    made: dict[str, Any] = json.loads(text)
    return made


def as_yaml(app: FastAPI) -> str:
    """The document as YAML, in the order in which it was made."""
    return yaml.safe_dump(app.openapi(), sort_keys=False, allow_unicode=True, width=120)
