"""Kinds of fields that request bodies share, each refusing what it does not mean."""

from __future__ import annotations

import datetime as dt
import re
from datetime import datetime
from functools import cache
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidationError,
)
from pydantic_core import SchemaValidator, core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

AMOUNT_MAX = 1_000_000_000
"""Largest number of units, pieces or minutes that one request may name."""


_QUICK = "quick"


class Quick:
    """Gives a kind of field a second schema, which calls no Python: it takes what the first takes, but tells no fault.

    What it refuses is held against the first, so it may leave the rare to that one.
    """

    def __init__(self, schema: CoreSchema) -> None:
        """Take the second schema."""
        self._schema = schema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic make the first schema, and note the second on it."""
        schema: Any = handler(source)
        return {**schema, "metadata": {**schema.get("metadata", {}), _QUICK: self._schema}}


def _quickened(part: Any) -> Any:
    """A model's schema with the quick one in the place of each that has one."""
    if isinstance(part, list):
        return [_quickened(one) for one in part]
    if not isinstance(part, dict):
        return part
    metadata = part.get("metadata") or {}
    return metadata.get(_QUICK) or {name: _quickened(one) for name, one in part.items()}


@cache
def _quick_validator(model: type[BaseModel]) -> SchemaValidator:
    return SchemaValidator(_quickened(model.__pydantic_core_schema__))


class RequestModel(BaseModel):
    """A request body: unknown fields are refused, and numbers are numbers (`"5"` and `true` are not)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    added_later: ClassVar[frozenset[str]] = frozenset()
    """Fields that such a body had not when keys of some were kept first: left out or null, they change no meaning."""

    @classmethod
    def taken(cls, value: Any) -> Self:
        """Make the model of parsed JSON as `model_validate` does, several times faster if it holds. Raises the same."""
        try:
            taken: Self = _quick_validator(cls).validate_python(value)
        except ValidationError:
            return cls.model_validate(value)
        return taken


class ChangeModel(RequestModel):
    """Changes of a resource: what is left out stays as it is, and null clears what may be empty (RFC 7396)."""

    def changes(self) -> dict[str, Any]:
        """What was given, by the field's name."""
        return self.model_dump(exclude_unset=True)


def _unchanged() -> Any:
    return None


UNCHANGED: Any = Field(default_factory=_unchanged)
"""For each field of a `ChangeModel`: it may be left out, and has no default that the OpenAPI document could show."""


# All of Unicode's category Cc but tabs and ends of lines.
_controls = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_control = re.compile(f"[{_controls}]")
_uncontrolled = f"^[^{_controls}]*$"


def _printable(value: str) -> str:
    # The first question is the faster one, and enough for nearly every text.
    if not value.isprintable() and _control.search(value):
        message = "must not contain control characters"
        raise ValueError(message)
    return value


def _written(pattern: str, example: str) -> BeforeValidator:
    """Take only text of a form (or a value parsed before): pydantic alone would read numbers as seconds since 1970."""
    fits = re.compile(pattern).match

    def check(value: Any) -> Any:
        if (isinstance(value, str) and fits(value)) or isinstance(value, dt.date):
            return value
        message = f"must be text such as {example}"
        raise ValueError(message)

    return BeforeValidator(check)


_Text = Annotated[str, Strict(), StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_printable)]


def _quick_text(length_max: int) -> Quick:
    return Quick(
        core_schema.str_schema(
            strict=True, strip_whitespace=True, min_length=1, max_length=length_max, pattern=_uncontrolled
        )
    )


Name = Annotated[_Text, Field(max_length=100), _quick_text(100)]
Line = Annotated[_Text, Field(max_length=200), _quick_text(200)]
Paragraph = Annotated[_Text, Field(max_length=2000), _quick_text(2000)]
Code = Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Label = Annotated[_Text, Field(max_length=64), _quick_text(64)]
"""A code that is looked up: whatever is not one of ours is unknown rather than invalid."""

Reference = Annotated[_Text, Field(max_length=100), _quick_text(100)]

_first_moment, _after_last_moment = datetime(1970, 1, 1, tzinfo=dt.UTC), datetime(2200, 1, 1, tzinfo=dt.UTC)
_in_utc = methodcaller("astimezone", dt.UTC)

Moment = Annotated[
    AwareDatetime,
    Field(ge=_first_moment, lt=_after_last_moment),
    _written(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", "2025-03-08T14:00:00+08:00"),
    AfterValidator(_in_utc),
    Quick(
        core_schema.no_info_after_validator_function(
            _in_utc,
            core_schema.chain_schema(
                [
                    core_schema.str_schema(strict=True, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}"),
                    core_schema.datetime_schema(ge=_first_moment, lt=_after_last_moment, tz_constraint="aware"),
                ]
            ),
        )
    ),
]
Day = Annotated[
    dt.date, Field(ge=dt.date(1900, 1, 1), lt=dt.date(2200, 1, 1)), _written(r"\d{4}-\d\d-\d\d$", "2025-03-08")
]
Whole = Annotated[int, Strict(), Field(ge=0, le=AMOUNT_MAX)]
Positive = Annotated[int, Strict(), Field(ge=1, le=AMOUNT_MAX)]
ExternalIds = Annotated[
    dict[Code, Reference],
    Field(max_length=10, description="ids of this thing in other systems, by the system's name"),
]
