"""What communities look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.http.fields import Code, Name, Positive, RequestModel


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "must be the name of a time zone, such as Asia/Shanghai"
        raise ValueError(message) from None
    return value


Verification = Literal["four_eyes", "recorder"]
TimeZone = Annotated[Name, AfterValidator(_known_zone)]
HoldHours = Annotated[Positive, Field(le=24 * 90, description="how long a redemption is held, in hours")]


class CommunityNew(RequestModel):
    """A community to create."""

    code: Code
    name: Name
    district: Name
    subdistrict: Name
    timezone: TimeZone = "Asia/Shanghai"
    verification: Verification = "four_eyes"
    redemption_hold_hours: HoldHours = 72


class CommunityModel(BaseModel):
    """A community and its settings."""

    model_config = ConfigDict(title="Community", from_attributes=True)

    id: UUID
    code: str
    name: str
    district: str
    subdistrict: str
    timezone: str
    verification: Verification
    redemption_hold_hours: int
    created_at: datetime


class CommunityPage(BaseModel):
    """A page of communities."""

    items: list[CommunityModel]
    next_cursor: str | None
