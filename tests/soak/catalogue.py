"""The parts of a soak, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.soak import backups, operations, power_losses, sqlite_kills, tampering

if TYPE_CHECKING:
    from tests.soak.parts import Part

PARTS: tuple[Part, ...] = (sqlite_kills.PART, tampering.PART, power_losses.PART, operations.PART, backups.PART)
