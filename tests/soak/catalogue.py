"""The parts of a soak, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.soak import power_losses, sqlite_kills

if TYPE_CHECKING:
    from tests.soak.parts import Part

PARTS: tuple[Part, ...] = (sqlite_kills.PART, power_losses.PART)
