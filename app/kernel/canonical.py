"""The one right spelling of facts, for whoever is bound to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from app.kernel.moments import micros

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_options = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def canonical(facts: Mapping[str, Any]) -> bytes:
    """Write facts as JSON without spaces, members in the order of their names.

    Moments are microseconds since 1970-01-01 UTC, days and ids are text.
    """
    return orjson.dumps(facts, default=_spelt, option=_options)


def _spelt(value: datetime | date) -> int | str:
    # A day is no moment, and comes here too once moments do.
    return micros(value) if isinstance(value, datetime) else value.isoformat()
