"""What a beneficiary is, and what of one is shown to whom."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.volunteers.rules import masked_phone

if TYPE_CHECKING:
    import datetime as dt
    from datetime import datetime
    from uuid import UUID

ACTIVE = "active"
ENDED = "ended"
ERASED = "erased"

_phone = re.compile(r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}")


@dataclass(frozen=True, slots=True)
class Particulars:
    """The personal data of a beneficiary, which is stored sealed under the beneficiary's own key."""

    name: str
    phone: str | None
    address: str
    birth_date: dt.date | None = None
    ended_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent a beneficiary gave: the version of its text, when, and who took it."""

    version: str
    given_at: datetime
    taken_by: str


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """A person served, with personal data as far as the reader may see it (None: not told, or not to this reader)."""

    id: UUID
    community: int
    number: int
    name: str | None
    phone: str | None
    address: str | None
    birth_date: dt.date | None
    ended_reason: str | None
    needs: tuple[str, ...]
    living_alone: bool
    consent: Consent
    status: str
    registered_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    revision: int = 1


def is_phone(text: str) -> bool:
    """Whether this is a mainland number: a mobile one, or one with an area code, as many elders have."""
    return _phone.fullmatch(text) is not None


def without_person(beneficiary: Beneficiary) -> Beneficiary:
    """The beneficiary as an auditor or integrator sees it: nothing that tells who it is or where."""
    return replace(beneficiary, name=None, phone=None, address=None, birth_date=None, ended_reason=None)


def with_name_alone(beneficiary: Beneficiary) -> Beneficiary:
    """The beneficiary as a verifier sees it: who it is, but neither where, nor how old, nor a whole phone."""
    return replace(with_masked_phone(beneficiary), address=None, birth_date=None, ended_reason=None)


def with_masked_phone(beneficiary: Beneficiary) -> Beneficiary:
    """The beneficiary as the desk's lists show it: all but a whole phone."""
    return replace(beneficiary, phone=beneficiary.phone and masked_phone(beneficiary.phone))
