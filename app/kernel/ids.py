"""Ids of resources: UUID version 7 (RFC 9562), made in the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    from uuid import UUID


def new_id() -> UUID:
    """Make a UUIDv7. Its order is roughly that of creation and never the order of posting."""
    return uuid7()
