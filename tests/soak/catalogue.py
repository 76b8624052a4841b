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
    idempotency,
    ledgers,
    mutating,
    operations,
    overload,
    pauses,
    power_losses,
    queues,
    races,
    rights,
    rules,
    seals,
    sqlite_kills,
    tampering,
    work,
)

if TYPE_CHECKING:
    from tests.soak.parts import Part

PARTS: tuple[Part, ...] = (
    ledgers.PART,
    rules.PART,
    work.PART,
    idempotency.PART,
    races.PART,
    rights.PART,
    queues.PART,
    seals.PART,
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
    mutating.PART,
)
