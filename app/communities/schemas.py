"""What communities look like on the wire."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib import resources
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.http.fields import UNCHANGED, ChangeModel, Code, Name, Positive, RequestModel
from app.http.pages import PageModel


@cache
def _zones() -> frozenset[str]:
    """The names of all time zones, from the package and not from the machine, which may have names of its own."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


def _known_zone(value: str) -> str:
    if value not in _zones():
        message = "must be the name of a time zone, such as Asia/Shanghai"
        raise ValueError(message)
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


class CommunityChange(ChangeModel):
    """What to change of a community.

    Its code stays, because other systems know it by that, and so does its time zone, by which days were counted.
    """

    name: Name = UNCHANGED
    district: Name = UNCHANGED
    subdistrict: Name = UNCHANGED
    verification: Verification = UNCHANGED
    redemption_hold_hours: HoldHours = UNCHANGED


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


class CommunityPage(PageModel[CommunityModel]):
    """A page of communities."""
