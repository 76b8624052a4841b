"""Ids: UUID version 7 (RFC 9562), made in the app."""

from __future__ import annotations

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """Make the id of a resource. Its order is roughly that of creation and never the order of posting."""
    return UUID(int=uuid_utils.uuid7().int)


def new_id_text() -> str:
    """Make an id that is only ever written down, such as a request's."""
    return str(uuid_utils.uuid7())
