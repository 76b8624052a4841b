"""Every part of a soak for a few seconds on each of its engines."""

from __future__ import annotations

import pytest

from tests.programs import may_be_left_out
from tests.soak.catalogue import PARTS
from tests.soak.parts import Part, Plan

LENIENCY = 8.0
"""Tests run beside each other and on slow machines; whether all is done in time a smoke run tells."""

_core = [(part, engine) for part in PARTS for engine in part.engines if part.core_seconds]
_core = [(part, engine) for part, engine in _core if not may_be_left_out(part.absence(engine))]


@pytest.mark.parametrize(("part", "engine"), _core, ids=[f"{part.name}-{engine}" for part, engine in _core])
def test_every_promise_is_kept_for_a_while(part: Part, engine: str) -> None:
    plan = Plan(engine, f"core/{part.name}/{engine}", part.core_seconds, leniency=LENIENCY)
    part.run(plan)
    assert plan.too_slow == []
    assert plan.counts.total() > 0
