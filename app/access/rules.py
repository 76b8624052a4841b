"""Callers and their names, the numbers of cards, which PINs are too easy, and how often one may be guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from stdnum import luhn

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


CARD_DIGITS = 12
"""How many digits of a card number are random."""

_card_number = re.compile(r"[1-9][0-9]{14,22}")
_digits = "0123456789"
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


def card_number(community: int, random: str) -> str:
    """Make a card number: how long the community's number is, that number, `CARD_DIGITS` random digits, a check digit.

    It contains the community's number, so that a look-up knows its tenant; the last digit (Luhn) finds slips of typing.
    """
    number = f"{len(str(community))}{community}{random}"
    return number + luhn.calc_check_digit(number)


def community_of_card(number: str) -> int | None:
    """Read the community's number out of a card number; None when it is none of ours, whatever characters it has."""
    if not _card_number.fullmatch(number) or not luhn.is_valid(number):
        return None
    length = int(number[0])
    return int(number[1 : 1 + length]) if len(number) == length + CARD_DIGITS + 2 else None


def is_weak_pin(pin: str) -> bool:
    """Whether a PIN of six digits is one of the first that anyone tries: repeats (888888, 123123) and runs (456789)."""
    repeats = any(pin == pin[:length] * (len(pin) // length) for length in (1, 2, 3))
    return repeats or pin in _digits + _digits or pin in (_digits + _digits)[::-1]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many wrong PINs there may be until, for this long after the last one, none is looked at."""

    failures: int
    quiet: timedelta


OF_SOURCE = Allowance(5, timedelta(minutes=15))
"""For one card from one source."""

OF_CARD = Allowance(20, timedelta(days=1))
"""For one card over all sources that are not known for it."""

KNOWN = timedelta(days=30)
"""How long a source is known for a card after its right PIN came from there. Strangers cannot use up its allowance."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of the attempts on a card's PIN: from one source, or from all."""

    failures: int = 0
    failed_at: datetime | None = None
    succeeded_at: datetime | None = None


def counted(tally: Tally, allowance: Allowance, now: datetime) -> Tally | None:
    """Count an attempt as a wrong one, before it is looked at; None when the allowance is used up."""
    quiet = tally.failed_at is None or now >= tally.failed_at + allowance.quiet
    failures = 0 if quiet else tally.failures
    return None if failures >= allowance.failures else replace(tally, failures=failures + 1, failed_at=now)


def attempted(of_source: Tally, of_card: Tally, now: datetime) -> tuple[Tally, Tally] | None:
    """Count an attempt from a source in both tallies, in the card's only if the source is not known; None to refuse."""
    source_after = counted(of_source, OF_SOURCE, now)
    known = of_source.succeeded_at is not None and now < of_source.succeeded_at + KNOWN
    card_after = of_card if known else counted(of_card, OF_CARD, now)
    return None if source_after is None or card_after is None else (source_after, card_after)


def succeeded(of_card: Tally, now: datetime, *, in_card: bool) -> tuple[Tally, Tally]:
    """Take back what `attempted` counted for a PIN that was right; the source begins anew and is known from now on."""
    return Tally(succeeded_at=now), replace(of_card, failures=max(0, of_card.failures - in_card))
