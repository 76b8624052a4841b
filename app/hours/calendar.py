"""China's working days, as the State Council publishes them year by year."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from app.kernel.lazily import lazily

if TYPE_CHECKING:
    import datetime as dt

    import chinese_calendar
else:
    chinese_calendar = lazily("chinese_calendar")

_saturday = 5


@lru_cache(maxsize=4096)
def is_working_day(day: dt.date) -> bool:
    """Whether people work on a day. Beyond the years published, weekends are all that is known of the days off."""
    try:
        return bool(chinese_calendar.is_workday(day))  # type: ignore[no-untyped-call]
    except NotImplementedError:
        return day.weekday() < _saturday
