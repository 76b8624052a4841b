"""Calendar feeds, pure: their secret addresses, and what stands in a calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from app.activities.rules import SKIPPED
from app.signups.rules import CONFIRMED as SEATED
from app.signups.rules import LIVE

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

VOLUNTEER, TEAM, SITE = "volunteer", "team", "site"
"""Whose shifts a feed shows."""

LIVE_MAX = 10
"""How many live feeds one subject has at most: one for each device, and not so many that nobody knows them."""

PAST, AHEAD = timedelta(days=30), timedelta(days=60)
"""How far back and ahead a calendar goes; shifts are made 56 days ahead."""

CONFIRMED, TENTATIVE, CANCELLED = "CONFIRMED", "TENTATIVE", "CANCELLED"
"""The statuses of events (RFC 5545, section 3.8.1.11)."""

HOME_VISIT = "home_visit"

_visit = "入户探访"
_token = re.compile(r"([1-9][0-9]{0,8})-[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar feed. Its token, which is its secret, is known once: when it is made."""

    id: UUID
    community: int
    number: int
    subject: str
    subject_id: UUID
    created_by: str
    created_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    token: str | None = None


class Planned(NamedTuple):
    """A shift with what it is of, and how somebody or something stands to it: None where that is its own place."""

    shift_id: UUID
    revision: int
    starts_at: datetime
    ends_at: datetime
    place: str
    shift_status: str
    activity_name: str
    activity_kind: str
    beneficiary_id: UUID | None
    participant_id: UUID | None = None
    signup_status: str | None = None


class Occurrence(NamedTuple):
    """What stands in a calendar of one shift."""

    shift_id: UUID
    revision: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    place: str | None
    status: str


class Calendar(NamedTuple):
    """A calendar with its events, as it is at a moment."""

    name: str
    now: datetime
    occurrences: tuple[Occurrence, ...]


def token_of(community: int, random: str) -> str:
    """Make a token. It contains the community's number, so that a look-up knows its tenant."""
    return f"{community}-{random}"


def community_of(token: str) -> int | None:
    """Read the community's number out of a token; None when it is none of ours, whatever characters it has."""
    form = _token.fullmatch(token)
    return int(form[1]) if form else None


def occurrences_of(planned: Collection[Planned]) -> tuple[Occurrence, ...]:
    """Make one occurrence of each shift, however many take part in it or signed up for it again, in order of time."""
    by_shift: dict[UUID, list[Planned]] = {}
    for one in planned:
        by_shift.setdefault(one.shift_id, []).append(one)
    found = [_occurrence(of_shift) for of_shift in by_shift.values()]
    return tuple(sorted(found, key=lambda one: (one.starts_at, one.shift_id)))


def _occurrence(of_shift: list[Planned]) -> Occurrence:
    first = of_shift[0]
    # Whoever has the address reads the calendar, and the texts of a visit may tell whose home it is.
    at_home = first.activity_kind == HOME_VISIT or first.beneficiary_id is not None
    return Occurrence(
        first.shift_id,
        first.revision,
        first.starts_at,
        first.ends_at,
        summary=_visit if at_home else first.activity_name,
        place=None if at_home else first.place,
        status=_status(first.shift_status, {one.signup_status for one in of_shift}),
    )


def _status(shift_status: str, signups: Collection[str | None]) -> str:
    if shift_status == SKIPPED:
        return CANCELLED
    if None in signups or SEATED in signups:
        return CONFIRMED
    return TENTATIVE if LIVE & set(signups) else CANCELLED
