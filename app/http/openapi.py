"""The OpenAPI document (3.1), made from the routes and finished here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from app.http.operations import ProblemModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI
    from pydantic import BaseModel

VERSION = "1.0.0"
_SUMMARY = "爱心银行: an append-only double-entry ledger of volunteer hours and points"
_DESCRIPTION = """\
Volunteers' time is deposited, becomes points, and points buy household goods.

Every POST that creates or moves something needs an `Idempotency-Key`; sent again with the same request it gives the
first answer and nothing happens twice. Errors are problem documents (RFC 9457); `GET /problems/{code}` explains each.
`x-roles` names the roles that may call an operation. Times are RFC 3339, numbers of units are whole.

## Versions and what becomes old

`/v1` is the major version, and within it things are only added: paths, optional fields of requests, members of
answers, values of enumerations, problem codes, types of events. So pass over members that you do not know, take an
unknown value for "something else", and an unknown problem code for what its status says. `info.version` is a semantic
version: an addition raises its second number, a correction of this text its third.

What is to go is marked `deprecated` here, and from that day its answers carry `Deprecation` (RFC 9745), `Sunset`
(RFC 8594) with the day on which it ends, and a `Link` to what takes its place. At least twelve months lie between the
two. What cannot be said by adding goes into `/v2`, which is served beside `/v1` for twelve months or longer; neither
changes the other's answers, and both read and write the same ledger.
"""
_TAGS = {
    "tokens": "Access tokens (OAuth 2 client credentials) and the keys they are signed with.",
    "clients": "The apps that call on behalf of a community.",
    "communities": "Communities (社区), the tenants.",
    "volunteers": "Volunteers (志愿者), their balances and statements.",
    "beneficiaries": "Beneficiaries (服务对象): the persons whom volunteers serve.",
    "qualifications": "Qualifications (资格) of volunteers, checked and dated.",
    "tide stalls": "Tide stalls (潮汐摊位): sites with numbered pitches, the vendors (摊主) on them, and draws.",
    "needs": "Needs (需求) and complaints (投诉) of residents: planned or answered, and told.",
    "own data": "What volunteers see and do with their card and PIN.",
    "earning rules": "Service kinds (服务类型) and what they earn (积分规则).",
    "service records": "Service records (服务记录) and their verification (审核).",
    "goods": "Goods (商品) and their stock (库存).",
    "redemptions": "Redemptions (兑换): points for goods.",
    "transfers": "Gifts (转赠) and donations (捐赠) of points.",
    "activities": "Activities (活动), positions (岗位), series, shifts (班次), sign-ups (报名), attendance (签到).",
    "disputes": "Disputes (申诉): volunteers contest records and postings, managers answer.",
    "calendars": "Calendar feeds (日历订阅): the shifts of volunteers, teams and sites at secret addresses.",
    "visits": "Weekly visits (探访): their plans, what came of them, and escalations of persons who were missed.",
    "clinics": "Free clinics (义诊), the partners (合作单位) they are held with, and their head-counts.",
    "teams": "Embedded teams (组团式下沉服务队), their members, and the communities they are posted to.",
    "reports": "Reports (报表) of a community by month: figures, and nobody's name.",
    "ledger": "The ledger itself, for auditors.",
    "seals": "Checkpoints (封账凭证), proofs and receipts, for anybody to check.",
    "events": "What happened, in the order of commits.",
    "operations": "For those who run the service.",
}
# A form has no model whose name could be given to it.
_title_of_form = {"Body_get_token": "TokenForm"}
_location = {"Location": {"description": "the path of what was created", "schema": {"type": "string"}}}
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
        "contact": {"name": "whoever runs this service"},
        "servers": [{"url": "/", "description": "this service"}],
        "openapi_tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "separate_input_output_schemas": False,
    }


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
                contact=app.contact,
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
            app.openapi_schema = _plain(_named_by_title(made))
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to finish the document


def _named_by_title(document: dict[str, Any]) -> dict[str, Any]:
    """Name every schema by its title, as users should see it, rather than by a class or the path to its module."""
    schemas = document["components"]["schemas"]
    titles = {name: _title_of_form.get(schema["title"], schema["title"]) for name, schema in schemas.items()}
    for name, schema in schemas.items():
        schema["title"] = titles[name]

    def renamed(reference: re.Match[str]) -> str:
        return f'"#/components/schemas/{titles.get(reference[1], reference[1])}"'

    document["components"]["schemas"] = {
        titles[name]: schemas[name] for name in sorted(schemas, key=titles.__getitem__)
    }
    text = re.sub(r'"#/components/schemas/([^"]+)"', renamed, json.dumps(document, ensure_ascii=False))
    made: dict[str, Any] = json.loads(text)
    return made


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Say every "or nothing" in the shortest way: `type: [string, 'null']`, and of a parameter by its absence alone."""
    made: dict[str, Any] = _shortened(document)
    for item in made["paths"].values():
        for operation in item.values():
            # A path's own parameters are never nothing.
            if isinstance(operation, dict):
                for parameter in operation.get("parameters", ()):
                    parameter["schema"] = _without_null(parameter["schema"])
                if "201" in operation["responses"]:
                    operation["responses"]["201"].setdefault("headers", {}).update(_location)
                for answer in operation["responses"].values():
                    # Makers of clients take the first: what a status usually means rather than a problem document.
                    if "content" in answer:
                        answer["content"] = dict(sorted(answer["content"].items()))
    return made


def _shortened(part: Any) -> Any:
    if isinstance(part, dict):
        return _nullable({name: _shortened(inner) for name, inner in part.items()})
    return [_shortened(inner) for inner in part] if isinstance(part, list) else part


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    match schema.get("anyOf"):
        case [{"type": str() as kind} as one, {"type": "null"}]:
            rest = {name: inner for name, inner in schema.items() if name != "anyOf"}
            made = {**one, "type": [kind, "null"], **rest}
            if "enum" in made:
                made["enum"] = [*made["enum"], None]
            return made
    return schema


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    match schema:
        case {"type": [str() as kind, "null"]}:
            made = {**schema, "type": kind}
            if "enum" in made:
                made["enum"] = [value for value in made["enum"] if value is not None]
            return made
    return schema
