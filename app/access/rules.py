"""Callers and their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID


_client_name = re.compile(r"([0-9]{1,9})-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the token says: a client or a volunteer, the role, and the community (number 0, no id: the city's).

    `id` is the client's id, or `volunteer/{volunteer_id}`. A volunteer calls with the card that the token was made for.
    """

    id: str
    role: str
    community: int
    community_id: UUID | None
    volunteer_id: UUID | None = None
    card_id: UUID | None = None


def caller_of_volunteer(volunteer_id: UUID) -> str:
    """The name under which a volunteer calls."""
    return f"volunteer/{volunteer_id}"


def client_name(community: int, random: str) -> str:
    """Make a client id. It contains the community's number, so that a look-up knows its tenant."""
    return f"{community}-{random}"


def community_of(client_id: str) -> int | None:
    """Read the community's number out of a client id; None when it is none of ours, whatever characters it has."""
    form = _client_name.fullmatch(client_id)
    return int(form[1]) if form else None
