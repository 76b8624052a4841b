"""Free clinics, pure: partners, clinics, head-counts and their sums."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from stdnum.cn import uscc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from app.activities.rules import Activity, Shift

CLINIC = "free_clinic"
"""The kind of activity that a free clinic is."""

USCC_LENGTH = 18


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation that a community holds clinics with: the Red Cross, a hospital."""

    id: UUID
    community: int
    number: int
    revision: int
    name: str
    kind: str
    uscc: str | None
    created_by: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class HeadCount:
    """How many were served on a shift of a clinic, by code. The newest of a shift stands."""

    id: UUID
    community: int
    number: int
    shift_id: UUID
    held_on: dt.date
    counts: Mapping[str, int]
    counted_by: str
    counted_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Clinic:
    """A free clinic: an activity, the partner if it is held with one, and its newest shifts with their head-counts."""

    activity: Activity
    partner: Partner | None
    shifts: tuple[tuple[Shift, HeadCount | None], ...] = ()

    @property
    def number(self) -> int:
        """The activity's."""
        return self.activity.number


class MonthOfClinic(NamedTuple):
    """On how many shifts of a month heads were counted at a clinic, and the sums by code."""

    month: str
    activity_id: UUID
    name: str
    shifts: int
    counts: Mapping[str, int]


def is_uscc(text: str) -> bool:
    """Whether a text is a unified social credit identifier with a right check character (GB 32100-2015)."""
    return len(text) == USCC_LENGTH and uscc.is_valid(text)


def added_up(counted: Iterable[HeadCount]) -> dict[str, int]:
    """The sums of head-counts by code."""
    sums: Counter[str] = Counter()
    for one in counted:
        sums.update(one.counts)
    return dict(sums)
