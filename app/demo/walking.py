"""A clock that is walked through the past, so that what happens there is posted at its own time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.kernel.heads import CITY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from app.kernel.clock import Clock
    from app.kernel.database import Database


class WalkingClock:
    """Stands still, the same for every community, until it is walked on; it never passes the clock behind it."""

    def __init__(self, start: datetime, real: Clock) -> None:
        """Stand at a moment that is past."""
        self._now = start
        self._real = real

    def now(self, community: int) -> datetime:  # noqa: ARG002  every community has the same
        """Give the moment at which it stands."""
        return self._now

    def walk_to(self, moment: datetime) -> None:
        """Stand at a later moment. Raises `ValueError` for one that is earlier, or still to come."""
        if not self._now <= moment <= self._real.now(CITY):
            message = f"from {self._now} nobody walks to {moment}: that is before it, or still to come"
            raise ValueError(message)
        self._now = moment


@contextmanager
def walking(database: Database, start: datetime) -> Iterator[WalkingClock]:
    """Let a database have its time from a clock that is walked on from `start`, and its own clock again afterwards."""
    real = database.clock
    database.clock = clock = WalkingClock(start, real)
    try:
        yield clock
    finally:
        database.clock = real
