"""Time comes from here and never from SQL, so that a test or a sandbox community can have its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells a community's time."""

    def now(self, community: int) -> datetime:
        """Give the current moment of the community (its small number), aware and in UTC."""


class SystemClock:
    """The machine's clock, the same for every community."""

    def now(self, community: int) -> datetime:  # noqa: ARG002  every community has the same
        """Give the machine's time in UTC."""
        return datetime.now(UTC)
