"""A checker for the part of JSON Schema that the OpenAPI document uses; a keyword it does not know is an error."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = dict[str, Any]

_types: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_formats: dict[str, Callable[[str], object]] = {
    "uuid": UUID,
    "date": dt.date.fromisoformat,
    "date-time": dt.datetime.fromisoformat,
}


def _has_type(value: Any, names: str | list[str]) -> bool:
    if isinstance(names, list):
        return any(_has_type(value, name) for name in names)
    if isinstance(value, bool):
        return names == "boolean"
    return isinstance(value, _types.get(names, ()))


def _has_format(value: str, name: str) -> bool:
    try:
        _formats[name](value)
    except ValueError:
        return False
    return True


# Each tells whether a value keeps to a limit; a limit says nothing about values of other types.
_limits: dict[str, tuple[type | tuple[type, ...], Callable[[Any, Any], bool]]] = {
    "minLength": (str, lambda value, limit: len(value) >= limit),
    "maxLength": (str, lambda value, limit: len(value) <= limit),
    "pattern": (str, lambda value, limit: re.search(limit, value) is not None),
    "format": (str, _has_format),
    "minimum": ((int, float), lambda value, limit: value >= limit),
    "maximum": ((int, float), lambda value, limit: value <= limit),
    "minItems": (list, lambda value, limit: len(value) >= limit),
    "maxItems": (list, lambda value, limit: len(value) <= limit),
    "minProperties": (dict, lambda value, limit: len(value) >= limit),
    "maxProperties": (dict, lambda value, limit: len(value) <= limit),
    "required": (dict, lambda value, limit: set(limit) <= set(value)),
    "enum": (object, lambda value, limit: value in limit),
    "const": (object, lambda value, limit: value == limit),
    "type": (object, _has_type),
}
_notes = {"title", "description", "default", "examples"}
_shapes = {"properties", "additionalProperties", "patternProperties", "items", "anyOf", "$ref"}


class UnknownKeywordError(Exception):
    """The document uses a keyword that this checker has to be taught."""


def faults(value: Any, schema: Schema, document: Schema, place: str = "") -> list[str]:
    """In what a value departs from a schema, each with its place; the document is what references point into."""
    unknown = set(schema) - set(_limits) - _notes - _shapes
    if unknown:
        raise UnknownKeywordError(", ".join(sorted(unknown)))
    found = [
        f"{place or '/'}: {value!r} is against {keyword} {schema[keyword]!r}"
        for keyword, (kind, keeps) in _limits.items()
        if keyword in schema and isinstance(value, kind) and not keeps(value, schema[keyword])
    ]
    if "$ref" in schema:
        found += faults(value, resolved(schema["$ref"], document), document, place)
    if "anyOf" in schema and all(faults(value, one, document, place) for one in schema["anyOf"]):
        found.append(f"{place or '/'}: {value!r} is none of {schema['anyOf']!r}")
    for key, part, inner in _parts(value, schema):
        found += faults(part, inner, document, f"{place}/{key}")
    return found


def resolved(reference: str, document: Schema) -> Schema:
    """What a reference points to. Raises `KeyError` when it points nowhere."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _parts(value: Any, schema: Schema) -> Iterator[tuple[str | int, Any, Schema]]:
    """The members or items of a value, each with its own schema; `{"type": "nothing"}` where none is allowed."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield index, item, schema.get("items", {})
    if isinstance(value, dict):
        patterns = schema.get("patternProperties", {})
        for name, member in value.items():
            inner = schema.get("properties", {}).get(name)
            if inner is None:
                inner = next((one for pattern, one in patterns.items() if re.search(pattern, name)), None)
            if inner is None:
                other = schema.get("additionalProperties", True)
                inner = other if isinstance(other, dict) else {} if other else {"type": "nothing"}
            yield name, member, inner
