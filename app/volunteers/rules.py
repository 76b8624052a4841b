"""What a volunteer is, who needs a guardian, and what of a person is shown to whom."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

GUARDED_BELOW_YEARS = 14
"""Below this age a guardian has to consent (Personal Information Protection Law of the PRC, article 31)."""

_id_number = re.compile(r"[1-9][0-9]{16}[0-9Xx]")
_mobile = re.compile(r"1[3-9][0-9]{9}")
_mask = "**"
_owed = "_owed"
# Addresses are written again and again, for the same few volunteers of a batch.
_remembered = lru_cache(maxsize=4096)


@dataclass(frozen=True, slots=True)
class Guardian:
    """Who consents for a minor."""

    name: str
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """The personal data of a volunteer, which is stored sealed under the volunteer's own key."""

    name: str
    phone: str
    sex: str | None = None
    id_number: str | None = None
    birth_date: dt.date | None = None
    guardian: Guardian | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent a volunteer gave: the version of its text, and when."""

    version: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Volunteer:
    """A registered volunteer with personal data as far as the reader may see it."""

    id: UUID
    number: int
    name: str
    phone: str
    sex: str | None
    id_number: str | None
    birth_date: dt.date | None
    guardian: Guardian | None
    estate: str | None
    political_status: str | None
    consent: Consent
    registered_at: datetime
    skills: tuple[str, ...] = ()
    external_ids: dict[str, str] = field(default_factory=dict)
    household_id: UUID | None = None
    revision: int = 1


@_remembered
def minutes_account(volunteer_id: UUID) -> str:
    """The address of the volunteer's lifetime minutes."""
    return f"volunteer/{volunteer_id}/minutes"


@_remembered
def points_account(volunteer_id: UUID) -> str:
    """The address of the points that are free to spend."""
    return f"volunteer/{volunteer_id}/points"


@_remembered
def reserved_account(volunteer_id: UUID) -> str:
    """The address of the points held for open redemptions."""
    return f"volunteer/{volunteer_id}/points_reserved"


@_remembered
def owed_account(volunteer_id: UUID) -> str:
    """The address of spent points that a correction took back."""
    return f"{points_account(volunteer_id)}{_owed}"


def is_owed_account(address: str) -> bool:
    """Whether an address is that of a volunteer's spent points that a correction took back."""
    return address.startswith("volunteer/") and address.endswith(_owed)


def points_of_debt(address: str) -> str:
    """The address of the points that a debt is settled from."""
    return address.removesuffix(_owed)


@_remembered
def debts_of(volunteer_id: UUID) -> tuple[tuple[str, str], ...]:
    """The debt that every credit to the volunteer's points settles first, as the ledger's entries name it."""
    return ((points_account(volunteer_id), owed_account(volunteer_id)),)


def with_debts_merged(movements: Mapping[str, int]) -> dict[str, int]:
    """What an entry moves when points owed count as points: how a feature decided it before the debt took its share."""
    merged: dict[str, int] = {}
    for address, amount in movements.items():
        name = points_of_debt(address) if is_owed_account(address) else address
        merged[name] = merged.get(name, 0) + amount
    return {address: amount for address, amount in merged.items() if amount}


def is_mobile(phone: str) -> bool:
    """Whether this is a mainland mobile number: 11 digits, beginning with 13 to 19."""
    return _mobile.fullmatch(phone) is not None


def is_id_number(number: str) -> bool:
    """Whether this is a resident identity number by GB 11643: form, birth date and check digit.

    The place is not looked up: a number carries the place's code of the day it was given out, which may be long after
    the birth, and tables that go by the year of birth refuse real people (Xining's 630105 among them).
    """
    if _id_number.fullmatch(number) is None or ric.calc_check_digit(number.upper()) != number[-1].upper():
        return False
    try:
        ric.get_birth_date(number)
    except InvalidComponent:
        return False
    return True


def birth_date_in(id_number: str) -> dt.date:
    """The birth date that a valid identity number contains."""
    date: dt.date = ric.get_birth_date(id_number)
    return date


def needs_guardian(birth_date: dt.date | None, on: dt.date) -> bool:
    """Whether a person is under 14 on a day. Without a birth date nobody can tell, and none is asked for."""
    if birth_date is None:
        return False
    had_birthday = (on.month, on.day) >= (birth_date.month, birth_date.day)
    return on.year - birth_date.year - (not had_birthday) < GUARDED_BELOW_YEARS


def without_names(volunteer: Volunteer) -> Volunteer:
    """The volunteer as an auditor or integrator sees it: no name, no whole phone, nothing that tells who it is."""
    guardian = volunteer.guardian and Guardian(
        masked_name(volunteer.guardian.name), volunteer.guardian.phone and masked_phone(volunteer.guardian.phone)
    )
    return replace(
        with_masked_phone(volunteer),
        name=masked_name(volunteer.name),
        sex=None,
        birth_date=None,
        guardian=guardian,
        # In a community of a few hundred these, beside a surname, tell who it is.
        estate=None,
        political_status=None,
        skills=(),
    )


def with_masked_phone(volunteer: Volunteer) -> Volunteer:
    """The volunteer as lists show it: the name, but no whole phone or ID number."""
    guardian = volunteer.guardian and Guardian(
        volunteer.guardian.name, volunteer.guardian.phone and masked_phone(volunteer.guardian.phone)
    )
    return replace(with_masked_id(volunteer), phone=masked_phone(volunteer.phone), guardian=guardian)


def with_masked_id(volunteer: Volunteer) -> Volunteer:
    """The volunteer as the desk sees it: everything but the ID number, which is masked to all."""
    return replace(volunteer, id_number=volunteer.id_number and masked_id_number(volunteer.id_number))


def masked_name(name: str) -> str:
    """Only the first character of a name: `李**`."""
    return name[:1] + _mask


def masked_phone(phone: str) -> str:
    """A phone number without its middle: `138****5678`."""
    return f"{phone[:3]}****{phone[-4:]}"


def masked_id_number(number: str) -> str:
    """An ID number with only its province and its last four: `63************2760`."""
    return f"{number[:2]}{'*' * 12}{number[-4:]}"
