"""The parts of a soak, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.soak import (
    app_kills,
    backend_kills,
    backups,
    clock_steps,
    cluster_kills,
    commit_cuts,
    disk_full,
    fuzzing,
    operations,
    overload,
    pauses,
    power_losses,
    sqlite_kills,
    tampering,
)

if TYPE_CHECKING:
    from tests.soak.parts import Part

PARTS: tuple[Part, ...] = (
    operations.PART,
    sqlite_kills.PART,
    power_losses.PART,
    tampering.PART,
    backups.PART,
    app_kills.PART,
    commit_cuts.PART,
    cluster_kills.PART,
    backend_kills.PART,
    pauses.PART,
    disk_full.PART,
    clock_steps.PART,
    overload.PART,
    fuzzing.RAW,
    fuzzing.SCHEMA,
)
