"""Plain data as JSON, written as models of pydantic are: what is read often goes without the models."""

from __future__ import annotations

from typing import Any

import orjson


def json_of(plain: Any) -> bytes:
    """Write plain data, with moments and ids among them, as a model of pydantic would be written."""
    return orjson.dumps(plain, option=orjson.OPT_UTC_Z)
