"""Writes calendars as RFC 5545 and RFC 7986 have them, for programs that read them again every hour."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import icalendar

if TYPE_CHECKING:
    from app.feeds.rules import Calendar, Occurrence

MEDIA_TYPE = "text/calendar"

READ_AGAIN_AFTER = timedelta(hours=1)

_product = "-//love-bank//calendar feeds//ZH"


def written(calendar: Calendar, origin: str) -> bytes:
    """Write a calendar, of the service with this name.

    Of a shift `UID` never changes, and `SEQUENCE` grows when it is moved or skipped.
    """
    whole = icalendar.Calendar()
    whole.add("PRODID", _product)
    whole.add("VERSION", "2.0")
    whole.add("CALSCALE", "GREGORIAN")
    # With a method, DTSTAMP is when the calendar was written; of what differs in nothing else the later one stands.
    whole.add("METHOD", "PUBLISH")
    # The library escapes no text of properties that it does not know.
    name = icalendar.vText(calendar.name)
    whole.add("NAME", name)
    whole.add("X-WR-CALNAME", name)
    whole.add("REFRESH-INTERVAL", icalendar.vDuration(READ_AGAIN_AFTER), parameters={"VALUE": "DURATION"})
    whole.add("X-PUBLISHED-TTL", icalendar.vDuration(READ_AGAIN_AFTER))
    for occurrence in calendar.occurrences:
        whole.add_component(_event(calendar, occurrence, origin))
    return bytes(whole.to_ical())


def _event(calendar: Calendar, occurrence: Occurrence, origin: str) -> icalendar.Event:
    event = icalendar.Event()
    event.add("UID", f"{occurrence.shift_id}@{origin}")
    event.add("SEQUENCE", occurrence.revision)
    event.add("DTSTAMP", calendar.now.replace(microsecond=0))
    event.add("DTSTART", occurrence.starts_at)
    event.add("DTEND", occurrence.ends_at)
    event.add("SUMMARY", occurrence.summary)
    if occurrence.place is not None:
        event.add("LOCATION", occurrence.place)
    event.add("STATUS", occurrence.status)
    return event


def tag_of(calendar: Calendar) -> str:
    """The weak entity tag of a calendar: another one as soon as anything but the time of writing is another."""
    meaning = repr((calendar.name, calendar.occurrences)).encode()
    return f'W/"{hashlib.sha256(meaning).hexdigest()[:32]}"'
