"""Recurrence rules (RFC 5545, 3.3.10) over local days, in the part of the language whose every rule ends its search.

dateutil looks for a rule's next day up to the year 9999. What is left out here (times of the day, weeks and days by
their number in the year, months together with shorter frequencies) is what could make it look through millions of days
for a day that there is not.
"""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dateutil import rrule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AHEAD_DAYS = 56
"""For so many days from today shifts are made ahead."""

PAST_DAYS_MAX = 366
"""So long ago a series may have begun when it is created: work that was kept on paper until then."""

RULE_LENGTH_MAX = 200

_frequencies: dict[str, Any] = {
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
_weekdays = {str(day): day for day in (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)}
_always = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
_allowed = {
    "DAILY": _always,
    "WEEKLY": _always | {"BYDAY"},
    "MONTHLY": _always | {"BYDAY", "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": _always | {"BYDAY", "BYMONTHDAY", "BYMONTH"},
}
_interval_max, _count_max = 366, 1000
_position_max = 4
_leap_year = 2024
_day = re.compile(r"[0-9]{8}")
_whole = re.compile(r"[+-]?[0-9]{1,4}")
_weekday = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")


class InvalidRule(ValueError):
    """The text is no rule that a series may have; the sentence says why."""


def rule_of(text: str, starts_on: dt.date) -> rrule.rrule:
    """Read a rule, such as `FREQ=WEEKLY;BYDAY=TU,FR`, of days from `starts_on` on. Raises `InvalidRule`."""
    parts = _parts(text)
    frequency = parts.get("FREQ", "")
    if frequency not in _frequencies:
        message = f"FREQ is one of {', '.join(_frequencies)}"
        raise InvalidRule(message)
    if unknown := sorted(set(parts) - _allowed[frequency]):
        message = f"a {frequency} rule takes no {', '.join(unknown)}"
        raise InvalidRule(message)
    _check_together(frequency, parts)
    values = {name: read(name, parts[name]) for name, read in _readers.items() if name in parts}
    _check_month_days(frequency, values, starts_on)
    named = {_keywords[name]: value for name, value in values.items()}
    return rrule.rrule(_frequencies[frequency], dtstart=datetime.combine(starts_on, dt.time()), **named)


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            message = "a rule is made of parts NAME=VALUE, each once, with ; between them"
            raise InvalidRule(message)
        parts[name] = value
    return parts


def _check_together(frequency: str, parts: Mapping[str, str]) -> None:
    """Refuse parts that contradict or confuse each other."""
    days = parts.get("BYDAY", "")
    numbered = any(character.isdigit() for character in days)
    faults = {
        "COUNT and UNTIL do not go together": {"COUNT", "UNTIL"} <= set(parts),
        "BYDAY and BYMONTHDAY do not go together": {"BYDAY", "BYMONTHDAY"} <= set(parts),
        "weekdays have numbers in MONTHLY rules, and with BYMONTH": numbered
        and frequency != "MONTHLY"
        and "BYMONTH" not in parts,
        "BYSETPOS goes with a BYDAY without numbers": "BYSETPOS" in parts and (numbered or not days),
    }
    for message, holds in faults.items():
        if holds:
            raise InvalidRule(message)


def _check_month_days(frequency: str, values: Mapping[str, Any], starts_on: dt.date) -> None:
    """Refuse days that none of the rule's months has, for which it would look in vain."""
    months = values.get("BYMONTH", range(1, 13))
    if frequency == "MONTHLY" and values.get("INTERVAL", 1) % 12 == 0:
        months = [starts_on.month]
    longest = max(monthrange(_leap_year, month)[1] for month in months)
    if all(abs(day) > longest for day in values.get("BYMONTHDAY", [1])):
        message = "none of the rule's months has such a day"
        raise InvalidRule(message)


def _numbers(most: int, *, signed: bool = False) -> Callable[[str, str], list[int]]:
    def read(name: str, text: str) -> list[int]:
        values = [int(one) if _whole.fullmatch(one) else 0 for one in text.split(",")]
        if any(one == 0 or abs(one) > most or (one < 0 and not signed) for one in values):
            message = f"{name} has whole numbers up to {most}" + (", or minus so much" if signed else "")
            raise InvalidRule(message)
        return values

    return read


def _number(most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        values = _numbers(most)(name, text)
        if len(values) > 1:
            message = f"{name} is one number"
            raise InvalidRule(message)
        return values[0]

    return read


def _until(_: str, text: str) -> datetime:
    message = "UNTIL is a day such as 20261231"
    if not _day.fullmatch(text):
        raise InvalidRule(message)
    try:
        return datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007  a day by the community's calendar
    except ValueError:
        raise InvalidRule(message) from None


def _days(_: str, text: str) -> list[Any]:
    found = [_weekday.fullmatch(one) for one in text.split(",")]
    if None in found:
        message = "BYDAY has days such as MO, or 2TU and -1FR with numbers up to 5"
        raise InvalidRule(message)
    return [_weekdays[one[2]](int(one[1])) if one[1] else _weekdays[one[2]] for one in found if one]


def _week_start(_: str, text: str) -> Any:
    if text not in _weekdays:
        message = "WKST is a day such as MO"
        raise InvalidRule(message)
    return _weekdays[text]


_readers: dict[str, Callable[[str, str], Any]] = {
    "INTERVAL": _number(_interval_max),
    "COUNT": _number(_count_max),
    "UNTIL": _until,
    "WKST": _week_start,
    "BYDAY": _days,
    "BYMONTHDAY": _numbers(31, signed=True),
    "BYMONTH": _numbers(12),
    "BYSETPOS": _numbers(_position_max, signed=True),
}
_keywords = {
    "INTERVAL": "interval",
    "COUNT": "count",
    "UNTIL": "until",
    "WKST": "wkst",
    "BYDAY": "byweekday",
    "BYMONTHDAY": "bymonthday",
    "BYMONTH": "bymonth",
    "BYSETPOS": "bysetpos",
}


def days_between(rule: rrule.rrule, first: dt.date, last: dt.date) -> list[dt.date]:
    """The rule's days from `first` to `last`, in order. Days before are counted through."""
    start, end = datetime.combine(first, dt.time()), datetime.combine(last, dt.time())
    return [moment.date() for moment in rule.between(start, end, inc=True)]


def day_after(rule: rrule.rrule, day: dt.date) -> dt.date | None:
    """The rule's first day after another, if there is one."""
    found = rule.after(datetime.combine(day, dt.time()))
    return None if found is None else found.date()
