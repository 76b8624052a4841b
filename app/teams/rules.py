"""Embedded teams, pure: who they are, from when to when, and what may not overlap. All days are days of service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.kernel.errors import Fault, InvalidRequest
from app.teams.errors import AlreadyEnded

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from uuid import UUID

    from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class Department:
    """A department of the city that sends members: police, urban management."""

    id: UUID
    number: int
    code: str
    name: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Team:
    """An embedded team (组团式下沉服务队): members of several departments who serve in one community."""

    id: UUID
    number: int
    code: str
    name: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a department who serves on teams. `name` is None of who was erased."""

    id: UUID
    number: int
    department_id: UUID
    name: str | None
    joined_on: dt.date
    left_on: dt.date | None
    registered_at: dt.datetime
    erased_at: dt.datetime | None = None

    @property
    def starts_on(self) -> dt.date:
        """The first day of service."""
        return self.joined_on

    @property
    def ends_on(self) -> dt.date | None:
        """The last day of service, once it is known."""
        return self.left_on


@dataclass(frozen=True, slots=True)
class Membership:
    """A member's time on a team. `name` is the member's, None of who was erased."""

    number: int
    team_id: UUID
    member_id: UUID
    department_id: UUID
    name: str | None
    starts_on: dt.date
    ends_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Posting:
    """A team's time in a community: `posted_to` is its small number, `community_id` its id."""

    id: UUID
    number: int
    team_id: UUID
    posted_to: int
    community_id: UUID
    starts_on: dt.date
    ends_on: dt.date | None
    posted_by: str
    posted_at: dt.datetime


class Span(Protocol):
    """Days from the first to the last; without a last one it goes on."""

    @property
    def starts_on(self) -> dt.date:
        """The first day."""

    @property
    def ends_on(self) -> dt.date | None:
        """The last day."""


SpanT = TypeVar("SpanT", bound=Span)


def overlapping(spans: Iterable[SpanT], starts_on: dt.date, ends_on: dt.date | None) -> SpanT | None:
    """The first of these that has a day in common with the days from `starts_on` to `ends_on`."""
    return next(
        (
            span
            for span in spans
            if (ends_on is None or span.starts_on <= ends_on) and (span.ends_on is None or starts_on <= span.ends_on)
        ),
        None,
    )


def ending_refusal(span: Span, last_day: dt.date) -> Refusal | None:
    """Why something does not end on this day: it had not begun, or ends no later already."""
    if last_day < span.starts_on:
        return InvalidRequest((Fault("/last_day", f"it begins on {span.starts_on} only"),))
    if span.ends_on is not None and span.ends_on <= last_day:
        return AlreadyEnded(ends_on=span.ends_on)
    return None
