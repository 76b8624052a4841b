"""The parts of a soak, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.soak import idempotency, ledgers, mutating, queues, races, rights, rules, seals

if TYPE_CHECKING:
    from tests.soak.parts import Part

PARTS: tuple[Part, ...] = (
    ledgers.PART,
    rules.PART,
    idempotency.PART,
    races.PART,
    rights.PART,
    queues.PART,
    seals.PART,
    mutating.PART,
)
