"""Two more ways to fill a disk; the first is tried where all parts of a soak are, and all of them in a soak."""

from __future__ import annotations

import pytest

from tests.programs import may_be_left_out
from tests.soak.disk_full import fill
from tests.soak.full_disks import Way, absence, ways_of
from tests.soak.parts import POSTGRESQL, Plan
from tests.soak.test_core import LENIENCY

_ways = [] if may_be_left_out(absence(POSTGRESQL)) else ways_of(POSTGRESQL)[1:3]


@pytest.mark.parametrize("way", _ways, ids=lambda way: way.counted)
def test_every_promise_is_kept_while_a_disk_is_full(way: Way) -> None:
    plan = Plan(POSTGRESQL, f"core/{way.counted}", 1.0, leniency=LENIENCY)
    fill(plan, way)
    assert plan.too_slow == []
    assert plan.counts[way.counted] > 0
