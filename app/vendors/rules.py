"""What a vendor is, and what of one is shown to whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.volunteers.rules import masked_phone

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

ACTIVE = "active"
ENDED = "ended"
ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Particulars:
    """The personal data of a vendor, which is stored sealed under the vendor's own key."""

    name: str
    phone: str
    ended_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """Somebody who sells, with personal data as far as the reader may see it (None: not told, or not to this one)."""

    id: UUID
    community: int
    number: int
    name: str | None
    phone: str | None
    goods_sold: str | None
    ended_reason: str | None
    status: str
    registered_by: str
    registered_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None


def without_person(vendor: Vendor) -> Vendor:
    """The vendor as an auditor or integrator sees it: what is sold tells in a small community who sells it."""
    return replace(vendor, name=None, phone=None, goods_sold=None, ended_reason=None)


def with_masked_phone(vendor: Vendor) -> Vendor:
    """The vendor as lists show it: the name, but no whole phone."""
    return replace(vendor, phone=vendor.phone and masked_phone(vendor.phone))
