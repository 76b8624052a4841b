"""Kinds of fields that request bodies share, each refusing what it does not mean."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
)

AMOUNT_MAX = 1_000_000_000
"""Largest number of units, pieces or minutes that one request may name."""


class RequestModel(BaseModel):
    """A request body: unknown fields are refused, and numbers are numbers (`"5"` and `true` are not)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChangeModel(RequestModel):
    """Changes of a resource: what is left out stays as it is, and null clears what may be empty (RFC 7396)."""

    def changes(self) -> dict[str, Any]:
        """What was given, by the field's name."""
        return self.model_dump(exclude_unset=True)


def _unchanged() -> Any:
    return None


UNCHANGED: Any = Field(default_factory=_unchanged)
"""For each field of a `ChangeModel`: it may be left out, and has no default that the OpenAPI document could show."""


def _printable(value: str) -> str:
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in value):
        message = "must not contain control characters"
        raise ValueError(message)
    return value


def _written(pattern: str, example: str) -> BeforeValidator:
    """Take only text of a form (or a value parsed before): pydantic alone would read numbers as seconds since 1970."""
    form = re.compile(pattern)

    def check(value: Any) -> Any:
        if isinstance(value, dt.date) or (isinstance(value, str) and form.match(value)):
            return value
        message = f"must be text such as {example}"
        raise ValueError(message)

    return BeforeValidator(check)


_Text = Annotated[str, Strict(), StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_printable)]

Name = Annotated[_Text, Field(max_length=100)]
Line = Annotated[_Text, Field(max_length=200)]
Paragraph = Annotated[_Text, Field(max_length=2000)]
Code = Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Label = Annotated[_Text, Field(max_length=64)]
"""A code that is looked up: whatever is not one of ours is unknown rather than invalid."""

Reference = Annotated[_Text, Field(max_length=100)]

Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=dt.UTC), lt=datetime(2200, 1, 1, tzinfo=dt.UTC)),
    _written(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", "2025-03-08T14:00:00+08:00"),
    AfterValidator(lambda moment: moment.astimezone(dt.UTC)),
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
