"""Ids: UUID version 7 (RFC 9562), made in the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uuid_utils
from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    from uuid import UUID


def new_id() -> UUID:
    """Make the id of a resource. Its order is roughly that of creation and never the order of posting."""
    return uuid7()


def new_id_text() -> str:
    """Make an id that is only ever written down, such as a request's."""
    return str(uuid_utils.uuid7())
