"""The receipt in the answer to what posts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

ReceiptField = Annotated[
    str | None,
    Field(
        description="signed note that names what this request posted, good until it is sealed; in its answer alone",
        exclude_if=lambda value: value is None,
    ),
]
"""Absent wherever a resource is read again: a receipt belongs to who posted. It is added when the answer is made."""
