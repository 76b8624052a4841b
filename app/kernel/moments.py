"""Moments as whole numbers: microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Whole microseconds from 1970-01-01 UTC to an aware moment."""
    return (moment - _EPOCH) // _MICROSECOND


def of_micros(count: int) -> datetime:
    """The moment so many microseconds after 1970-01-01 UTC."""
    return _EPOCH + timedelta(microseconds=count)
