"""Every part of a soak for a few seconds on each of its engines."""

from __future__ import annotations

import pytest

from tests.soak.catalogue import PARTS
from tests.soak.parts import Part, Plan

_core = [(part, engine) for part in PARTS for engine in part.engines if part.core_seconds]


@pytest.mark.parametrize(("part", "engine"), _core, ids=[f"{part.name}-{engine}" for part, engine in _core])
def test_every_promise_is_kept_for_a_while(part: Part, engine: str) -> None:
    plan = Plan(engine, f"core/{part.name}/{engine}", part.core_seconds)
    part.run(plan)
    assert plan.counts.total() > 0
