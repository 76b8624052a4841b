"""What calendar feeds look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.http.fields import RequestModel
from app.http.pages import PageModel

if TYPE_CHECKING:
    from app.feeds.rules import Feed

Subject = Literal["volunteer", "team", "site"]

ADDRESS = frozenset({"address"})
"""What of a feed is shown once."""


class CalendarFeedNew(RequestModel):
    """Whose shifts a feed is to show: a volunteer's, a team's that is posted here, or a site's."""

    subject: Subject
    subject_id: UUID


class CalendarFeedModel(BaseModel):
    """A calendar feed (日历订阅). Its address is a secret and shown once, when the feed is made."""

    model_config = ConfigDict(title="CalendarFeed", from_attributes=True)

    id: UUID
    subject: Subject
    subject_id: UUID
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None


class CalendarFeedPage(PageModel[CalendarFeedModel]):
    """A page of calendar feeds."""


class CalendarFeedCreatedModel(CalendarFeedModel):
    """A calendar feed just made. Whoever has its address reads the calendar."""

    model_config = ConfigDict(title="CalendarFeedCreated")

    address: str | None = Field(
        None,
        description="absent in a replayed answer: it is shown once",
        examples=["https://lovebank.example/v1/calendars/1-4bHLKXnpzMfzw8XwG2sJ1uV0y7o5mYt3rCq6kE9dNaA.ics"],
    )

    @classmethod
    def of(cls, feed: Feed, issuer: str) -> CalendarFeedCreatedModel:
        """Show a feed with its address at this service."""
        shown = CalendarFeedModel.model_validate(feed)
        return cls(**shown.model_dump(), address=f"{issuer.rstrip('/')}/v1/calendars/{feed.token}.ics")
